"""Functions of a number's size: 1/x, a/x, 1/sqrt(x), sqrt(x), log(x).

x > 0 is written as m 2^-e 2^M with m in [1/2, 1) from its highest place: one-hot bits of the places, taken together by
rows and by columns of a square, give 2^e as a product of two sums, so few bits need become numbers. Of m the function is
a sine series where waves cost less than powers (`waved` of the protocol), else a polynomial (1/x: always, and one step of Newton's
method more). A sine asks for m modulo its period only, so m need not be truncated first.

A quotient a/x is a 2^e, truncated, times 1/m, so it does not matter whether x is large or small; 1/x itself would have few
places where x is large.

Domain: 2^-bits <= x < 2^(62 - 2 bits); results must fit the format. 1/x and a/x are 0 where x is 0. A negative x has its sign
taken into account by them and gives nonsense elsewhere, as nobody is to learn that it was negative.

Errors, tested on a dense grid and published in docs/mpc.md: :data:`MAX_ERRORS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import SAFE_BITS
from unseen.mpc.functions import tables
from unseen.mpc.functions.compare import below, turned
from unseen.mpc.functions.pieces import cut, in_pieces
from unseen.mpc.functions.polynomial import polynomial
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Planes, Share

MAX_ERRORS = {
    "reciprocal": 2.0**-15,
    "quotient": 2.0**-15,
    "rsqrt": 2.0**-14,
    "sqrt": 2.0**-14,
    "log": 2.0**-15,
}
"""Relative for 1/x, a/x, 1/sqrt(x) and sqrt(x) apart from one unit of the result's last place; absolute for log(x)."""

_MANTISSA, _ROOT, _COLUMN = 28, 22, 24  # fraction bits; products stay below 2^62
_WAVED = 43  # of a function made of waves
_LARGEST = 60  # the places of a root before it is truncated
_LARGEST_QUOTIENT = 26  # 2^26, or what fits
_INVERSE = 22  # fraction bits of the 1/m of a quotient, at most
_PARTS = 16


@dataclass(frozen=True, slots=True)
class _Highest:
    """How far the highest place of x that is set lies from the topmost: e = row * width + column of a square.

    `rows` and `columns` are one-hot numbers; so is `apart`, of topmost places that are not in the square, which begins below
    them.
    """

    rows: SecretArray
    columns: SecretArray
    apart: SecretArray
    places: int

    @property
    def row_steps(self) -> NDArray[np.int64]:
        """What each row adds to e."""
        return self.columns.shape[0] * np.arange(self.rows.shape[0])

    @property
    def column_steps(self) -> NDArray[np.int64]:
        """What each column adds to e."""
        return np.arange(self.columns.shape[0])

    def powers(self, *kinds: _Power) -> list[SecretArray]:
        """2^(kind.times * e + kind.more), at once: products of what the row and what the column tell."""
        rows = [_choose(self.rows, kind.times * self.row_steps + kind.more, kind.row_bits) for kind in kinds]
        columns = [_choose(self.columns, kind.times * self.column_steps, kind.column_bits) for kind in kinds]
        engine = rows[0].engine
        left, right = (np.stack([one.share for one in side], axis=1) for side in (rows, columns))
        del rows, columns
        shape = left.shape
        left, right = (side.reshape(len(side), -1) for side in (left, right))
        made = engine.protocol.multiply(left, right).reshape(shape)
        return [
            engine.number(np.ascontiguousarray(made[:, place]), kind.row_bits + kind.column_bits)
            for place, kind in enumerate(kinds)
        ]

    def mantissa(self, x: SecretArray, factor: SecretArray) -> SecretArray:
        """The number in [1/2, 1) that is x 2^e in units, with as many fraction bits as places."""
        engine = x.engine
        return engine.number(engine.multiply(engine.number(x.share, 0), factor).share, self.places)


@dataclass(frozen=True, slots=True)
class _Power:
    """2^(times * e + more); fraction bits of the two factors that it is made of."""

    times: float = 1
    more: float = 0
    row_bits: int = 0
    column_bits: int = 0


def _choose(one_hot: SecretArray, exponents: NDArray[Any], bits: int) -> SecretArray:
    """2^exponent of the bit that is set."""
    return _tell(one_hot, 2.0**exponents, bits)


def _tell(one_hot: SecretArray, values: NDArray[Any], bits: int) -> SecretArray:
    """The value whose bit is set."""
    ring = np.rint(values * 2.0**bits).astype(np.int64).view(np.uint64)
    share = one_hot.share[:, 0] * ring[0]
    for place, weight in enumerate(ring[1:], start=1):
        share += one_hot.share[:, place] * weight
    return one_hot.engine.number(share, bits)


