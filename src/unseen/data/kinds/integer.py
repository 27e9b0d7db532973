"""Whole numbers written as text: without leading zeros and plus, so that "007", "+7" and 7 are one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

SUMMARY = 'whole numbers: no leading zeros, no plus; "007" and 7 are one'
PARAMETERS = ("",)


def canonical(values: pa.Array, _parameter: str) -> pa.Array:
    """See :class:`unseen.data.canonical.Kind`."""
    good = pc.match_substring_regex(values, r"^[+-]?[0-9]+$")
    plain = pc.replace_substring_regex(values, r"^\+?(-?)0*([0-9])", r"\1\2", max_replacements=1)
    plain = pc.if_else(pc.equal(plain, "-0"), "0", plain)
    return pc.if_else(good, plain, pa.scalar(None, values.type))
