"""NumPy's functions that are a line of others: powers, products along an axis, norms, logarithms to other bases."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.exponential import exp
from unseen.mpc.functions.magnitude import log, reciprocal, rsqrt, sqrt
from unseen.mpc.functions.reduce import Axis, contracted, maximum_of, mean, minimum_of, root_of_squares, total

_VECTOR, _MATRIX = 1, 2
_MOST_POWER = 1 << 10


def power(base: Any, exponent: Any) -> SecretArray:
    """Base ** exponent: of a secret by a public whole number or a half, or of a public positive number by a secret.

    A whole power is that many products by squaring; each is off by a unit, so high powers of large numbers are off by more.

    Raises
    ------
    LocalProtocolError
        Another exponent.
    """
    if isinstance(exponent, SecretArray):
        if isinstance(base, SecretArray) or np.any(np.asarray(base) <= 0):
            raise LocalProtocolError(
                "A secret exponent takes a public positive base.",
                why="x ** y is exp(y log x), and there is no logarithm of what is not positive",
                mend="np.exp(y * np.log(x)), where every x is positive",
            )
        return exp(exponent * np.log(base))
    if not isinstance(exponent, numbers.Real):
        raise _no_power(exponent)
    times = float(exponent)
    if times in (0.5, -0.5):
        return sqrt(base) if times > 0 else rsqrt(base)
    if times % 1 or abs(times) > _MOST_POWER:
        raise _no_power(exponent)
    if times < 0:
        return _whole(reciprocal(base), int(-times))
    return _whole(base, int(times))


def _no_power(exponent: Any) -> LocalProtocolError:
    return LocalProtocolError(
        f"There is no power by {exponent!r} of secrets.",
        why="there are whole powers and those by a half, of one public number",
        mend="np.exp(p * np.log(x)), where every x is positive",
    )


def _whole(base: SecretArray, exponent: int) -> SecretArray:
    base = base.engine.as_number(base)
    if exponent == 0:
        return base.engine.lift(np.ones(base.shape), base.bits)
    out: SecretArray | None = None
    while True:
        if exponent & 1:
            out = base if out is None else out * base
        exponent >>= 1
        if not exponent:
            return cast("SecretArray", out)
        base = base * base


def matmul(left: Any, right: Any) -> SecretArray:
    """Left @ right; stacks of matrices one after another, each in the rounds of one."""
    if max(np.ndim(left), np.ndim(right)) <= _MATRIX:
        if isinstance(left, SecretArray):
            return left.engine.matmul(left, right)
        return cast("SecretArray", right.__rmatmul__(left))
    if 1 in (np.ndim(left), np.ndim(right)):
        row = np.ndim(left) == _VECTOR
        whole = matmul(left[None], right) if row else matmul(left, right[:, None])
        return cast("SecretArray", np.squeeze(cast("Any", whole), -2 if row else -1))
    lead = np.broadcast_shapes(np.shape(left)[:-2], np.shape(right)[:-2])
    pair = (
        np.broadcast_to(item, lead + np.shape(item)[-2:]).reshape(-1, *np.shape(item)[-2:])
        for item in (left, right)
    )
    made: Any = np.stack([matmul(one, other) for one, other in zip(*pair, strict=True)])
    return cast("SecretArray", made.reshape(*lead, np.shape(left)[-2], np.shape(right)[-1]))


def product(x: SecretArray, axis: int | None = None, *, keepdims: bool = False) -> SecretArray:
    """The product along an axis, in ceil(log2(n)) products of halves."""
    x = x.engine.as_number(x)
    axis = None if axis is None else normalize_axis_index(axis, x.ndim)
    field = (
        x.ravel() if axis is None else x.transpose(axis, *(other for other in range(x.ndim) if other != axis))
    )
    if not len(field):
        field = x.engine.lift(np.ones((1, *field.shape[1:])), x.bits)
    while len(field) > 1:
        half = len(field) // 2
        field = x.engine.concatenate([field[:half] * field[half : 2 * half], field[2 * half :]])
    return kept(field[0], x, axis) if keepdims else field[0]


def kept(reduced: SecretArray, x: SecretArray, axis: int | None) -> SecretArray:
    """What a reduction of x along the axis made, with that axis left in, of length one."""
    if axis is None:
        return reduced.reshape((1,) * x.ndim)
    axis = normalize_axis_index(axis, x.ndim)
    return reduced.reshape((*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def difference(x: SecretArray, n: int = 1, axis: int = -1) -> SecretArray:
    """x[1:] - x[:-1] along an axis, n times; of Booleans whether they differ, as NumPy has it."""
    before = (slice(None),) * normalize_axis_index(axis, x.ndim)
    for _ in range(n):
        one, other = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = one ^ other if x.boolean else one - other
    return x


def average(
    x: Any, axis: Axis = None, weights: Any = None, *, returned: bool = False, keepdims: bool = False
) -> Any:
    """The mean, or sum of weights times values over the sum of weights, of the array's shape or along the axis.

    With `returned` also the sum of weights (their number where there are none), in the shape of the mean.
    """
    if weights is None:
        made = mean(x, axis, keepdims=keepdims)
        count = x.size // max(1, made.size)
        return (made, np.full(made.shape, float(count))) if returned else made
    if isinstance(axis, int) and np.ndim(weights) == _VECTOR and np.ndim(x) != _VECTOR:
        weights = np.reshape(
            weights, [-1 if place == axis % np.ndim(x) else 1 for place in range(np.ndim(x))]
        )
    both = np.multiply(x, weights)
    weights = np.broadcast_to(weights, np.shape(both))
    whole = np.sum(weights, axis=axis, keepdims=keepdims)
    made = np.sum(both, axis=axis, keepdims=keepdims) / whole
    return (made, whole) if returned else made


def outer(left: Any, right: Any) -> SecretArray:
    """All products of two."""
    return cast("SecretArray", np.ravel(left)[:, None] * np.ravel(right)[None])


def inner(left: Any, right: Any) -> SecretArray:
    """Sums of products along the last axes."""
    if not (np.ndim(left) and np.ndim(right)):
        return cast("SecretArray", left * right)
    return cast("SecretArray", contracted(left, right))


def norm(x: SecretArray, ord: Any = None, axis: int | None = None, *, keepdims: bool = False) -> SecretArray:  # noqa: A002 - NumPy's name
    """The Euclidean norm along an axis, or of everything.

    Raises
    ------
    TypeError
        Another norm.
    """
    if ord is not None and not (ord == 2 and (isinstance(axis, int) or x.ndim == _VECTOR)):  # noqa: PLR2004 - the Euclidean one
        raise TypeError("there is the Euclidean norm only; others are np.abs, sum and max")
    return root_of_squares(x, axis, keepdims=keepdims)


def spread(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Largest minus smallest."""
    return maximum_of(x, axis) - minimum_of(x, axis)


