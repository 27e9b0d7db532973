"""What the joint model is held against: one holder alone, and everything pooled in plaintext.

Only a demonstration can make this comparison, because it made the data and holds both sides. Same aligned
rows, same split, same scaling, same penalty; scikit-learn does the fitting.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical import trees
from unseen.learn.vertical.trees import plain
from unseen.learn.vertical.trees.model import Settings
from unseen.scenes.joint_model import boosting

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A model fitted in plaintext: its hold-out scores (probabilities) and standardised coefficients."""

    name: str
    scores: Floats
    coefficients: Floats
    intercept: float
    auc: float
    seconds: float


def fit(
    name: str, train: Floats, labels: NDArray[Any], test: Floats, test_labels: NDArray[Any], *, penalty: float
) -> Baseline:
    """Standardise on the training rows, fit an L2 logistic regression, score the hold-out rows.

    `penalty` is lambda in  sum of log-losses + lambda/2 * |w|^2  (C = 1 / lambda); the intercept is free.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    start = time.perf_counter()
    mean, scale = train.mean(axis=0), train.std(axis=0)
    model = LogisticRegression(C=1.0 / penalty, tol=1e-10, max_iter=10_000)
    model.fit((train - mean) / scale, labels)
    scores = model.predict_proba((test - mean) / scale)[:, 1]
    return Baseline(
        name,
        scores,
        model.coef_[0].copy(),
        float(model.intercept_[0]),
        float(roc_auc_score(test_labels, scores)),
        time.perf_counter() - start,
    )


def boost(train: Floats, labels: Floats, test: Floats, rounds: int) -> Floats:
    """Probabilities by boosted trees grown in clear, on cuts and with settings as the job has them; shape (test rows,)."""
    chosen = boosting(rounds)
    settings = Settings(**{name: value for name, value in chosen.items() if name != "bins"})
    cuts = tuple(quantile_cuts(column, chosen["bins"]) for column in train.T)
    bins = [len(cut) + 1 for cut in cuts]
    grown = plain.fit(trees.coded(train, cuts), bins, labels, settings)
    raw = plain.scores(grown, trees.coded(test, cuts), bins)[0]
    return np.asarray(1 / (1 + np.exp(-raw)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the joint model is from the pooled one."""

    largest_score_difference: float
    largest_coefficient_error: float
    auc_difference: float

    @property
    def holds(self) -> bool:
        """Scores within 0.01, coefficients within 1 %, AUC within 0.002."""
        return (
            self.largest_score_difference <= 0.01  # noqa: PLR2004
            and self.largest_coefficient_error <= 0.01  # noqa: PLR2004
            and self.auc_difference <= 0.002  # noqa: PLR2004
        )


def compare(scores: Floats, coefficients: Floats, auc: float, pooled: Baseline) -> Agreement:
    """Hold a joint model against the pooled one.

    The coefficient error is relative, each against the larger of its pooled value and 1 % of the largest
    pooled coefficient (so that a coefficient of about zero is not asked for relative precision).
    """
    floor = 0.01 * float(np.abs(pooled.coefficients).max())
    size = np.maximum(np.abs(pooled.coefficients), floor)
    return Agreement(
        float(np.abs(scores - pooled.scores).max()),
        float((np.abs(coefficients - pooled.coefficients) / size).max()),
        abs(auc - pooled.auc),
    )
