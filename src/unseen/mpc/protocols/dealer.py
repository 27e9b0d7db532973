"""Additive sharing over Z_2^64 among two or more holders, with a helper that deals randomness.

Against whom
    Semi-honest parties. The helper and any one holder must not collude; without the helper, all holders but one
    may collude and learn nothing. Nobody is trusted with data: the helper receives no message at all.
What it leaks
    Shapes, and the order of operations. All that is opened on the way is x + r with r uniform.
Assumption
    AES-128 in counter mode is a pseudo-random generator (the dealt shares are expanded from seeds).
Cost per element at each holder, N = 2
    ==================  ======  ==========================  =======================
    operation           rounds  bytes sent to each holder   bytes from the helper
    ==================  ======  ==========================  =======================
    share, public       0       0                           0
    multiply            1       16                          8
    matmul (n,k)(k,m)   1       8 (nk + km)                 8 nm
    fix                 1       8, once                     0
    fixed @ (k,m)       1       8 km                        8 nm
    truncate            1       8                           16
    mask + comparison   8       about 34                    about 45, per bound
    harmonics           0       0                           16 per harmonic
    ==================  ======  ==========================  =======================

The bytes from the helper go to the last holder only: the shares of the others are expanded from seeds.

Sources: Beaver, "Efficient Multiparty Protocols Using Circuit Randomization" (CRYPTO 1991); Catrina and Saxena,
"Secure Computation with Fixed-Point Numbers" (FC 2010) for truncation by an opened mask, here with the correction
for wrap-around, so that its error is 0 or 1 ulp and never 2^(64 - f) (local truncation, which fails that way, is
not used); Rotaru and Wood, "MArBled Circuits" (INDOCRYPT 2019) for bits shared twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import matmul
from unseen.mpc.fixed import Ring, encode
from unseen.mpc.protocols.bits import Bits, borrow_into_top, tree_order
from unseen.mpc.protocols.dealing import Dealing
from unseen.party import Party

_TOP = np.uint64(63)
_HALF = np.uint64(1 << 62)
_LOW = np.uint64((1 << 63) - 1)


def open_protocol(party: Party, *, holders: tuple[str, ...], helper: str) -> Dealer:
    """The protocol among these parties; others of the task take no part."""
    return Dealer(party, holders, helper)


class Dealer:
    """See the module."""

    def __init__(self, party: Party, holders: tuple[str, ...], helper: str) -> None:
        if len(holders) < 2 or helper in holders or len(set(holders)) != len(holders):  # noqa: PLR2004
            raise LocalProtocolError(
                "This protocol takes two or more holders and a helper who is none of them.",
                why=f"holders: {', '.join(holders)}; helper: {helper}",
                mend="a party must never deal to itself: name a third organisation as helper",
            )
        self.party = party
        self.holders = holders
        self.helper = helper
        self.peers = tuple(name for name in holders if name != party.name)
        self.dealing = Dealing(party, holders, helper)

    @property
    def holds(self) -> bool:
        """Whether this party has shares."""
        return self.party.name in self.holders

    @property
    def leads(self) -> bool:
        """Whether this party adds what is public."""
        return self.party.name == self.holders[0]

    # ------------------------------------------------------------------ linear

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Ring:
        """Share the owner's values; no message is needed: the others' shares are pairwise seeds' output."""
        if owner not in self.holders:
            raise LocalProtocolError(f"{owner} is no holder here and cannot share a value.")
        if not self.holds:
            return np.zeros(shape, np.uint64)
        if self.party.name != owner:
            return self.party.shared_rng(owner).u64(shape)
        if values is None:
            raise LocalProtocolError(f"{owner} has nothing to share.")
        mine = values.copy()
        for peer in self.peers:
            mine -= self.party.shared_rng(peer).u64(shape)
        return mine

    def public(self, values: Ring) -> Ring:
        """The first holder has the value, the others zero."""
        return values if self.leads else np.zeros_like(values)

    # ------------------------------------------------------------------ products

    def multiply(self, left: Ring, right: Ring) -> Ring:
        """Beaver's product of equal shapes."""
        deal = self.dealing
        a, b = deal.uniform(left.shape), deal.uniform(left.shape)
        c = deal.dealt(left.shape, lambda: a * b)
        if not self.holds:
            return np.zeros(left.shape, np.uint64)
        d, e = self._open(left - a, right - b)
        product: Ring = c + d * b + a * e + self.public(d * e)
        return product

    def matmul(self, left: Ring, right: Ring) -> Ring:
        """Beaver's matrix product."""
        deal = self.dealing
        shape = (left.shape[0], right.shape[1])
        a, b = deal.uniform(left.shape), deal.uniform(right.shape)
        c = deal.dealt(shape, lambda: matmul(a, b))
        if not self.holds:
            return np.zeros(shape, np.uint64)
        d, e = self._open(left - a, right - b)
        product: Ring = c + matmul(d, b + e if self.leads else b) + matmul(a, e)
        return product

    def fix(self, values: Ring) -> FixedOperand:
        """Open values - a once; the mask `a` covers this secret only and is never opened."""
        a = self.dealing.uniform(values.shape)
        delta = self._open(values - a)[0] if self.holds else np.zeros(values.shape, np.uint64)
        return FixedOperand(self, a, delta)

    # ------------------------------------------------------------------ truncation, comparison

    def truncate(self, values: Ring, bits: int) -> Ring:
        """Divide by 2^bits with an error of 0 or 1 ulp above the floor, for |values| < 2^62."""
        deal = self.dealing
        r = deal.uniform(values.shape)
        high = deal.dealt(values.shape, lambda: (r & _LOW) >> np.uint64(bits))
        top = deal.dealt(values.shape, lambda: r >> _TOP)
        if not self.holds:
            return np.zeros(values.shape, np.uint64)
        (c,) = self._open(values + self.public(np.broadcast_to(_HALF, values.shape)) + r)
        flip = c >> _TOP
        weight = np.uint64(1 << (63 - bits))
        known = ((c & _LOW) >> np.uint64(bits)) + flip * weight - np.uint64(1 << (62 - bits))
        return self.public(known) - high + (np.uint64(1) - np.uint64(2) * flip) * weight * top

    def mask(self, values: Ring) -> MaskedOperand:
        """Open values + r, with r also shared bit by bit."""
        r = self.dealing.uniform(values.shape)
        r_bits = self.dealing.dealt_bits(values.shape, np.uint64, lambda: tree_order(r))
        c = self._open(values + r)[0] if self.holds else np.zeros(values.shape, np.uint64)
        return MaskedOperand(self, r, r_bits, c)

    # ------------------------------------------------------------------ out

    def reveal(self, name: str, values: Ring, *, to: Sequence[str], shape: tuple[int, ...]) -> Ring | None:
        """Through the gate, with shares made fresh first, so that a part tells nothing but its sum."""
        part = None
        if self.holds:
            part = np.ascontiguousarray(values).copy()
            for peer in self.peers:
                zero = self.party.shared_rng(peer).u64(shape)
                part = part + zero if self.party.name < peer else part - zero
        parts = self.party.reveal(name, part, givers=self.holders, to=to, shape=shape)
        if parts is None:
            return None
        total = np.zeros(shape, np.uint64)
        for piece in parts.values():
            total += piece
        return total

    def _open(self, *values: Ring) -> list[Ring]:
        """Open masked values of the holders in one round."""
        flat = np.concatenate([item.reshape(-1) for item in values])
        total = self.party.open_masked(flat, peers=self.peers)
        ends = np.cumsum([item.size for item in values])[:-1]
        return [part.reshape(item.shape) for part, item in zip(np.split(total, ends), values, strict=True)]


