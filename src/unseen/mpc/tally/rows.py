"""What a protocol's way of tallying offers, as raw shares; see :mod:`unseen.mpc.tally`."""

from __future__ import annotations

from collections.abc import Sequence
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

    def joined(self, others: Sequence[Self]) -> Self:
        """One behind the other."""

    def picked(self, places: Sequence[int]) -> Self:
        """Some vectors."""


class RawTally(Protocol):
    """Masked codes."""

    def prepare(self, vectors: int) -> None:
        """Make masks for vectors to come, where there are masks."""

    def take(self, values: Share) -> Raw:
        """Make shares ready."""
