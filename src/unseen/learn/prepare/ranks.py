"""Values by their rank among the training rows: empirical distribution function, and the normal quantiles of it.

Source: the inverse of the normal distribution function is Wichura's AS241 as Python's `statistics` has it.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
REFERENCES = 1000
_EDGE = 1e-7
"""How far from 0 and 1 a rank is kept, so that its normal quantile is finite (5.2)."""


def quantiles_of(values: Floats) -> Floats:
    """As many quantiles as there are values, at most 1000, at equal steps from the least to the largest."""
    return np.quantile(values, np.linspace(0, 1, min(REFERENCES, max(2, len(values)))))


def ranked(values: Floats, quantiles: Floats) -> Floats:
    """The share of the training rows below each value, 0 to 1; in the middle of where it lies among equal ones."""
    steps = np.linspace(0, 1, len(quantiles))
    lower = np.interp(values, quantiles, steps)
    upper = 1 - np.interp(-values, -quantiles[::-1], steps)
    share: Floats = (lower + upper) / 2
    share[values < quantiles[0]] = 0.0
    share[values > quantiles[-1]] = 1.0
    return share


def normal_quantile(share: Floats) -> Floats:
    """The standard normal quantile; NaN of NaN."""
    flat, back = np.unique(np.clip(share, _EDGE, 1 - _EDGE), return_inverse=True)
    inverse = NormalDist().inv_cdf
    made = np.array([inverse(float(one)) if one == one else np.nan for one in flat], np.float64)  # noqa: PLR0124
    return made[back].reshape(share.shape)