class FixedOperand:
    """A secret M = delta + a: `delta` is public, `a` is shared (whole at the helper), for many products.

    z = M v = delta v + a (v - b) + a b, with b fresh for every product: a masks M alone and only M, so using it
    again tells nothing; b again would tell v - v'.
    """

    def __init__(self, dealer: Dealer, a: Ring, delta: Ring) -> None:
        self._dealer = dealer
        self._a = a
        self._delta = delta

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._a.shape

    @property
    def transposed(self) -> FixedOperand:
        """The same secret, transposed, under the same mask."""
        return FixedOperand(self._dealer, self._a.T, self._delta.T)

    def matmul(self, other: Ring) -> Ring:
        """Shares of self @ other."""
        deal = self._dealer.dealing
        shape = (self.shape[0], other.shape[1])
        b = deal.uniform(other.shape)
        c = deal.dealt(shape, lambda: matmul(self._a, b))
        if not self._dealer.holds:
            return np.zeros(shape, np.uint64)
        (e,) = self._dealer._open(other - b)  # noqa: SLF001 - one protocol
        product: Ring = c + matmul(self._delta, other) + matmul(self._a, e)
        return product

    def multiply(self, other: Ring) -> Ring:
        """Shares of self * other; `other` is opened in its own shape."""
        deal = self._dealer.dealing
        b = deal.uniform(other.shape)
        c = deal.dealt(self.shape, lambda: self._a * b)
        if not self._dealer.holds:
            return np.zeros(self.shape, np.uint64)
        (e,) = self._dealer._open(other - b)  # noqa: SLF001 - one protocol
        product: Ring = c + self._delta * other + self._a * e
        return product


