"""The logistic function 1 / (1 + exp(-x)).

Near 0 it is 1/2 plus a sine series (a sum of sines of a masked value needs no round of its own); further out, 0 or 1.
There are three series:

* `precise`: 26 odd harmonics of period 64 for |x| < 16, of the periodic function that is sigmoid(x) - 1/2 near 0 and
  falls back around 32. Training takes it, because an error of the function moves the optimum.
* otherwise: 12 harmonics of period 32 for |x| < 11, fitted to sigmoid(x) - 1/2 there and free elsewhere.
* `wave`, 12 odd harmonics of period 64, for |x| < 24, and no comparison: one round. Beyond that it falls back and is wrong; who
  takes it must know that |x| is bounded, or find out afterwards.

Source: the addition theorem of the sine, applied to a masked argument; the composition and its coefficients are
our own, so the tests hold it against float64 on a dense grid and its views against uniformity.

Error on a dense grid of [-64, 64], with 20 fraction bits: :data:`PRECISE_ERROR` and :data:`MAX_ERROR` (tested).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray
from unseen.mpc.functions import tables
from unseen.mpc.functions.pieces import in_pieces

PRECISE_ERROR = 4e-6
MAX_ERROR = 1.2e-4
WAVE_ERROR, WAVE_RANGE = 1.5e-3, 24
_INNER_BITS = 44


@dataclass(frozen=True, slots=True)
class _Series:
    """Sine coefficients of degree 1, 2, ... of a period that is a power of two; used for |x| < clip."""

    clip: int
    period: int
    sine: NDArray[np.float64]


def _every_other(coefficients: tuple[float, ...]) -> NDArray[np.float64]:
    """Coefficients of the odd degrees, with zeros between them."""
    sine = np.zeros(2 * len(coefficients) - 1)
    sine[::2] = coefficients
    return sine


_SHORT = _Series(11, 32, np.array(tables.SHORT_WAVE))
_PRECISE = _Series(16, 64, _every_other(tables.PRECISE_WAVE))
_WAVE = _Series(WAVE_RANGE, 64, _every_other(tables.LONG_WAVE))


@in_pieces(parts=16)
def sigmoid(x: SecretArray, *, precise: bool = False) -> SecretArray:
    """1 / (1 + exp(-x)) for |x| < 2^(62 - bits)."""
    engine, protocol = x.engine, x.engine.protocol
    x = engine.as_real(x)
    series = _PRECISE if precise else _SHORT
    masked = protocol.mask(x.share.reshape(len(x.share), -1))
    bound = series.clip << x.bits
    below = protocol.to_ring(masked.less_than((-bound, bound)))  # [x < -clip], [x < clip]
    wave = masked.harmonics(x.bits + series.period.bit_length() - 1, series.sine, _INNER_BITS)
    half = protocol.public(np.full(x.size, 1 << (_INNER_BITS - 1), np.uint64))
    one = protocol.public(np.ones(x.size, np.uint64))
    inside = protocol.multiply(below[:, 1] - below[:, 0], wave + half, drop=_INNER_BITS - engine.bits)
    share = inside + ((one - below[:, 1]) << np.uint64(engine.bits))
    return engine.number(share.reshape(x.share.shape), engine.bits)


def wave(x: SecretArray) -> SecretArray:
    """1 / (1 + exp(-x)) for |x| < :data:`WAVE_RANGE`, within :data:`WAVE_ERROR`, in one round; see the module.

    A sine asks only for x modulo its period, so x may be a product that was not truncated (with up to 57 fraction bits). The
    result has four fraction bits more than the engine's; most of the error is noise of mean 0, of sines rounded to half of them (that of the series itself is below 3e-4).
    """
    engine, protocol = x.engine, x.engine.protocol
    flat = x.share.reshape(len(x.share), -1)
    period_bits = x.bits + _WAVE.period.bit_length() - 1
    bits = engine.bits + 4
    share = protocol.mask(flat).harmonics(period_bits, _WAVE.sine, bits)
    share = share + protocol.public(np.full(x.size, 1 << (bits - 1), np.uint64))
    return engine.number(share.reshape(x.share.shape), bits)
