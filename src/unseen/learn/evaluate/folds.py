"""Means over folds of a cross-validation, and how sure they are.

Models of different folds share most of their training rows, so their measures are no independent draws: the plain standard error is
too small. The variance of the mean is taken as s² (1/k + n₂/n₁) with n₂ rows held out and n₁ trained on, which of k folds is
s² (1/k + 1/(k - 1)); the interval is that of Student's t with k - 1 degrees of freedom (Nadeau and Bengio, "Inference for the
generalization error", Machine Learning 52, 2003). It is about the mean over training sets of that size, not about one model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.learn.evaluate.student import quantile

_COUNTS = frozenset({"rows", "places", "positives"})
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Average:
    """One measure: of each fold, their mean and standard deviation, and the ends of the 95 % interval of the mean."""

    values: tuple[float, ...]
    mean: float
    deviation: float
    low: float
    high: float


def average(values: Sequence[float]) -> Average:
    """Of a measure on two folds or more.

    Raises
    ------
    ValueError
        One fold has no deviation.
    """
    folds = len(values)
    if folds < _PAIR:
        raise ValueError("a mean over folds takes two of them")
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    half = quantile(folds - 1) * deviation * (1 / folds + 1 / (folds - 1)) ** 0.5
    return Average(tuple(map(float, values)), mean, deviation, mean - half, mean + half)


def averages(figures: Sequence[Mapping[str, Any]]) -> dict[str, Average]:
    """Of every measure that is a number on all folds; counts of rows are none."""
    names = [
        name
        for name, value in figures[0].items()
        if isinstance(value, float) and name not in _COUNTS and all(name in fold for fold in figures)
    ]
    return {name: average([fold[name] for fold in figures]) for name in names}
