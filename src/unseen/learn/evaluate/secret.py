"""Measures of secret scores against secret labels: nobody sees a score or a label, the receivers see what they asked for.

Security
    That of the engine's protocol. Told are, by name: `enough` (whether every class has `at_least` rows; to all holders, for
    else nothing more is computed), and to the receivers `class-sizes`, `ranking` (AUC, KS, average precision), `groups`, `distribution`,
    `confusion`, `losses`, `errors`, `classes`, as far as asked for. Every reveal is one of these; how many rows share a score stays secret.
Small groups
    Neighbouring groups are merged, under shares, until each holds `at_least` rows of either class. So of no group that is
    told is a class smaller, also not as the difference of two told sums of the same table. Two tables together (`groups` and
    `confusion`, say) may bound smaller groups: ask for what is needed.
Method
    :mod:`.order` says how rows are put in order, and what weights are. What is small is decided by rows, what is told are weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.evaluate.binary import Confusion
from unseen.learn.evaluate.order import UNIT, Sorted, Weights, points
from unseen.learn.evaluate.quotients import quotients
from unseen.learn.evaluate.ranking import Distribution, Ranking, cuts, mean_scores
from unseen.learn.evaluate.regression import Fit
from unseen.mpc import SecretArray
from unseen.mpc.functions.compare import below, clip, equal, logical_and, logical_not, where

ENOUGH, SIZES, RANKING, GROUPS = "enough", "class-sizes", "ranking", "groups"
DISTRIBUTION, CONFUSION, LOSSES, ERRORS, CLASSES = "distribution", "confusion", "losses", "errors", "classes"

Floats = NDArray[np.float64]
_PLACES = 14  # of an average precision of weighted rows, which is right to about as many
SPREAD = 1024.0
"""How far labels spread in one unit: squares fit up to 2048, so that predictions may lie as far off again."""
_FARTHEST = 2.0**22  # from 0, in units: beyond it they do not fit a product
_MOST_OFF = 2047.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the order of the scores says: see :class:`unseen.learn.evaluate.ranking.Ranking`."""

    auc: float
    ks: float
    average_precision: float


def require_enough(sizes: SecretArray, at_least: int) -> None:
    """Go on only if every class has `at_least` rows, and one.

    Parameters
    ----------
    sizes
        Integers, shape (classes,).

    Raises
    ------
    UsageError
        A class has fewer: at all holders alike, and no more is told.
    """
    engine = sizes.engine
    few = engine.as_number(below(sizes, (float(max(at_least, 1)),))[0]).sum()
    told = engine.reveal(ENOUGH, (few < 1).reshape(1), to=engine.protocol.holders)
    if told is not None and not told[0]:
        raise UsageError(
            "The rows to evaluate on do not have enough labels of every class."
            if len(sizes) > 1
            else "There are too few rows to evaluate on.",
            why=f"{'a class has' if len(sizes) > 1 else 'there are'} fewer than {max(at_least, 1)} rows",
            mend="hold out a larger part, or bring rows of every class",
        )


def class_sizes(labels: SecretArray) -> SecretArray:
    """Negatives and positives of labels 0 and 1 (integers): shape (2,)."""
    positives = labels.sum().reshape(1)
    return labels.engine.concatenate([len(labels) - positives, positives])


def ranking(ordered: Sorted, *, to: Sequence[str], sizes: Floats | None, name: str = RANKING) -> Order | None:
    """AUC, KS and average precision; None at others than the receivers, who know the sizes of the classes."""
    curve, weights = points(ordered), ordered.weights
    engine, total = curve.rows.engine, len(ordered.labels) * (1 if weights is None else weights.unit)
    parts = [curve.area(), curve.lead()]
    if weights is None:
        parts.append(curve.precision())
    else:
        # as integers of the last place: products of two sums leave no room for fraction bits
        precise = engine.number(curve.weighed_precision(total).share, 0)
        share = quotients(precise, engine.scaled(curve.found, engine.bits), whole=1, places=_PLACES)
        parts += [engine.number(share.share, 0), curve.found]
    told = engine.reveal(name, engine.concatenate(parts), to=to)
    if told is None or sizes is None:
        return None
    found = sizes[1] if weights is None else told[3]
    product = found * (total - found)
    precision = told[2] / UNIT / found if weights is None else told[2] / (1 << _PLACES)
    return Order(float(told[0] / product / 2), float(told[1] / product), float(precision))


