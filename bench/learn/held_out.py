"""How good scores of held-out rows are, how far two models are apart, and the interval of a mean over ten splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.learn.evaluate import multiclass
from unseen.learn.evaluate.ranking import by_level

Kind = Literal["binary", "classes", "numbers"]
Floats = NDArray[np.float64]
SPLITS = 10
T_OF_NINE = 2.262
"""97.5 % of Student's t distribution with nine degrees of freedom."""


def quality(labels: Floats, scores: Floats, kind: Kind) -> float:
    """Area under the ROC curve; of several classes (scores (rows, classes)) its mean, each against the rest; of numbers the RMSE."""
    if kind == "numbers":
        return float(np.sqrt(np.square(scores - labels).mean()))
    return by_level(labels, scores).auc if kind == "binary" else multiclass.measure(labels, scores).macro_auc


def difference(ours: float, pooled: float, kind: Kind) -> float:
    """Ours less the pooled one's; of RMSE as a part of the latter, so that more is worse there and better else."""
    return ours / pooled - 1 if kind == "numbers" else ours - pooled


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of ten splits, and the ends of its 95 % interval."""
    mean, half = float(np.mean(values)), T_OF_NINE * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half
