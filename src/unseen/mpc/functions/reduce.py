"""Reductions: sums cost nothing, extrema are tournaments of comparisons."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from unseen.core.errors import UsageError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.compare import equal, less, less_equal, logical_not, where
from unseen.mpc.functions.magnitude import sqrt
from unseen.mpc.functions.order import sort

Axis = int | tuple[int, ...] | None
_MATRIX = 2


def _inner(x: SecretArray, axis: Axis) -> tuple[int, ...]:
    """The axes of the share that an axis of the secret stands for."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return tuple(place + 1 for place in axes)


def _some(count: int, what: str) -> int:
    """The count itself; a UsageError where there is nothing to take `what` of."""
    if count < 1:
        raise UsageError(
            f"Of no numbers there is no {what}.",
            why="the array is empty along the axis (or, of a variance, has no more numbers than ddof)",
            mend="look at its .shape and .size, which are public, before you call it",
        )
    return count


def total(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """Sum; of Booleans: how many hold."""
    x = x.engine.as_number(x)
    share = np.asarray(x.share.sum(axis=_inner(x, axis), dtype=np.uint64, keepdims=keepdims))
    return x.engine.number(share, x.bits)


def mean(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """Mean: the sum, divided."""
    count = math.prod(x.shape[place - 1] for place in _inner(x, axis))
    return x.engine.divide(total(x, axis, keepdims=keepdims), _some(count, "mean"))


def variance(x: SecretArray, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> SecretArray:
    """Variance: the mean square distance from the mean."""
    places = _inner(x, axis)
    count = _some(math.prod(x.shape[place - 1] for place in places) - ddof, "variance")
    centred = x - mean(x, axis, keepdims=True)
    return x.engine.divide(total(centred * centred, axis, keepdims=keepdims), count)


def cumulated(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Running sums."""
    x = x.engine.as_number(x)
    x = x.ravel() if axis is None else x
    share = np.cumsum(x.share, axis=normalize_axis_index(axis or 0, x.ndim) + 1, dtype=np.uint64)
    return x.engine.number(share, x.bits)


def _extremum(x: SecretArray, axis: int | None, *, largest: bool, place: bool) -> SecretArray:
    """A tournament along the axis, ceil(log2(n)) levels; among equals the first wins."""
    engine = x.engine
    x = engine.as_number(x)
    x = x.ravel() if axis is None else x
    axis = normalize_axis_index(axis or 0, x.ndim)
    order = (axis, *(other for other in range(x.ndim) if other != axis))
    field = x.transpose(*order)
    _some(len(field), "largest one" if largest else "smallest one")
    positions = np.arange(len(field)).reshape(-1, *[1] * (field.ndim - 1)) * np.ones(field.shape[1:])
    where_from = engine.lift(positions, 0)
    while len(field) > 1:
        even = len(field) // 2 * 2
        one, other = field[0:even:2], field[1:even:2]
        better = (
            less(one, other) if largest else less(other, one)
        )  # the later one wins only if strictly better
        if place:
            here, there = where_from[0:even:2], where_from[1:even:2]
            stacked = engine.number(np.stack([one.share, here.share], axis=1), 0)
            rivals = engine.number(np.stack([other.share, there.share], axis=1), 0)
            chosen = where(better[None], rivals, stacked)
            winners = engine.number(chosen.share[:, 0], x.bits)
            where_from = engine.concatenate([engine.number(chosen.share[:, 1], 0), where_from[even:]])
        else:
            winners = where(better, other, one)
        field = engine.concatenate([winners, field[even:]])
    return (where_from if place else field)[0]


def maximum_of(x: SecretArray, axis: int | None = None) -> SecretArray:
    """The largest element."""
    return _extremum(x, axis, largest=True, place=False)


def minimum_of(x: SecretArray, axis: int | None = None) -> SecretArray:
    """The smallest element."""
    return _extremum(x, axis, largest=False, place=False)


def argmax(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Where the largest element is (the first of equals), as a secret integer."""
    return _extremum(x, axis, largest=True, place=True)


def argmin(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Where the smallest element is (the first of equals), as a secret integer."""
    return _extremum(x, axis, largest=False, place=True)


def deviation(x: SecretArray, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> SecretArray:
    """Standard deviation: the root of the variance."""
    return sqrt(variance(x, axis, ddof=ddof, keepdims=keepdims))


def some(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """Whether any holds, or is not 0."""
    return total(_true(x), axis, keepdims=keepdims) > 0


def every(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """Whether all hold, or none is 0."""
    return logical_not(some(logical_not(_true(x)), axis, keepdims=keepdims))


def count_nonzero(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """How many hold, or are not 0."""
    return total(_true(x), axis, keepdims=keepdims)


def _true(x: SecretArray) -> SecretArray:
    return x if x.boolean else logical_not(equal(x, 0))


def isin(x: SecretArray, members: Any) -> SecretArray:
    """Whether each element is one of some public numbers."""
    numbers = np.unique(np.asarray(members))
    if not numbers.size:
        return x.engine.lift(np.zeros(x.shape, bool))
    return some(equal(x[None], numbers.reshape(-1, *[1] * x.ndim)), axis=0)


def searchsorted(table: Any, x: Any, side: str = "left") -> SecretArray:
    """Where x belongs in a sorted vector: how many of it are less (`right`: or equal). Compares with all of it."""
    one, other = (item if isinstance(item, SecretArray) else np.asarray(item) for item in (table, x))
    entries = one.reshape(-1, *[1] * other.ndim)
    return total(less(entries, other[None]) if side == "left" else less_equal(entries, other[None]), axis=0)


def quantile(x: SecretArray, q: float, axis: int | None = None) -> SecretArray:
    """The value below which a public share q of the elements lies, between neighbours by proportion; by sorting."""
    line = x.ravel() if axis is None else x
    place = 0 if axis is None else normalize_axis_index(axis, line.ndim)
    ordered = sort(line, place).transpose(place, *(other for other in range(line.ndim) if other != place))
    at = q * (_some(len(ordered), "quantile") - 1)
    below = min(int(at), len(ordered) - 1)
    low = ordered[below]
    if at == below:
        return low
    made: SecretArray = low + (ordered[below + 1] - low) * (at - below)
    return made


def median(x: SecretArray, axis: int | None = None) -> SecretArray:
    """The middle value."""
    return quantile(x, 0.5, axis)


def dot(left: Any, right: Any) -> Any:
    """NumPy's dot: along the last axis of the left and the last but one of the right; with a single number, a product."""
    if not (np.ndim(left) and np.ndim(right)):
        return left * right
    if np.ndim(right) <= _MATRIX:
        return left @ right
    return contracted(left, np.moveaxis(right, -2, -1))


def contracted(left: Any, right: Any) -> Any:
    """Sums of products along the last axes, all rows of one with all of the other: one product of matrices."""
    pair = [item if isinstance(item, SecretArray) else np.asarray(item) for item in (left, right)]
    one, other = (item.reshape(math.prod(item.shape[:-1]), item.shape[-1]) for item in pair)
    return (one @ other.T).reshape(*pair[0].shape[:-1], *pair[1].shape[:-1])