def _function(m: SecretArray, coefficients: tuple[float, ...], wave: tuple[float, ...]) -> SecretArray:
    """Of a mantissa: the polynomial, or the sine series, whichever costs less."""
    engine, protocol = m.engine, m.engine.protocol
    if not protocol.waved:
        return polynomial(engine.truncate(m, _MANTISSA), coefficients)
    masked = protocol.mask(m.share.reshape(len(m.share), -1))
    share = masked.harmonics(m.bits + tables.MANTISSA_PERIOD_BITS, np.array(wave[1:]), _WAVED + 1)
    constant = np.int64(round(wave[0] * 2.0 ** (_WAVED + 1))).astype(np.uint64)
    share = share + protocol.public(np.full(m.size, constant))
    return engine.number(share.reshape(m.share.shape), _WAVED)  # twice what the series is


def _highest(x: SecretArray, apart: int = 0) -> _Highest:
    engine, protocol = x.engine, x.engine.protocol
    places = SAFE_BITS - x.bits
    width = math.isqrt(places - apart - 1) + 1
    height = -(-(places - apart) // width)
    sides = _sides(protocol, x.share.reshape(len(x.share), -1), places, (height, width), apart)
    hot = engine.as_number(engine.boolean(planes.unpack(sides, x.shape)))
    return _Highest(hot[:height], hot[height : height + width], hot[height + width :], places)


def _sides(protocol: Protocol, flat: Share, places: int, square: tuple[int, int], apart: int) -> Planes:
    """The rows and the columns of a square of which one is set, then the places apart, as planes one after another."""
    top = planes.highest(protocol, planes.bits_of(protocol, flat, places))[:, ::-1]
    # Row r and column c of the square stand for e = r * width + c, which is how far the place is from the topmost.
    grid = np.zeros((len(top), *square, top.shape[2]), np.uint64)
    grid.reshape(len(top), -1, top.shape[2])[:, : places - apart] = top[:, apart:]
    # At most one place is set, so XOR along a side is OR.
    sides = [np.bitwise_xor.reduce(grid, axis=axis) for axis in (2, 1)]
    return np.concatenate([*sides, top[:, :apart]], axis=1)


@in_pieces(parts=_PARTS)
def reciprocal(x: SecretArray) -> SecretArray:
    """1 / x; 0 where x is 0."""
    engine = x.engine
    x = engine.as_real(x)
    x, negative = turned(x, below(x, (0.0,))[0])
    top = _highest(x)
    (factor,) = top.powers(_Power())
    m = engine.truncate(top.mantissa(x, factor), _MANTISSA)
    guess = polynomial(m, tables.RECIPROCAL)
    kept = SAFE_BITS - 1 - top.places  # so that times 2^e it stays below 2^62
    better = engine.truncate(guess * (2 - m * guess), kept)
    # 1/x = better 2^e / 2^(places - bits), where x has 2^-bits as its unit.
    product = engine.multiply(engine.number(better.share, 0), factor)
    out = engine.truncate(engine.number(product.share, kept), 0, divide_by=top.places - 2 * x.bits)
    return turned(engine.number(out.share, x.bits), negative)[0]


@dataclass(frozen=True, slots=True)
class Divisor:
    """A secret x made ready for numbers to be divided by it.

    x is m 2^n with m in [1/2, 1). `power` times `inverse` is 1/x: of 2^-n, with the sign of x, and 1/m; what of n is so large that
    2^-n would not fit is in `inverse`. Both have the shape of x; `power` is 0 where x is 0.
    """

    power: SecretArray
    inverse: SecretArray

    def divide(self, a: Any) -> SecretArray:
        """A / x of secret or public a, which broadcasts; 0 where x is 0.

        Errors: 2^-15 relative, or 3 units. With fewer than 20 fraction bits 1/m has fewer places for the largest x, down to 8 of
        them. Range: a / x must be below 2^26 and what products must be below, 2^(62 - 2 bits); with more than 22, below 2^(40 - bits).
        """
        engine = self.power.engine
        most = max(engine.bits, a.bits) if isinstance(a, SecretArray) else engine.bits
        return engine.multiply(engine.multiply(self.power, a, most=most), self.inverse, most=most)


def divisor(x: SecretArray) -> Divisor:
    """Of what is divided by, once for all that it divides; x as for 1/x."""
    engine = x.engine
    x = engine.as_real(x)
    if not x.size:
        return Divisor(x, x)
    flat = x.ravel()
    made = [_divisor(flat[part]) for part in cut(x.size, _PARTS)]
    return Divisor(*(engine.concatenate(list(side)).reshape(x.shape) for side in zip(*made, strict=True)))


def _divisor(x: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Power and inverse of a vector: as :func:`reciprocal`, but the power of two is kept apart from 1/m."""
    engine = x.engine
    span = SAFE_BITS - 2 * x.bits  # of n above 0
    room = SAFE_BITS - x.bits - min(span, _LARGEST_QUOTIENT)  # for fraction bits beside those of a quotient
    kept, drop = min(room, _INVERSE), max(0, min(room, span))
    apart = max(0, span - drop)
    x, negative = turned(x, below(x, (0.0,))[0])
    top = _highest(x, apart)
    (inner,) = top.powers(_Power())
    power, factor = inner, engine.number(inner.share << np.uint64(apart), 0)
    if apart:
        power = inner + top.apart.sum(axis=0)
        factor = factor + _choose(top.apart, np.arange(apart), 0)
    m = engine.truncate(top.mantissa(x, factor), _MANTISSA)
    guess = polynomial(m, tables.RECIPROCAL)
    factors = m[None]
    if apart:
        rest = 1 + _tell(top.apart, 2.0 ** (np.arange(apart) - apart) - 1, _MANTISSA)  # 2^min(e - apart, 0)
        factors = engine.concatenate([factors, rest[None]])
    products = guess * factors
    inverse = engine.truncate((products[1] if apart else guess) * (2 - products[0]), kept)
    power = engine.number(power.share << np.uint64(max(0, -span)), 0)
    return turned(engine.number(power.share, drop), negative)[0], inverse


@in_pieces(parts=_PARTS)
def rsqrt(x: SecretArray) -> SecretArray:
    """1 / sqrt(x)."""
    return _root(x, inverse=True)


@in_pieces(parts=_PARTS)
def sqrt(x: SecretArray) -> SecretArray:
    """The square root; 0 where x is 0."""
    return _root(x, inverse=False)


def _root(x: SecretArray, *, inverse: bool) -> SecretArray:
    """m^(-1/2) 2^(e/2) 2^((bits - places)/2), or m^(1/2) 2^(-e/2) 2^((places - bits)/2); bits + places is 62.

    The powers are kept as 2^(e/2), or 2^((places - e)/2) or so, which is at least 1; what is too much is divided by at the
    end. They and the function of m lose equally many places, in one truncation.
    """
    engine = x.engine
    x = engine.as_real(x)
    top = _highest(x)
    dropped = _WAVED - _ROOT
    row_bits = _LARGEST - _ROOT - top.places // 2 + dropped - _COLUMN
    half, too_much = (top.places - x.bits) // 2, x.bits // 2
    side, more, divide_by = (0.5, 0, half) if inverse else (-0.5, half + too_much, too_much)
    factor, scale = top.powers(_Power(), _Power(side, more, row_bits, _COLUMN))
    mantissa = top.mantissa(x, factor)
    del top, factor  # what is not needed any more is let go: it is as much as all the rest
    tabled = (tables.INVERSE_ROOT, tables.INVERSE_ROOT_WAVE) if inverse else (tables.ROOT, tables.ROOT_WAVE)
    of_mantissa = engine.scaled(_function(mantissa, *tabled), _WAVED)
    both = np.stack([of_mantissa.share, scale.share], axis=1)
    del mantissa, of_mantissa, scale
    kept = engine.truncate(engine.number(both, 0), 0, divide_by=dropped).share
    del both
    left, right = (engine.number(np.ascontiguousarray(kept[:, place]), 0) for place in range(2))
    product = engine.multiply(left, right)
    bits = _ROOT + row_bits + _COLUMN - dropped
    return engine.truncate(engine.number(product.share, bits), x.bits, divide_by=divide_by)


@in_pieces(parts=_PARTS)
def log(x: SecretArray) -> SecretArray:
    """Natural logarithm: log m + (places - bits - e) log 2."""
    engine = x.engine
    x = engine.as_real(x)
    top = _highest(x)
    (factor,) = top.powers(_Power())
    of_mantissa = _function(top.mantissa(x, factor), tables.LOGARITHM, tables.LOGARITHM_WAVE)
    row = _tell(top.rows, -math.log(2) * top.row_steps, _MANTISSA)
    column = _tell(top.columns, -math.log(2) * top.column_steps, _MANTISSA)
    total = engine.truncate(of_mantissa, _MANTISSA) + row + column + (top.places - x.bits) * math.log(2)
    return engine.truncate(total, x.bits)