def trace(x: SecretArray) -> SecretArray:
    """The sum of a matrix' diagonal, of its first two axes."""
    return total(cast("SecretArray", np.diagonal(cast("Any", x))), -1)


def floor(x: SecretArray) -> SecretArray:
    """The next whole number below, at the price of a comparison."""
    whole = x.engine.truncate(x.engine.as_number(x), 0, exact=True)
    return x.engine.scaled(whole, x.bits)


def whole(x: SecretArray) -> SecretArray:
    """An integer: what is before the point, as NumPy casts (towards 0)."""
    x = x.engine.as_number(x)
    if not x.bits:
        return x
    almost = (1 << x.bits) - 1  # less than one by a unit: it lifts what is below 0 to the next whole number
    lifted = x.engine.number(x.share + (x < 0).astype(int).share * np.uint64(almost), x.bits)
    return x.engine.truncate(lifted, 0, exact=True)


def trunc(x: SecretArray) -> SecretArray:
    """The next whole number towards 0."""
    return x.engine.scaled(whole(x), x.bits)


def log_to(base: float, x: SecretArray) -> SecretArray:
    """The logarithm to a base."""
    return log(x) * (1 / math.log(base))


def stacked_rows(arrays: Sequence[Any]) -> Any:
    """NumPy's vstack."""
    return np.concatenate([np.atleast_2d(array) for array in arrays], axis=0)


def stacked_columns(arrays: Sequence[Any]) -> Any:
    """NumPy's hstack."""
    flat = [np.atleast_1d(array) for array in arrays]
    return np.concatenate(flat, axis=0 if flat[0].ndim == _VECTOR else 1)


def columns(arrays: Sequence[Any]) -> Any:
    """NumPy's column_stack."""
    return np.concatenate(
        [np.reshape(array, (-1, 1)) if np.ndim(array) == _VECTOR else array for array in arrays], axis=1
    )
