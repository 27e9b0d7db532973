"""Running sums, extrema and copies within segments of an array whose borders are secret.

`starts` marks the first element of every segment. An element and its mark combine with the one before as

    (s, u) then (t, v) = (s or t, v if t else u op v),

which is associative, so all prefixes come from a tree: pairs are combined, their prefixes found in the same way, and the
elements between combined with those. 2 n combinations in 2 log2(n) steps.

Source: Blelloch, "Prefix Sums and Their Applications" (1990); Brent and Kung (1982) for the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.compare import less, logical_and, logical_not, logical_or, where

How = Literal["sum", "min", "max", "first"]
Combine = Callable[[SecretArray, SecretArray, SecretArray], SecretArray]


def segmented(values: SecretArray, starts: SecretArray, how: How) -> SecretArray:
    """For each element what `how` makes of its segment up to and with it.

    Parameters
    ----------
    values
        (n,) or (n, columns), numbers.
    starts
        (n,) Booleans. The first element starts a segment whether it is marked or not.
    how
        "sum", "min", "max", or "first": the segment's first element, copied.

    Raises
    ------
    LocalProtocolError
        Shapes that do not fit, or another `how`.
    """
    values = values.engine.as_number(values)
    if how not in COMBINE or not starts.boolean or starts.shape != values.shape[:1]:
        raise LocalProtocolError(
            f"A scan cannot take {how!r} of {values.shape} in segments of {starts.shape}.",
            why="it takes one Boolean a row",
            mend=f"mark the rows where segments start; there are: {', '.join(COMBINE)}",
        )
    return _prefixes(values, starts, COMBINE[how])


def _prefixes(values: SecretArray, starts: SecretArray, combine: Combine) -> SecretArray:
    count = len(values)
    if count < 2:  # noqa: PLR2004 - nothing before it
        return values
    even = count // 2 * 2
    pairs = combine(values[0:even:2], values[1:even:2], starts[1:even:2])
    marks = logical_or(starts[0:even:2], starts[1:even:2])
    prefixes = _prefixes(pairs, marks, combine)  # up to every odd element
    between = slice(2, count, 2)
    rest = (count - 1) // 2
    made = combine(prefixes[:rest], values[between], starts[between])
    bits = max(prefixes.bits, made.bits)
    share = np.empty_like(values.share)
    share[:, 0] = values.share[:, 0]
    share[:, 1::2] = prefixes.share
    share[:, between] = made.share
    return values.engine.number(share, bits)


def _chosen(condition: SecretArray, left: SecretArray, right: SecretArray) -> SecretArray:
    """Left where the condition, (n,) or of the values' shape, holds; else right."""
    return where(condition if condition.ndim == left.ndim else condition.reshape(-1, 1), left, right)


def _sum(before: SecretArray, here: SecretArray, start: SecretArray) -> SecretArray:
    return _chosen(start, here, here + before)


def _first(before: SecretArray, here: SecretArray, start: SecretArray) -> SecretArray:
    return _chosen(start, here, before)


def _extremum(larger: bool) -> Combine:  # noqa: FBT001 - two of a kind
    def combine(before: SecretArray, here: SecretArray, start: SecretArray) -> SecretArray:
        better: Any = less(here, before) if larger else less(before, here)
        goes_on = logical_not(start)
        if better.ndim > goes_on.ndim:
            goes_on = goes_on.reshape(-1, 1)
        return _chosen(logical_and(better, goes_on), before, here)

    return combine


COMBINE: dict[str, Combine] = {
    "sum": _sum,
    "min": _extremum(larger=False),
    "max": _extremum(larger=True),
    "first": _first,
}
