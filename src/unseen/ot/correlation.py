"""What two parties hold after correlated oblivious transfer, and who can supply it.

The sender has one block Delta and a block q_i for every i; the receiver has a bit c_i and t_i = q_i ^ c_i Delta. The
sender knows nothing of the bits, the receiver nothing of Delta. A block is 16 bytes, an array of n of them has shape
(n, 16). Every other kind of oblivious transfer is made from this one (see :mod:`unseen.ot.outputs`).

The correlation is one-time: a row that has become a pad must not become another. Whoever splits an array into parts
uses each part once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError

BLOCK_BYTES = 16

Blocks: TypeAlias = NDArray[np.uint8]
Bits: TypeAlias = NDArray[np.uint8]
Security: TypeAlias = Literal["semi-honest", "malicious"]
Assumption: TypeAlias = Literal["lpn", "symmetric"]


@dataclass(frozen=True, slots=True, repr=False)
class SenderCorrelation:
    """The sender's half: `delta` (16,) and the rows q_i (n, 16), uint8."""

    delta: Blocks
    rows: Blocks

    def __post_init__(self) -> None:
        _check("delta", self.delta, (BLOCK_BYTES,))
        _check("rows", self.rows, (len(self.rows), BLOCK_BYTES))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"SenderCorrelation(<{len(self)} secret rows>)"


@dataclass(frozen=True, slots=True, repr=False)
class ReceiverCorrelation:
    """The receiver's half: `choices` (n,) of 0 and 1, and the rows t_i (n, 16), uint8."""

    choices: Bits
    rows: Blocks

    def __post_init__(self) -> None:
        _check("rows", self.rows, (len(self.rows), BLOCK_BYTES))
        _check("choices", self.choices, (len(self.rows),))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"ReceiverCorrelation(<{len(self)} secret rows>)"


class SenderSource(Protocol):
    """Supplies the sender's halves, all under one Delta; both ends ask for the same counts in the same order."""

    def correlated(self, count: int) -> SenderCorrelation:
        """The next `count` rows."""
        ...


class ReceiverSource(Protocol):
    """Supplies the receiver's halves."""

    def correlated(self, count: int, choices: Bits | None = None) -> ReceiverCorrelation:
        """The next `count` rows, for `choices` or for fresh random ones."""
        ...


def require_bits(choices: Bits, count: int) -> Bits:
    """Choices as a contiguous uint8 array of shape (count,).

    Raises
    ------
    LocalProtocolError
        Another shape or dtype, or a value that is neither 0 nor 1.
    """
    _check("choices", choices, (count,))
    if count and int(choices.max()) > 1:
        raise LocalProtocolError("A choice is neither 0 nor 1.", mend="pass one uint8 of 0 or 1 per transfer")
    return np.ascontiguousarray(choices)


def _check(name: str, array: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    if array.dtype != np.uint8 or array.shape != shape:
        raise LocalProtocolError(
            f"'{name}' of a correlation is {array.dtype} {array.shape} where uint8 {shape} is due."
        )
