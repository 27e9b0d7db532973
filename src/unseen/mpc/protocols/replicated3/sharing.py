"""The protocol itself: products, truncation, order, revealing. Shares have two components, i and i + 1 at party i."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import matmul
from unseen.kernels import shares as kernels
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocol import W
from unseen.mpc.protocols.replicated3 import order, split
from unseen.mpc.protocols.replicated3.replicated import Replicated
from unseen.mpc.protocols.replicated3.wires import PARTIES, Wires
from unseen.mpc.reveal import Wanted, summed
from unseen.mpc.shares import Bits, Planes, Share
from unseen.party import Party


class Replicated3(Replicated):
    """See the package. Made by :func:`unseen.mpc.protocols.replicated3.open_protocol`."""

    def __init__(self, party: Party, members: tuple[str, ...]) -> None:
        super().__init__(party, members, Wires(party, members))

    def verify(self) -> None:
        """Nothing to check: everybody follows the protocol."""

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Through the gate; parts are made fresh by zero-shares, so that a part tells nothing but the sum."""
        parts = [(item.values[:1] + self._zero(item.shape))[0] for item in wanted]
        return summed(self.party, wanted, parts, givers=self.holders)

    def _zero(self, shape: tuple[int, ...], dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """Three of these sum to nothing."""
        use = self.wires.use()
        mine, theirs = (self.wires.pad(self.place + step, use, shape, dtype) for step in (0, 1))
        zero: NDArray[Any] = mine - theirs
        return zero

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """Every party gives its first component to the party after, which lacks it."""
        return order.open_shuffled(self.wires, values)

    # ------------------------------------------------------------------ products

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """One local product and one re-sharing; with `drop`, truncated before it is re-shared."""
        shape = left.shape[1:]
        x, y = (np.ascontiguousarray(item).reshape(2, -1) for item in (left, right))
        part = kernels.multiply(x, y, self.wires.mine, self.wires.next, self.wires.use())
        return self._settle(part.reshape(shape), drop)

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Products are summed before they are re-shared: one number goes round, however many there are."""
        part = (left[0] * (right[0] + right[1])).sum(axis=0, dtype=left.dtype)
        part += (left[1] * right[0]).sum(axis=0, dtype=left.dtype)
        return self.wires.around(part + self._zero(part.shape, left.dtype.type))

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """The same with matrix products: x_i (y_i + y_(i+1)) + x_(i+1) y_i."""
        part = matmul(left[0], right[0] + right[1])
        part += matmul(left[1], right[0])
        return self._settle(part + self._zero(part.shape), drop)

    def reshared(self, part: Ring) -> Share:
        """Shares of the sum of the three parties' parts, of whatever they were made."""
        return self.wires.around(part + self._zero(part.shape))

    def _settle(self, part: Ring, drop: int) -> Share:
        """Share the sum of the three parties' parts, which zero-shares have made uniform."""
        if not drop:
            return self.wires.around(part)
        if self.place != 0:
            self.wires.send(3 - self.place, part)
            part = part + self.wires.recv(3 - self.place, part.shape)
        return split.truncate(self.wires, part, drop)

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """Divide by 2^drop with an error of 0 or 1 ulp above the floor, for |values| < 2^62; exactly on demand."""
        known = split.known_part(self.wires, values)
        if not exact:  # a and b are moved by the same known number, so that the rounding is right on average
            known = split.moved(self.wires, known)
            return split.truncate(self.wires, known, drop)
        generate, propagate, _ = split.addition(self.wires, known, drop)
        carried = planes.unpack(planes.carry_out(self, generate, propagate), values.shape[1:])
        return split.truncate(self.wires, known, drop, carry=self.to_ring(carried[:, 0]))

    # ------------------------------------------------------------------ bits

    def mask(self, values: Share) -> SplitOperand:
        """Nothing to do: the split is what a share is."""
        return SplitOperand(self, split.known_part(self.wires, values))

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """One local product and one re-sharing for all of them."""
        x = np.concatenate([left] * len(rights), axis=1).reshape(2, -1)
        y = np.concatenate(rights, axis=1).reshape(2, -1)
        part = kernels.conjoin(x, y, self.wires.mine, self.wires.next, self.wires.use())
        product = self.wires.around(part).reshape(2, len(rights), *left.shape[1:])
        return tuple(product[:, place] for place in range(len(rights)))

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Of a + b."""
        return split.addition(self.wires, split.known_part(self.wires, values), places)

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """From the split of the bit."""
        return split.to_ring(self.wires, bits, dtype)

    def select(self, bits: Bits, values: Share) -> None:
        """With the bits as numbers."""

    # ------------------------------------------------------------------ order

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Each pair of neighbours in turn applies an order that the third does not know."""
        count, rows = columns[0].shape[1], list(columns)
        del columns
        for first in range(PARTIES):
            rows = order.move(self.wires, rows, first, order.draw(self.wires, first, count))
        return tuple(rows)


class SplitOperand:
    """A secret for comparisons and waves; see :class:`unseen.mpc.protocol.Masked`."""

    def __init__(self, protocol: Replicated3, known: Ring) -> None:
        self._protocol = protocol
        self._known = known

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:
        """[x < bound] is the sign of (a - bound) + b; coarsely, of the sum of their upper places, without a carry into them."""
        wires = self._protocol.wires
        shape = (len(bounds), *self._known.shape)
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        below = levels.reshape(-1, *[1] * self._known.ndim) * np.uint64(wires.place == 0)
        generate, propagate, top = split.start_of_sign(
            wires, (self._known[None] - below).reshape(-1) >> np.uint64(coarse), planes.WORD - coarse
        )
        sign = planes.carry_out(self._protocol, generate, propagate) ^ top
        return planes.unpack(sign, shape)[:, 0]

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """Sines of sums."""
        return split.harmonics(self._protocol.wires, self._known, period_bits, sine, bits)

    def powers(self, fraction: int) -> tuple[Share, Share, int]:
        """Of sums: eight products for the whole places, one for the fraction."""
        return *split.powers(self._protocol.wires, self._known, fraction), 2 * split.PART
