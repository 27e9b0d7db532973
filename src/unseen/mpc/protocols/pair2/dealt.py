"""What two parties make ahead for runs to come: transfers of random bits in both directions, and products of random numbers.

A transfer that was made for a random bit r serves for any bit c: the taker sends r ^ c, and the other exchanges its two
pads where that is 1. A product of random numbers serves for any numbers: each sends its own less the random ones. Both
send what is uniform. A request of which there is not enough left is met as if there were no stock; both sides see that
alike, for they ask for the same in the same order in each direction.

Sources: Beaver, "Precomputing Oblivious Transfer" (CRYPTO 1995), and "Efficient Multiparty Protocols Using Circuit
Randomization" (CRYPTO 1991).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.prg import Prg
from unseen.mpc.fixed import Ring
from unseen.mpc.stock import Block, Writer
from unseen.ot.correlation import (
    BLOCK_BYTES,
    ReceiverCorrelation,
    ReceiverSource,
    SenderCorrelation,
    SenderSource,
)

Bytes = NDArray[np.uint8]

TRANSFERS = 1 << 14  # in a record, of one direction
PRODUCTS = 1 << 13
_TOGETHER = 16  # records that are made at a time, so that the other is waited for less often


@dataclass(frozen=True, slots=True)
class Amount:
    """So many transfers in each direction, and so many products of numbers."""

    transfers: int
    products: int

    @property
    def records(self) -> tuple[int, int]:
        """Of transfers in each direction, and of products."""
        return -(-self.transfers // TRANSFERS), -(-self.products // PRODUCTS)

    def lines(self) -> list[str]:
        """What a block holds, as it is written down: whole records."""
        transfers, products = self.records
        return [f"transfers {transfers * TRANSFERS}", f"products {products * PRODUCTS}"]


def amount_of(lines: Sequence[str]) -> Amount:
    """The reverse of :meth:`Amount.lines`."""
    numbers = dict(line.split() for line in lines)
    return Amount(int(numbers["transfers"]), int(numbers["products"]))


class Maker(Interface):
    """What makes them with the other party, who does the same."""

    sender: SenderSource
    receiver: ReceiverSource

    def prepare(self, count: int) -> None:
        """So many transfers are due, of both directions together."""

    @property
    def lattice(self) -> Multiplies:
        """Products by encryption."""


class Multiplies(Interface):
    """Part of :class:`unseen.mpc.lattice.Lattice`."""

    def multiply(self, x: Ring, y: Ring) -> Ring:
        """A share of x_0 y_1 + x_1 y_0, of vectors of which each party has its own."""


def write(writer: Writer, seed: Prg, amount: Amount, maker: Maker) -> None:
    """Make a block: records of transfers in turn, then of products."""
    transfers, products = amount.records
    if transfers:
        maker.prepare(
            2 * TRANSFERS * transfers
        )  # here alone: what is taken may span records, so a block is of one Delta
    for begin in range(0, transfers, _TOGETHER):
        some = range(min(_TOGETHER, transfers - begin))
        all_taken = [maker.receiver.correlated(TRANSFERS) for _ in some]
        for taken in all_taken:
            offered = maker.sender.correlated(TRANSFERS)
            writer.write(offered.delta.tobytes() + offered.rows.tobytes())
            writer.write(np.packbits(taken.choices).tobytes() + taken.rows.tobytes())
    for begin in range(0, products, _TOGETHER):
        count = min(_TOGETHER, products - begin)
        factors = [seed.u64((2, PRODUCTS)) for _ in range(count)]
        x, y = (np.concatenate([pair[which] for pair in factors]) for which in (0, 1))
        for part in np.split(maker.lattice.multiply(x, y), count):
            writer.write(part.tobytes())


class _Tape:
    """Records of one kind, each the bytes of some arrays whose last axis runs along the items; taken from the front."""

    def __init__(self, read: Callable[[int], list[NDArray[np.generic]]], records: range, each: int) -> None:
        self._read = read
        self._records = list(records)
        self._rest: list[NDArray[np.generic]] | None = None
        self.left = each * len(records)

    def take(self, count: int) -> list[NDArray[np.generic]]:
        """The next `count` of every array."""
        self.left -= count
        parts: list[list[NDArray[np.generic]]] = []
        while True:
            rest = self._read(self._records.pop(0)) if self._rest is None else self._rest
            here = min(count, len(rest[0]))
            parts.append([array[:here] for array in rest])
            self._rest = [array[here:] for array in rest] if here < len(rest[0]) else None
            count -= here
            if not count:
                return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


class Dealt:
    """What is left of a block that was made ahead. `unmet` counts what was asked for when there was not enough."""

    def __init__(self, block: Block) -> None:
        self._block = block
        whole = amount_of(block.contents)
        transfers, products = whole.records
        self._offered = _Tape(self._read_offered, range(0, 2 * transfers, 2), TRANSFERS)
        self._taken = _Tape(self._read_taken, range(1, 2 * transfers, 2), TRANSFERS)
        self._products = _Tape(self._read_products, range(2 * transfers, 2 * transfers + products), PRODUCTS)
        self._delta = np.zeros(BLOCK_BYTES, np.uint8)
        self.unmet = 0

    @property
    def left(self) -> Amount:
        """How much, of transfers the smaller number of both directions."""
        return Amount(min(self._offered.left, self._taken.left), self._products.left)

    def offered(self, count: int) -> SenderCorrelation | None:
        """The next transfers that this party offers, for random bits of the other's; None if there are not so many."""
        if not self._enough(self._offered, count):
            return None
        (rows,) = self._offered.take(count)
        return SenderCorrelation(self._delta, rows.astype(np.uint8, copy=False))

    def taken(self, count: int) -> ReceiverCorrelation | None:
        """The next that it takes, of random bits of its own."""
        if not self._enough(self._taken, count):
            return None
        choices, rows = (array.astype(np.uint8, copy=False) for array in self._taken.take(count))
        return ReceiverCorrelation(choices, rows)

    def products(self, count: int) -> tuple[Ring, Ring, Ring] | None:
        """Random numbers a and b of this party, and its share of a_0 b_1 + a_1 b_0."""
        if not self._enough(self._products, count):
            return None
        a, b, c = (array.astype(np.uint64, copy=False) for array in self._products.take(count))
        return a, b, c

    def _enough(self, tape: _Tape, count: int) -> bool:
        if 0 < count <= tape.left:
            return True
        self.unmet += count
        return False

    def _read_offered(self, record: int) -> list[NDArray[np.generic]]:
        data = np.frombuffer(self._block.record(record), np.uint8)
        self._delta = data[:BLOCK_BYTES].copy()
        return [data[BLOCK_BYTES:].reshape(TRANSFERS, BLOCK_BYTES)]

    def _read_taken(self, record: int) -> list[NDArray[np.generic]]:
        data = np.frombuffer(self._block.record(record), np.uint8)
        return [np.unpackbits(data[: TRANSFERS // 8]), data[TRANSFERS // 8 :].reshape(TRANSFERS, BLOCK_BYTES)]

    def _read_products(self, record: int) -> list[NDArray[np.generic]]:
        a, b = self._block.seed.u64((2, PRODUCTS))
        return [a, b, np.frombuffer(self._block.record(record), "<u8").astype(np.uint64, copy=False)]
