"""Quality of scores of a yes/no model: ROC, AUC, KS, accuracy, log loss. Plain arithmetic at one party."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures on one set of rows.

    Attributes
    ----------
    auc
        Area under the ROC curve; ties count half.
    ks
        Kolmogorov-Smirnov distance (区分度): largest gap between the shares of positives and negatives caught.
    accuracy
        Share of rows on the right side of 0.5.
    log_loss
        Mean negative log-likelihood, natural logarithm.
    false_positive_rate, true_positive_rate
        The ROC curve, from (0, 0) to (1, 1), one point per distinct score.
    """

    rows: int
    positives: int
    auc: float
    ks: float
    accuracy: float
    log_loss: float
    false_positive_rate: Floats
    true_positive_rate: Floats


def measure(labels: Floats, scores: Floats) -> Quality:
    """Hold scores (probabilities of 1) against labels (0 or 1), both of shape (rows,).

    Raises
    ------
    UsageError
        The labels are all of one class, or other than 0 and 1.
    """
    positives = int((labels == 1).sum())
    if positives + int((labels == 0).sum()) != len(labels) or positives in {0, len(labels)}:
        raise UsageError(
            "The rows to evaluate on do not have labels of both classes.",
            why=f"{positives} of {len(labels)} rows are positive",
            mend="hold out a larger part, or bring rows of both classes",
        )
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    caught = np.cumsum(labels[order])[last_of_ties]
    alarms = last_of_ties + 1 - caught
    tpr = np.r_[0.0, caught / positives]
    fpr = np.r_[0.0, alarms / (len(labels) - positives)]
    safe = np.clip(scores, 1e-15, 1 - 1e-15)
    return Quality(
        rows=len(labels),
        positives=positives,
        auc=float(np.trapezoid(tpr, fpr)),
        ks=float((tpr - fpr).max()),
        accuracy=float(((scores >= 0.5) == (labels == 1)).mean()),  # noqa: PLR2004 - a probability
        log_loss=float(-np.where(labels == 1, np.log(safe), np.log1p(-safe)).mean()),
        false_positive_rate=fpr,
        true_positive_rate=tpr,
    )
