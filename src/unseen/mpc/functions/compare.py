"""Comparisons, logic, and choosing without looking.

A comparison is the sign of a difference, so secrets must be less than 2^62 in size, in units of their last place. Public bounds may be
any numbers: they are rounded to the nearest unit, as secrets were (integers are compared with fractions as they are), and those that no
secret reaches are taken as 2^62 units.
Its result is a secret Boolean; `where` multiplies by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import SAFE_BITS, encode
from unseen.mpc.functions.pieces import piece
from unseen.mpc.shares import Bits, broadcast

_PLACES = 64
_PARTS = 4
_FARTHEST = 1 << SAFE_BITS  # in units: no secret reaches it


def less(left: Any, right: Any) -> SecretArray:
    """Whether left < right, elementwise."""
    if isinstance(left, SecretArray):
        return below(left - right, (0,))[0] if isinstance(right, SecretArray) else _reaching(left, right)
    return greater(right, left)


def _reaching(x: SecretArray, bound: Any, *, beyond: bool = False) -> SecretArray:
    """Whether x < bound, or with `beyond` x <= bound, of public bounds."""
    if np.ndim(bound) == 0:
        return _under(x, [int(_levels(bound, x.bits, beyond=beyond))])[0]
    x = x.engine.as_number(x)
    level = x.engine.protocol.public(_levels(bound, x.bits, beyond=beyond).view(np.uint64))
    return below(x - x.engine.number(level, x.bits), (0,))[0]


def _levels(bounds: Any, bits: int, *, beyond: bool = False) -> NDArray[np.int64]:
    """Of public bounds the first unit that is not below them, or with `beyond` the first above them; at most 2^62 in size.

    Raises
    ------
    UsageError
        A bound that is no number.
    """
    plain = np.asarray(bounds)
    if plain.dtype.kind == "O":
        if plain.ndim == 0 and isinstance(bounds, int):  # Python's, beyond 64 bits
            return np.array(_FARTHEST if bounds > 0 else -_FARTHEST)
        return _levels(_floats(plain), bits, beyond=beyond)
    if plain.dtype.kind in "biu":
        far = _FARTHEST >> bits
        small = np.minimum(plain, np.uint64(far)) if plain.dtype == np.uint64 else plain
        made = (np.clip(small.astype(np.int64), -far, far) << bits) + beyond
    elif plain.dtype.kind == "f":
        if np.isnan(plain).any():
            raise UsageError(
                "A secret is compared with NaN.", why="it is no number", mend="replace missing values before"
            )
        scaled = plain.astype(np.float64) * 2.0**bits
        units = np.floor(scaled) + 1 if beyond else np.ceil(scaled)
        if bits:
            # A secret 1.1 is the nearest unit to it: so is the bound 1.1, but a small one is not taken for 0.
            units = np.where(np.abs(scaled) < 1, units, np.rint(scaled) + beyond)
        made = np.clip(units, -float(_FARTHEST), float(_FARTHEST)).astype(np.int64)
    else:
        made = encode(plain, bits).view(np.int64)  # which refuses it, in its words
    return np.asarray(made)


def _floats(plain: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return plain.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("A secret is compared with what is no number.", why=str(error)) from error


def below(x: SecretArray, bounds: tuple[float, ...]) -> SecretArray:
    """X < bound for several public bounds at the price of the opening of one; shape (len(bounds), *x.shape)."""
    return _under(x, [int(_levels(bound, x.bits)) for bound in bounds])


def _under(x: SecretArray, levels: list[int]) -> SecretArray:
    """The same of bounds in units."""
    x = x.engine.as_number(x)
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
    if isinstance(left, SecretArray) and not isinstance(right, SecretArray):
        return logical_not(_reaching(left, right, beyond=True))
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
    if not isinstance(other, SecretArray):
        other = np.asarray(other)
    if secret.boolean and other.dtype == np.bool_:
        return logical_not(logical_xor(secret, other))
    if not secret.bits and not isinstance(other, SecretArray) and other.dtype.kind == "f":
        whole = np.rint(other)
        met = (whole == other) & (np.abs(whole) < _FARTHEST)  # no integer equals another
        made_whole = equal(secret, np.where(met, whole, 0).astype(np.int64), places=places)
        return made_whole if met.all() else logical_and(made_whole, met)
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
                mend="compare numbers first (np.logical_and asks whether they are not 0); bits of integers are for mpc.apply",
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


def truth(x: SecretArray) -> SecretArray:
    """Whether it is not 0: a comparison, of numbers."""
    return x if x.boolean else logical_not(equal(x, 0))


def where(condition: Any, left: Any, right: Any) -> SecretArray:
    """Takes left where the condition holds, or is a number that is not 0; else right."""
    secret = next(item for item in (condition, left, right) if isinstance(item, SecretArray))
    engine = secret.engine
    condition = truth(condition) if isinstance(condition, SecretArray) else np.asarray(condition, bool)
    left, right = engine.lift(left), engine.lift(right)
    if left.boolean and right.boolean:
        return logical_xor(right, logical_and(condition, logical_xor(left, right)))
    left, right = engine.pair(left, right)
    if not isinstance(condition, SecretArray):
        chosen = condition.astype(np.int64)
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
