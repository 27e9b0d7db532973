"""The reference: one party computes on its own data in clear, by the definitions that the others must match.

Against whom
    Nobody: there is one party, and nothing is sent. A second party is refused, so that nobody can take it for a
    protection.
Use
    To try a function before running it on secrets, and to hold the other protocols against.
Truncation rounds down exactly; shuffling keeps the order (nobody is there from whom to hide it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import matmul
from unseen.mpc import planes
from unseen.mpc.fixed import Ring, encode
from unseen.mpc.protocol import Price, Statement, W
from unseen.mpc.reveal import Wanted, summed
from unseen.mpc.shares import Bits, Planes, Share
from unseen.party import Party

STATEMENT = Statement(
    summary="One party alone, in clear: the reference that the others are held against.",
    holders=range(1, 2),
    helper=False,
    adversary="none",
    may_collude="there is one party only",
    assumption="none",
)


def open_protocol(party: Party, *, holders: tuple[str, ...], helper: str | None) -> Plain:
    """The protocol of one party.

    Raises
    ------
    LocalProtocolError
        More than one party.
    """
    if len(holders) != 1 or helper is not None:
        raise LocalProtocolError(
            "The plain protocol is for one party alone.",
            why="it computes in clear: with others there would be no protection",
            mend="choose another protocol",
        )
    return Plain(party, holders)


def price(_operation: str, _elements: int, _parties: int) -> Price:
    """Nothing is sent."""
    return Price(0, 0)


class Plain:
    """See the module."""

    components = 1
    holds = True
    radix_up_to = 32
    waved = True

    def __init__(self, party: Party, holders: tuple[str, ...]) -> None:
        self.party = party
        self.holders = holders

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Share:
        """As it is."""
        if values is None or values.shape != shape or owner != self.party.name:
            raise LocalProtocolError(f"{owner} has nothing to share.")
        return values[None]

    def share_bits(self, values: NDArray[np.uint8] | None, *, owner: str, shape: tuple[int, ...]) -> Bits:
        """As they are."""
        if values is None or values.shape != shape or owner != self.party.name:
            raise LocalProtocolError(f"{owner} has nothing to share.")
        return values[None]

    def collect(self, part: Ring, *, xor: bool = False) -> Share:  # noqa: ARG002 - alike for both
        """The part is the whole."""
        return part[None]

    def public(self, values: Ring) -> Share:
        """As it is."""
        return values[None]

    def public_bits(self, values: NDArray[np.uint8]) -> Bits:
        """As they are."""
        return values[None]

    def verify(self) -> None:
        """Nothing to check."""

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Through the gate, like everywhere."""
        return summed(self.party, wanted, [item.values[0] for item in wanted], givers=self.holders)

    def open_masked(self, values: Share, *, owner: str) -> None:
        """There is nobody else."""

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """As they are."""
        plain: NDArray[W] = values[0]
        return plain

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Elementwise."""
        return self.truncate(left * right, drop)

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Elementwise, summed."""
        total: NDArray[W] = (left * right).sum(axis=1, dtype=left.dtype)
        return total

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Of two matrices."""
        return self.truncate(matmul(left[0], right[0])[None], drop)

    def fix(self, values: Share) -> Whole:
        """The value itself."""
        return Whole(values[0])

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """The floor if exact, else the nearest: right on average, as what rounds by chance is."""
        signed = np.ascontiguousarray(values).view(np.int64)
        half = 0 if exact or not drop else 1 << (drop - 1)
        return np.asarray((signed + half) >> drop).view(np.uint64)

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """The same order."""
        return columns

    def mask(self, values: Share) -> Whole:
        """The value itself."""
        return Whole(values[0])

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """Bitwise."""
        return tuple(left & right for right in rights)

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Of the value and nothing: no carries."""
        half = planes.places_of(values, places)
        return np.zeros_like(half), half, half

    def is_zero(self, values: Share, places: int) -> None:
        """By the bits of the value."""

    def select(self, bits: Bits, values: Share) -> None:
        """With the bits as numbers."""

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """The same numbers."""
        return bits.astype(dtype)


class Whole:
    """A value in clear, in the place of a masked one."""

    def __init__(self, values: Ring) -> None:
        self._values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._values.shape

    @property
    def transposed(self) -> Whole:
        """Transposed."""
        return Whole(self._values.T)

    def matmul(self, other: Share) -> Share:
        """The product."""
        return matmul(np.ascontiguousarray(self._values), np.ascontiguousarray(other[0]))[None]

    def multiply(self, other: Share) -> Share:
        """The product."""
        product: Share = (self._values * other[0])[None]
        return product

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:  # noqa: ARG002 - always exact
        """Comparisons of signed numbers."""
        levels = np.array(bounds, np.int64).reshape(-1, *[1] * self._values.ndim)
        below: Bits = (np.ascontiguousarray(self._values).view(np.int64)[None] < levels).astype(np.uint8)
        return below[None]

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """The sum of sines, in floating point."""
        angle = (self._values & np.uint64((1 << period_bits) - 1)) * (2 * np.pi / (1 << period_bits))
        total = np.zeros(self.shape)
        for place, size in enumerate(sine):
            if size:
                total += size * np.sin((place + 1) * angle)
        return encode(total, bits, limit=2.0 ** (62 - bits))[None]

    def powers(self, fraction: int) -> None:
        """No way of its own."""
