"""Mini-batch gradient descent for linear models in shares, with momentum, L2, L1 and elastic net, of one class or several.

Minimises what :mod:`.newton` and :mod:`.multinomial` do. A step: velocity = momentum * velocity + rate * gradient / B,
weights = weights - velocity, where the gradient is X^T (mean(X w) - y) of the rows of a batch, and their part of l2 * w, intercept
free of the penalty. B is the rows of a whole batch: of the last one, which may be smaller, too, so that all rows count alike.

Security
    That of the engine's protocol: only the shape is told. With L1 nobody learns which coefficients are 0, nor how many.
Method
    The rows of each batch are masked once for the whole training, so that what travels in a step is the weights, the scores
    and the errors of the batch: a few numbers a row. Scores are not truncated, for the sine series of the sigmoid asks only for
    them modulo its period (:func:`unseen.mpc.functions.sigmoid.wave`): a step takes four rounds under `dealer2`. Which rows are
    in which batch is fixed (the rows come in an order that says nothing), the order of the batches is drawn in public anew in
    each epoch. Several classes take the softmax, counts the exponential function, both of truncated scores.
L1
    The first epoch is without. From then on a coefficient is positive, negative or 0 for an epoch, under shares. One that is not 0
    has l1 / rows times its sign in its gradient, which costs nothing, and becomes 0 if it is on the other side when the epoch ends.
    One that is 0 is held there: its steps are only added up, and if their sum is larger than what l1 adds up to, it sets out with
    the mean of what is over. So a coefficient rests where scikit-learn's does, and exactly 0 is 0. A step takes one round more, for
    the product with what is held; an epoch some ten, for a comparison with four bounds.
    A soft threshold after every step rests in the same place, but takes eight rounds more a step, and the noise of one batch
    is larger than its threshold: next to nothing is 0. One after every epoch is as cheap, but rests elsewhere, the farther off
    the more steps an epoch has. docs/learn/linear.md has figures of all three.
Range
    With `exact=False` the sigmoid is right for scores below :data:`unseen.mpc.functions.sigmoid.WAVE_RANGE` in size, with
    `exact=True` for all, at some ten rounds more a step. Means of counts are right for scores below :data:`LARGEST_LOG`.
    :func:`left_range` and :func:`lost_counts` tell, under shares, whether any row's score is beyond when training ends.
Sources
    Bottou, Curtis, Nocedal, "Optimization Methods for Large-Scale Machine Learning" (SIAM Review 2018); the operand masked
    once: protocols of Du and Atallah's kind, here Beaver's product with a mask that is used again for the same secret only; signs
    that are held and projected on: Andrew and Gao, "Scalable training of L1-regularized log-linear models" (ICML 2007).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical.checkpoints import FORGETFUL, SecretKeeper
from unseen.learn.vertical.linear.families import beginning
from unseen.mpc import Engine, FixedArray, SecretArray
from unseen.mpc.functions.compare import below
from unseen.mpc.functions.exponential import exp, softmax
from unseen.mpc.functions.sigmoid import WAVE_RANGE, sigmoid, wave

LARGEST_LOG = 8.0
"""Scores of counts that means are right for: exp(8) is 2,981."""
LARGEST_COUNT = 4096
_COUNT_BITS = 12
"""Fraction bits of the errors of counts, so that sums over a batch have room."""
_FACTOR_BITS = 5
_MOST_ROWS = 1 << 12
_ROOM = 2.0**60

Family = Literal["logistic", "multinomial", "linear", "poisson"]
Report = Callable[[int, int], None]
Still = Callable[[SecretArray, SecretArray], bool]


@dataclass(frozen=True, slots=True)
class Descent:
    """How to descend.

    Attributes
    ----------
    epochs, batch
        Passes over the rows; rows of a batch, at most 4,096.
    rate, last_rate
        Learning rate, for the mean gradient of a batch; it is rounded to six binary digits. With `last_rate` it falls evenly from
        epoch to epoch, to this in the last: the noise of batches falls with it.
    momentum
        Part of the velocity that is kept, below 1.
    l2, l1
        Penalties, as in :mod:`.newton`: l2 / 2 * |coefficients|^2 + l1 * |coefficients|_1 beside the sum of losses of all rows.
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
    l1: float = 0.0
    seed: int = 0
    exact: bool = False
    stop_every: int = 0
    last_rate: float | None = None

    def rate_of(self, epoch: int) -> float:
        """Learning rate in that epoch, from 0; by operations that all machines round alike."""
        if self.last_rate is None or self.epochs == 1:
            return self.rate
        return self.rate - epoch * ((self.rate - self.last_rate) / (self.epochs - 1))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows with an intercept column, masked once; labels; weights of the rows, if they have any, as often as there are classes."""

    x: FixedArray
    labels: SecretArray
    weights: FixedArray | None

    @property
    def size(self) -> int:
        """Rows."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class _Signs:
    """Which coefficients are negative, positive or, as neither, 0 in this epoch; secret, in one line without the intercept.

    `bits`: Booleans, shape (2, coefficients); `held`: 0 where the coefficient is 0, else 1; `slope`: -1, 0 or 1.
    """

    bits: SecretArray
    held: FixedArray
    slope: SecretArray

    @classmethod
    def of(cls, engine: Engine, bits: SecretArray) -> _Signs:
        """From the Booleans alone."""
        negative, positive = (engine.as_number(bits)[place] for place in (0, 1))
        return cls(bits, engine.fix(negative + positive), positive - negative)

    def weights(self, engine: Engine, found: SecretArray) -> SecretArray:
        """What has been found, but 0 for coefficients that are held there: theirs is only added up."""
        coefficients = self.held * found[:-1].ravel()
        return engine.concatenate([coefficients.reshape(*found[:-1].shape), found[-1:]])


