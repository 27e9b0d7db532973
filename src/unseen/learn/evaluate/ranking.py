"""Rows in descending order of a score, in groups: from the counts of each group come all curves of a yes/no model.

A group is either one distinct score (:func:`by_level`: nothing is lost) or so many rows one after the other
(:func:`by_rank`: deciles and the like, and all that is told where scores are secret, :mod:`.secret`). The curves are the
same functions of both.

Sources: Fawcett, "An introduction to ROC analysis" (Pattern Recognition Letters 2006) for ROC and AUC with ties; Davis,
Goadrich, "The relationship between Precision-Recall and ROC curves" (ICML 2006) for why precision is not interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Groups of rows, those with the highest scores first; float64 arrays of shape (groups,).

    Attributes
    ----------
    rows, positives
        How many rows (or their weight) a group has, and how many of them are positive.
    scores
        The mean score of each group.
    """

    rows: Floats
    positives: Floats
    scores: Floats

    @property
    def negatives(self) -> Floats:
        """How many rows of each group are negative."""
        return self.rows - self.positives

    @property
    def base_rate(self) -> float:
        """Share of positives among all rows."""
        return float(self.positives.sum() / self.rows.sum())

    def gain(self) -> tuple[Floats, Floats]:
        """Share of the rows taken from the top, and the share of the positives among them; both from 0 to 1."""
        return _from_zero(self.rows), _from_zero(self.positives)

    def roc(self) -> tuple[Floats, Floats]:
        """False-positive rate and true-positive rate, from (0, 0) to (1, 1), a point after each group."""
        return _from_zero(self.negatives), _from_zero(self.positives)

    @property
    def auc(self) -> float:
        """Area under the ROC curve: a positive and a negative of one group count half."""
        fpr, tpr = self.roc()
        return float(np.trapezoid(tpr, fpr))

    @property
    def gini(self) -> float:
        """2 AUC - 1."""
        return 2 * self.auc - 1

    @property
    def ks(self) -> float:
        """Kolmogorov-Smirnov distance (区分度): the largest lead of the true-positive over the false-positive rate."""
        fpr, tpr = self.roc()
        return float((tpr - fpr).max())

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Recall and precision after each group, shape (groups,)."""
        found = np.cumsum(self.positives)
        return found / found[-1], found / np.cumsum(self.rows)

    @property
    def average_precision(self) -> float:
        """Sum over groups of the step in recall times the precision after it (no interpolation)."""
        recall, precision = self.precision_recall()
        return float((np.diff(recall, prepend=0.0) * precision).sum())

    def lift(self) -> Floats:
        """The rate of positives in each group over that of all rows."""
        return self.positives / self.rows / self.base_rate

    def calibration(self) -> tuple[Floats, Floats]:
        """Mean score and rate of positives of each group."""
        return self.scores, self.positives / self.rows

    @property
    def calibration_error(self) -> float:
        """Mean distance of the two, groups weighted by their rows (expected calibration error)."""
        mean, rate = self.calibration()
        return float((np.abs(mean - rate) * self.rows).sum() / self.rows.sum())

    def approval(self) -> tuple[Floats, Floats]:
        """Where low scores are approved first: share approved, and share of positives (bad ones) among the approved.

        From the least risky group alone to all rows, shape (groups,).
        """
        taken = np.cumsum(self.rows[::-1])
        return taken / taken[-1], np.cumsum(self.positives[::-1]) / taken

    def approved_within(self, bad: float) -> float:
        """The largest share of the rows that can be approved with at most this rate of bad ones among them."""
        share, rate = self.approval()
        return float(share[rate <= bad].max(initial=0.0))

    def bad_at(self, approved: float) -> float:
        """The rate of bad ones where this share of the rows is approved (or the next larger one that a group's end gives)."""
        share, rate = self.approval()
        return float(rate[np.searchsorted(share, approved - 1e-12)])


def by_level(labels: Floats, scores: Floats, weights: Floats | None = None) -> Ranking:
    """A group for each distinct score.

    Parameters
    ----------
    labels, scores, weights
        Shape (rows,); labels 0 or 1, weights over 0 (1 where none are given).

    Raises
    ------
    UsageError
        Labels of one class or other than 0 and 1; scores that are no numbers; weights that are not positive.
    """
    weights = _weights(labels, scores, weights)
    levels, place = np.unique(-scores, return_inverse=True)
    return Ranking(
        np.bincount(place, weights, len(levels)).astype(np.float64),
        np.bincount(place, weights * labels, len(levels)).astype(np.float64),
        -levels,
    )


def by_rank(labels: Floats, scores: Floats, groups: int, weights: Floats | None = None) -> Ranking:
    """`groups` groups of as many rows each, but for rounding (:func:`cuts`); equal scores keep the order of the rows.

    Where rows come in an order that tells nothing, as after an intersection, that settles ties by lot.

    Raises
    ------
    UsageError
        As :func:`by_level`, or more groups than rows.
    """
    weights = _weights(labels, scores, weights)
    order = np.argsort(-scores, kind="stable")
    starts = np.r_[0, cuts(len(scores), groups)]
    rows, positives, total = (
        np.add.reduceat(values[order], starts) for values in (weights, weights * labels, weights * scores)
    )
    return Ranking(rows, positives, total / rows)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many rows, and positives among them, have their scores between edges: the first interval is below the first edge.

    Attributes
    ----------
    edges
        Ascending, shape (intervals - 1,); a score equal to an edge is above it.
    rows, positives
        Shape (intervals,).
    scores
        The mean score of each interval, NaN where no row is: calibration by score.
    """

    edges: Floats
    rows: Floats
    positives: Floats
    scores: Floats

    @classmethod
    def of_sums(cls, edges: Floats, rows: Floats, positives: Floats, sums: Floats) -> Distribution:
        """From sums of scores."""
        return cls(edges, rows, positives, mean_scores(sums, rows))

    def calibration(self) -> Ranking | None:
        """Intervals that have rows, as groups; None where mean scores are not known."""
        some = (self.rows > 0) & np.isfinite(self.scores)
        if not some.any():
            return None
        return Ranking(*(item[some][::-1] for item in (self.rows, self.positives, self.scores)))


def between(labels: Floats, scores: Floats, edges: Floats, weights: Floats | None = None) -> Distribution:
    """The distribution of scores between ascending edges.

    Raises
    ------
    UsageError
        As :func:`by_level`.
    """
    weights = _weights(labels, scores, weights)
    places = np.searchsorted(edges, scores, side="right")
    sums = (
        np.bincount(places, one, len(edges) + 1).astype(np.float64)
        for one in (weights, weights * labels, weights * scores)
    )
    return Distribution.of_sums(edges, *sums)


def mean_scores(sums: Floats, rows: Floats) -> Floats:
    """Sums of scores by rows; NaN where there is none."""
    means: Floats = np.divide(sums, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    return means


def cuts(rows: int, groups: int) -> NDArray[np.int64]:
    """Where the second and further groups begin, shape (groups - 1,): at rows * j / groups, rounded.

    Raises
    ------
    UsageError
        Fewer than one group, or more than rows.
    """
    if not 1 <= groups <= rows:
        raise UsageError(
            f"{rows} rows cannot be cut into {groups} groups.", mend="ask for fewer, or bring more rows"
        )
    return np.rint(np.arange(1, groups) * rows / groups).astype(np.int64)


def _from_zero(counts: Floats) -> Floats:
    shares: Floats = np.r_[0.0, np.cumsum(counts)] / counts.sum()
    return shares


def _weights(labels: Floats, scores: Floats, weights: Floats | None) -> Floats:
    check_labels(labels)
    if labels.shape != scores.shape or not np.isfinite(scores).all():
        raise UsageError("A score is due for each label, and each must be a number.")
    return check_weights(labels, weights)


def check_weights(labels: Floats, weights: Floats | None) -> Floats:
    """The weights, or ones.

    Raises
    ------
    UsageError
        Another number of them than of labels, or one that is not over 0.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    if weights.shape != labels.shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise UsageError("A weight over 0 is due for each row.", mend="leave out rows that are not to count")
    return weights


def check_labels(labels: Floats) -> None:
    """Refuse labels of one class.

    Raises
    ------
    UsageError
        The labels are all of one class, or other than 0 and 1.
    """
    positives = int((labels == 1).sum())
    if positives + int((labels == 0).sum()) != len(labels) or positives in {0, len(labels)}:
        raise UsageError(
            "The rows to evaluate on do not have labels of both classes.",
            why=f"{positives} of {len(labels)} rows are positive",
            mend="hold out a larger part, or bring rows of both classes",
        )
