"""Any text or number, as :mod:`unseen.data.canonical` writes all values: nothing is added to that."""

from __future__ import annotations

import pyarrow as pa

SUMMARY = "any text or number: Unicode NFKC without surrounding blanks, upper and lower case kept"
PARAMETERS = ("",)


def canonical(values: pa.Array, _parameter: str) -> pa.Array:
    """See :class:`unseen.data.canonical.Kind`."""
    return values