def fit(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    how: Descent,
    *,
    family: Family = "logistic",
    weights: SecretArray | None = None,
    start: SecretArray | None = None,
    still: Still = lambda _before, _now: False,
    report: Report = lambda _done, _total: None,
    keep: SecretKeeper = FORGETFUL,
) -> SecretArray:
    """Weights with the intercept last, shape (width + 1,); of several classes (width + 1, classes).

    Parameters
    ----------
    columns
        Standardised, shape (rows, width).
    labels
        Shape (rows,); of several classes one column for each, 1 where it is the row's, else 0: shape (rows, classes).
    weights
        Secret weights of the rows, of mean about 1, shape (rows,).
    start
        Weights to begin with.
    still
        Asked every `how.stop_every` epochs whether to end, with the weights when it was due last and those of now.
    keep
        Where weights, velocity and signs are stored after an epoch.

    Raises
    ------
    UsageError
        Batches that are too large; an L1 penalty that there is no room for.
    """
    rows = columns.shape[0]
    if how.batch > _MOST_ROWS:
        raise UsageError(f"A batch of {how.batch} rows is too large.", mend=f"take {_MOST_ROWS} at most")
    batches = _batches(engine, columns, labels, weights, how.batch)
    done, held = keep.resume()
    found = held.get("weights", start)
    if found is None:
        found = beginning(engine, family, labels, columns.shape[1], weights=weights)
    velocity = held.get("velocity")
    if how.momentum and velocity is None:
        velocity = engine.lift(np.zeros(found.shape))
    signs: _Signs | None = None
    if how.l1 and (held or start is not None):
        signs = _Signs.of(engine, held["signs"] if held else _sides(found))
    before = held.get("before")
    order = np.random.default_rng(how.seed)
    orders = [order.permutation(len(batches)) for _ in range(how.epochs)]
    for epoch in range(done, how.epochs):
        paced = replace(how, rate=how.rate_of(epoch))
        for place in orders[epoch]:
            now = found if signs is None else signs.weights(engine, found)
            gradient = _gradient(engine, batches[place], now, family, exact=how.exact)
            slope = None if signs is None else signs.slope
            made = _step(
                engine, gradient, now, slope, velocity, batches[place].size / rows, batches[0].size, paced
            )
            found = found - made
            velocity = None if velocity is None else made
        if how.l1:
            found, signs = _settle(engine, found, signs, batches, paced)
        report(epoch + 1, how.epochs)
        if how.stop_every and (epoch + 1) % how.stop_every == 0:
            earlier, before = before, found
            if earlier is not None and still(earlier, found):
                break
        bits = None if signs is None else signs.bits
        state = {"weights": found, "velocity": velocity, "before": before, "signs": bits}
        keep.save(epoch + 1, {name: item for name, item in state.items() if item is not None})
    return found


