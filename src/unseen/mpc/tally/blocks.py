"""Where everybody's codes stand among all, and in which pieces of rows they are worked on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc.tally.rows import Codes

PIECE_BYTES = 1 << 25


@dataclass(frozen=True, slots=True)
class Blocks:
    """Holder -> number of codes of each of its columns, in the order of the sums; and the number of rows."""

    widths: dict[str, tuple[int, ...]]
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        """Holders that have codes."""
        return tuple(name for name, each in self.widths.items() if each)

    def width(self, name: str) -> int:
        """Codes of a holder."""
        return sum(self.widths.get(name, ()))

    def block(self, name: str) -> slice:
        """Where a holder's codes stand among all."""
        start = 0
        for other in self.names:
            if other == name:
                break
            start += self.width(other)
        return slice(start, start + self.width(name))

    def pieces(self, name: str) -> list[slice]:
        """Rows that are masked, sent and multiplied at a time, for a holder's codes."""
        step = max(64, PIECE_BYTES // (8 * self.width(name)))
        return [slice(start, min(start + step, self.rows)) for start in range(0, self.rows, step)]

    def checked(self, name: str, codes: Codes | None) -> NDArray[np.uint16] | None:
        """A holder's codes, each column's behind those of the columns before; None without any.

        Raises
        ------
        LocalProtocolError
            Codes of another shape, or beyond the width.
        """
        each = self.widths.get(name, ())
        if not each:
            return None
        if codes is None or codes.shape != (len(each), self.rows):
            raise LocalProtocolError(f"{name} is to have codes of shape {(len(each), self.rows)}.")
        limits = np.array(each, np.int64)
        if self.rows and bool((codes.max(axis=1) >= limits).any()):
            raise LocalProtocolError(f"A code of {name} is beyond what it told.")
        starts = np.concatenate([[0], np.cumsum(limits)[:-1]])
        return np.ascontiguousarray((codes + starts[:, None]).astype(np.uint16))


def one_hot(codes: NDArray[np.uint16], width: int) -> NDArray[np.uint64]:
    """Codes (columns, rows) as a matrix (width, rows) of 0 and 1."""
    hot = np.zeros((width, codes.shape[1]), np.uint64)
    rows = np.arange(codes.shape[1])
    for column in codes:
        hot[column, rows] = 1
    return hot


def gathered(entries: NDArray[np.uint64], codes: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """The sum over columns of the entries (vectors, width) at codes (columns, rows), shape (vectors, rows)."""
    total = np.zeros((len(entries), codes.shape[1]), np.uint64)
    for column in codes:
        total += entries[:, column]
    return total
