"""Measures over rows of which nobody knows which count, as those of a hidden join: of scores, labels and members that are all secret.

A row counts as much as its member bit, 0 or 1: a weight that nobody knows (:class:`.order.Weights`). So nobody knows the sum of the weights
either, and what :mod:`.secret` divides by after telling it is divided by here under shares.

Told
    Fractions, each rounded to 2^-14 or coarser (:mod:`.quotients`), to the receivers, as far as asked for, by the names of :mod:`.secret`:

    ==================  =====================================================================================================
    `ranking`           AUC, KS, average precision
    `groups`            of each group that is large enough: running shares of members and of positives among all members, mean
                        of scores up to there; so rows of all groups add up to 1
    `distribution`      the same between given scores
    `confusion`         the four cells as shares of all members
    `losses`            log loss and Brier score
    `classes`           of several classes: accuracy, log loss, and the confusion matrix as shares of all members
    `errors`            of numbers: mean square and absolute error, and errors over the spread of the labels
    ==================  =====================================================================================================

    Nothing else: not how many members there are, nor how many positives. But what is told are fractions of whole numbers, and who gets
    several can find the number of members out where these are fewer than some ten thousand (docs/evaluate.md has a table; fewer bits tell less). The first function that is called,
    :func:`.secret.require_enough`, tells all holders whether each class has enough members, and ends it if not.
Small groups
    As in :mod:`.secret`, and only members count: rows that are none make no group larger.
Security
    That of the engine's protocol. Messages depend on the number of places and on what is asked for only.
Method
    Rows that are no members are sorted with the others and add 0 to every sum. A group by rank ends at a rank among members that is as
    secret as their number: each row's rank is compared with each end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from unseen.learn.evaluate import order, secret
from unseen.learn.evaluate.binary import Confusion
from unseen.learn.evaluate.order import Sorted, Weights
from unseen.learn.evaluate.quotients import quotients
from unseen.learn.evaluate.ranking import Distribution, Ranking, mean_scores
from unseen.learn.evaluate.regression import Fit
from unseen.mpc import SecretArray
from unseen.mpc.functions.compare import below, equal, logical_not, maximum, minimum, where

Floats = NDArray[np.float64]
PLACES = 14
"""Fraction bits of all that is told, unless fewer are asked for: fewer tell less of how many members there are."""
_WHOLE = 4  # a log loss is below 14
_MOST_BITS, _COARSE = 10, 10
_MOST = 1 << _MOST_BITS


@dataclass(frozen=True, slots=True)
class Fractions:
    """What is to be told under a name: integers over integers, (count,), and Booleans that go with them, (flags,), or none."""

    name: str
    over: SecretArray
    under: SecretArray
    flags: SecretArray | None = None


def tell(asked: Sequence[Fractions], *, to: Sequence[str], places: int = PLACES) -> dict[str, Floats | None]:
    """All in the rounds of one: name -> flags and fractions, one after the other; None at others than the receivers."""
    engine = asked[0].over.engine
    over, under = (engine.concatenate([getattr(one, side) for one in asked]) for side in ("over", "under"))
    made = quotients(over, under, whole=_WHOLE, places=places)
    found, begin = {}, 0
    for one in asked:
        part = made[begin : begin + len(one.over)]
        begin += len(one.over)
        found[one.name] = part if one.flags is None else engine.concatenate([one.flags, part])
    return engine.reveal_all(found, to=to)


# ---------------------------------------------------------------------- the order of scores


def ranking(ordered: Sorted) -> Fractions:
    """AUC, KS and average precision of rows with members as weights: three fractions."""
    curve = order.points(ordered)
    engine, positives = curve.rows.engine, curve.found
    both = positives * (curve.total - positives)
    precise = curve.weighed_precision(len(ordered.labels))
    over = engine.concatenate([curve.area(), curve.lead(), _whole(precise)])
    under = engine.concatenate([both * 2, both, _whole(engine.as_real(positives))])
    return Fractions(secret.RANKING, over, under)


def areas(scores: SecretArray, hot: SecretArray, weights: Weights) -> Fractions:
    """AUC of each class against the rest, of scores and labels (one-hot integers, 0 in rows that are no members), shape (rows, classes)."""
    engine, over, under = scores.engine, [], []
    for place in range(scores.shape[1]):
        curve = order.points(order.sorted_by_score(scores[:, place], hot[:, place], weights=weights))
        over.append(curve.area())
        under.append(curve.found * (curve.total - curve.found) * 2)
    return Fractions(secret.RANKING, engine.concatenate(over), engine.concatenate(under))


def groups(ordered: Sorted, count: int, *, at_least: int) -> Fractions:
    """Groups by rank among members, small ones merged: see :func:`.secret.groups`; read by :func:`ranked`."""
    member = cast("Weights", ordered.weights).numbers
    engine, rank = member.engine, member.cumsum()
    ends = np.arange(1, count).reshape(-1, 1)
    behind = rank.reshape(1, -1) * (2 * count) - cast("SecretArray", ordered.total).reshape(1, 1) * (2 * ends)
    inside = engine.as_number(below(behind, (count + 1.0,))[0])
    return _groups(secret.GROUPS, inside, ordered.scores, ordered.labels, member, at_least)


def ranked(told: Floats | None) -> Ranking | None:
    """Groups as shares of all members."""
    found = _kept(told)
    if found is None:
        return None
    rows, positives, scores = found[1].T
    return Ranking(rows, positives, mean_scores(scores, rows))


# ---------------------------------------------------------------------- between scores


def distribution(
    scores: SecretArray, labels: SecretArray, member: SecretArray, edges: Sequence[float], *, at_least: int
) -> Fractions:
    """Between edges; small groups merged; read by :func:`spread`. Members are integers 0 and 1."""
    descending = tuple(sorted(edges, reverse=True))
    return _reaching(secret.DISTRIBUTION, scores, labels, member, descending, at_least)


def spread(told: Floats | None, edges: Sequence[float]) -> Distribution | None:
    """Intervals as shares of all members."""
    found = _kept(told)
    if found is None:
        return None
    kept, steps = found
    descending = np.array(sorted(edges, reverse=True))
    return Distribution.of_sums(descending[kept[:-1]][::-1], *steps[::-1].T)


def confusion(
    scores: SecretArray, labels: SecretArray, member: SecretArray, threshold: float, *, at_least: int
) -> Fractions:
    """The cells, or nothing where one is small; read by :func:`cells`."""
    return _reaching(secret.CONFUSION, scores, labels, member, (threshold,), at_least)


def cells(told: Floats | None, threshold: float) -> Confusion | None:
    """Cells as shares of all members."""
    if told is None or not told[0]:
        return None
    (reached, found, _), (rows, positives, _) = told[2:].reshape(2, 3).tolist()
    missed = positives - found
    each = np.array([found, reached - found, missed, rows - reached - missed])
    return Confusion(threshold, *np.maximum(each, 0.0).tolist())  # each is rounded for itself


def _reaching(
    name: str,
    scores: SecretArray,
    labels: SecretArray,
    member: SecretArray,
    edges: tuple[float, ...],
    at_least: int,
) -> Fractions:
    inside = scores.engine.as_number(logical_not(below(scores, edges)))
    return _groups(name, inside, scores, labels, member, at_least)


def _groups(
    name: str,
    inside: SecretArray,
    scores: SecretArray,
    labels: SecretArray,
    member: SecretArray,
    at_least: int,
) -> Fractions:
    """Running sums over the members of each line of `inside`, integers (lines, rows), and over all: those at ends that are kept."""
    engine, count = member.engine, len(member)
    lines = engine.concatenate([inside * member.reshape(1, count), member.reshape(1, count)])
    rows, positives = lines.sum(axis=1), _summed(lines, labels)
    kept = secret.kept_ends(rows, positives, at_least)
    sums = [engine.scaled(rows, engine.bits), engine.scaled(positives, engine.bits), _summed(lines, scores)]
    table = engine.select(
        kept.reshape(-1, 1), engine.concatenate([one.reshape(-1, 1) for one in sums], axis=1)
    )
    over = _whole(table).ravel()
    under = _whole(engine.scaled(rows[-1:], engine.bits)) * np.ones(over.size, np.int64)
    return Fractions(name, over, under, engine.as_number(kept))


def _kept(told: Floats | None) -> tuple[NDArray[np.bool_], Floats] | None:
    """Which ends were kept, and the steps between these: shares of rows, of positives, and sums of scores."""
    if told is None:
        return None
    count = len(told) // 4
    kept = told[:count] > 0
    return kept, np.diff(told[count:].reshape(count, 3)[kept], axis=0, prepend=0.0)


# ---------------------------------------------------------------------- row by row


def losses(scores: SecretArray, labels: SecretArray, member: SecretArray) -> Fractions:
    """Log loss and Brier score: two fractions."""
    engine = scores.engine
    distance = scores - labels
    loss = -secret.log_of(where(labels > 0, scores, 1 - scores))
    lost = engine.concatenate([one.reshape(1, -1) for one in (loss, distance * distance)])
    sums = engine.select(member.reshape(1, -1), lost).sum(axis=1)
    # what rounding left may be below 0 where all are right
    over = _whole(where(sums < 0, engine.lift(np.zeros(2)), sums))
    under = _whole(engine.scaled(member.sum().reshape(1), engine.bits)) * np.ones(2, np.int64)
    return Fractions(secret.LOSSES, over, under)


def classes(
    scores: SecretArray, raw: SecretArray, hot: SecretArray, member: SecretArray, *, matrix: bool
) -> Fractions:
    """Accuracy, log loss and, with `matrix`, the whole confusion matrix: see :func:`.secret.classes`."""
    engine, (rows, count) = scores.engine, scores.shape
    best = raw.argmax(axis=1)
    guessed = engine.as_number(equal(best.reshape(rows, 1), np.arange(count).reshape(1, count), places=8))
    table = engine.matmul_exact(hot.T, guessed)
    right = table[np.arange(count), np.arange(count)].sum().reshape(1)
    lost = -secret.log_of((hot * scores).sum(axis=1))
    lost = engine.select(member, lost).sum().reshape(1)
    lost = where(lost < 0, engine.lift(np.zeros(1)), lost)
    cells = [table.reshape(count * count)] if matrix else []
    over = engine.concatenate([_whole(engine.scaled(one, engine.bits)) for one in (right, lost, *cells)])
    under = _whole(engine.scaled(member.sum().reshape(1), engine.bits)) * np.ones(len(over), np.int64)
    return Fractions(secret.CLASSES, over, under)


def errors(
    predicted: SecretArray, labels: SecretArray, member: SecretArray, *, places: int = PLACES
) -> SecretArray:
    """Mean square error, mean absolute error, and square errors over the spread of the labels, shape (3,); read by :func:`fit`.

    Labels lie between -1024 and 1024; a prediction that is more than 2047 off counts as 2047 off. The mean of the labels is right to
    2^-15, sums of squares to 2^-10.
    """
    engine = predicted.engine
    count = member.sum().reshape(1)
    shifted = engine.select(member, labels + _MOST).sum().reshape(1)
    mean = quotients(_coarse(shifted), _coarse(count), whole=_MOST_BITS + 1, places=PLACES)
    off = secret.off_by(predicted, labels)
    both = engine.concatenate([one.reshape(1, -1) for one in (off, labels + _MOST - mean)])
    distance = engine.select(member.reshape(1, -1), both)
    squares = (distance * distance).sum(axis=1)
    sums = engine.concatenate([squares[:1], abs(distance[0]).sum().reshape(1)])
    means = quotients(
        _coarse(sums), _coarse(count) * np.ones(2, np.int64), whole=2 * _MOST_BITS + 2, places=places
    )
    rest, spread = _coarse(squares[:1]), maximum(_coarse(squares[1:]), engine.lift(np.ones(1), 0))
    rest = minimum(rest, spread * (1 << _WHOLE) - 1)
    return engine.concatenate([means, quotients(rest, spread, whole=_WHOLE, places=places)])


def fit(told: Floats | None, rows: int) -> Fit | None:
    """RMSE, MAE and R², NaN below -15 and where labels are all equal, which divides by nothing."""
    if told is None:
        return None
    square, absolute, rest = told.tolist()
    return Fit(rows, math.sqrt(square), absolute, 1 - rest if rest < (1 << _WHOLE) - 1 else math.nan)


def _coarse(number: SecretArray) -> SecretArray:
    """With ten fraction bits, as an integer of the last place: quotients of large numbers have room."""
    engine = number.engine
    return _whole(engine.truncate(engine.as_real(number), _COARSE))


def _summed(lines: SecretArray, values: SecretArray) -> SecretArray:
    return lines.engine.matmul_exact(lines, values.reshape(len(values), 1)).reshape(len(lines))


def _whole(number: SecretArray) -> SecretArray:
    """As an integer of its last place."""
    return number.engine.number(number.share, 0)
