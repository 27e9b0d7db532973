"""Reductions: sums cost nothing, extrema are tournaments of comparisons."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import SAFE_BITS
from unseen.mpc.functions.compare import equal, less, less_equal, logical_and, logical_not, truth
from unseen.mpc.functions.compare import where as chosen
from unseen.mpc.functions.magnitude import Divisor, divisor, sqrt
from unseen.mpc.functions.order import sort

Axis = int | tuple[int, ...] | None
_MATRIX = 2
_BETWEEN: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "linear": lambda part: part,
    "lower": np.zeros_like,
    "higher": np.ceil,
    "midpoint": lambda part: np.ceil(part) / 2,
}
_MEANS = ("mean", "variance")
_LARGE = 0.25  # of the smaller mean square: from there on it has its places, and up to four times that the other fits


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


def total(x: SecretArray, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> SecretArray:
    """Sum; of Booleans: how many hold."""
    x = x.engine.as_number(_only(x, where))
    share = np.asarray(x.share.sum(axis=_inner(x, axis), dtype=np.uint64, keepdims=keepdims))
    return x.engine.number(share, x.bits)


def _only(x: SecretArray, where: Any) -> SecretArray:
    """X where a condition, public or secret, holds, and elsewhere 0."""
    if where is True:
        return x
    return logical_and(x, where) if x.boolean else chosen(where, x, 0)


def _count(x: SecretArray, axis: Axis, where: Any, *, keepdims: bool, but: int = 0) -> Any:
    """How many elements a mean is over, less `but`: a number, of conditions an array, of secret ones what divides by it."""
    if where is True:
        return _some(math.prod(x.shape[place - 1] for place in _inner(x, axis)) - but, _MEANS[but > 0])
    if isinstance(where, SecretArray):
        broadcast: Any = np.broadcast_to(where, x.shape)
        return divisor(total(broadcast, axis, keepdims=keepdims) - but)
    count = np.broadcast_to(np.asarray(where, bool), x.shape).sum(axis=axis, keepdims=keepdims) - but
    _some(int(count.min(initial=1)), _MEANS[but > 0])
    return count


def mean(x: SecretArray, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> SecretArray:
    """Mean: the sum, divided; 0 where a secret condition holds nowhere."""
    count = _count(x, axis, where, keepdims=keepdims)
    return _divided(total(x, axis, keepdims=keepdims, where=where), count)


def _divided(made: SecretArray, count: Any) -> SecretArray:
    return count.divide(made) if isinstance(count, Divisor) else made.engine.divide(made, count)


def variance(
    x: SecretArray, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False, where: Any = True
) -> SecretArray:
    """Variance: the mean square distance from the mean."""
    centred, count = _centred(x, axis, where, ddof)
    small, large = _mean_square(centred, axis, keepdims=True, count=count)
    made = _times(small, large, SAFE_BITS - 2 * small.bits)
    return made if keepdims else made.squeeze(axis)


def _centred(x: SecretArray, axis: Axis, where: Any, ddof: int) -> tuple[SecretArray, Any]:
    """X less its mean, 0 where it does not count; and what the sum of squares is divided by.

    The mean of large numbers is off by more than a unit, so that of what is left is taken off too.
    """
    count = _count(x, axis, where, keepdims=True)
    least = _count(x, axis, where, keepdims=True, but=ddof) if ddof else count
    for _ in range(2):
        x = x - _divided(total(x, axis, keepdims=True, where=where), count)
    return _only(x, where), least


def cumulated(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Running sums."""
    x = x.engine.as_number(x)
    x = x.ravel() if axis is None else x
    share = np.cumsum(x.share, axis=normalize_axis_index(axis or 0, x.ndim) + 1, dtype=np.uint64)
    return x.engine.number(share, x.bits)


def _extremum(x: SecretArray, axis: int | None, *, largest: bool, place: bool) -> SecretArray:
    """A tournament along the axis, ceil(log2(n)) levels; among equals the first wins."""
    engine = x.engine
    _some(
        x.size if axis is None else x.shape[normalize_axis_index(axis, x.ndim)],
        "largest one" if largest else "smallest one",
    )
    if x.boolean and not place:
        return some(x, axis) if largest else every(x, axis)
    x = engine.as_number(x)
    x = x.ravel() if axis is None else x
    axis = normalize_axis_index(axis or 0, x.ndim)
    order = (axis, *(other for other in range(x.ndim) if other != axis))
    field = x.transpose(*order)
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
            better_ones = chosen(better[None], rivals, stacked)
            winners = engine.number(better_ones.share[:, 0], x.bits)
            where_from = engine.concatenate([engine.number(better_ones.share[:, 1], 0), where_from[even:]])
        else:
            winners = chosen(better, other, one)
        field = engine.concatenate([winners, field[even:]])
    return (where_from if place else field)[0]


def maximum_of(x: SecretArray, axis: int | None = None) -> SecretArray:
    """The largest element; of Booleans: whether any holds."""
    return _extremum(x, axis, largest=True, place=False)


def minimum_of(x: SecretArray, axis: int | None = None) -> SecretArray:
    """The smallest element; of Booleans: whether all hold."""
    return _extremum(x, axis, largest=False, place=False)


