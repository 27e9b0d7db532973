"""What the linear models differ in: how a score becomes a mean, and how much a row's curvature is.

All are generalised linear models with their canonical link, so the gradient of the sum of losses is X^T (mean(X w) - y) and its
Hessian X^T diag(variance(mean)) X (McCullagh and Nelder, "Generalized Linear Models", chapter 2).

| family | label | mean | variance | loss |
|---|---|---|---|---|
| logistic | 0 or 1 | 1 / (1 + exp(-z)) | mean (1 - mean) | log-loss |
| linear | a number | z | 1 | half the squared error |
| poisson | a count | exp(z), z below :data:`LARGEST_LOG` | mean | Poisson deviance, halved |
| multinomial | 0 to classes - 1 | softmax | see :mod:`.multinomial` | log-loss |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions.compare import minimum
from unseen.mpc.functions.exponential import exp
from unseen.mpc.functions.magnitude import log
from unseen.mpc.functions.sigmoid import sigmoid

LARGEST_LOG = 10.0
LARGEST_WEIGHT = 64.0
_LARGEST_LABEL = float(1 << 14)


@dataclass(frozen=True, slots=True)
class Family:
    """One of them.

    Attributes
    ----------
    mean
        Of scores.
    curvature
        Variance of the label by its mean; None where it is 1.
    most
        The largest curvature there can be, where that is known.
    """

    name: str
    mean: Callable[[SecretArray], SecretArray]
    curvature: Callable[[SecretArray], SecretArray] | None
    most: float | None


def _exponential(scores: SecretArray) -> SecretArray:
    mean: SecretArray = exp(minimum(scores, LARGEST_LOG))
    return mean


def _bernoulli(mean: SecretArray) -> SecretArray:
    product: SecretArray = mean * (1 - mean)
    return product


FAMILIES = {
    family.name: family
    for family in (
        Family("logistic", lambda scores: sigmoid(scores, precise=True), _bernoulli, 0.25),
        Family("linear", lambda scores: scores, None, 1.0),
        Family("poisson", _exponential, lambda mean: mean, None),
    )
}
MULTINOMIAL = "multinomial"
NAMES = (*FAMILIES, MULTINOMIAL)


def beginning(
    engine: Engine, family: str, labels: SecretArray, width: int, *, weights: SecretArray | None
) -> SecretArray:
    """Weights to begin with, intercept last: zeros; for counts the intercept is the logarithm of their mean, or the first step would be far too long."""
    zeros = engine.lift(np.zeros((width + 1, *labels.shape[1:])))
    if family != "poisson":
        return zeros
    total = (labels if weights is None else labels * weights).sum() / len(labels)
    if weights is not None:
        total = total / weights.mean()
    start: SecretArray = log(total).reshape(1)
    return engine.concatenate([zeros[:-1], start])


def check_labels(family: str, labels: NDArray[np.float64], *, classes: int = 2) -> None:
    """What the holder of the label checks before it shares it.

    Raises
    ------
    UsageError
        Labels that are none of the family's, or all of one kind.
    """
    if not labels.size or not np.isfinite(labels).all():
        raise UsageError("A label is missing or no number.", mend="leave out rows without a label")
    known = set(np.unique(labels).tolist())
    if family in ("logistic", MULTINOMIAL):
        wanted = {float(place) for place in range(2 if family == "logistic" else classes)}
        if not known <= wanted:
            raise UsageError(
                f"The label has other values than {', '.join(f'{item:g}' for item in sorted(wanted))}.",
                why=f"among them: {', '.join(f'{item:g}' for item in sorted(known - wanted)[:5])}",
                mend="encode the classes as 0, 1, ..., and say how many there are",
            )
        if known != wanted:
            raise UsageError(
                "Training needs rows of every class; the label has fewer.",
                why=f"there are only: {', '.join(f'{item:g}' for item in sorted(known))}",
                mend="bring rows of the others, or look whether the label column is the right one",
            )
    if family == "poisson" and (min(known) < 0 or max(known) > _LARGEST_LABEL or max(known) == 0):
        raise UsageError(
            "Poisson regression is for counts.",
            why=f"the label goes from {min(known):g} to {max(known):g}",
            mend=f"counts are 0 to {_LARGEST_LABEL:g}, and not all of them 0",
        )
    if family == "linear" and len(known) == 1:
        raise UsageError("The label is the same in all rows.", mend="look whether it is the right column")


def check_weights(weights: NDArray[np.float64]) -> None:
    """What the holder of weights of rows checks before it shares them.

    Raises
    ------
    UsageError
        Weights below 0 or over :data:`LARGEST_WEIGHT`, or nothing but zeros.
    """
    if not np.isfinite(weights).all() or weights.min() < 0 or not 0 < weights.max() <= LARGEST_WEIGHT:
        raise UsageError(
            f"Weights of rows are numbers from 0 to {LARGEST_WEIGHT:g}, and not all 0.",
            mend="divide them by their mean",
        )
