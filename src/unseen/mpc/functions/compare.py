"""Comparisons, logic, and choosing without looking.

A comparison is the sign of a difference, so operands must be less than 2^62 apart in the ring. Its result is a secret
Boolean; `where` multiplies by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.core.errors import LocalProtocolError
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.pieces import piece
from unseen.mpc.shares import Bits, broadcast

_PLACES = 64
_PARTS = 4


def less(left: Any, right: Any) -> SecretArray:
    """Whether left < right, elementwise."""
    if isinstance(left, SecretArray) and not isinstance(right, SecretArray) and np.ndim(right) == 0:
        return below(left, (float(right),))[0]
    secret = left if isinstance(left, SecretArray) else right
    difference = left - right if secret is left else -(right - left)
    return below(difference, (0.0,))[0]


def below(x: SecretArray, bounds: tuple[float, ...]) -> SecretArray:
    """X < bound for several public bounds at the price of the opening of one; shape (len(bounds), *x.shape)."""
    x = x.engine.as_number(x)
    levels = [int(np.ceil(bound * 2.0**x.bits)) for bound in bounds]
    flat = x.share.reshape(len(x.share), -1)
    step = piece(x.size, _PARTS)
    parts = [
        x.engine.protocol.mask(np.ascontiguousarray(flat[:, begin : begin + step])).less_than(levels)
        for begin in range(0, max(1, x.size), step)
    ]
    bits = np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]
    return x.engine.boolean(bits.reshape(len(bits), len(levels), *x.shape))


def greater(left: Any, right: Any) -> SecretArray:
    """Whether left > right, elementwise."""
    if isinstance(left, SecretArray) and not isinstance(right, SecretArray) and np.ndim(right) == 0:
        step = 2.0**-left.bits  # left > r is: not left < r + 1 ulp, r rounded down
        return logical_not(below(left, (np.floor(float(right) / step) * step + step,))[0])
    return less(right, left)


def less_equal(left: Any, right: Any) -> SecretArray:
    """Whether left <= right, elementwise."""
    return logical_not(greater(left, right))


def greater_equal(left: Any, right: Any) -> SecretArray:
    """Whether left >= right, elementwise."""
    return logical_not(less(left, right))


def equal(left: Any, right: Any, *, places: int = _PLACES) -> SecretArray:
    """Whether left == right, elementwise: whether none of the lowest `places` of the difference is set."""
    secret = left if isinstance(left, SecretArray) else right
    other = right if secret is left else left
    engine = secret.engine
    if secret.boolean and isinstance(other, SecretArray) and other.boolean:
        return logical_not(logical_xor(secret, other))
    difference = secret - other
    made = engine.protocol.is_zero(difference.share, places)
    if made is not None:
        return engine.boolean(made)
    bits = planes.bits_of(engine.protocol, difference.share, places)
    while bits.shape[1] > 1:  # OR of all places by halves: a | b = a ^ b ^ ab
        half = bits.shape[1] // 2
        low, high, rest = bits[:, :half], bits[:, half : 2 * half], bits[:, 2 * half :]
        (both,) = engine.protocol.and_both(low, (high,))
        bits = np.concatenate([low ^ high ^ both, rest], axis=1)
    return logical_not(engine.boolean(planes.unpack(bits, difference.shape)[:, 0]))


def _booleans(left: Any, right: Any) -> tuple[SecretArray, Bits, Bits]:
    secret = left if isinstance(left, SecretArray) else right
    shares = []
    for one in (left, right):
        if not isinstance(one, SecretArray) and np.asarray(one).dtype != np.bool_:
            raise LocalProtocolError(
                "Logic takes Booleans on both sides.",
                why=f"{np.asarray(one).dtype} is none",
                mend="compare numbers first",
            )
        shares.append(secret.engine.lift(one).bit_share)
    one, other = broadcast(*shares)
    return secret, one, other


def logical_and(left: Any, right: Any) -> SecretArray:
    """Both."""
    secret, one, other = _booleans(left, right)
    (both,) = secret.engine.protocol.and_both(planes.pack(one), (planes.pack(other),))
    return secret.engine.boolean(planes.unpack(both, one.shape[1:])[:, 0])


def logical_xor(left: Any, right: Any) -> SecretArray:
    """One of both; costs nothing."""
    secret, one, other = _booleans(left, right)
    return secret.engine.boolean(one ^ other)


def logical_or(left: Any, right: Any) -> SecretArray:
    """Any of both."""
    return logical_xor(logical_xor(left, right), logical_and(left, right))


def logical_not(x: SecretArray) -> SecretArray:
    """NOT; costs nothing."""
    return x.engine.boolean(planes.flip(x.engine.protocol, x.bit_share))


def where(condition: Any, left: Any, right: Any) -> SecretArray:
    """Takes left where the condition holds, else right."""
    secret = next(item for item in (condition, left, right) if isinstance(item, SecretArray))
    engine = secret.engine
    left, right = engine.lift(left), engine.lift(right)
    if left.boolean and right.boolean:
        return logical_xor(right, logical_and(condition, logical_xor(left, right)))
    left, right = engine.pair(left, right)
    if not isinstance(condition, SecretArray):
        chosen = np.asarray(condition, bool).astype(np.int64)
        out: SecretArray = left * chosen + right * (1 - chosen)
        return out
    chosen_by_secret: SecretArray = right + engine.select(condition, left - right)
    return chosen_by_secret


def maximum(left: Any, right: Any) -> SecretArray:
    """The larger one, elementwise."""
    return where(less(left, right), right, left)


def minimum(left: Any, right: Any) -> SecretArray:
    """The smaller one, elementwise."""
    return where(less(left, right), left, right)


def clip(x: SecretArray, low: Any, high: Any) -> SecretArray:
    """Between low and high."""
    out = x if low is None else maximum(x, low)
    return out if high is None else minimum(out, high)


def absolute(x: SecretArray) -> SecretArray:
    """|x|."""
    x = x.engine.as_number(x)
    out: SecretArray = x - x.engine.select(below(x, (0.0,))[0], x) * 2
    return out


def turned(x: SecretArray, negative: SecretArray) -> tuple[SecretArray, SecretArray]:
    """-x where it is `negative`, else x; and the condition as to give it again: a number, where the protocol multiplies by one."""
    engine = x.engine
    chosen = engine.protocol.select(negative.bit_share, x.share) if negative.boolean else None
    if chosen is None:
        negative = engine.as_number(negative)
        return x - engine.multiply(negative, x) * 2, negative
    return x - engine.number(chosen, x.bits) * 2, negative


def sign(x: SecretArray) -> SecretArray:
    """-1, 0 or 1, as integers."""
    signs = x.engine.as_number(below(x, (0.0, 2.0**-x.bits)))  # [x < 0], [x <= 0]
    return 1 - signs[0] - signs[1]
