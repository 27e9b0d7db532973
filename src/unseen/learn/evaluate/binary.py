"""Quality of scores of a yes/no model, in clear at one party: the curves of :mod:`.ranking`, and losses row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.evaluate.ranking import by_level, check_weights

Floats = NDArray[np.float64]
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows (or their weight) by label and by whether the score reaches the threshold."""

    threshold: float
    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float

    @property
    def accuracy(self) -> float:
        """Share of rows on the right side."""
        right = self.true_positives + self.true_negatives
        return right / (right + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """Share of positives among the rows that reach the threshold; 0 where none does."""
        reached = self.true_positives + self.false_positives
        return self.true_positives / reached if reached else 0.0

    @property
    def recall(self) -> float:
        """Share of the positives that reach the threshold."""
        return self.true_positives / (self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where no positive reaches the threshold."""
        wrong = self.false_positives + self.false_negatives
        return 2 * self.true_positives / (2 * self.true_positives + wrong)


def confusion(
    labels: Floats, scores: Floats, threshold: float = HALF, weights: Floats | None = None
) -> Confusion:
    """The confusion matrix of labels (0 or 1) and scores, each of shape (rows,): positive is a score >= threshold."""
    weights = check_weights(labels, weights)
    reached, positive = scores >= threshold, labels == 1
    cells = [
        float(weights[rows].sum())
        for rows in (reached & positive, reached & ~positive, ~reached & positive, ~reached & ~positive)
    ]
    return Confusion(threshold, *cells)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures on one set of rows; see :class:`~unseen.learn.evaluate.ranking.Ranking` for those of the order.

    Attributes
    ----------
    accuracy
        Share of rows on the right side of 0.5.
    log_loss
        Mean negative log-likelihood, natural logarithm, probabilities no nearer to 0 and 1 than 1e-15.
    brier
        Mean square distance of score and label.
    false_positive_rate, true_positive_rate
        The ROC curve, from (0, 0) to (1, 1), one point per distinct score.
    """

    rows: int
    positives: int
    auc: float
    gini: float
    ks: float
    average_precision: float
    accuracy: float
    log_loss: float
    brier: float
    false_positive_rate: Floats
    true_positive_rate: Floats


def measure(labels: Floats, scores: Floats, weights: Floats | None = None) -> Quality:
    """Hold scores (probabilities of 1) against labels (0 or 1), both of shape (rows,).

    Raises
    ------
    UsageError
        As :func:`unseen.learn.evaluate.ranking.by_level`.
    """
    ranking = by_level(labels, scores, weights)
    weights = check_weights(labels, weights)
    safe = np.clip(scores, 1e-15, 1 - 1e-15)
    loss = -np.where(labels == 1, np.log(safe), np.log1p(-safe))
    fpr, tpr = ranking.roc()
    return Quality(
        rows=len(labels),
        positives=int((labels == 1).sum()),
        auc=ranking.auc,
        gini=ranking.gini,
        ks=ranking.ks,
        average_precision=ranking.average_precision,
        accuracy=confusion(labels, scores, weights=weights).accuracy,
        log_loss=float(np.average(loss, weights=weights)),
        brier=float(np.average(np.square(scores - labels), weights=weights)),
        false_positive_rate=fpr,
        true_positive_rate=tpr,
    )
