"""What boosted trees are, whoever knows which part of them: settings, splits, weights.

Trees are complete: depth d, in level order, node k with the children 2 k + 1 (left) and 2 k + 2 (right), the 2^d leaves
behind the last level. A row goes left at a node if its code (:func:`unseen.learn.prepare.cuts.place`) in the split's column
is at most the split's bin; a missing value goes where the split says. At a node without a split all rows go right: it is
a leaf of which the leaves below are copies.

Every holder has splits on its own columns only (:class:`Splits`); where the other nodes split it does not know. The sum of
all holders' answers at a node is the answer: at most one of them says "left".

Trees of K classes follow one another: tree t is of class t mod K.

Source: Chen and Guestrin, "XGBoost: A Scalable Tree Boosting System" (KDD 2016), for what is minimised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Objective = Literal["binary", "squared", "softmax"]
Codes = NDArray[Any]
DEEPEST = 10
_TWO = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """How trees are grown. In brackets XGBoost's names.

    Attributes
    ----------
    objective
        "binary" (logistic loss, label 0 or 1), "squared" (label a number), "softmax" (label 0 to classes - 1).
    rounds
        Trees per class.
    depth
        Levels of splits [max_depth].
    learning_rate
        Factor on every leaf [eta].
    penalty
        On the square of leaves, over 0 [lambda].
    min_gain
        Smallest gain of a split [gamma].
    min_child_weight
        Smallest sum of second derivatives in a child.
    base_score
        Score before the first tree, as a log-odds or a number (XGBoost takes a probability for "binary").
    classes
        Of "softmax"; else 1.
    row_fraction, column_fraction
        Which part of the rows and of the columns each tree sees.
    monotone
        Per column of all holders, in their order: 1 if the score may only grow with it, -1 if only fall, 0 either. None: 0
        for all.

    Raises
    ------
    UsageError
        Something out of range.
    """

    objective: Objective = "binary"
    rounds: int = 10
    depth: int = 4
    learning_rate: float = 0.3
    penalty: float = 1.0
    min_gain: float = 0.0
    min_child_weight: float = 1.0
    base_score: float = 0.0
    classes: int = 1
    row_fraction: float = 1.0
    column_fraction: float = 1.0
    monotone: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        wrong = [
            text
            for text, fine in (
                (f"depth is 1 to {DEEPEST}", 1 <= self.depth <= DEEPEST),
                ("rounds is at least 1", self.rounds >= 1),
                ("learning_rate is over 0 and at most 1", 0 < self.learning_rate <= 1),
                ("penalty is over 0", self.penalty > 0),
                ("min_gain is not negative", self.min_gain >= 0),
                ("min_child_weight is not negative", self.min_child_weight >= 0),
                ("fractions are over 0 and at most 1", min(self.row_fraction, self.column_fraction) > 0),
                ("fractions are over 0 and at most 1", max(self.row_fraction, self.column_fraction) <= 1),
                ("softmax has two classes or more", (self.classes >= _TWO) == (self.objective == "softmax")),
                ("monotone is -1, 0 or 1 a column", not {*(self.monotone or ())} - {-1, 0, 1}),
            )
            if not fine
        ]
        if wrong:
            raise UsageError("Trees cannot be grown so.", why="; ".join(dict.fromkeys(wrong)))

    @property
    def trees(self) -> int:
        """Number of trees of all classes."""
        return self.rounds * self.classes

    @property
    def nodes(self) -> int:
        """Number of nodes that may split, of one tree."""
        return int(2**self.depth) - 1


def ways_of(holder: str, columns: Sequence[str], wanted: Mapping[str, int]) -> list[int]:
    """For each column of a holder 1, -1 or 0, as a contract says by name.

    Raises
    ------
    UsageError
        It has no column of a name.
    """
    unknown = sorted(set(wanted) - set(columns))
    if unknown:
        raise UsageError(
            f"{holder} has no column {', '.join(unknown)} that could be monotone.",
            why=f"there are: {', '.join(columns)}",
            mend="name columns as they are in the table that is trained on",
        )
    return [wanted.get(column, 0) for column in columns]


@dataclass(frozen=True, slots=True)
class Splits:
    """One holder's splits, shape (trees, 2^depth - 1) each.

    Attributes
    ----------
    column
        int32; which of this holder's columns decides, -1 where another holder's does or none.
    bin
        int32; the last bin that goes left, -1 for none: then only missing values may.
    missing_left
        bool; where rows without a value go.
    """

    column: NDArray[np.int32]
    bin: NDArray[np.int32]
    missing_left: NDArray[np.bool_]

    def stored(self) -> dict[str, NDArray[Any]]:
        """As a checkpoint holds them."""
        integers = {"column": self.column.astype(np.int64), "bin": self.bin.astype(np.int64)}
        return {**integers, "missing_left": self.missing_left}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Splits:
        """The same again."""
        return cls(state["column"].astype(np.int32), state["bin"].astype(np.int32), state["missing_left"])

    @classmethod
    def none(cls, trees: int, nodes: int) -> Splits:
        """No split of this holder."""
        shape = (trees, nodes)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape, bool))

    def followed_by(self, later: Splits) -> Splits:
        """Those of more trees."""
        return Splits(
            np.concatenate([self.column, later.column]),
            np.concatenate([self.bin, later.bin]),
            np.concatenate([self.missing_left, later.missing_left]),
        )

    def left(self, codes: Codes, missing: Sequence[int], tree: int, nodes: slice) -> NDArray[np.bool_]:
        """Whether rows go left by these splits, shape (nodes, rows); False where the split is not this holder's.

        Parameters
        ----------
        codes
            Of this holder's columns, shape (columns, rows).
        missing
            For each column the code of a missing value.
        """
        out = np.zeros((nodes.stop - nodes.start, codes.shape[1]), bool)
        for place, node in enumerate(range(nodes.start, nodes.stop)):
            column = int(self.column[tree, node])
            if column >= 0:
                mine = codes[column]
                out[place] = mine <= self.bin[tree, node]
                if self.missing_left[tree, node]:
                    out[place] |= mine == missing[column]
        return out


@dataclass(frozen=True, slots=True)
class Booster:
    """Trees as one party knows them.

    Attributes
    ----------
    settings
        Known to all.
    splits
        This party's; None at a party without columns.
    weights
        Of the leaves, learning rate included, shape (trees, 2^depth): numbers where this party knows them (float64), or its
        share of them (uint64, one axis before: the components).
    weight_bits
        Fraction bits of shares; None where the weights are numbers.
    columns
        Names of this party's columns.
    cuts
        Of each of them.
    widths
        Holder -> number of columns, in the order of the holders.
    """

    settings: Settings
    splits: Splits | None
    weights: NDArray[Any] | None
    weight_bits: int | None = None
    columns: tuple[str, ...] = ()
    cuts: tuple[NDArray[np.float64], ...] = ()
    widths: dict[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[int, ...]:
        """For each own column the code of a missing value."""
        return tuple(len(cuts) + 1 for cuts in self.cuts)


def leaf_of(left: NDArray[np.bool_], depth: int) -> NDArray[np.int64]:
    """The leaf of each row, 0 to 2^depth - 1, from all holders' answers together, shape (nodes, rows)."""
    rows = np.arange(left.shape[1])
    node = np.zeros(left.shape[1], np.int64)
    for _ in range(depth):
        node = 2 * node + 2 - left[node, rows]
    return node - (int(2**depth) - 1)
