"""The protocol itself: sharing, products, truncation, revealing. Shares have one component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import matmul
from unseen.kernels.additive import beaver_product
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocol import W
from unseen.mpc.protocols.dealer import keys, order, wrap
from unseen.mpc.protocols.dealer.bits import BitGates
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.mpc.protocols.dealer.operands import FixedOperand, MaskedOperand
from unseen.mpc.reveal import Wanted, summed
from unseen.mpc.shares import Bits, Planes, Share
from unseen.mpc.supply import Supply
from unseen.party import Party

_TWO = 2
_TOP = np.uint64(63)
_HALF = np.uint64(1 << 62)
_LOW = np.uint64((1 << 63) - 1)


class Dealer:
    """See the package. Made by :func:`unseen.mpc.protocols.dealer.open_protocol`."""

    components = 1
    radix_up_to = 64  # the helper may not see comparisons
    waved = True

    def __init__(
        self,
        party: Party,
        holders: tuple[str, ...],
        helper: str,
        supply: Supply | None = None,
        *,
        fss: bool = False,
    ) -> None:
        self.fss = fss
        self.party = party
        self.holders = holders
        self.helper = helper
        self.peers = tuple(name for name in holders if name != party.name)
        self.dealing = Dealing(party, holders, helper, supply)
        self.gates = BitGates(party, holders, self.dealing)

    @property
    def holds(self) -> bool:
        """Whether this party has shares."""
        return self.party.name in self.holders

    @property
    def leads(self) -> bool:
        """Whether this party adds what is public."""
        return self.party.name == self.holders[0]

    # ------------------------------------------------------------------ in and out

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Share:
        """Share the owner's values; no message is needed: the others' shares are pairwise seeds' output."""
        return self._share(values, owner, shape, np.subtract)

    def share_bits(self, values: NDArray[np.uint8] | None, *, owner: str, shape: tuple[int, ...]) -> Bits:
        """The same by XOR."""
        words = None if values is None else values.astype(np.uint64)
        return (self._share(words, owner, shape, np.bitwise_xor) & np.uint64(1)).astype(np.uint8)

    def _share(self, values: Ring | None, owner: str, shape: tuple[int, ...], take: np.ufunc) -> Share:
        if owner not in self.holders:
            raise LocalProtocolError(f"{owner} is no holder here and cannot share a value.")
        if not self.holds:
            return np.zeros((1, *shape), np.uint64)
        if self.party.name != owner:
            return self.party.shared_rng(owner).u64((1, *shape))
        if values is None:
            raise LocalProtocolError(f"{owner} has nothing to share.")
        mine = values.copy()
        for peer in self.peers:
            take(mine, self.party.shared_rng(peer).u64(shape), out=mine)
        return mine[None]

    def collect(self, part: Ring, *, xor: bool = False) -> Share:  # noqa: ARG002 - alike for both
        """A part is a share."""
        return part[None]

    def public(self, values: Ring) -> Share:
        """The first holder has the value, the others zero."""
        return (values if self.leads else np.zeros_like(values))[None]

    def public_bits(self, values: NDArray[np.uint8]) -> Bits:
        """The same."""
        share: Bits = (values if self.leads else np.zeros_like(values))[None]
        return share

    def verify(self) -> None:
        """Nothing to check: everybody follows the protocol."""

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Through the gate, with shares made fresh first, so that a part tells nothing but its sum."""
        parts = [self._fresh(item.values)[0] if self.holds else None for item in wanted]
        return summed(self.party, wanted, parts, givers=self.holders)

    def _fresh(self, share: Share) -> Share:
        for peer in self.peers:
            zero = self.party.shared_rng(peer).u64(share.shape)
            share = share + zero if self.party.name < peer else share - zero
        return share

    def open_masked(self, values: Share, *, owner: str) -> Ring | None:
        """Every holder gives its part, the owner too, who could give another."""
        opened: Ring | None = self._open(values)[0][0] if self.holds else None
        return None if self.party.name == owner else opened

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """The holders tell one another; the helper, who deals the shuffles and knows their order, gets zeros."""
        return (
            order.open_shuffled(self.party, self.peers, values[0]) if self.holds else np.zeros_like(values[0])
        )

    # ------------------------------------------------------------------ products

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Beaver's product of equal shapes."""
        deal = self.dealing
        a, b = deal.uniform(left.shape), deal.uniform(left.shape)
        c = deal.dealt(left.shape, lambda: a * b)
        if not self.holds:
            return self._dropped(np.zeros(left.shape, np.uint64), drop)
        hidden = np.empty((2, left.size), np.uint64)
        np.subtract(left, a, out=hidden[0].reshape(left.shape))
        np.subtract(right, b, out=hidden[1].reshape(left.shape))
        d, e = self.party.open_masked(hidden, peers=self.peers)
        c, a, b = (item.reshape(-1) for item in (c, a, b))
        product = beaver_product(c, a, b, d, e, leads=self.leads).reshape(left.shape)
        return self._dropped(product, drop)

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Beaver's product, summed."""
        deal, dtype, shape = self.dealing, left.dtype.type, (1, *left.shape[2:])
        a, b = deal.uniform(left.shape, dtype), deal.uniform(left.shape, dtype)
        c = deal.dealt(shape, lambda: (a * b).sum(axis=1, dtype=dtype), dtype)
        if not self.holds:
            return np.zeros(shape, dtype)
        hidden = np.empty((2, *left.shape), dtype)
        np.subtract(left, a, out=hidden[0])
        np.subtract(right, b, out=hidden[1])
        d, e = self.party.open_masked(hidden, peers=self.peers)
        del hidden
        if self.leads:
            b += e
        terms = np.multiply(b, d, out=b)
        terms += np.multiply(a, e, out=a)
        total: NDArray[W] = c + terms.sum(axis=1, dtype=dtype)
        return total

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Beaver's matrix product."""
        return self._dropped(self._matmul(left, right), drop)

    def _matmul(self, left: Share, right: Share) -> Share:
        deal = self.dealing
        shape = (1, left.shape[1], right.shape[2])
        a, b = deal.uniform(left.shape), deal.uniform(right.shape)
        c = deal.dealt(shape, lambda: matmul(a[0], b[0])[None])
        if not self.holds:
            return np.zeros(shape, np.uint64)
        hidden = np.empty(left.size + right.size, np.uint64)
        np.subtract(left, a, out=hidden[: left.size].reshape(left.shape))
        np.subtract(right, b, out=hidden[left.size :].reshape(right.shape))
        opened = self.party.open_masked(hidden, peers=self.peers)
        d, e = opened[: left.size].reshape(left.shape), opened[left.size :].reshape(right.shape)
        del hidden
        product = matmul(a[0], e[0])[None]
        product += c
        if self.leads:
            b += e
        product += matmul(d[0], b[0])
        return product

    def fix(self, values: Share) -> FixedOperand:
        """Open values - a once; the mask `a` covers this secret only and is never opened."""
        a = self.dealing.uniform(values.shape)
        delta = self._open(values - a)[0] if self.holds else np.zeros(values.shape, np.uint64)
        return FixedOperand(self, a[0], delta[0])

    # ------------------------------------------------------------------ truncation

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """Divide by 2^drop with an error of 0 or 1 ulp above the floor, for |values| < 2^62.

        Two holders need a product of two bits (:mod:`.wrap`). More open c = values + 2^62 + r and correct the wrap of
        that. Exactly, the error is taken away: it is the borrow when the low places of r are subtracted from those of c.
        """
        if len(self.holders) == _TWO and not exact:
            return wrap.truncate(self.party, self.holders, self.dealing, values, drop)
        deal = self.dealing
        r = deal.uniform(values.shape)
        high = deal.dealt(values.shape, lambda: (r & _LOW) >> np.uint64(drop))
        top = deal.dealt(values.shape, lambda: r >> _TOP)
        r_bits = deal.dealt_bits(values.shape, np.uint64, lambda: r) if exact and not self.fss else None
        c = np.zeros(values.shape, np.uint64)
        if self.holds:
            (c,) = self._open(values + self._lead(np.broadcast_to(_HALF, values.shape)) + r)
        flip = c >> _TOP
        weight = np.uint64(1 << (63 - drop))
        known = ((c & _LOW) >> np.uint64(drop)) + flip * weight - np.uint64(1 << (62 - drop))
        out = self._lead(known) - high + (np.uint64(1) - np.uint64(2) * flip) * weight * top
        if r_bits is not None:
            generate, propagate, _ = self.subtraction(c, r_bits, drop)
            borrow = planes.unpack(planes.carry_out(self, generate, propagate), values.shape[1:])
            out = out - self.to_ring(borrow[:, 0])
        elif exact:
            low = np.uint64((1 << drop) - 1)
            below = keys.below(self, (c & low).reshape(1, -1), (r & low).reshape(-1), drop)
            out = out - self.to_ring(below).reshape(values.shape)
        return out if self.holds else np.zeros(values.shape, np.uint64)

    def _dropped(self, product: Share, drop: int) -> Share:
        return self.truncate(product, drop) if drop else product

    # ------------------------------------------------------------------ bits

    def mask(self, values: Share) -> MaskedOperand:
        """Open values + r, with r also shared bit by bit, or known to the helper who deals keys."""
        r = self.dealing.uniform(values.shape)
        r_bits = r if self.fss else self.dealing.dealt_bits(values.shape, np.uint64, lambda: r)
        c = self._open(values + r)[0] if self.holds else np.zeros(values.shape, np.uint64)
        kind = keys.KeyedOperand if self.fss else MaskedOperand
        return kind(self, r[0], r_bits[0], c[0])

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """Beaver's product of bits."""
        return self.gates.and_both(left, rights)

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Of c - r, where c = values + r is opened: a borrow takes the place of the carry."""
        r = self.dealing.uniform(values.shape)
        r_bits = self.dealing.dealt_bits(values.shape, np.uint64, lambda: r)
        c = self._open(values + r)[0] if self.holds else np.zeros(values.shape, np.uint64)
        return self.subtraction(c, r_bits, places)

    def subtraction(self, c: Ring, r_bits: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """A place makes a borrow if c is 0 and r is 1, and passes one on if they are equal."""
        known, masked = planes.places_of(c, places), planes.places_of(r_bits, places)
        half = masked ^ self._lead(known)
        return masked & ~known, half ^ self._lead(~np.zeros_like(known)), half

    def is_zero(self, values: Share, places: int) -> Bits | None:
        """By keys, where there are some."""
        return keys.is_zero(self, values, places) if self.fss else None

    def select(self, bits: Bits, values: Share) -> Share:
        """With bits that the helper deals in both ways, and their products with what masks the values."""
        return self.gates.select(bits, values)

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """By bits that the helper deals in both ways."""
        return self.gates.to_ring(bits, dtype)

    # ------------------------------------------------------------------ order

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Every holder in turn applies an order of its own; the helper deals what hides the rows meanwhile."""
        shares = [column[0] for column in columns]
        del columns
        for mover in self.holders:
            supply = self.dealing.supply
            shares = order.move(self.party, supply, self.holders, self.helper, shares, mover=mover)
        return tuple(share[None] for share in shares)

    # ------------------------------------------------------------------ inside the protocol

    def _lead(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return values if self.leads else np.zeros_like(values)

    def open_values(self, values: Ring) -> Ring:
        """Open a masked value of the holders."""
        return self._open(values)[0]

    def _open(self, *values: NDArray[W]) -> list[NDArray[W]]:
        """Open masked values of the holders in one round."""
        if len(values) == 1:
            return [self.party.open_masked(values[0], peers=self.peers)]
        flat = np.concatenate([item.reshape(-1) for item in values])
        total = self.party.open_masked(flat, peers=self.peers)
        ends = np.cumsum([item.size for item in values])[:-1]
        return [part.reshape(item.shape) for part, item in zip(np.split(total, ends), values, strict=True)]
