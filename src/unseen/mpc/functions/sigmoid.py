"""The logistic function 1 / (1 + exp(-x)).

Inside |x| < 16 it is a sine series of period 64 (a sum of sines of a masked value needs no round of its own);
outside, 0 or 1. The series is that of the periodic function which is sigmoid(x) - 1/2 near 0 and falls back
around 32, so it is smooth and 25 odd harmonics are enough.

Source: the addition theorem of the sine, applied to a masked argument; the composition and its coefficients are
our own, so the tests hold it against float64 on a dense grid and its views against uniformity.

Error on a dense grid of [-64, 64], with 20 fraction bits: below 4e-6 (published by the tests).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray

CLIP = 16
PERIOD = 64
HARMONICS = 51
MAX_ERROR = 4e-6
_INNER_BITS = 44


@cache
def _series() -> NDArray[np.float64]:
    """Sine coefficients of degree 1 to HARMONICS; even ones are zero by symmetry around PERIOD / 4."""
    count = 1 << 14
    x = (np.arange(count) + 0.5) * PERIOD / count - PERIOD / 2
    wave = 1 / (1 + np.exp(-x)) + 1 / (1 + np.exp(x - PERIOD / 2)) + 1 / (1 + np.exp(x + PERIOD / 2)) - 1.5
    degrees = np.arange(1, HARMONICS + 1)
    sine: NDArray[np.float64] = 2 / count * np.sin(2 * np.pi / PERIOD * degrees[:, None] * x).dot(wave)
    sine[1::2] = 0.0
    return sine


def sigmoid(x: SecretArray) -> SecretArray:
    """1 / (1 + exp(-x)) for |x| < 2^(62 - bits) with an error below :data:`MAX_ERROR`."""
    engine = x.engine
    protocol = engine.protocol
    masked = protocol.mask(x.share)
    bound = CLIP << x.bits
    below = protocol.to_ring(masked.less_than((-bound, bound)))  # [x < -16], [x < 16]
    wave = masked.harmonics(x.bits + PERIOD.bit_length() - 1, _series(), _INNER_BITS)
    half = protocol.public(np.full(x.shape, 1 << (_INNER_BITS - 1), np.uint64))
    drop = _INNER_BITS - engine.bits
    inside = protocol.multiply(below[:, 1] - below[:, 0], wave + half, drop=drop)
    one = protocol.public(np.ones(x.shape, np.uint64))
    return engine.number(inside + ((one - below[:, 1]) << np.uint64(engine.bits)), engine.bits)
