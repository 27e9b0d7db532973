"""Quality of probabilities of several classes, in clear at one party: accuracy, one-vs-rest AUC, log loss, confusion.

Source for the AUC of each class against the rest, and its plain mean: Fawcett, "An introduction to ROC analysis" (2006),
section 9.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.evaluate.ranking import by_level, check_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Classes:
    """Measures on one set of rows.

    Attributes
    ----------
    accuracy
        Share of rows whose most probable class is the true one; of equals the first counts.
    macro_auc
        Plain mean of `aucs`: each class against the rest, shape (classes,).
    log_loss
        Mean negative logarithm of the true class's probability, clipped at 1e-15.
    confusion
        Rows (or their weight) by true class and most probable class, shape (classes, classes).
    """

    rows: int
    accuracy: float
    macro_auc: float
    log_loss: float
    aucs: Floats
    confusion: Floats


def measure(labels: Floats, scores: Floats, weights: Floats | None = None) -> Classes:
    """Hold probabilities of shape (rows, classes) against labels 0 to classes - 1 of shape (rows,).

    Raises
    ------
    UsageError
        A label that is no class, a class without rows, fewer than two classes, or other numbers of rows.
    """
    classes = check_classes(labels, scores.shape)
    weights = check_weights(labels, weights)
    true = labels.astype(np.int64)
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (true, scores.argmax(axis=1)), weights)
    chosen = np.clip(scores[np.arange(len(true)), true], 1e-15, 1.0)
    aucs = np.array(
        [by_level((true == one).astype(np.float64), scores[:, one], weights).auc for one in range(classes)]
    )
    return Classes(
        len(true),
        float(np.trace(confusion) / confusion.sum()),
        float(aucs.mean()),
        float(np.average(-np.log(chosen), weights=weights)),
        aucs,
        confusion,
    )


def check_classes(labels: Floats, shape: tuple[int, ...]) -> int:
    """The number of classes.

    Raises
    ------
    UsageError
        See :func:`measure`.
    """
    rows, classes = shape
    counts = np.array([(labels == one).sum() for one in range(classes)])
    if rows != len(labels) or classes < 2 or counts.sum() != rows or not counts.all():  # noqa: PLR2004
        raise UsageError(
            "The rows to evaluate on do not have labels of every class.",
            why=f"{len(labels)} labels for {rows} rows; rows of each class: {', '.join(map(str, counts))}",
            mend="hold out a larger part, or bring rows of every class, numbered from 0",
        )
    return classes
