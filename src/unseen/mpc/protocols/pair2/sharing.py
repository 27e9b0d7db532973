"""The protocol itself: additive shares of numbers, XOR shares of bits, one component at each of two parties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import matmul
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocol import W
from unseen.mpc.protocols.pair2 import cross, order, split
from unseen.mpc.protocols.pair2.dealt import Dealt
from unseen.mpc.protocols.pair2.gates import Gates
from unseen.mpc.protocols.pair2.wires import Wires
from unseen.mpc.reveal import Wanted, summed
from unseen.mpc.shares import Bits, Planes, Share
from unseen.mpc.unmasked import Unmasked
from unseen.ot.correlation import Assumption
from unseen.party import Message, Party, Public, require

_TOGETHER = 1 << 17  # numbers or bits at a time: a transfer for each, half of them in each direction


class Told(Message, frozen=True, tag="mpc.pair2.told/1"):
    """A share of places, or of comparisons, of rows in an order nobody knows: what they tell is that order's alone."""

    values: Public[NDArray[Any]]


class Pair2:
    """See the package. Made by :func:`unseen.mpc.protocols.pair2.open_protocol`."""

    components = 1
    holds = True
    radix_up_to = 6
    waved = False

    def __init__(
        self,
        party: Party,
        holders: tuple[str, ...],
        dealt: Dealt | None = None,
        *,
        assumption: Assumption = "lpn",
    ) -> None:
        self.party = party
        self.holders = holders
        self.wires = Wires(party, holders, dealt, assumption=assumption)
        self.gates = Gates(self.wires)
        self.leads = self.wires.place == 0

    # ------------------------------------------------------------------ in and out

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Share:
        """The owner subtracts what it has in common with the other, who has that: no message."""
        return self._share(values, owner, shape, np.subtract)

    def share_bits(self, values: NDArray[np.uint8] | None, *, owner: str, shape: tuple[int, ...]) -> Bits:
        """The same by XOR."""
        words = None if values is None else values.astype(np.uint64)
        return (self._share(words, owner, shape, np.bitwise_xor) & np.uint64(1)).astype(np.uint8)

    def _share(self, values: Ring | None, owner: str, shape: tuple[int, ...], take: np.ufunc) -> Share:
        if owner not in self.holders:
            raise LocalProtocolError(f"{owner} is no holder here and cannot share a value.")
        common = self.wires.common(shape)
        if self.party.name != owner:
            return common[None]
        if values is None or values.shape != shape:
            raise LocalProtocolError(f"{owner} has nothing of shape {shape} to share.")
        mine: Share = take(values, common)[None]
        return mine

    def collect(self, part: Ring, *, xor: bool = False) -> Share:  # noqa: ARG002 - alike for both
        """A part is a share."""
        return part[None]

    def public(self, values: Ring) -> Share:
        """The first party has the value, the other zero."""
        return (values if self.leads else np.zeros_like(values))[None]

    def public_bits(self, values: NDArray[np.uint8]) -> Bits:
        """The same."""
        share: Bits = (values if self.leads else np.zeros_like(values))[None]
        return share

    def verify(self) -> None:
        """Nothing to check: everybody follows the protocol."""

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Through the gate, with shares made fresh first, so that a part tells nothing but its sum."""
        zeros = [self.wires.common(item.shape) for item in wanted]
        parts = [
            (item.values + zero if self.leads else item.values - zero)[0]
            for item, zero in zip(wanted, zeros, strict=True)
        ]
        return summed(self.party, wanted, parts, givers=self.holders)

    def open_masked(self, values: Share, *, owner: str) -> Ring | None:
        """Each gives the other its share, the owner too, who could give another."""
        opened: Ring = values[0] + self.wires.exchange(np.ascontiguousarray(values[0]))
        return None if self.party.name == owner else opened

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """Each gives the other its share; bits eight to the byte."""
        bits = values.dtype == np.uint8
        mine = np.packbits(values[0].reshape(-1)) if bits else np.ascontiguousarray(values[0])
        self.party.send(self.wires.peer, Told(mine))
        told = self.party.recv(self.wires.peer, Told).values
        require(told, shape=mine.shape, dtype=mine.dtype.type, sender=self.wires.peer)
        if bits:
            told = np.unpackbits(told, count=values[0].size).reshape(values.shape[1:])
        opened: NDArray[W] = values[0] ^ told if bits else values[0] + told
        return opened

    # ------------------------------------------------------------------ products

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """What each has alone, and what has to be multiplied across."""
        x, y = left[0], right[0]
        product: Ring = cross.elementwise(self.wires, x, y)
        product += x * y
        return self._dropped(product[None], drop)

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Products modulo the size of the words, summed."""
        x, y = (one[0].astype(np.uint64) for one in (left, right))
        product = cross.elementwise(self.wires, x, y, 8 * left.dtype.itemsize) + x * y
        total: NDArray[W] = product.sum(axis=0, dtype=np.uint64).astype(left.dtype)[None]
        return total

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """The same with matrices."""
        x, y = left[0], right[0]
        product = cross.matrix(self.wires, x, y)
        product += matmul(x, y)
        return self._dropped(product[None], drop)

    def fix(self, values: Share) -> Unmasked:
        """Nothing to do: transfers are made for each product."""
        return Unmasked(self, values)

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """Divide by 2^drop with an error of 0 or 1 ulp above the floor, for |values| < 2^62; exactly on demand."""
        flat = np.ascontiguousarray(values).reshape(-1)
        out = np.empty_like(flat)
        for begin in range(0, flat.size, _TOGETHER):
            piece = slice(begin, begin + _TOGETHER)
            out[piece] = split.truncate(self, flat[piece], drop, exact=exact)
        return out.reshape(values.shape)

    def _dropped(self, product: Share, drop: int) -> Share:
        return self.truncate(product, drop) if drop else product

    # ------------------------------------------------------------------ bits

    def mask(self, values: Share) -> SplitOperand:
        """Nothing to do: the split is what a share is."""
        return SplitOperand(self, values[0])

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """Triples from random transfers."""
        return self.gates.and_both(left, rights)

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Of a + b: its half sum is shared already, and one product of bits that the parties know is due for each place."""
        half = planes.places_of(values, places)
        return self.gates.private(half), half, half

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """One product of bits that the parties know."""
        flat = np.ascontiguousarray(bits).reshape(-1) & np.uint8(1)
        out = np.empty(flat.size, dtype)
        for begin in range(0, flat.size, _TOGETHER):
            piece = slice(begin, begin + _TOGETHER)
            out[piece] = split.to_ring(self.wires, flat[piece], 8 * out.itemsize)
        return out.reshape(bits.shape)

    def is_zero(self, values: Share, places: int) -> None:
        """By the bits of the value."""

    def select(self, bits: Bits, values: Share) -> Share | None:
        """One transfer in each direction."""
        flat = np.ascontiguousarray(values).reshape(-1)
        own = (np.ascontiguousarray(bits).reshape(-1) & np.uint8(1)).astype(np.uint64)
        return split.select(self.wires, own, flat).reshape(values.shape)

    # ------------------------------------------------------------------ order

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Each in turn applies an order that the other does not know."""
        made = order.shuffle(self.wires, *(np.ascontiguousarray(column[0]) for column in columns))
        return tuple(one[None] for one in made)


