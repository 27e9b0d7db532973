"""Rows in the order of scores that nobody sees, and the points of their curve: what AUC, KS and average precision are made of.

Used by :mod:`.secret`, where the sum of all weights is known, and by :mod:`.members`, where nobody knows which rows count.

Method
    Rows are sorted by score (ties as in clear: a group of equal scores is one point of the curve). The last row of
    each group of equal scores knows how many rows and how many positives there are up to it; those rows are moved to the
    front. AUC is the area under these points by the trapezoidal rule, KS the largest of positives so far * negatives - negatives so far *
    positives, both over the integers. Average precision is the sum over points of new positives times precision. Of rows that all
    count alike the inverse of the rows up to a place is public before the move, in units of 2^-38, and moves along, so all is exact integers;
    of weights it is an inverse under shares, right to 2^-15 of its size.
Weights
    Of rows, secret too: whole numbers that add up to rows * unit, which all know (:func:`whole_weights`), so sums stay exact. Or 0 and 1,
    where nobody knows how many are 1 (:meth:`Weights.of_members`).
Scores
    With the engine's fraction bits; from -2 up to, without, 2 where they are sorted by themselves. A model's scores are rounded,
    each row's anew, so rows are sorted by what comes before the link: sums of leaves are exact, sums of columns are always rounded down. Of
    several classes probabilities are sorted by, which no one sum orders: rows with equal sums are given the same ones (:func:`tied`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions.compare import clip, equal, logical_not, where
from unseen.mpc.functions.order import Key, arranged
from unseen.mpc.functions.permute import array_of, rows_of
from unseen.mpc.functions.scan import segmented

Floats = NDArray[np.float64]
UNIT = 1 << 38
"""Precision is in parts of it where rows count alike."""
_SCORE_BITS, _RAW_BITS, _TAG_BITS = 2, 10, 24
_UNIT_BITS, _SUM_BITS = 16, 31  # of a weight, and of the sum of all: products of two sums fit


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of rows, integers of shape (rows,); what a row weighs on average; the sum of all, secret, shape (1,), where nobody knows it."""

    numbers: SecretArray
    unit: int
    total: int | SecretArray

    @classmethod
    def share(cls, engine: Engine, plain: Floats | None, *, owner: str, rows: int) -> Weights:
        """Of who has them, `plain`; None at others."""
        unit = unit_of(rows)
        numbers = None if plain is None else whole_weights(plain, unit)
        return cls(engine.share(numbers, owner=owner, shape=(rows,), dtype=int), unit, rows * unit)

    @classmethod
    def of_members(cls, member: SecretArray) -> Weights:
        """Of rows of which nobody knows which count: Booleans, shape (rows,)."""
        numbers = member.engine.as_number(member)
        return cls(numbers, 1, numbers.sum().reshape(1))


def unit_of(rows: int) -> int:
    """A power of two: 2^16, less where there are more than 2^15 rows, so that products of two sums fit."""
    return 1 << min(_UNIT_BITS, max(_SUM_BITS - int(rows - 1).bit_length(), 0))


def whole_weights(weights: Floats, unit: int) -> NDArray[np.int64]:
    """Weights as whole numbers that add up to rows * unit; each is right to a unit but the largest, which takes what rounding left.

    Raises
    ------
    UsageError
        One is below 0 or no number, or all are 0.
    """
    if not (np.isfinite(weights).all() and weights.min(initial=0.0) >= 0 and weights.sum() > 0):
        raise UsageError(
            "Weights of rows are numbers from 0 up, and not all 0.",
            why="they say how many rows each stands for",
            mend="correct the column, or leave out rows that are not to count",
        )
    made: NDArray[np.int64] = np.rint(weights / weights.mean() * unit).astype(np.int64)
    made[made.argmax()] += unit * len(made) - made.sum()
    return made


@dataclass(frozen=True, slots=True)
class Sorted:
    """What was sorted by, scores, labels (integers) and weights in descending order, shape (rows,)."""

    keys: SecretArray
    scores: SecretArray
    labels: SecretArray
    weights: Weights | None = None

    @property
    def weighed(self) -> SecretArray:
        """What each row counts as a positive."""
        return self.labels if self.weights is None else self.labels * self.weights.numbers

    @property
    def total(self) -> int | SecretArray:
        """What all rows count together."""
        return len(self.labels) if self.weights is None else self.weights.total


def sorted_by_score(
    scores: SecretArray, labels: SecretArray, raw: SecretArray | None = None, weights: Weights | None = None
) -> Sorted:
    """Rows by score, highest first; equal ones keep their order.

    Parameters
    ----------
    raw
        Of the rows, what scores are a growing function of, shape (rows,): it is sorted by, for it is exact where scores are
        rounded, so that equal ones are ties. From -512 up to 512; beyond, all are equal. None: the scores themselves.
    """
    bits = scores.engine.bits
    by, width = scores, bits + _SCORE_BITS
    if raw is not None:
        most = 2.0 ** (_RAW_BITS - 1)
        by, width = clip(raw, -most, most - 2.0**-bits), bits + _RAW_BITS
    columns = (by, scores, labels, *(() if weights is None else (weights.numbers,)))
    moved = arranged([Key(by[None], descending=True, bits=width)], *map(rows_of, columns))
    keys, *rest = (array_of(one, like, like.shape) for one, like in zip(moved, columns, strict=True))
    return Sorted(keys, rest[0], rest[1], None if weights is None else replace(weights, numbers=rest[2]))


