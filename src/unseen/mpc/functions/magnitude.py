"""Functions of a number's size: 1/x, 1/sqrt(x), sqrt(x), log(x).

x > 0 is written as m 2^-e 2^M with m in [1/2, 1) from its highest place: one-hot bits of the places, taken together by
rows and by columns of a square, give 2^e as a product of two sums, so few bits need become numbers. Of m the function is
a polynomial (1/x: one step of Newton's method more).

Domain: 2^-bits <= x < 2^(62 - 2 bits); results must fit the format. 1/x of 0 is 0. A negative x has its sign taken into
account by 1/x and gives nonsense elsewhere, as nobody is to learn that it was negative.

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
from unseen.mpc.functions.compare import sign_of
from unseen.mpc.functions.pieces import in_pieces
from unseen.mpc.functions.polynomial import polynomial
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Planes, Share

MAX_ERRORS = {"reciprocal": 2.0**-15, "rsqrt": 2.0**-14, "sqrt": 2.0**-14, "log": 2.0**-15}
"""Relative for 1/x, 1/sqrt(x) and sqrt(x) apart from one unit of the result's last place; absolute for log(x)."""

_MANTISSA, _ROW, _COLUMN, _ROOT = 28, 24, 26, 22  # fraction bits; products stay below 2^62


@dataclass(frozen=True, slots=True)
class _Scaled:
    """x = mantissa * 2^(places - bits) / 2^e; factor = 2^e.

    `rows` and `columns` are one-hot and tell e as the sum of the steps of the row and of the column that are set.
    """

    mantissa: SecretArray
    factor: SecretArray
    rows: SecretArray
    columns: SecretArray
    row_steps: NDArray[np.int64]
    column_steps: NDArray[np.int64]
    places: int


def _choose(one_hot: SecretArray, values: NDArray[Any], bits: int) -> SecretArray:
    """The value whose bit is set."""
    ring = np.rint(values * 2.0**bits).astype(np.int64).view(np.uint64)
    share = one_hot.share[:, 0] * ring[0]
    for place, weight in enumerate(ring[1:], start=1):
        share += one_hot.share[:, place] * weight
    return one_hot.engine.number(share, bits)


def _scaled(x: SecretArray) -> _Scaled:
    engine, protocol = x.engine, x.engine.protocol
    places = SAFE_BITS - x.bits
    width = math.isqrt(places - 1) + 1
    height = -(-places // width)
    sides = _sides(protocol, x.share.reshape(len(x.share), -1), places, (height, width))
    hot = engine.as_number(engine.boolean(planes.unpack(sides, x.shape)))
    rows, columns = hot[:height], hot[height:]
    row_steps, column_steps = width * np.arange(height), np.arange(width)
    factor = _choose(rows, 2.0**row_steps, 0) * _choose(columns, 2.0**column_steps, 0)
    product = engine.multiply(engine.number(x.share, 0), factor)
    mantissa = engine.truncate(engine.number(product.share, places), _MANTISSA)
    return _Scaled(mantissa, factor, rows, columns, row_steps, column_steps, places)


def _sides(protocol: Protocol, flat: Share, places: int, square: tuple[int, int]) -> Planes:
    """The rows and the columns of a square of which one is set, as planes one after another."""
    top = planes.highest(protocol, planes.bits_of(protocol, flat, places))
    # Row r and column c of the square stand for e = r * width + c, which is how far the place is from the topmost.
    grid = np.zeros((len(top), *square, top.shape[2]), np.uint64)
    grid.reshape(len(top), -1, top.shape[2])[:, :places] = top[:, ::-1]
    # At most one place is set, so XOR along a side is OR.
    return np.concatenate([np.bitwise_xor.reduce(grid, axis=axis) for axis in (2, 1)], axis=1)


@in_pieces(parts=16)
def reciprocal(x: SecretArray) -> SecretArray:
    """1 / x; 0 where x is 0."""
    engine = x.engine
    x = engine.as_real(x)
    sign = sign_of(x)
    parts = _scaled(x * sign)
    m = parts.mantissa
    guess = polynomial(m, tables.RECIPROCAL)
    kept = SAFE_BITS - 1 - parts.places  # so that times 2^e it stays below 2^62
    better = engine.truncate(guess * (2 - m * guess), kept)
    # 1/x = better 2^e / 2^(places - bits), where x has 2^-bits as its unit.
    product = engine.multiply(engine.number(better.share, 0), parts.factor)
    out = engine.truncate(engine.number(product.share, kept), 0, divide_by=parts.places - 2 * x.bits)
    return engine.number(out.share, x.bits) * sign


@in_pieces(parts=16)
def rsqrt(x: SecretArray) -> SecretArray:
    """1 / sqrt(x)."""
    return _root(x, inverse=True)


@in_pieces(parts=16)
def sqrt(x: SecretArray) -> SecretArray:
    """The square root; 0 where x is 0."""
    return _root(x, inverse=False)


def _root(x: SecretArray, *, inverse: bool) -> SecretArray:
    """m^(-1/2) 2^(e/2) 2^((bits - places)/2), or m^(1/2) 2^(-e/2) 2^((places - bits)/2)."""
    engine = x.engine
    x = engine.as_real(x)
    parts = _scaled(x)
    of_mantissa = polynomial(parts.mantissa, tables.INVERSE_ROOT if inverse else tables.ROOT)
    side = 1 if inverse else -1
    half = side * (x.bits - parts.places) / 2
    row = _choose(parts.rows, 2.0 ** (side * parts.row_steps / 2 + half), _ROW)
    column = _choose(parts.columns, 2.0 ** (side * parts.column_steps / 2), _COLUMN)
    scale = engine.multiply(row, column)
    return engine.truncate(engine.multiply(engine.truncate(of_mantissa, _ROOT), scale), x.bits)


@in_pieces(parts=16)
def log(x: SecretArray) -> SecretArray:
    """Natural logarithm: log m + (places - bits - e) log 2."""
    engine = x.engine
    x = engine.as_real(x)
    parts = _scaled(x)
    of_mantissa = polynomial(parts.mantissa, tables.LOGARITHM)
    row = _choose(parts.rows, -math.log(2) * parts.row_steps, _MANTISSA)
    column = _choose(parts.columns, -math.log(2) * parts.column_steps, _MANTISSA)
    total = of_mantissa + row + column + (parts.places - x.bits) * math.log(2)
    return engine.truncate(total, x.bits)
