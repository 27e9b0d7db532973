"""Linear models in shares: scores are a function of columns times weights; a kind of :mod:`unseen.learn.vertical.models`.

Public part: `family`, a name in :data:`.families.NAMES`, and `classes` of the multinomial one. Shares: `weights`, the intercept
last, shape (width + 1,), or (width + 1, classes). Private, of newer models: how this holder's columns are scaled. Trained by :mod:`.newton`, :mod:`.multinomial` or :mod:`.sgd`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical import layout
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.linear.families import FAMILIES, MULTINOMIAL, NAMES
from unseen.learn.vertical.linear.scaling import Scaling
from unseen.learn.vertical.models import Model
from unseen.mpc import Engine, SecretArray
from unseen.mpc.fixed import FRACTION_BITS
from unseen.mpc.functions.exponential import softmax

MODEL_FORMAT = 1


def shapes(public: Mapping[str, Any], sizes: Layout) -> dict[str, tuple[tuple[int, ...], int]]:
    """The weights, and the intercept last."""
    family = public.get("family")
    if family not in NAMES:
        raise UsageError(
            f"There is no family '{family}' of linear models.", why=f"there are: {', '.join(NAMES)}"
        )
    classes = (int(public["classes"]),) if family == MULTINOMIAL else ()
    return {"weights": ((sizes.width + 1, *classes), FRACTION_BITS)}


def scoring_cost(_public: Mapping[str, Any]) -> tuple[float, int]:
    """Bytes a row and rounds of scoring between two holders and a helper, beside those of the columns."""
    return 745.0, 16


def raw(engine: Engine, model: Model, own: NDArray[np.float64] | None, sizes: Layout) -> SecretArray:
    """Columns times weights plus intercept, shape (rows,) or, of classes, (rows, classes)."""
    scaling = None if own is None else Scaling.of(model.private) or Scaling.none(own.shape[1])
    columns = layout.share_blocks(
        engine, sizes, None if own is None or scaling is None else scaling.apply(own)
    )
    return linear_scores(engine, columns, model.secret(engine, "weights"))


def expected(engine: Engine, model: Model, raw: SecretArray) -> SecretArray:  # noqa: ARG001
    """Expected labels: probabilities of 1 or of classes, numbers, counts."""
    return mean(raw, family=str(model.public["family"]))


def linear_scores(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    """Columns times weights plus intercept."""
    ones = engine.lift(np.ones((columns.shape[0], 1)))
    return engine.concatenate([columns, ones], axis=1) @ weights


def mean(scores: SecretArray, *, family: str) -> SecretArray:
    """What scores stand for in a family."""
    return softmax(scores) if family == MULTINOMIAL else FAMILIES[family].mean(scores)
