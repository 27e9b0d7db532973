"""What a protocol's way of tallying offers, as raw shares; see :mod:`unseen.mpc.tally`."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.shares import Share

Codes = NDArray[Any]
Answers = NDArray[np.bool_]


class Raw(Protocol):
    """Shares (components, vectors, rows) that are ready."""

    def sums(self) -> Share:
        """Shape (components, vectors, codes of all)."""

    def kept(self, answers: Answers | None) -> Share:
        """Shape (components, vectors, rows)."""

    def less(self, other: Self) -> Self:
        """The difference."""

    def beside(self, other: Self) -> Self:
        """Vectors of this and of the other in turn."""


class RawTally(Protocol):
    """Masked codes."""

    def prepare(self, vectors: int) -> None:
        """Make masks for vectors to come, where there are masks."""

    def spread(self, entries: Share) -> Share:
        """Entries (components, vectors, codes) to rows, (components, vectors, rows)."""

    def take(self, values: Share) -> Raw:
        """Make shares ready."""


def in_turn(one: NDArray[Any], other: NDArray[Any], axis: int = 0) -> NDArray[Any]:
    """Items of two arrays along an axis in turn: of one, of the other, of one ..."""
    return np.stack([one, other], axis=axis + 1).reshape(*one.shape[:axis], -1, *one.shape[axis + 1 :])