def argmax(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Where the largest element is (the first of equals), as a secret integer."""
    return _extremum(x, axis, largest=True, place=True)


def argmin(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Where the smallest element is (the first of equals), as a secret integer."""
    return _extremum(x, axis, largest=False, place=True)


def deviation(
    x: SecretArray, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False, where: Any = True
) -> SecretArray:
    """Standard deviation: the root of the variance."""
    centred, count = _centred(x, axis, where, ddof)
    made = root_of_squares(centred, axis, keepdims=True, count=count)
    return made if keepdims else made.squeeze(axis)


def root_of_squares(x: SecretArray, axis: Axis, *, keepdims: bool = False, count: Any = 1) -> SecretArray:
    """The root of the sum of squares over count; x and the result must be below 2^(61 - 2 bits), the numbers at most 2^20."""
    small, large = _mean_square(x, axis, keepdims=keepdims, count=count)
    return _times(sqrt(small), large, SAFE_BITS // 2 - small.bits)


def _times(x: SecretArray, large: SecretArray, power: int) -> SecretArray:
    """X, times 2^power where it is said to be large."""
    out: SecretArray = x + x.engine.select(large, x * (2**power - 1))
    return out


def _mean_square(
    x: SecretArray, axis: Axis, *, keepdims: bool, count: Any
) -> tuple[SecretArray, SecretArray]:
    """The sum of squares over count, or where it is large (secret Booleans, the second result) one that is 2^(62 - 2 bits) smaller.

    Both have the shape of NumPy's sum; `count` is public, of that shape or one number, or a secret made a :class:`Divisor`.
    Each number is high 2^k + low, so that sums of high^2, high low and low^2 fit. Of these it is made twice, and the one that fits and has
    its places is chosen.
    """
    engine = x.engine
    x = engine.as_real(x)
    x = engine.truncate(x, min(x.bits, engine.bits))
    bits, half = x.bits, (SAFE_BITS - x.bits) // 2
    axes = _inner(x, axis)
    shape = tuple(
        1 if place in axes else length
        for place, length in enumerate(x.shape, start=1)
        if keepdims or place not in axes
    )
    count_each, sums_made = math.prod(x.shape[place - 1] for place in axes), math.prod(shape)
    if not count_each * sums_made:
        return engine.lift(np.zeros(shape)), engine.lift(np.zeros(shape, bool))
    share = np.moveaxis(x.share, axes, range(1, len(axes) + 1)).reshape(len(x.share), count_each, sums_made)
    high = engine.truncate(engine.number(share, 0), 0, divide_by=half).share
    low = share - (high << np.uint64(half))
    left, right = (np.stack(side, axis=2) for side in ((high, high, low), (high, low, low)))
    sums = [engine.number(one, 0) for one in np.moveaxis(engine.protocol.inner(left, right), 1, 0)]
    near, far = (
        sum(
            engine.truncate(one, 0, divide_by=by + less).share
            for one, less in zip(sums, (-2 * half, -half - 1, 0), strict=True)
        )
        for by in (bits, SAFE_BITS - bits)
    )
    both = engine.number(np.stack([near, far], axis=1).reshape(len(share), 2, *shape), bits)
    both = _divided(both, count)
    large = both[1] >= _LARGE
    return chosen(large, both[1], both[0]), large


def some(x: SecretArray, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> SecretArray:
    """Whether any holds, or is not 0."""
    return total(truth(x), axis, keepdims=keepdims, where=where) > 0


def every(x: SecretArray, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> SecretArray:
    """Whether all hold, or none is 0."""
    return logical_not(some(logical_not(truth(x)), axis, keepdims=keepdims, where=where))


def count_nonzero(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """How many hold, or are not 0."""
    return total(truth(x), axis, keepdims=keepdims)


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


def quantile(
    x: SecretArray, q: Any, axis: Axis = None, *, keepdims: bool = False, method: str = "linear"
) -> SecretArray:
    """The values below which public shares q of the elements lie, by sorting; between neighbours by `method`.

    Raises
    ------
    UsageError
        A share outside [0, 1], no elements, or another method than linear, lower, higher and midpoint.
    """
    shares = np.asarray(q, np.float64)
    if method not in _BETWEEN or not (np.abs(shares - 0.5) <= 0.5).all():  # noqa: PLR2004 - also catches NaN
        raise UsageError(
            f"There is no quantile {q!r} by {method!r}.",
            why="shares lie from 0 to 1 (percentiles from 0 to 100)",
            mend=f"there are: {', '.join(_BETWEEN)}",
        )
    along = [place - 1 for place in _inner(x, axis)]
    others = [place for place in range(x.ndim) if place not in along]
    kept_shape = tuple(x.shape[place] for place in others)
    line = x.engine.as_real(x).transpose(*along, *others)
    line = line.reshape(_some(math.prod(x.shape[place] for place in along), "quantile"), *kept_shape)
    ordered = sort(line, 0)
    at = shares.ravel() * (len(line) - 1)
    low, high = np.floor(at).astype(np.int64), np.ceil(at).astype(np.int64)
    part = _BETWEEN[method](at - low)
    made = ordered[low]
    if part.any():
        made = made + (ordered[high] - made) * part.reshape(-1, *[1] * len(kept_shape))
    left = tuple(1 if place in along else x.shape[place] for place in range(x.ndim))
    return made.reshape(*shares.shape, *(left if keepdims else kept_shape))


def median(x: SecretArray, axis: Axis = None, *, keepdims: bool = False) -> SecretArray:
    """The middle value."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


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