def tied(scores: SecretArray, raw: SecretArray, *others: SecretArray) -> tuple[SecretArray, ...]:
    """Scores of several classes in which equal rows are equal, and `others` in the same new order of rows.

    Rows that are equal in `raw` get the scores of the first of them: probabilities are rounded for each row anew, so that of rows which are equal
    in truth each had others. Rows are put beside their like by 48 bits of two public sums of products of their `raw`; that other rows
    share these has a chance of 2^-48 a pair, less where they differ by multiples of a power of two, and no row is taken for another but by 64 bits.

    Parameters
    ----------
    scores, raw
        Shape (rows, classes); `raw` exact.
    others
        First axis rows.
    """
    engine, classes = raw.engine, raw.shape[1]
    sums = [(raw * _factors(name, classes)).sum(axis=1) for name in ("first", "second", "whole")]
    keys = [Key(one[None], bits=_TAG_BITS) for one in sums[:2]]
    columns = (sums[2], scores, *others)
    moved = arranged(keys, *map(rows_of, columns))
    whole, made, *rest = (array_of(one, like, like.shape) for one, like in zip(moved, columns, strict=True))
    starts = engine.concatenate([engine.lift(np.ones(1, bool)), logical_not(equal(whole[1:], whole[:-1]))])
    return segmented(made, starts, "first"), *rest


def _factors(name: str, classes: int) -> NDArray[np.int64]:
    """Odd numbers that look drawn, the same for all parties."""
    drawn = hashlib.shake_256(f"unseen.learn.evaluate.order {name}".encode()).digest(8 * classes)
    return np.frombuffer(drawn, "<i8") | 1


@dataclass(frozen=True, slots=True)
class Points:
    """A curve's points: what counts up to each, and what as positive, integers of shape (rows,); after the last one, the totals.

    `inverses`: one over the rows, in units of 1 / :data:`UNIT`, where rows count alike. `total`, `found`: of all rows.
    """

    rows: SecretArray
    positives: SecretArray
    inverses: SecretArray | None
    total: int | SecretArray
    found: SecretArray

    def area(self) -> SecretArray:
        """AUC times twice the product of both classes, shape (1,)."""
        negatives = self.rows - self.positives
        steps = negatives - _before(negatives)
        both = self.positives + _before(self.positives)
        return _inner(steps, both)

    def lead(self) -> SecretArray:
        """KS times the product of both classes, shape (1,)."""
        lead = (self.positives * self.total - self.rows * self.found).max().reshape(1)
        return where(lead < 0, lead.engine.lift(np.zeros(1), 0), lead)

    def precision(self) -> SecretArray:
        """Average precision times all positives, shape (1,), in units of 1 / :data:`UNIT`: of rows that count alike."""
        inverses = cast("SecretArray", self.inverses)
        return _inner(self.positives - _before(self.positives), self.positives * inverses)

    def weighed_precision(self, most: int) -> SecretArray:
        """The same of other rows, with the engine's fraction bits and right to 2^-15 of its size; all rows together count `most` at most."""
        engine, shift = self.rows.engine, most.bit_length()
        rows, positives = (
            engine.truncate(engine.scaled(one, engine.bits), engine.bits, divide_by=shift)
            for one in (self.rows, self.positives)
        )
        each = positives * np.reciprocal(cast("Any", rows))
        return _inner(self.positives - _before(self.positives), each)


def _before(running: SecretArray) -> SecretArray:
    """Each point's number at the point before it."""
    engine = running.engine
    return engine.concatenate([engine.lift(np.zeros(1), 0), running[:-1]])


def _inner(left: SecretArray, right: SecretArray) -> SecretArray:
    engine, count = left.engine, len(left)
    return engine.matmul_exact(left.reshape(1, count), right.reshape(count, 1)).reshape(1)


def points(ordered: Sorted) -> Points:
    """One for each group of equal scores, the others are as the last."""
    keys, weights, weighed = ordered.keys, ordered.weights, ordered.weighed
    engine, count = keys.engine, len(keys)
    same = equal(keys[1:], keys[:-1], places=engine.bits + _RAW_BITS)
    last = engine.concatenate([logical_not(same), engine.lift(np.ones(1, bool))])
    places = np.arange(1, count + 1)
    found, total = weighed.sum().reshape(1), engine.lift(ordered.total, 0).reshape(1, 1)
    if weights is None:
        moving = [engine.lift(places, 0), weighed.cumsum(), engine.lift(UNIT // places, 0)]
        whole = [total, found.reshape(1, 1), engine.lift(np.full((1, 1), UNIT // count), 0)]
    else:
        moving, whole = [weights.numbers.cumsum(), weighed.cumsum()], [total, found.reshape(1, 1)]
    moved = arranged([Key(last[None], descending=True)], *map(rows_of, (last, *moving)))
    mark = array_of(moved[0], last, last.shape)
    parts = engine.concatenate([array_of(one, weighed, weighed.shape).reshape(1, count) for one in moved[1:]])
    ends = engine.concatenate(whole)
    made = engine.select(mark[None], parts - ends) + ends
    return Points(made[0], made[1], made[2] if weights is None else None, ordered.total, found)
