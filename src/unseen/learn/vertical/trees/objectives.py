"""First and second derivatives of the loss by the score, in plain numbers.

They are XGBoost's: of the logistic loss p - y and p (1 - p); of half the squared error s - y and 1; of the softmax, for
each class, p - [y is it] and 2 p (1 - p).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical.trees.model import Objective, Settings

Floats = NDArray[np.float64]
_LEAST = 1e-16


def check_labels(labels: Floats, settings: Settings) -> None:
    """Refuse labels that the objective cannot take.

    Raises
    ------
    UsageError
        Missing labels, or others than the objective's.
    """
    if not np.isfinite(labels).all():
        raise UsageError("A label is missing or infinite.", mend="leave these rows out")
    most = {"binary": 1, "softmax": settings.classes - 1}.get(settings.objective)
    if most is not None and not np.isin(labels, np.arange(most + 1)).all():
        raise UsageError(f"Labels of {settings.objective} trees are whole numbers from 0 to {most}.")


def probabilities(scores: Floats, objective: Objective) -> Floats:
    """What scores (classes, rows) stand for: probabilities, or the numbers themselves."""
    if objective == "binary":
        one: Floats = 1 / (1 + np.exp(-scores))
        return one
    if objective == "softmax":
        powers = np.exp(scores - scores.max(axis=0))
        shares: Floats = powers / powers.sum(axis=0)
        return shares
    return scores


def derivatives(scores: Floats, labels: Floats, objective: Objective) -> tuple[Floats, Floats]:
    """First and second, shape (classes, rows) both."""
    told = probabilities(scores, objective)
    if objective == "squared":
        return told - labels, np.ones_like(told)
    if objective == "binary":
        return told - labels, np.maximum(told * (1 - told), _LEAST)
    hot = labels == np.arange(len(scores))[:, None]
    return told - hot, np.maximum(2 * told * (1 - told), _LEAST)


def loss(scores: Floats, labels: Floats, objective: Objective) -> float:
    """The mean loss of scores (classes, rows): of the likelihood, or half the squared error."""
    if objective == "squared":
        return float(np.square(scores[0] - labels).mean() / 2)
    told = probabilities(scores, objective)
    hit = (
        np.where(labels == 1, told[0], 1 - told[0])
        if objective == "binary"
        else told[labels.astype(int), range(len(labels))]
    )
    return float(-np.log(np.maximum(hit, _LEAST)).mean())
