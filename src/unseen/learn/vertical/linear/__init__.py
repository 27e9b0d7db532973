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
_MOST_SCALE = 64.0


def shapes(public: Mapping[str, Any], sizes: Layout) -> dict[str, tuple[tuple[int, ...], int]]:
    """The weights, and the intercept last."""
    family = public.get("family")
    if family not in NAMES:
        raise UsageError(
            f"There is no family '{family}' of linear models.", why=f"there are: {', '.join(NAMES)}"
        )
    classes = (int(public["classes"]),) if family == MULTINOMIAL else ()
    return {"weights": ((sizes.width + 1, *classes), FRACTION_BITS)}


def scoring_cost(_public: Mapping[str, Any], columns: int) -> tuple[float, int]:
    """Bytes a row and rounds of scoring between two holders and a helper; measured."""
    return 724 + 16.0 * columns, 23


def raw(engine: Engine, model: Model, own: NDArray[np.float64] | None, sizes: Layout) -> SecretArray:
    """Columns times weights plus intercept, shape (rows,) or, of classes, (rows, classes)."""
    scaling = None if own is None else Scaling.of(model.private) or Scaling.none(own.shape[1])
    columns = layout.share_blocks(
        engine, sizes, None if own is None or scaling is None else scaling.apply(own)
    )
    return linear_scores(engine, columns, model.secret(engine, "weights"))


def raw_of_columns(engine: Engine, model: Model, columns: SecretArray, sizes: Layout) -> SecretArray:
    """The same of columns that are in shares already, (rows, width).

    How a holder's columns are scaled it shares, and the weights are divided by it instead of the columns.

    Raises
    ------
    UsageError
        At a holder whose scale in training is so small or large that weights would lose their places.
    """
    return linear_scores(engine, columns, _of_columns_as_they_are(engine, model, sizes))


def _of_columns_as_they_are(engine: Engine, model: Model, sizes: Layout) -> SecretArray:
    me, weights = engine.protocol.party.name, model.secret(engine, "weights")
    own = Scaling.of(model.private)
    if own is None and me in sizes.columns:
        own = Scaling.none(sizes.columns[me])
    if own is not None and not ((own.scale >= 1 / _MOST_SCALE) & (own.scale <= _MOST_SCALE)).all():
        raise UsageError(
            f"{me}'s columns are of a scale that weights under shares have no places for.",
            why=f"standard deviations in training were from {own.scale.min():g} to {own.scale.max():g}; they may be 1/64 to 64",
            mend="scale columns (step 'standardise' or 'prepare') before the join and the training",
        )
    factors, centers = [], []
    for holder, width in sizes.columns.items():
        mine = own if holder == me else None
        factors.append(engine.share(None if mine is None else 1 / mine.scale, owner=holder, shape=(width,)))
        centers.append(engine.share(None if mine is None else mine.center, owner=holder, shape=(width,)))
    tail = (1,) * (weights.ndim - 1)
    coefficients = weights[:-1] * engine.concatenate(factors).reshape(-1, *tail)
    moved = (coefficients * engine.concatenate(centers).reshape(-1, *tail)).sum(axis=0)
    return engine.concatenate([coefficients, (weights[-1] - moved).reshape(1, *weights.shape[1:])])


def expected(engine: Engine, model: Model, raw: SecretArray) -> SecretArray:  # noqa: ARG001
    """Expected labels: probabilities of 1 or of classes, numbers, counts."""
    return mean(raw, family=str(model.public["family"]))


def linear_scores(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    """Columns times weights plus intercept, always rounded down, so that equal rows have equal sums."""
    ones = engine.lift(np.ones((columns.shape[0], 1)))
    sums = engine.matmul_exact(engine.concatenate([columns, ones], axis=1), weights)
    return engine.truncate(sums, engine.bits, exact=True)


def mean(scores: SecretArray, *, family: str) -> SecretArray:
    """What scores stand for in a family."""
    return softmax(scores) if family == MULTINOMIAL else FAMILIES[family].mean(scores)
