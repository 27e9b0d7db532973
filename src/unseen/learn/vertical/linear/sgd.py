"""Mini-batch gradient descent for linear models in shares, with momentum.

A step of a batch of B rows: velocity = momentum * velocity + rate * gradient / B, weights = weights - velocity, where the
gradient is X^T (mean(X w) - y) + l2 * B / rows * w, intercept free of the penalty.

Method
    The rows of each batch are masked once for the whole training, so that what travels in a step is the weights, the scores
    and the errors of the batch: a few numbers a row. Scores are not truncated, for the sine series of the sigmoid asks only for
    them modulo its period (:func:`unseen.mpc.functions.sigmoid.wave`): a step takes four rounds under `dealer2`. Which rows are
    in which batch is fixed (the rows come in an order that says nothing), the order of the batches is drawn in public anew in
    each epoch.
Range
    With `exact=False` the sigmoid is right for scores below :data:`unseen.mpc.functions.sigmoid.WAVE_RANGE` in size;
    :func:`left_range` tells, under shares, whether any row's score is beyond it when training ends. With `exact=True` it is
    right for all scores, at some ten rounds more a step.
Sources
    Bottou, Curtis, Nocedal, "Optimization Methods for Large-Scale Machine Learning" (SIAM Review 2018); the operand masked
    once: protocols of Du and Atallah's kind, here Beaver's product with a mask that is used again for the same secret only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unseen.core.errors import UsageError
from unseen.learn.vertical.checkpoints import FORGETFUL, SecretKeeper
from unseen.mpc import Engine, FixedArray, SecretArray
from unseen.mpc.functions.sigmoid import WAVE_RANGE, sigmoid, wave

_FACTOR_BITS = 5
_MOST_ROWS = 1 << 12

Report = Callable[[int, int], None]
Still = Callable[[SecretArray, SecretArray], bool]


@dataclass(frozen=True, slots=True)
class Descent:
    """How to descend.

    Attributes
    ----------
    epochs, batch
        Passes over the rows; rows of a batch, at most 4,096.
    rate
        Learning rate, for the mean gradient of a batch; it is rounded to six binary digits.
    momentum
        Part of the velocity that is kept, below 1.
    l2
        Penalty, as in :mod:`.newton`: l2 / 2 * |coefficients|^2 beside the sum of losses of all rows.
    seed
        Of the public order of the batches.
    exact
        See the module.
    stop_every
        After so many epochs it is asked whether the weights stand still; 0: never.
    """

    epochs: int = 10
    batch: int = 1024
    rate: float = 0.5
    momentum: float = 0.0
    l2: float = 0.0
    seed: int = 0
    exact: bool = False
    stop_every: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows with an intercept column, masked once; labels; weights of the rows, if they have any."""

    x: FixedArray
    labels: SecretArray
    weights: FixedArray | None


def fit(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    how: Descent,
    *,
    family: Literal["logistic", "linear"] = "logistic",
    weights: SecretArray | None = None,
    start: SecretArray | None = None,
    still: Still = lambda _before, _now: False,
    report: Report = lambda _done, _total: None,
    keep: SecretKeeper = FORGETFUL,
) -> SecretArray:
    """Weights with the intercept last, shape (width + 1,).

    Parameters
    ----------
    columns
        Standardised, shape (rows, width).
    labels
        Shape (rows,).
    weights
        Secret weights of the rows, of mean about 1, shape (rows,).
    start
        Weights to begin with.
    still
        Asked every `how.stop_every` epochs whether to end, with the weights when it was due last and those of now.
    keep
        Where weights and velocity are stored after an epoch.

    Raises
    ------
    UsageError
        Batches that are too large.
    """
    rows, width = columns.shape
    if how.batch > _MOST_ROWS:
        raise UsageError(f"A batch of {how.batch} rows is too large.", mend=f"take {_MOST_ROWS} at most")
    batches = _batches(engine, columns, labels, weights, how.batch)
    found = engine.lift(np.zeros(width + 1)) if start is None else start
    velocity: SecretArray | None = engine.lift(np.zeros(width + 1)) if how.momentum else None
    order = np.random.default_rng(how.seed)
    done, held = keep.resume()
    if done:
        found, velocity = held["weights"], held.get("velocity")
    before = held.get("before")
    orders = [order.permutation(len(batches)) for _ in range(how.epochs)]
    for epoch in range(done, how.epochs):
        for place in orders[epoch]:
            batch = batches[place]
            gradient = _gradient(batch, found, family, exact=how.exact)
            found, velocity = _step(engine, found, velocity, gradient, len(batch.labels), rows, how)
        report(epoch + 1, how.epochs)
        if how.stop_every and (epoch + 1) % how.stop_every == 0:
            earlier, before = before, found
            if earlier is not None and still(earlier, found):
                break
        state = {"weights": found, "velocity": velocity, "before": before}
        keep.save(epoch + 1, {name: item for name, item in state.items() if item is not None})
    return found


def left_range(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    """Secret Boolean, shape (): whether any score is beyond the range in which the quick sigmoid is right."""
    ones = engine.lift(np.ones((columns.shape[0], 1)))
    scores = engine.concatenate([columns, ones], axis=1) @ weights
    beyond: SecretArray = abs(scores) > float(WAVE_RANGE)
    return beyond.any()


def _batches(
    engine: Engine, columns: SecretArray, labels: SecretArray, weights: SecretArray | None, size: int
) -> list[_Batch]:
    rows = columns.shape[0]
    made = []
    for begin in range(0, rows, size):
        part = columns[begin : begin + size]
        ones = engine.lift(np.ones((part.shape[0], 1)))
        own = None if weights is None else engine.fix(weights[begin : begin + size])
        x = engine.fix(engine.concatenate([part, ones], axis=1))
        made.append(_Batch(x, labels[begin : begin + size], own))
    return made


def _gradient(batch: _Batch, weights: SecretArray, family: str, *, exact: bool) -> SecretArray:
    """X^T (mean(X w) - y), not truncated."""
    if family == "linear":
        mean = batch.x @ weights
    elif exact:
        mean = sigmoid(batch.x @ weights)
    else:
        mean = wave(batch.x.matmul_exact(weights))
    errors = mean - batch.labels
    if batch.weights is not None:
        errors = batch.weights * errors
    return batch.x.T.matmul_exact(errors)


def _step(
    engine: Engine,
    weights: SecretArray,
    velocity: SecretArray | None,
    gradient: SecretArray,
    size: int,
    rows: int,
    how: Descent,
) -> tuple[SecretArray, SecretArray | None]:
    """New weights and velocity, with one truncation of everything that is added up."""
    shift = _FACTOR_BITS - math.floor(math.log2(how.rate / size))
    factor = round(how.rate / size * 2.0**shift)
    width = weights.shape[0]
    total = gradient.share * np.uint64(factor)  # gradient.bits + shift fraction bits
    bits = gradient.bits - engine.bits
    if how.l2:
        ridge = np.full(width, round(how.l2 * size / rows * factor * 2.0**bits), np.uint64)
        ridge[-1] = 0
        total = total + weights.share * ridge
    if velocity is None:
        return weights - engine.truncate(
            engine.number(total, gradient.bits), engine.bits, divide_by=shift
        ), None
    kept = np.uint64(round(how.momentum * 2.0 ** (bits + shift)))
    made = engine.truncate(
        engine.number(total + velocity.share * kept, gradient.bits), engine.bits, divide_by=shift
    )
    return weights - made, made