def groups(
    ordered: Sorted, count: int, *, at_least: int, to: Sequence[str], name: str = GROUPS
) -> Ranking | None:
    """:func:`unseen.learn.evaluate.ranking.by_rank`, small groups merged; None at others than the receivers."""
    engine, total = ordered.scores.engine, len(ordered.scores)
    ends = np.r_[cuts(total, count), total] - 1
    positives = ordered.labels.cumsum()[ends]
    rows = engine.lift(ends + 1, 0)
    kept = kept_ends(rows, positives, at_least)
    scores, unit = ordered.scores, 1
    if ordered.weights is not None:
        weights, unit = ordered.weights.numbers, ordered.weights.unit
        rows, positives = weights.cumsum()[ends], ordered.weighed.cumsum()[ends]
        scores = scores * weights
    return _ranking(_told(name, kept, (rows, positives, scores.cumsum()[ends]), unit=unit, to=to))


def distribution(
    scores: SecretArray,
    labels: SecretArray,
    edges: Sequence[float],
    *,
    at_least: int,
    to: Sequence[str],
    weights: Weights | None = None,
) -> Distribution | None:
    """:func:`unseen.learn.evaluate.ranking.between`, small groups merged: only the edges between large ones are left.

    None at others than the receivers.
    """
    descending = tuple(sorted(edges, reverse=True))
    told = _reaching(DISTRIBUTION, scores, labels, descending, weights, at_least=at_least, to=to)
    if told is None:
        return None
    kept = told[:, 0] > 0
    steps = np.diff(told[kept][:, 1:], axis=0, prepend=0.0)[::-1]
    return Distribution.of_sums(np.array(descending)[kept[:-1]][::-1], *steps.T)


def confusion(
    scores: SecretArray,
    labels: SecretArray,
    threshold: float,
    *,
    at_least: int,
    to: Sequence[str],
    weights: Weights | None = None,
) -> Confusion | None:
    """The confusion matrix, if every cell has `at_least` rows; None where not, and at others than the receivers."""
    told = _reaching(CONFUSION, scores, labels, (threshold,), weights, at_least=at_least, to=to)
    if told is None or not told[0, 0]:
        return None
    (_, reached, found, _), (_, rows, positives, _) = told.tolist()
    missed = positives - found
    return Confusion(threshold, found, reached - found, missed, rows - reached - missed)


def _reaching(
    name: str,
    scores: SecretArray,
    labels: SecretArray,
    edges: tuple[float, ...],
    weights: Weights | None,
    *,
    at_least: int,
    to: Sequence[str],
) -> Floats | None:
    """Running sums at descending edges, and those of all rows."""
    engine, total = scores.engine, len(scores)
    reached = engine.as_number(logical_not(below(scores, edges)))
    inside = engine.concatenate([reached, engine.lift(np.ones((1, total)), 0)])
    counts = inside.sum(axis=1)
    positives = _summed(inside, labels)
    kept = kept_ends(counts, positives, at_least)
    if weights is None:
        return _told(name, kept, (counts, positives, _summed(inside, scores)), unit=1, to=to)
    heavy = inside * weights.numbers.reshape(1, total)
    sums = (heavy.sum(axis=1), _summed(heavy, labels), _summed(heavy, scores))
    return _told(name, kept, sums, unit=weights.unit, to=to)