class SplitOperand:
    """A secret for comparisons and waves; see :class:`unseen.mpc.protocol.Masked`."""

    def __init__(self, protocol: Pair2, mine: Ring) -> None:
        self._protocol = protocol
        self._mine = mine

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:
        """[x < bound] is the sign of (a - bound) + b; coarsely, of the sum of their upper places, without a carry into them."""
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        below = levels.reshape(-1, *[1] * self._mine.ndim) * np.uint64(self._protocol.leads)
        moved = self._mine[None] - below
        return split.sign(self._protocol, moved.reshape(-1), planes.WORD - coarse).reshape(1, *moved.shape)

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """Sines of sums."""
        flat = np.ascontiguousarray(self._mine).reshape(-1)
        wave = split.harmonics(self._protocol.wires, flat, period_bits, sine, bits)
        return wave.reshape(1, *self._mine.shape)

    def powers(self, fraction: int) -> tuple[Share, Share, int]:
        """Of sums: eight products of bits and one of eight bits for the whole places, one for the rest."""
        flat = np.ascontiguousarray(self._mine).reshape(-1)
        whole, rest = split.powers(self._protocol.wires, flat, fraction)
        shape = (1, *self._mine.shape)
        return whole.reshape(shape), rest.reshape(shape), 2 * split.PART