def left_range(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    """Secret Boolean, shape (): whether any score is beyond the range in which the quick sigmoid is right."""
    beyond: SecretArray = abs(_scores(engine, columns, weights)) > float(WAVE_RANGE)
    return beyond.any()


def lost_counts(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    weights: SecretArray,
    *,
    of_rows: SecretArray | None = None,
) -> SecretArray:
    """Secret Boolean, shape (): whether any score is over :data:`LARGEST_LOG`, or means add up to a fifth less or more than the counts.

    At the optimum they add up alike; a rate that is too high throws the intercept to where all means are 0.
    """
    scores = _scores(engine, columns, weights)
    both = engine.concatenate([exp(scores).reshape(1, -1), labels.reshape(1, -1)])
    if of_rows is not None:
        both = both * of_rows
    sums = both.sum(axis=1)
    off = abs(sums[0] - sums[1]) * 5 > sums[1]
    lost: SecretArray = (scores > LARGEST_LOG).any() | off
    return lost


def _scores(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    ones = engine.lift(np.ones((columns.shape[0], 1)))
    return engine.concatenate([columns, ones], axis=1) @ weights


def check_counts(label: NDArray[np.float64]) -> None:
    """What the holder of counts checks before it shares them.

    Raises
    ------
    UsageError
        A count over :data:`LARGEST_COUNT`.
    """
    if label.size and label.max() > LARGEST_COUNT:
        raise UsageError(
            "A count is too large for training by mini-batches.",
            why=f"the largest is {label.max():g}; sums over a batch have room for counts up to {LARGEST_COUNT}",
            mend="take the method 'newton', or clip the label",
        )


def _batches(
    engine: Engine, columns: SecretArray, labels: SecretArray, weights: SecretArray | None, size: int
) -> list[_Batch]:
    rows = columns.shape[0]
    made = []
    if weights is not None and labels.ndim > 1:  # each row's weight once for each class
        weights = weights.reshape(-1, 1).repeat(labels.shape[1], axis=1)
    for begin in range(0, rows, size):
        part = columns[begin : begin + size]
        ones = engine.lift(np.ones((part.shape[0], 1)))
        own = None if weights is None else engine.fix(weights[begin : begin + size].ravel())
        x = engine.fix(engine.concatenate([part, ones], axis=1))
        made.append(_Batch(x, labels[begin : begin + size], own))
    return made


def _gradient(
    engine: Engine, batch: _Batch, weights: SecretArray, family: Family, *, exact: bool
) -> SecretArray:
    """X^T (mean(X w) - y), not truncated."""
    if family == "logistic" and not exact:
        mean = wave(batch.x.matmul_exact(weights))
    else:
        mean = _MEANS[family](batch.x @ weights)
    errors = mean - batch.labels
    if batch.weights is not None:
        errors = (batch.weights * errors.ravel()).reshape(*errors.shape)
    if family == "poisson":
        errors = engine.truncate(errors, _COUNT_BITS)
    return batch.x.T.matmul_exact(errors)


def _same(scores: SecretArray) -> SecretArray:
    return scores


_MEANS: dict[str, Callable[[SecretArray], SecretArray]] = {
    "logistic": sigmoid,
    "multinomial": softmax,
    "linear": _same,
    "poisson": exp,
}


def _factor(rate: float, size: int) -> tuple[int, int]:
    """Rate / size as a whole number of six binary digits, and the power of two that it is divided by."""
    shift = _FACTOR_BITS + 1 - math.frexp(rate / size)[1]
    return round(rate / size * 2.0**shift), shift


def _step(
    engine: Engine,
    gradient: SecretArray,
    weights: SecretArray,
    slope: SecretArray | None,
    velocity: SecretArray | None,
    part: float,
    size: int,
    how: Descent,
) -> SecretArray:
    """What to subtract, with one truncation of everything that is added up.

    Parameters
    ----------
    gradient
        Of the losses of a batch: their sum, not truncated.
    slope
        Signs of the coefficients where L1 is in force.
    part, size
        Of all rows, that the batch is; rows of a whole batch.
    """
    factor, shift = _factor(how.rate, size)
    total = gradient.share * np.uint64(factor)  # gradient.bits + shift fraction bits
    bits = gradient.bits - engine.bits
    if how.l2:
        ridge = np.full(weights.shape, round(how.l2 * part * factor * 2.0**bits), np.uint64)
        ridge[-1] = 0
        total = total + weights.share * ridge
    if slope is not None:
        amount = how.l1 * part * factor * 2.0**gradient.bits
        if amount > _ROOM:
            raise UsageError(
                f"An l1 of {how.l1:g} is too large for batches of {size} rows.",
                why="there is no room for what it adds to a step, and every coefficient would be 0",
                mend="make it smaller: below the number of rows",
            )
        total[:, :-1] += (slope.share * np.uint64(round(amount))).reshape(total[:, :-1].shape)
    if velocity is not None:
        total = total + velocity.share * np.uint64(round(how.momentum * 2.0 ** (bits + shift)))
    return engine.truncate(engine.number(total, gradient.bits), engine.bits, divide_by=shift)


# ---------------------------------------------------------------------- L1


def _sides(weights: SecretArray) -> SecretArray:
    """Booleans, shape (2, coefficients): which are negative, which positive."""
    return _outside(weights[:-1].ravel(), (0.0,))


def _outside(x: SecretArray, limits: tuple[float, ...]) -> SecretArray:
    """Booleans, shape (2 limits, n): x < -limit and x > limit, limit by limit, in one comparison."""
    engine, step = x.engine, 2.0**-x.bits
    limits = tuple(math.ceil(limit / step) * step for limit in limits)
    bits = below(x, tuple(bound for limit in limits for bound in (-limit, limit + step))).bit_share
    turned = engine.boolean(bits[:, 1::2])
    return engine.boolean(np.stack([bits[:, ::2], (~turned).bit_share], axis=2).reshape(bits.shape))


def _settle(
    engine: Engine, found: SecretArray, signs: _Signs | None, batches: list[_Batch], how: Descent
) -> tuple[SecretArray, _Signs]:
    """Weights and signs for the next epoch; see the module."""
    if signs is None:
        return found, _Signs.of(engine, _sides(found))
    factor, shift = _factor(how.rate, batches[0].size)
    limit = factor / 2.0**shift * how.l1 / (1 - how.momentum)  # of all rows, in the steps of an epoch
    x = found[:-1].ravel()
    outside = _outside(x, (0.0, limit))
    was = signs.bits
    resting = ~(was[0] ^ was[1])
    still_there = engine.concatenate([was, engine.concatenate([resting.reshape(1, -1)] * 2)])
    both = still_there & outside  # (4, n): negative and stays so, positive, sets out to be negative, positive
    stays, sets_out = both[:2], both[2:]
    chosen = engine.select(
        engine.concatenate([(stays[0] ^ stays[1]).reshape(1, -1), sets_out]),
        engine.concatenate([part.reshape(1, -1) for part in (x, x + limit, x - limit)]),
    )
    coefficients = chosen[0] + engine.divide(chosen[1] + chosen[2], len(batches))
    settled = engine.concatenate([coefficients.reshape(*found[:-1].shape), found[-1:]])
    return settled, _Signs.of(engine, stays ^ sets_out)