def _summed(inside: SecretArray, values: SecretArray) -> SecretArray:
    """The sum of the values of the rows that each line has."""
    return inside.engine.matmul_exact(inside, values.reshape(len(values), 1)).reshape(len(inside))


def losses(
    scores: SecretArray, labels: SecretArray, *, to: Sequence[str], weights: Weights | None = None
) -> tuple[float, float] | None:
    """Log loss (natural logarithm, probabilities no nearer to 0 than the last fraction bit) and Brier score."""
    engine, total = scores.engine, len(scores)
    distance = scores - labels
    brier = distance * distance
    loss = log_of(where(labels > 0, scores, 1 - scores))
    if weights is not None:
        brier, loss, total = brier * weights.numbers, loss * weights.numbers, total * weights.unit
    told = engine.reveal(LOSSES, engine.concatenate([one.sum().reshape(1) for one in (loss, brier)]), to=to)
    return None if told is None else (float(-told[0]) / total, float(told[1]) / total)


def log_of(probabilities: SecretArray) -> SecretArray:
    """Natural logarithms of numbers from 0 to 1, none taken as less than the last place."""
    unit = 2.0**-probabilities.engine.bits
    safe = where(probabilities < unit, unit, probabilities)
    return cast("SecretArray", np.log(cast("Any", safe)))


def unit(spread: float) -> float:
    """What distances are counted in so that their squares fit and are not rounded away: a power of two, spread / 1024 or up to twice that."""
    return float(2.0 ** math.ceil(math.log2(spread / SPREAD)))


def check_range(labels: Floats, spread: float = SPREAD) -> None:
    """Whether squares of distances between such numbers fit the format, counted in :func:`unit`.

    Raises
    ------
    UsageError
        They do not.
    """
    far = float(np.ptp(labels))
    if not far < spread:
        raise UsageError(
            "The labels spread too far for squared errors in shares.",
            why=f"the largest less the smallest must be below {spread:g}, which the contract tells all, and is {far:g}",
            mend="name a bound that they may know as `spread`, such as the next power of ten",
        )
    if not np.abs(labels).max() < _FARTHEST * unit(spread):
        raise UsageError(
            "The labels are too far from 0 against how they spread.",
            why=f"they must be below {_FARTHEST * unit(spread):g} in size",
            mend="take a constant off them, or name a larger `spread`",
        )


def off_by(predicted: SecretArray, labels: SecretArray, unit: float = 1.0) -> SecretArray:
    """Differences, at most 2047 units in size: squares of larger ones do not fit, and one row far off would look like none."""
    return clip(predicted - labels, -_MOST_OFF * unit, _MOST_OFF * unit)


def errors(
    predicted: SecretArray,
    labels: SecretArray,
    *,
    to: Sequence[str],
    weights: SecretArray | None = None,
    unit: float = 1.0,
) -> Fit | None:
    """RMSE, MAE and R² of predicted numbers; None at others than the receivers. Weights are of mean 1, in fixed point.

    Distances are squared and added up in multiples of `unit`, a power of two, in which labels are counted already.
    """
    engine, total = predicted.engine, len(predicted)
    distance = _times(off_by(predicted, _times(labels, unit), unit), 1 / unit)
    mean = labels.mean() if weights is None else (weights * labels).mean()
    centred = labels - mean
    each = [distance * distance, abs(distance), centred * centred]
    sums = [(one if weights is None else weights * one).sum() for one in each]
    told = engine.reveal(ERRORS, engine.concatenate([one.reshape(1) for one in sums]), to=to)
    if told is None:
        return None
    fit = Fit.of_sums(total, *(float(one) for one in told), weight=total)
    return replace(fit, rmse=fit.rmse * unit, mae=fit.mae * unit)


def _times(values: SecretArray, power: float) -> SecretArray:
    """Times a power of two: exactly if it is whole, else rounded to the last place."""
    return values if power == 1 else values * (int(power) if power > 1 else power)


