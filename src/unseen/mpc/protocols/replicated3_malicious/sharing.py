"""The protocol itself: products that are checked, order, revealing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UnseenError
from unseen.crypto.prg import Prg
from unseen.kernels import matmul
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocol import W
from unseen.mpc.protocols.replicated3 import order as moves
from unseen.mpc.protocols.replicated3.replicated import Replicated, public
from unseen.mpc.protocols.replicated3.wires import PARTIES
from unseen.mpc.protocols.replicated3_malicious import words
from unseen.mpc.protocols.replicated3_malicious.gates import BITS, NUMBERS, SECURITY_BITS, Gates
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires, Opened
from unseen.mpc.reveal import Wanted
from unseen.mpc.shares import Bits, Planes, Share
from unseen.party import Party, Reveal

PAIRS = 97  # (3/4)^97 < 2^-40
MOVED = 1 << 17
"""Of random columns and of combined rows so many numbers are taken at a time, so that what is needed on the way stays small."""


class Replicated3Malicious(Replicated):
    """See the package. Made by :func:`unseen.mpc.protocols.replicated3_malicious.open_protocol`."""

    wires: CheckedWires
    radix_up_to = 2

    def __init__(self, party: Party, members: tuple[str, ...]) -> None:
        super().__init__(party, members, CheckedWires(party, members))
        self._numbers = Gates(self.wires, NUMBERS)
        self._bits = Gates(self.wires, BITS)

    # ------------------------------------------------------------------ out

    def verify(self) -> None:
        """Check every product so far, and everything that was claimed to be zero.

        Raises
        ------
        VerificationError
            One of the others deviated.
        """
        self._numbers.check()
        self._bits.check()
        self.wires.settle()

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Through the gate, once all is checked. Every giver gives both its components, so that each comes from two.

        They are shared anew, so that they tell nothing but their sum.

        Raises
        ------
        VerificationError
            One of the others deviated; nothing was released by this party unless all before was right.
        """
        sizes = [int(np.prod(item.shape)) for item in wanted]
        fresh = self.wires.around(self.wires.nothing((sum(sizes),)))
        self.wires.zero(fresh)
        self.verify()
        reveals, begin = [], 0
        for item, size in zip(wanted, sizes, strict=True):
            part = item.values + fresh[:, begin : begin + size].reshape(item.values.shape)
            reveals.append(Reveal(item.name, np.ascontiguousarray(part), item.to, part.shape, size))
            begin += size
        try:
            told = self.party.reveal_all(reveals, givers=self.holders)
        except UnseenError:
            self.wires.ended = True
            raise
        return [
            None if parts is None else self._same_from_two(item, parts)
            for item, parts in zip(wanted, told, strict=True)
        ]

    def _same_from_two(self, wanted: Wanted, parts: Mapping[str, Ring]) -> Ring:
        total = np.zeros(wanted.shape, np.uint64)
        for place in range(PARTIES):
            one, other = parts[self.wires.name(place)][0], parts[self.wires.name(place - 1)][1]
            if not np.array_equal(one, other):
                self.wires.fail(
                    f"'{wanted.name}' came in two versions: one of the others deviated from the protocol.",
                    why=f"{self.wires.name(place)} and {self.wires.name(place - 1)} gave different components",
                )
            total += one
        return total

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """Once all is checked."""
        self.verify()
        if values.dtype != np.uint8:
            return self.wires.open(values, kind=Opened)
        told = self.wires.open(planes.pack(cast("Bits", values)), xor=True, kind=Opened)
        plain: NDArray[W] = planes.unpack(told[None], values.shape[1:])[0, 0]
        return plain

    # ------------------------------------------------------------------ products

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Elementwise."""
        made = self._numbers.product(left.reshape(2, -1), right.reshape(2, -1)).reshape(left.shape)
        return self.truncate(made, drop) if drop else made

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Products of whole words, summed."""
        products = self.multiply(left.astype(np.uint64), right.astype(np.uint64))
        total: NDArray[W] = products.sum(axis=1, dtype=np.uint64).astype(left.dtype)
        return total

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """In one round."""
        x = np.concatenate([left] * len(rights), axis=1).reshape(2, -1)
        y = np.concatenate(rights, axis=1).reshape(2, -1)
        made = self._bits.product(x, y).reshape(2, len(rights), *left.shape[1:])
        return tuple(made[:, place] for place in range(len(rights)))

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """One message a party for the product; what is checked are products of single numbers, far fewer.

        A wrong product is off by a matrix E that does not depend on the coin drawn after it. For random l and r, l E r is
        not zero with probability at least 1/4; with l or r for a whole side, 1/2. So l Z r = (l X)(Y r) is claimed for enough
        of them, and the products of the numbers of (l X) and (Y r) are checked like all others.
        """
        parts = matmul(left[0], right[0] + right[1]) + matmul(left[1], right[0])
        made = self.wires.around(parts + self.wires.nothing(parts.shape))
        rows, columns = challenges(self.wires.coin, *made.shape[1:])
        step = max(1, MOVED // max(1, left.shape[2]))
        for begin in range(0, len(rows), step):
            l_part, r_part = rows[begin : begin + step], columns[begin : begin + step]
            x = np.stack([matmul(l_part, part) for part in left])
            y = np.stack([matmul(r_part, part.T) for part in right])
            due = np.stack([(matmul(l_part, part) * r_part).sum(axis=1, dtype=np.uint64) for part in made])
            self.wires.zero(self.multiply(x, y).sum(axis=2, dtype=np.uint64) - due)
        return self.truncate(made, drop) if drop else made

    # ------------------------------------------------------------------ bits

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """The floor of value plus a public uniform offset, or of the value; right on average, whatever the shares."""
        return words.truncate(self, values, drop, exact=exact)

    def mask(self, values: Share) -> Operand:
        """Nothing to do."""
        return Operand(self, values)

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Of the two summands that the three components become."""
        one, other = words.summands(self, values, places)
        (generate,) = self.and_both(one, (other,))
        return generate, one ^ other, one ^ other

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:  # noqa: ARG002 - whole words always
        """Two products."""
        return words.to_ring(self, bits)

    def select(self, bits: Bits, values: Share) -> None:
        """With the bits as numbers."""

    # ------------------------------------------------------------------ order

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Each pair of neighbours in turn applies an order that the third does not know, and proves it."""
        wide = tuple(column if column.dtype == np.uint8 else column.astype(np.uint64) for column in columns)
        for first in range(PARTIES):
            wide = self._hop(wide, first)
        return tuple(made.astype(column.dtype) for made, column in zip(wide, columns, strict=True))

    def _hop(self, columns: tuple[NDArray[Any], ...], first: int) -> tuple[NDArray[Any], ...]:
        """Parties `first` and `first` + 1 put the rows into a common order.

        Whoever deviates adds errors E to the moved rows and F to moved random columns, both before a coin draws r. Then
        V = rows r + columns is opened, and (moved rows) r + (moved columns) - (V in the new order) = E r + F is claimed to be
        zero: each column finds E with probability 1/2. The third party cannot form V in the new order, nor need it: the pair
        knows it, so it is a component of theirs. For bytes the same over bits: r chooses bits of the row, whose XOR is taken.
        """
        order = moves.draw(self.wires, first, columns[0].shape[1])
        moved = self._move(columns, first, order)
        for rows, behind in zip(columns, moved, strict=True):
            prove = self._prove_bytes if rows.dtype == np.uint8 else self._prove_numbers
            prove(rows, behind, first, order)
        return moved

    def _prove_numbers(self, rows: Share, moved: Share, first: int, order: NDArray[np.int64] | None) -> None:
        count, width = rows.shape[1:]
        step = max(1, MOVED // max(1, count))
        for begin in range(0, SECURITY_BITS, step):
            columns = self.wires.random((count, min(step, SECURITY_BITS - begin)))
            (behind,) = self._move((columns,), first, order)
            factors = self.wires.coin().u64((width, columns.shape[2]))
            told = self.wires.open(np.stack([matmul(part, factors) for part in rows]) + columns)
            rest = np.stack([matmul(part, factors) for part in moved]) + behind
            if order is not None:
                rest[self._common(first)] -= told[order]
            self.wires.zero(rest)

    def _prove_bytes(
        self, rows: NDArray[np.uint8], moved: NDArray[np.uint8], first: int, order: NDArray[np.int64] | None
    ) -> None:
        """64 columns of bits, which are the places of one column of words."""
        columns = self.wires.random((rows.shape[1], 1))
        (behind,) = self._move((columns.view(np.uint8),), first, order)
        chosen = self.wires.coin().bytes(planes.WORD * rows.shape[2])
        masks = np.frombuffer(chosen, np.uint8).reshape(planes.WORD, -1)
        told = self.wires.open(_parities(rows, masks) ^ columns[..., 0], xor=True)
        rest = _parities(moved, masks) ^ np.ascontiguousarray(behind).view(np.uint64)[..., 0]
        if order is not None:
            rest[self._common(first)] ^= told[order]
        self.wires.zero(rest, xor=True)

    def _move(
        self, columns: tuple[NDArray[Any], ...], first: int, order: NDArray[np.int64] | None
    ) -> tuple[NDArray[Any], ...]:
        return tuple(moves.move(self.wires, list(columns), first, order))

    def _common(self, first: int) -> int:
        """Which of this party's components parties `first` and `first` + 1 have in common."""
        return 1 - (self.place - first) % PARTIES


def _parities(rows: NDArray[np.uint8], masks: NDArray[np.uint8]) -> Planes:
    """Place j of a row's word: the XOR of the row's bits that mask j chooses."""
    out = np.zeros(rows.shape[:-1], np.uint64)
    for place, mask in enumerate(masks):
        odd = np.bitwise_count(np.bitwise_xor.reduce(rows & mask, axis=-1)) & np.uint8(1)
        out |= odd.astype(np.uint64) << np.uint64(place)
    return out


def challenges(toss: Callable[[], Prg], rows: int, columns: int) -> tuple[Ring, Ring]:
    """Factors l, shape (k, rows), and r, shape (k, columns): if E is not 0, some l E r is not 0, but for 2^-40.

    A side of at most 40 is taken one by one, a longer one by 40 random combinations; random pairs where those are fewer. A
    coin is tossed where it is needed.
    """
    few = min(rows, SECURITY_BITS), min(columns, SECURITY_BITS)
    if few[0] * few[1] > PAIRS:
        coin = toss()
        return coin.u64((PAIRS, rows)), coin.u64((PAIRS, columns))
    left, right = (
        np.eye(size, dtype=np.uint64) if size <= SECURITY_BITS else toss().u64((SECURITY_BITS, size))
        for size in (rows, columns)
    )
    return np.repeat(left, few[1], axis=0), np.tile(right, (few[0], 1))


class Operand:
    """A secret for comparisons and waves; see :class:`unseen.mpc.protocol.Masked`."""

    def __init__(self, protocol: Replicated3Malicious, values: Share) -> None:
        self._protocol = protocol
        self._values = values

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:  # noqa: ARG002 - always exact
        """[x < bound] is the sign of x - bound."""
        shape = (len(bounds), *self._values.shape[1:])
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        below = public(
            self._protocol.place, np.broadcast_to(levels.reshape(-1, *[1] * (len(shape) - 1)), shape)
        )
        signs = words.sign(self._protocol, self._values[:, None] - below)
        return planes.unpack(signs, shape)[:, 0]

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """Sines of sums."""
        return words.harmonics(self._protocol, self._values, period_bits, sine, bits)

    def powers(self, fraction: int) -> None:
        """No way of its own."""
