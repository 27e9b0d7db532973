"""What the parties of a training say to each other, what they know alike, and what they have in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.montgomery import Rows
from unseen.learn.vertical.trees.model import Booster, Settings, Splits
from unseen.party import Ciphertext, Message, Party, Public, Released
from unseen.party.messages import require

BINS, SUMS, WAYS, MEMBERS, SPLITS, STOP = "bins", "sums", "ways", "members", "splits", "stop"
"""Names of what is told; see :func:`unseen.jobs.steps` for who."""

Floats = NDArray[np.float64]
Report = Callable[[int, int], None]


class Key(Message, frozen=True, tag="trees.key/1"):
    """The label holder's public key of this training."""

    key: Public[bytes]


class Columns(Message, frozen=True, tag="trees.columns/1"):
    """Of each of the sender's columns the number of bins, the code that is left out of sums (the most frequent one), and its way.

    Ways: 1 if the score may only grow with the column, -1 if only fall, 0 either.
    """

    bins: Released[NDArray[np.int64]]
    left_out: Released[NDArray[np.int64]]
    ways: Released[NDArray[np.int64]]


class Derivatives(Message, frozen=True, tag="trees.derivatives/1"):
    """One ciphertext a row, (rows, words); or none: training is over after so many trees."""

    rows: Ciphertext
    trees: Released[int]


class Sums(Message, frozen=True, tag="trees.sums/1"):
    """Packed sums, re-randomised, (ciphertexts, words): the receiver reads them."""

    packed: Released[NDArray[np.uint64]]


class Chosen(Message, frozen=True, tag="trees.chosen/1"):
    """The receiver's splits of a level, (3, nodes) of int64: column (-1: none of its own), bin, whether missing values go left."""

    splits: Released[NDArray[np.int64]]


class Ways(Message, frozen=True, tag="trees.ways/1"):
    """Which rows go left, a bit a row: by the sender's splits, or, from the label holder, by all."""

    left: Released[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Grown:
    """What a party has in the end.

    Attributes
    ----------
    splits
        This party's own.
    settings
        Those given, with as many rounds as were kept.
    weights
        At the label holder (trees, 2^depth), learning rate included; None elsewhere.
    gains
        At the label holder: holder -> gains summed up by column.
    losses
        At the label holder, of each round on the rows held out, if there are such.
    """

    splits: Splits
    settings: Settings
    weights: Floats | None = None
    gains: dict[str, Floats] = field(default_factory=dict)
    losses: tuple[float, ...] = ()

    def to_booster(
        self, columns: tuple[str, ...], cuts: tuple[Floats, ...], widths: dict[str, int]
    ) -> Booster:
        """With names and cuts of this party's columns."""
        return Booster(self.settings, self.splits, self.weights, None, columns, cuts, widths)


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """Stop after `patience` rounds without a lower loss on the rows held out; the best rounds are kept."""

    held_out: NDArray[np.bool_]
    patience: int


class Members:
    """Where the rows are within a level, which all parties know, and whose sums are due."""

    def __init__(self, rows: int) -> None:
        self.place = np.zeros(rows, np.int64)
        self.alive = np.ones(1, bool)

    def descend(self, left: NDArray[np.bool_]) -> None:
        """To the children; those of a node whose rows all went one way are no longer split."""
        self.place = 2 * self.place + 1 - left
        counts = self.counts(2 * len(self.alive)).reshape(-1, 2)
        self.alive = np.repeat((counts > 0).all(axis=1), 2)

    def counts(self, nodes: int) -> NDArray[np.int64]:
        """Rows of each node."""
        return np.bincount(self.place, minlength=nodes)

    def due(self) -> NDArray[np.int64]:
        """The nodes to be summed up: of each pair that lives the one with fewer rows, the left one of equals."""
        if len(self.alive) == 1:
            return np.zeros(1, np.int64)
        counts = self.counts(len(self.alive)).reshape(-1, 2)
        smaller = 2 * np.arange(len(counts)) + (counts[:, 1] < counts[:, 0])
        return smaller[self.alive[::2]]


def bits_of(left: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Eight rows a byte."""
    return np.packbits(left)


def flags_of(bits: NDArray[np.uint8], rows: int, sender: str) -> NDArray[np.bool_]:
    """A flag a row, of what a peer sent."""
    require(bits, shape=(-(-rows // 8),), dtype=np.uint8, sender=sender)
    return np.unpackbits(bits, count=rows).astype(bool)


def spread(party: Party, count: int, function: Callable[[slice], Rows]) -> Rows:
    """`function` of slices of range(count), over the workers."""
    each = max(-(-count // party.pool.workers), 1)
    slices = [slice(at, min(at + each, count)) for at in range(0, count, each)]
    return np.concatenate(party.pool.map(function, slices)) if slices else function(slice(0, 0))


def first_trees(splits: Splits, trees: int) -> Splits:
    """Those of the first trees."""
    return Splits(splits.column[:trees], splits.bin[:trees], splits.missing_left[:trees])
