"""What all parties know of everybody's columns in trees: how many bins, and whether values are missing; where splits may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.mpc.shares import Share
from unseen.party import Message, Party, Released

DISCLOSURE = "bins"


class TreeColumns(Message, frozen=True, tag="learn.tree-columns/2"):
    """How many rows the sender brings, and for each column the number of bins, whether values are missing, and its way."""

    rows: Released[int]
    bins: Released[list[int]]
    missing: Released[list[int]]
    ways: Released[list[int]]


@dataclass(frozen=True, slots=True)
class Bins:
    """Public facts, in the order of the holders and of their columns.

    Attributes
    ----------
    rows
        Number of common rows.
    bins
        Holder -> number of bins of each column, without the one for missing values.
    missing
        Holder -> whether a column has missing values.
    ways
        Holder -> 1 for a column with which the score may only grow, -1 only fall, 0 either.
    """

    rows: int
    bins: dict[str, tuple[int, ...]]
    missing: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    ways: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def widths(self) -> dict[str, tuple[int, ...]]:
        """Holder -> codes of each column: its bins, and one more where values are missing."""
        return {
            name: tuple(count + absent for count, absent in zip(each, self.missing[name], strict=True))
            for name, each in self.bins.items()
        }

    @property
    def monotone(self) -> tuple[int, ...] | None:
        """The ways of all columns; None if none has one."""
        every = tuple(way for each in self.ways.values() for way in each)
        return every if any(every) else None

    @property
    def columns(self) -> dict[str, int]:
        """Holder -> number of columns."""
        return {name: len(each) for name, each in self.bins.items()}


@dataclass(frozen=True, slots=True)
class Candidates:
    """All splits there may be, in the order in which equals are taken.

    Attributes
    ----------
    owner
        Place of the holder.
    column
        Among the holder's.
    bin, missing_left
        As in :class:`unseen.learn.vertical.trees.model.Splits`.
    base, last, absent
        Where in the running sums of all codes the column begins, the last bin to the left ends, and in the codes the missing
        ones stand (-1: not to the left).
    apart
        The code by which what goes left differs from the candidate before; without rows there both part the rows alike.
    """

    owner: NDArray[np.int64]
    column: NDArray[np.int64]
    bin: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    base: NDArray[np.int64]
    last: NDArray[np.int64]
    absent: NDArray[np.int64]
    apart: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.owner)

    def among(self, allowed: NDArray[np.bool_]) -> Candidates:
        """Those of some columns of all."""
        keep = allowed[self._place_of_column()]
        return Candidates(*(getattr(self, name)[keep] for name in self.__slots__))

    def _place_of_column(self) -> NDArray[np.int64]:
        pairs = np.stack([self.owner, self.column])
        place: NDArray[np.int64] = np.cumsum(np.r_[0, np.any(np.diff(pairs, axis=1) != 0, axis=0)])
        return place

    def left(self, sums: Share) -> Share:
        """Of sums by code (..., codes) those of the rows that go left, (..., candidates)."""
        running = np.zeros((*sums.shape[:-1], sums.shape[-1] + 1), np.uint64)
        np.cumsum(sums, axis=-1, dtype=np.uint64, out=running[..., 1:])
        left: Share = running[..., self.last] - running[..., self.base]
        absent = self.absent >= 0
        left[..., absent] += sums[..., self.absent[absent]]
        return left


def candidates(bins: Bins) -> Candidates:
    """All that there are: for each column missing values to the right, ascending, then to the left, descending."""
    rows: list[tuple[int, int, int, bool, int, int, int, int]] = []
    base = 0
    for owner, name in enumerate(bins.bins):
        for column, (count, absent) in enumerate(zip(bins.bins[name], bins.missing[name], strict=True)):
            rows += [
                (owner, column, last, False, base, base + last + 1, -1, base + last)
                for last in range(count - 1 + absent)
            ]
            if absent:
                place = base + count
                rows += [
                    (owner, column, last, True, base, base + last + 1, place, base + last + 1)
                    for last in range(count - 2, -1, -1)
                ]
            base += count + absent
    table = np.array(rows, np.int64).reshape(-1, 8).T
    return Candidates(*table[:3], table[3].astype(bool), *table[4:])  # type: ignore[call-arg]  # eight of them


@dataclass(frozen=True, slots=True)
class Own:
    """What a holder tells of its columns, as in :class:`Bins`."""

    rows: int
    bins: Sequence[int]
    missing: Sequence[bool]
    ways: Sequence[int]


def agree(party: Party, own: Own | None, *, holders: Sequence[str]) -> Bins:
    """Every holder tells everyone its number of rows, of bins a column, where values are missing, and the columns' ways.

    Through its gate (disclosure "bins"); `own` is None at a party without a table.

    Raises
    ------
    UsageError
        No rows, or no column with more than one bin.
    RemoteProtocolError
        The holders have different rows, or told nonsense.
    """
    told: dict[str, Own] = {}
    others = [name for name in party.everyone if name != party.name]
    if own is not None:
        lists = (list(own.bins), [int(absent) for absent in own.missing], list(own.ways))
        message = TreeColumns(
            party.release(DISCLOSURE, own.rows, to=others, elements=1),
            *(party.release(DISCLOSURE, one, to=others, elements=len(one)) for one in lists),
        )
        for peer in others:
            party.send(peer, message)
        told[party.name] = own
    for holder in holders:
        if holder != party.name:
            told[holder] = _heard(party.recv(holder, TreeColumns), holder)
    if len({told[holder].rows for holder in holders}) != 1:
        raise RemoteProtocolError(
            "The holders bring different numbers of rows.",
            why=", ".join(f"{holder}: {told[holder].rows}" for holder in holders),
            mend="align the tables first (step psi)",
        )
    made = Bins(
        told[holders[0]].rows,
        {holder: tuple(told[holder].bins) for holder in holders},
        {holder: tuple(told[holder].missing) for holder in holders},
        {holder: tuple(told[holder].ways) for holder in holders},
    )
    if not made.rows or not len(candidates(made)):
        raise UsageError(
            "There is nothing to split.",
            why="there are no rows, or all columns are constant",
            mend="bring more common rows, or other columns",
        )
    return made


def _heard(message: TreeColumns, holder: str) -> Own:
    bins, missing, ways = message.bins.value, message.missing.value, message.ways.value
    fits = len(bins) == len(missing) == len(ways) and min(bins, default=1) >= 1
    if not fits or {*missing} - {0, 1} or {*ways} - {-1, 0, 1}:
        raise RemoteProtocolError(f"{holder} told nonsense of its columns.", party=holder)
    return Own(message.rows.value, bins, [bool(absent) for absent in missing], ways)
