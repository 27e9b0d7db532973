"""Quality of predicted numbers, in clear at one party: RMSE, MAE, R²."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.evaluate.ranking import check_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """Measures on one set of rows.

    Attributes
    ----------
    rmse, mae
        Root of the mean square error; mean absolute error; in units of the label.
    r2
        1 - squared errors / squared distances of the labels from their mean; 0 is what the mean would reach, below 0
        is worse. NaN where all labels are equal.
    """

    rows: int
    rmse: float
    mae: float
    r2: float

    @classmethod
    def of_sums(cls, rows: int, squared: float, absolute: float, spread: float, *, weight: float) -> Fit:
        """From sums over the rows: of squared and absolute errors, and of squared distances of labels from their mean."""
        r2 = 1 - squared / spread if spread > 0 else math.nan
        return cls(rows, math.sqrt(max(squared, 0.0) / weight), absolute / weight, r2)


def measure(labels: Floats, predicted: Floats, weights: Floats | None = None) -> Fit:
    """Hold predicted numbers against the true ones, both of shape (rows,).

    Raises
    ------
    UsageError
        No rows, or other numbers of rows.
    """
    weights = check_weights(labels, weights)
    if not len(labels) or labels.shape != predicted.shape:
        raise UsageError(f"{len(predicted)} predictions cannot be held against {len(labels)} labels.")
    errors, mean = predicted - labels, np.average(labels, weights=weights)
    return Fit.of_sums(
        len(labels),
        float((weights * errors**2).sum()),
        float((weights * np.abs(errors)).sum()),
        float((weights * (labels - mean) ** 2).sum()),
        weight=float(weights.sum()),
    )
