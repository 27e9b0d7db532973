"""exp(x), and what is made of it: softmax, tanh, GELU.

exp(x) = 2^y, y = x log2(e), plus the number of fraction bits so that 2^y is whole. Where the protocol has no powers of its
own, y's six whole places become numbers and give 2^whole as a product, and its fraction's power is a polynomial.

A product has no room for results of 2^16 beside more than 20 fraction bits of either factor: then exp(x / 2) is squared, with few.

Domain of exp: -2^17 < x < 11; below -14 (20 bits) the result is 0, as it is less than two units. Errors, tested on a dense grid and published in docs/mpc.md: relative below :data:`MAX_ERROR` apart from one unit
of the last place.
"""

from __future__ import annotations

import numpy as np

from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.functions import tables
from unseen.mpc.functions.largest import one_hot_of_largest
from unseen.mpc.functions.magnitude import reciprocal
from unseen.mpc.functions.pieces import in_pieces
from unseen.mpc.functions.polynomial import polynomial
from unseen.mpc.functions.reduce import total
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.shares import Share

MAX_ERROR = 2.0**-15
_FRACTION = 25
_WHOLE = 6
_FACTOR_BITS = 24
_MORE = 8
_FINEST = 20
"""Fraction bits of results up to which exp(x) is taken at once."""
_OF_ROOT = 23
_FEW = 32
"""Powers, 1 at most each, whose sum is inverted without a search for its highest place."""


@in_pieces(parts=8)
def exp(x: SecretArray) -> SecretArray:
    """e^x."""
    engine = x.engine
    x = engine.as_real(x)
    flat = x.ravel()
    if x.bits <= _FINEST:
        return _power(flat, x.bits).reshape(x.shape)
    root = _power(engine.number(flat.share, x.bits + 1), _OF_ROOT).share
    square = engine.protocol.multiply(root, root, drop=2 * _OF_ROOT - x.bits)
    return engine.number(square, x.bits).reshape(x.shape)


def _power(x: SecretArray, bits: int) -> SecretArray:
    """e^x < 2^(36 - bits) with so many fraction bits, of shape (n,)."""
    engine, protocol = x.engine, x.engine.protocol
    fraction = x.bits + _FACTOR_BITS
    y = x.share * np.uint64(round(np.log2(np.e) * 2.0**_FACTOR_BITS))
    # 2^this is e^x in units, and 2^_MORE too much, which the fewer bits of the power make good
    lifted = y + protocol.public(np.full(x.shape, (bits + _MORE) << fraction, np.uint64))
    masked = protocol.mask(lifted)
    there = ~engine.boolean(masked.less_than((_MORE << fraction,), coarse=fraction & ~1)[:, 0])
    own = masked.powers(fraction)
    whole, rest, rest_bits = _by_bits(engine, lifted, fraction) if own is None else own
    power = engine.truncate(engine.number(rest, rest_bits), _FRACTION - _MORE)
    whole = engine.select(there, engine.number(whole, 0)).share  # nothing at all below the format
    return engine.number(protocol.multiply(whole, power.share, drop=_FRACTION), bits)


def _by_bits(engine: Engine, lifted: Share, fraction: int) -> tuple[Share, Share, int]:
    """2^whole as a product of powers, one for each of six bits; 2^fraction as a polynomial."""
    protocol, count = engine.protocol, lifted.shape[1]
    y = engine.truncate(engine.number(lifted, fraction), _FRACTION).share
    bits = planes.bits_of(protocol, y, _FRACTION + _WHOLE)[:, _FRACTION:]
    whole: Share = protocol.to_ring(planes.unpack(bits, (count,)))
    steps = np.uint64(1) << np.arange(_FRACTION, _FRACTION + _WHOLE, dtype=np.uint64)
    rest = y - (whole * steps[:, None]).sum(axis=1, dtype=np.uint64)
    one = protocol.public(np.ones((1, count), np.uint64))
    jumps = np.array([(1 << (1 << place)) - 1 for place in range(_WHOLE)], np.uint64)
    factors = one + whole * jumps[:, None]
    while factors.shape[1] > 1:
        pairs = factors.shape[1] // 2
        halves = (np.ascontiguousarray(factors[:, first : 2 * pairs : 2]) for first in (0, 1))
        factors = np.concatenate([protocol.multiply(*halves), factors[:, 2 * pairs :]], axis=1)
    power = polynomial(engine.number(rest, _FRACTION), tables.POWER)
    return np.ascontiguousarray(factors[:, 0]), np.ascontiguousarray(power.share), power.bits


def softmax(x: SecretArray, axis: int = -1) -> SecretArray:
    """exp(x) / sum of exp(x) along an axis; the largest is subtracted first, so entries less than 2^17 apart will do."""
    engine = x.engine
    x = engine.as_real(x).swapaxes(axis, -1)
    lines = x.reshape(-1, x.shape[-1])
    largest = total(engine.select(one_hot_of_largest(lines), lines), 1, keepdims=True)
    powers = exp(lines - largest)
    made: SecretArray = powers * _inverse(total(powers, 1, keepdims=True), x.shape[-1])
    return made.reshape(*x.shape).swapaxes(axis, -1)


def _inverse(x: SecretArray, most: int) -> SecretArray:
    """1 / x of 1 <= x <= most: where that is little, Newton's method from the line that is relatively nearest."""
    if most > _FEW:
        return reciprocal(x)
    middle, half = (most + 1) / 2, (most - 1) / 2
    scale = 2 * middle**2 - half**2
    inverse: SecretArray = x * (-2 / scale) + 4 * middle / scale
    error = half**2 / scale
    while error > MAX_ERROR / 4:
        inverse, error = inverse * (2 - x * inverse), error**2
    return inverse


def tanh(x: SecretArray) -> SecretArray:
    """2 sigmoid(2 x) - 1."""
    out: SecretArray = sigmoid(x * 2, precise=True) * 2 - 1
    return out


def gelu(x: SecretArray) -> SecretArray:
    """X sigmoid(1.5957691 (x + 0.044715 x^3)): the usual approximation, within 5e-4 of x Phi(x); |x| < 2^8, for the cube to fit."""
    cubic: SecretArray = x * 1.5957691216 + x * x * (x * 0.0713548163)
    out: SecretArray = x * sigmoid(cubic, precise=True)
    return out