class MaskedOperand:
    """x with c = x + r public, and r shared: as a ring element (whole at the helper) and bit by bit."""

    def __init__(self, dealer: Dealer, r: Ring, r_bits: Ring, c: Ring) -> None:
        self._dealer = dealer
        self._r = r
        self._r_bits = r_bits
        self._c = c

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of x."""
        return self._c.shape

    def less_than(self, bounds: Sequence[int]) -> Ring:
        """[x < bound] is the top bit of (c - bound) - r: top bits and the borrow into them, then a bit shared twice."""
        dealer = self._dealer
        bits = Bits(dealer.party, dealer.holders, dealer.dealing)
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        c = self._c[None] - levels.reshape(-1, *[1] * self._c.ndim)
        r_bits = np.broadcast_to(self._r_bits, c.shape)
        borrow = borrow_into_top(bits, tree_order(c), r_bits)
        top = (r_bits >> _TOP).astype(np.uint8) ^ borrow
        if dealer.leads:
            top = top ^ (c >> _TOP).astype(np.uint8)
        return bits.to_ring(top)

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Ring:
        """sin(k w x) = sin(k w c) cos(k w r) - cos(k w c) sin(k w r): public times dealt, no round."""
        dealer = self._dealer
        degrees = np.flatnonzero(sine) + 1
        shape = (2, len(degrees), *self.shape)
        half = bits // 2
        dealt = dealer.dealing.dealt(shape, lambda: self._waves(self._r, period_bits, degrees, half))
        if not dealer.holds:
            return np.zeros(self.shape, np.uint64)
        waves = self._waves(self._c, period_bits, degrees, bits - half, weights=sine[degrees - 1])
        total: Ring = (waves[1] * dealt[0] - waves[0] * dealt[1]).sum(axis=0, dtype=np.uint64)
        return total

    @staticmethod
    def _waves(
        x: Ring,
        period_bits: int,
        degrees: NDArray[np.int64],
        bits: int,
        weights: NDArray[np.float64] | None = None,
    ) -> Ring:
        """Cosine and sine of k w x, as fixed-point numbers, shape (2, len(degrees), *x.shape)."""
        angle = (x & np.uint64((1 << period_bits) - 1)) * (2 * np.pi / (1 << period_bits))
        phases = degrees.reshape(-1, *[1] * x.ndim) * angle
        size = np.ones(len(degrees)) if weights is None else weights
        size = size.reshape(-1, *[1] * x.ndim)
        return np.stack([encode(size * np.cos(phases), bits), encode(size * np.sin(phases), bits)])
