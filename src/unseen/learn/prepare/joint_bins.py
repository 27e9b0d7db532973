"""Positives per bin of one holder's columns against another holder's labels, and what follows from them, in shares.

What
    The *owner* has columns, cut into bins; the *label holder* has labels 0 and 1 of the same rows. :meth:`Pair.positives` gives
    both a share of the number of positives in each bin. From there either :func:`safe_counts`, which may be told because every
    group has enough rows of either class, or :func:`hidden_woe`, of which only information values are told. (Training on weights that
    nobody learns is :mod:`unseen.learn.vertical.binned`, among all holders; the arithmetic on counts is the same.)
Over what
    Two parties and nobody else, under `pair2`: other holders and a helper have no part in it.
How
    The owner's bins as columns of 0 and 1 times the label is one product of matrices by lattice encryption
    (:mod:`unseen.mpc.lattice`): the labels travel encrypted once for some dozen columns, 24 bytes a row, and one masked number for
    each bin comes back. Nothing of the size rows times bins travels.
Against whom
    Semi-honest, either party; assumption and distance as of the lattice products and `pair2`.
What it leaks
    The number of columns and of bins a column (of which empty ones fill up the rest), the number of rows. What is revealed is
    the caller's doing, through the gate.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseen import mpc
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.crypto.rlwe import matrices
from unseen.mpc import Engine, SecretArray
from unseen.mpc.lattice import Lattice
from unseen.ot.correlation import Assumption
from unseen.party import Party

Codes = NDArray[np.int64]
Words = NDArray[np.uint64]
_MOST_BYTES = 1 << 28
_MOST_RATIO = 1 << 12
"""Of all rows to those of the rarer class: more does not fit the fixed-point format."""


class Pair:
    """One end of the computation between an owner of columns and the label holder.

    Parameters
    ----------
    party
        This party; the two get a stream of their own.
    codes
        At the owner: the bin of each value, int64, shape (rows, columns), each below `bins`. None at the label holder.
    labels
        At the label holder: 0 or 1, shape (rows,). None at the owner.
    rows, columns, bins
        Public.
    assumption
        What the two's transfers rest on (:class:`unseen.mpc.Engine`).
    """

    def __init__(
        self,
        party: Party,
        *,
        owner: str,
        label_holder: str,
        codes: Codes | None,
        labels: NDArray[np.float64] | None,
        rows: int,
        columns: int,
        bins: int,
        assumption: Assumption = "lpn",
    ) -> None:
        if (party.name == owner) != (codes is not None) or (party.name == label_holder) != (
            labels is not None
        ):
            raise LocalProtocolError("The owner brings codes and the label holder labels, nobody both.")
        self.owner, self.label_holder = owner, label_holder
        self.rows, self.columns, self.bins = rows, columns, bins
        self._codes, self._labels = codes, labels
        peer = label_holder if party.name == owner else owner
        own = party.group((peer,), name=f"bins-{owner}")
        self.engine = Engine(own, holders=(owner, label_holder), protocol="pair2", assumption=assumption)
        self._lattice = Lattice(own.stream("counts"), peer)

    @property
    def party(self) -> Party:
        """This party's end of the stream of the two."""
        return self.engine.protocol.party

    def positives(self) -> SecretArray:
        """Positives in each bin: whole numbers, shape (columns, bins)."""
        parts = [np.zeros((0, 1), np.uint64)]
        for few in self._pieces():
            width = (few.stop - few.start) * self.bins
            if self._codes is not None:
                marks = _marks(self._codes[:, few], self.bins)
                parts.append(self._lattice.cross_matmul(marks, (self.rows, 1), left=True))
            elif self._labels is not None:
                label = self._labels.astype(np.uint64)[:, None]
                parts.append(self._lattice.cross_matmul(label, (width, self.rows), left=False))
        share = np.concatenate(parts).reshape(1, self.columns, self.bins)
        return self.engine.number(share, 0)

    def totals(self) -> SecretArray:
        """Rows in each bin, which the owner knows: whole numbers, shape (columns, bins)."""
        mine = None if self._codes is None else _counts(self._codes, self.bins)
        return self.engine.share(mine, owner=self.owner, shape=(self.columns, self.bins), dtype=int)

    def of_label_holder(self, values: NDArray[np.float64] | None, count: int) -> SecretArray:
        """Numbers that the label holder has (None at the owner), shape (count,)."""
        return self.engine.share(values, owner=self.label_holder, shape=(count,))

    def label_counts(self) -> tuple[float, float] | None:
        """Positives and negatives, at the label holder; None at the owner."""
        if self._labels is None:
            return None
        positives = float(self._labels.sum())
        return positives, self.rows - positives

    def _pieces(self) -> Iterator[slice]:
        """As many columns at a time as memory has room for: the labels travel once for each."""
        size = max(1, _MOST_BYTES // (8 * self.bins * max(1, self.rows)))
        for begin in range(0, self.columns, size):
            yield slice(begin, min(begin + size, self.columns))


def safe_counts(positives: SecretArray, negatives: SecretArray, *, at_least: int) -> SecretArray:
    """What may be told of bins, shape (columns, bins, 3): whether a group ends here, its positives, its negatives.

    Neighbours are merged from below until a group has `at_least` rows of either class, under shares; what is left at the end
    joins the last group. The last bin, of missing values, is a group of its own if it has enough rows; else it joins that last
    group too. Bins that end no group show zeros, and so does a column that has no group at all. It is
    :func:`unseen.learn.prepare.bins.plain_ends` of secret counts.
    """
    engine = positives.engine
    columns, bins = positives.shape
    both = engine.concatenate([positives.reshape(1, columns, bins), negatives.reshape(1, columns, bins)])
    held = both[:, :, 0] - both[:, :, 0]
    ends: list[SecretArray] = []
    groups: list[SecretArray] = []
    for place in range(bins):
        if place == bins - 1:  # missing: what values have left goes with it only if they have no group
            end, number, to_last = _last_of(ends, groups, held)
            held = held - to_last
        held = held + both[:, :, place]
        enough = held >= at_least
        closes = enough[0] & enough[1]
        told = engine.select(closes, held)
        held = held - told
        ends.append(engine.as_number(closes).reshape(columns, 1))
        groups.append(told.reshape(2, columns, 1))
    is_last = mpc.equal(number, number[:, -1:]) & (end > 0)
    left = engine.select(is_last.reshape(1, columns, bins - 1), (held + to_last).reshape(2, columns, 1))
    counts = engine.concatenate([engine.concatenate(groups[:-1], axis=2) + left, groups[-1]], axis=2)
    shown = engine.concatenate([engine.concatenate(ends, axis=1).reshape(1, columns, bins), counts])
    return shown.transpose(1, 2, 0)


def _last_of(
    ends: list[SecretArray], groups: list[SecretArray], held: SecretArray
) -> tuple[SecretArray, SecretArray, SecretArray]:
    """Ends of the values' groups, how many there are up to each bin, and what is left over if there is one to join."""
    engine = held.engine
    if not groups:
        raise LocalProtocolError("There are two bins at least: values and missing ones.")
    end = engine.concatenate(ends, axis=1)
    number = _running(end)
    return end, number, engine.select(number[:, -1] > 0, held)


def _running(ends: SecretArray) -> SecretArray:
    """How many groups have ended up to each bin."""
    places = ends.shape[1]
    sums = [ends[:, : place + 1].sum(axis=1).reshape(-1, 1) for place in range(places)]
    return ends.engine.concatenate(sums, axis=1)


def hidden_woe(pair: Pair, positives: SecretArray, *, smoothing: float) -> tuple[SecretArray, SecretArray]:
    """WOE of each bin, shape (columns, bins), and IV of each column; formulas as in :mod:`.woe`.

    The label holder knows how many positives there are in all and brings logarithm and scale of them; counts go through a
    secret logarithm. Errors are those of the fixed-point format: some 2^-14 a WOE.

    Raises
    ------
    LocalProtocolError
        No smoothing: an empty bin has no logarithm.
    UsageError
        At the label holder: labels of one class, or far too few of one.
    """
    if smoothing <= 0:
        raise LocalProtocolError("Hidden WOE needs smoothing above 0.")
    engine = pair.engine
    added = smoothing * pair.bins
    shift = max(1, int(np.ceil(np.log2(pair.rows + added))))
    known = pair.label_counts()
    mine = None if known is None else np.r_[log_ratio(known, added), 2.0**shift / (np.array(known) + added)]
    of_all = pair.of_label_holder(mine, 3)
    woe, smoothed = evidence(positives, pair.totals() - positives, of_all[:1], smoothing=smoothing)
    # Shares of all positives and negatives: divided by a public power of two, times a number that is not small.
    small = engine.truncate(smoothed, engine.bits, divide_by=shift)
    parts = small * of_all[1:].reshape(2, 1, 1)
    return woe, ((parts[0] - parts[1]) * woe).sum(axis=1)


def log_ratio(counts: tuple[float, float], added: float) -> NDArray[np.float64]:
    """Logarithm of all positives over all negatives, `added` to both, as the label holder knows them: shape (1,).

    Raises
    ------
    UsageError
        Labels of one class, or far too few of one.
    """
    _check_labels(counts)
    return np.log([(counts[0] + added) / (counts[1] + added)])


def evidence(
    positives: SecretArray, negatives: SecretArray, of_all: SecretArray, *, smoothing: float
) -> tuple[SecretArray, SecretArray]:
    """WOE of bins (columns, bins), and the smoothed counts of both classes, (2, columns, bins); `of_all` is :func:`log_ratio`."""
    engine, shape = positives.engine, positives.shape
    both = engine.concatenate([part.reshape(1, *shape) for part in (positives, negatives)])
    smoothed = engine.as_real(both) + smoothing
    logs = np.log(smoothed)
    return logs[0] - logs[1] - of_all, smoothed


def standardised(woe: SecretArray, parts: SecretArray) -> SecretArray:
    """WOE shifted and scaled so that the column has mean 0 and standard deviation 1 over the rows, as training wants it.

    Parameters
    ----------
    parts
        Which part of the rows each bin has, of the shape of `woe`, (columns, bins): real numbers that add up to 1 in each column.
    """
    mean = (parts * woe).sum(axis=1).reshape(-1, 1)
    centred = woe - mean
    variance = (parts * (centred * centred)).sum(axis=1).reshape(-1, 1)
    scaled: SecretArray = centred * mpc.rsqrt(variance + 2.0**-12)
    return scaled


def _check_labels(counts: tuple[float, float]) -> None:
    if min(counts) * _MOST_RATIO < sum(counts):
        raise UsageError(
            f"The labels are {counts[0]:.0f} times 1 and {counts[1]:.0f} times 0.",
            why=f"weights of evidence need both classes, and one in {_MOST_RATIO} rows of either at least",
            mend="bring rows of both classes for training",
        )


def count_bytes(rows: int, codes: int) -> float:
    """What travels to count positives in so many bins of all columns together, keys aside."""
    return matrices.plan(1, max(rows, 1), max(codes, 1)).size_bytes


def _marks(codes: Codes, bins: int) -> Words:
    """Which rows are in which bin, shape (columns * bins, rows)."""
    rows, columns = codes.shape
    marks = np.zeros((columns * bins, rows), np.uint64)
    marks[codes + np.arange(columns) * bins, np.arange(rows)[:, None]] = 1
    return marks


def _counts(codes: Codes, bins: int) -> NDArray[np.int64]:
    return (
        np.stack([np.bincount(column, minlength=bins) for column in codes.T])
        if codes.shape[1]
        else np.zeros((0, bins), np.int64)
    )
