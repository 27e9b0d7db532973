"""The logistic function 1 / (1 + exp(-x)).

Near 0 it is 1/2 plus a sine series (a sum of sines of a masked value needs no round of its own); further out, 0 or 1.
There are two series:

* `precise`: 26 odd harmonics of period 64 for |x| < 16, of the periodic function that is sigmoid(x) - 1/2 near 0 and
  falls back around 32. Training takes it, because an error of the function moves the optimum.
* otherwise: 12 harmonics of period 32 for |x| < 11, fitted to sigmoid(x) - 1/2 there and free elsewhere.

Source: the addition theorem of the sine, applied to a masked argument; the composition and its coefficients are
our own, so the tests hold it against float64 on a dense grid and its views against uniformity.

Error on a dense grid of [-64, 64], with 20 fraction bits: :data:`PRECISE_ERROR` and :data:`MAX_ERROR` (tested).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray

PRECISE_ERROR = 4e-6
MAX_ERROR = 1.2e-4
_INNER_BITS = 44


@dataclass(frozen=True, slots=True)
class _Series:
    """Sine coefficients of degree 1, 2, ... of a period that is a power of two; used for |x| < clip."""

    clip: int
    period: int
    sine: NDArray[np.float64]


@cache
def _precise() -> _Series:
    """Even coefficients are zero by symmetry around a quarter of the period."""
    count, period = 1 << 14, 64
    x = (np.arange(count) + 0.5) * period / count - period / 2
    wave = 1 / (1 + np.exp(-x)) + 1 / (1 + np.exp(x - period / 2)) + 1 / (1 + np.exp(x + period / 2)) - 1.5
    degrees = np.arange(1, 52)
    sine: NDArray[np.float64] = 2 / count * np.sin(2 * np.pi / period * degrees[:, None] * x).dot(wave)
    sine[1::2] = 0.0
    return _Series(16, period, sine)


@cache
def _short() -> _Series:
    """Least squares, weighted again and again towards the largest errors, which makes them nearly equal."""
    clip, period, degrees = 11, 32, np.arange(1, 13)
    x = np.linspace(-clip, clip, 4001)
    waves = np.sin(2 * np.pi / period * degrees * x[:, None])
    wanted = 1 / (1 + np.exp(-x)) - 0.5
    weight = np.ones_like(x)
    for _ in range(30):
        sine = np.linalg.lstsq(waves * weight[:, None], wanted * weight, rcond=None)[0]
        error = np.abs(waves @ sine - wanted)
        weight *= (0.2 + error / error.max()) ** 0.3
        weight /= weight.max()
    return _Series(clip, period, np.asarray(sine))


def sigmoid(x: SecretArray, *, precise: bool = False) -> SecretArray:
    """1 / (1 + exp(-x)) for |x| < 2^(62 - bits)."""
    engine, protocol = x.engine, x.engine.protocol
    x = engine.as_number(x)
    series = _precise() if precise else _short()
    masked = protocol.mask(x.share.reshape(len(x.share), -1))
    bound = series.clip << x.bits
    below = protocol.to_ring(masked.less_than((-bound, bound)))  # [x < -clip], [x < clip]
    wave = masked.harmonics(x.bits + series.period.bit_length() - 1, series.sine, _INNER_BITS)
    half = protocol.public(np.full(x.size, 1 << (_INNER_BITS - 1), np.uint64))
    one = protocol.public(np.ones(x.size, np.uint64))
    inside = protocol.multiply(below[:, 1] - below[:, 0], wave + half, drop=_INNER_BITS - engine.bits)
    share = inside + ((one - below[:, 1]) << np.uint64(engine.bits))
    return engine.number(share.reshape(x.share.shape), engine.bits)
