"""Population stability index (群体稳定性指标): how far the distribution of scores has moved between two sets of rows.

PSI = sum over bins of (actual - expected) ln(actual / expected), of shares of rows. Usual reading: below 0.1 stable, up to
0.25 watch, above it another population. Source: Siddiqi, "Credit Risk Scorecards" (2006), chapter 10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]
LEAST = 0.5
"""A bin without rows counts as half a row, so that the logarithm exists."""


def edges_of(scores: Floats, bins: int = 10) -> Floats:
    """Inner edges between quantiles of the expected scores, ascending, without repetitions; shape (<= bins - 1,)."""
    return np.unique(np.quantile(scores, np.arange(1, bins) / bins))


def counts(scores: Floats, edges: Floats) -> Floats:
    """Rows below the first edge, from each edge up to (without) the next, and from the last; shape (edges + 1,)."""
    places = np.searchsorted(edges, scores, side="right")
    return np.bincount(places, minlength=len(edges) + 1).astype(np.float64)


def psi(expected: Floats, actual: Floats) -> float:
    """The index of two vectors of counts over the same bins.

    Raises
    ------
    UsageError
        Other bins, or no rows.
    """
    if expected.shape != actual.shape or not expected.sum() or not actual.sum():
        raise UsageError("Two distributions over the same bins, with rows in them, are due.")
    share, other = (np.maximum(one, LEAST) / one.sum() for one in (expected, actual))
    return float(((other - share) * np.log(other / share)).sum())