def classes(
    scores: SecretArray,
    raw: SecretArray,
    hot: SecretArray,
    *,
    matrix: bool,
    to: Sequence[str],
    weights: Weights | None = None,
) -> tuple[float, float, Floats | None] | None:
    """Accuracy, log loss and, with `matrix`, the whole confusion matrix (small cells too).

    Parameters
    ----------
    scores, raw
        Probabilities, and what comes before the link, which says without rounding which is the largest (of equals the first), shape (rows, classes).
    hot
        Labels, one-hot integers, shape (rows, classes).
    """
    engine, (total, count) = scores.engine, scores.shape
    best = raw.argmax(axis=1)
    guessed = engine.as_number(equal(best.reshape(total, 1), np.arange(count).reshape(1, count), places=8))
    unit, heavy = 1, hot
    if weights is not None:
        unit, heavy = weights.unit, hot * weights.numbers.reshape(total, 1)
    table = engine.matmul_exact(heavy.T, guessed)
    right = table[np.arange(count), np.arange(count)].sum().reshape(1)
    chosen = engine.select(hot > 0, scores).sum(axis=1)
    loss = log_of(chosen)
    loss = (loss if weights is None else loss * weights.numbers).sum().reshape(1)
    parts = [right, loss, *([table.reshape(count * count)] if matrix else [])]
    told = engine.reveal(CLASSES, engine.concatenate(parts), to=to)
    if told is None:
        return None
    confused = told[2:].reshape(count, count) / unit if matrix else None
    return float(told[0]) / total / unit, float(-told[1]) / total / unit, confused


# ---------------------------------------------------------------------- groups that are large enough


def _told(
    name: str, kept: SecretArray, sums: Sequence[SecretArray], *, unit: int, to: Sequence[str]
) -> Floats | None:
    """Running sums at the ends of groups, the last that of all rows: (told, rows, positives, scores), shape (groups, 4).

    Ends that are not kept, for they would bound too small a group, are zeros.
    """
    engine = kept.engine
    columns = [engine.as_real(one).reshape(-1, 1) for one in sums]
    chosen = engine.select(kept.reshape(-1, 1), engine.concatenate(columns, axis=1))
    told = engine.reveal(
        name, engine.concatenate([engine.as_real(kept).reshape(-1, 1), chosen], axis=1), to=to
    )
    return None if told is None else told / [1, unit, unit, unit]


def _ranking(told: Floats | None) -> Ranking | None:
    if told is None:
        return None
    steps = np.diff(told[told[:, 0] > 0][:, 1:], axis=0, prepend=0.0)
    return Ranking(steps[:, 0], steps[:, 1], mean_scores(steps[:, 2], steps[:, 0]))


def kept_ends(rows: SecretArray, positives: SecretArray, at_least: int) -> SecretArray:
    """Which ends of groups are told: those with `at_least` of either class since the last told one, and as many behind.

    Secret Booleans of shape (groups,); the last holds always.
    """
    engine, count = rows.engine, len(rows)
    always = engine.lift(np.ones(1, bool))
    if at_least == 0 or count == 1:
        return engine.lift(np.ones(count, bool))
    running = engine.concatenate([positives.reshape(1, -1), (rows - positives).reshape(1, -1)])
    parts = engine.concatenate([running[:, :1], running[:, 1:] - running[:, :-1]], axis=1)
    behind = _both(running[:, -1:] - running[:, :-1] >= at_least)
    since = parts[:, 0]
    told = []
    for place in range(count - 1):
        end = logical_and(_both((since >= at_least).reshape(2, 1)), behind[place : place + 1])
        told.append(end)
        since = engine.select(logical_not(end), since) + parts[:, place + 1]
    return engine.concatenate([*told, always])


def _both(flags: SecretArray) -> SecretArray:
    """Whether both rows hold, shape (columns,)."""
    return logical_and(flags[0], flags[1])
