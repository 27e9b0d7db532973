"""Scorecards (评分卡): a logistic model as points that add up, each holder its own.

With odds = P(good) / P(bad), points double the odds every `pdo` of them and are `base_points` at `base_odds`:

    points = base_points + factor * (ln odds - ln base_odds),   factor = pdo / ln 2

The model's score is z = ln(P(bad) / P(good)) = intercept + sum of coefficient * value, so a column gives
-factor * coefficient * value, and the intercept goes into the base: base_points - factor * (ln base_odds + intercept). On columns
of weights of evidence the values are those of the bins, and the points of a column are a short table.

Whoever holds a column needs its coefficient and its values for that, so tables are private to their holders; of an application
only the sum is revealed.

Source: Siddiqi, "Credit Risk Scorecards" (Wiley 2006), chapters 6 (scaling, reject inference).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Rounding = Literal["nearest", "down", "up", "none"]
MOST_VALUES = 64
_ROUND: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "nearest": lambda points: np.floor(points + 0.5),
    "down": np.floor,
    "up": np.ceil,
    "none": lambda points: points,
}


@dataclass(frozen=True, slots=True)
class Scale:
    """What points mean.

    Attributes
    ----------
    base_points, base_odds, pdo
        Points at these odds of good to bad; points that double the odds, over 0.
    rounding
        Of every single entry of a table and of the base: what a person adds up by hand is what the program gets. "nearest" is
        half up.
    """

    base_points: float = 600.0
    base_odds: float = 50.0
    pdo: float = 20.0
    rounding: Rounding = "nearest"

    @property
    def factor(self) -> float:
        """Points of a step of 1 in ln odds."""
        return self.pdo / math.log(2)

    def base(self, intercept: float) -> float:
        """Points of an application whose columns are all 0."""
        plain = self.base_points - self.factor * (math.log(self.base_odds) + intercept)
        return float(_ROUND[self.rounding](np.array([plain]))[0])

    def points(self, values: NDArray[np.float64], coefficient: float) -> NDArray[np.float64]:
        """Points of a column's values."""
        return _ROUND[self.rounding](-self.factor * coefficient * values)

    def bad(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(bad) at these points."""
        log_odds = math.log(self.base_odds) + (points - self.base_points) / self.factor
        made: NDArray[np.float64] = 1 / (1 + np.exp(np.clip(log_odds, -700, 700)))
        return made


@dataclass(frozen=True, slots=True)
class ColumnPoints:
    """One column's part of a scorecard: points by value, where there are few; else points of one unit."""

    name: str
    coefficient: float
    values: tuple[float, ...]
    points: tuple[float, ...]
    per_unit: float


def tables(
    scale: Scale, columns: NDArray[np.float64], names: Sequence[str], coefficients: Sequence[float]
) -> tuple[ColumnPoints, ...]:
    """A holder's own tables, from the values that its training rows have, shape (rows, columns).

    Raises
    ------
    UsageError
        Another number of coefficients than of columns.
    """
    if len(coefficients) != len(names):
        raise UsageError(
            f"There are {len(coefficients)} coefficients for {len(names)} columns.",
            mend="score the columns of training",
        )
    made = []
    for place, (name, coefficient) in enumerate(zip(names, coefficients, strict=True)):
        values = np.unique(columns[:, place])
        few = values if len(values) <= MOST_VALUES else values[:0]
        made.append(
            ColumnPoints(
                name,
                float(coefficient),
                tuple(few.tolist()),
                tuple(scale.points(few, coefficient).tolist()),
                -scale.factor * float(coefficient),
            )
        )
    return tuple(made)


def total(scale: Scale, columns: NDArray[np.float64], coefficients: Sequence[float]) -> NDArray[np.float64]:
    """A holder's own points of each row, shape (rows,): the sum over its columns, each entry rounded."""
    parts = [scale.points(columns[:, place], item) for place, item in enumerate(coefficients)]
    return np.sum(parts, axis=0) if parts else np.zeros(len(columns))


@dataclass(frozen=True, slots=True)
class Inferred:
    """Rows to train again on after rejects were inferred: which row of the input each is, its label, its weight."""

    rows: NDArray[np.int64]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]


def infer_rejects(labels: NDArray[np.float64], bad: NDArray[np.float64], *, raised: float = 1.0) -> Inferred:
    """Fuzzy augmentation: a row without a label (NaN) becomes two, bad and good, weighted by their probabilities.

    Parameters
    ----------
    labels
        1 for bad, 0 for good, NaN for a reject, shape (rows,).
    bad
        P(bad) by the scorecard of the accepted, shape (rows,).
    raised
        How many times the odds of being bad are among rejects, compared with accepted ones of the same score.

    Raises
    ------
    UsageError
        Other shapes, or a factor that is not over 0.
    """
    if labels.shape != bad.shape or not raised > 0:
        raise UsageError("Rejects need one probability for each row, and `raised` over 0.")
    known = np.flatnonzero(~np.isnan(labels))
    rejects = np.flatnonzero(np.isnan(labels))
    odds = raised * bad[rejects] / np.maximum(1 - bad[rejects], 1e-12)
    chance = odds / (1 + odds)
    return Inferred(
        np.r_[known, rejects, rejects],
        np.r_[labels[known], np.ones(len(rejects)), np.zeros(len(rejects))],
        np.r_[np.ones(len(known)), chance, 1 - chance],
    )
