"""The written coefficients fit what they are to fit, as well as they say."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.mpc.functions import tables

HALF, ONE = np.linspace(0.5, 1, 10001), np.linspace(0, 1, 10001)


@pytest.mark.parametrize(
    ("coefficients", "x", "wanted", "relative", "limit"),
    [
        (tables.RECIPROCAL, HALF, 1 / HALF, True, 2e-3),
        (tables.INVERSE_ROOT, HALF, HALF**-0.5, True, 1.2e-5),
        (tables.ROOT, HALF, HALF**0.5, True, 3e-6),
        (tables.LOGARITHM, HALF, np.log(HALF), False, 3e-6),
        (tables.POWER, ONE, np.exp2(ONE), True, 5e-6),
    ],
)
def test_polynomials(coefficients, x, wanted, relative: bool, limit: float) -> None:
    error = np.abs(np.polynomial.polynomial.polyval(x, coefficients) - wanted)
    assert (error / np.abs(wanted) if relative else error).max() < limit


@pytest.mark.parametrize(
    ("coefficients", "degrees", "clip", "period", "limit"),
    [
        (tables.SHORT_WAVE, np.arange(1, 13), 11, 32, 9e-5),
        (tables.PRECISE_WAVE, np.arange(1, 52, 2), 16, 64, 1e-6),
    ],
)
def test_waves(coefficients, degrees, clip: int, period: int, limit: float) -> None:
    x = np.linspace(-clip, clip, 10001)
    made = np.sin(2 * np.pi / period * degrees * x[:, None]) @ np.array(coefficients)
    assert np.abs(made - (1 / (1 + np.exp(-x)) - 0.5)).max() < limit


@pytest.mark.parametrize(
    ("wave", "wanted", "relative", "limit"),
    [
        (tables.INVERSE_ROOT_WAVE, HALF**-0.5, True, 1.1e-5),
        (tables.ROOT_WAVE, HALF**0.5, True, 2.8e-6),
        (tables.LOGARITHM_WAVE, np.log(HALF), False, 1.5e-5),
    ],
)
def test_waves_of_a_mantissa(wave, wanted, relative: bool, limit: float) -> None:
    angles = 2 * np.pi / 2**tables.MANTISSA_PERIOD_BITS * np.arange(1, len(wave)) * HALF[:, None]
    sines = np.sin(angles) @ np.array(wave[1:])
    assert np.abs(sines).max() < 2  # as protocols want it
    error = np.abs(2 * (wave[0] + sines) - wanted)
    assert (error / np.abs(wanted) if relative else error).max() < limit
