"""Secrets that are opened once under a mask and then used many times: in products, comparisons and waves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import matmul
from unseen.kernels import shares as kernels
from unseen.kernels.powers import ROWS, power_factors, power_products
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.shares import Bits, Share

if TYPE_CHECKING:
    from unseen.mpc.protocols.dealer.sharing import Dealer

_PLACES = 64
_ONE = 30
_PART = 20  # fraction bits of each factor of 2^fraction
_PIECE = 1 << 14


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

    def matmul(self, other: Share) -> Share:
        """Shares of self @ other."""
        return self._matmul(other[0])[None]

    def _matmul(self, other: Ring) -> Ring:
        deal = self._dealer.dealing
        shape = (self.shape[0], other.shape[1])
        b = deal.uniform(other.shape)
        c = deal.dealt(shape, lambda: matmul(self._a, b))
        if not self._dealer.holds:
            return np.zeros(shape, np.uint64)
        e = self._dealer.open_values(other - b)
        product: Ring = c + matmul(self._delta, other) + matmul(self._a, e)
        return product

    def multiply(self, other: Share) -> Share:
        """Shares of self * other; `other` is opened in its own shape."""
        return self._multiply(other[0])[None]

    def _multiply(self, other: Ring) -> Ring:
        deal = self._dealer.dealing
        b = deal.uniform(other.shape)
        c = deal.dealt(self.shape, lambda: self._a * b)
        if not self._dealer.holds:
            return np.zeros(self.shape, np.uint64)
        e = self._dealer.open_values(other - b)
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

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:
        """[x < bound] is the top bit of (c - bound) - r: the top bits and the borrow into them.

        Coarsely, of the difference of their upper places less 1, which is right or, without a borrow from below, too little by one.
        """
        dealer = self._dealer
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        c = self._c[None] - levels.reshape(-1, *[1] * self._c.ndim)
        r_bits = np.ascontiguousarray(np.broadcast_to(self._r_bits, c.shape))
        if coarse:
            c, r_bits = (c >> np.uint64(coarse)) - np.uint64(1), r_bits >> np.uint64(coarse)
        generate, propagate, half = dealer.subtraction(c[None], r_bits[None], _PLACES - coarse)
        borrow = planes.carry_out(dealer, generate[:, :-1], propagate[:, :-1])
        return planes.unpack(half[:, -1:] ^ borrow, c.shape)[:, 0]

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """sin(k w x) = sin(k w c) cos(k w r) - cos(k w c) sin(k w r): public times dealt, no round."""
        dealer = self._dealer
        weights = np.rint(sine * 2.0**_ONE).astype(np.int64)
        ones = (weights != 0) * np.int64(1 << _ONE)
        half = bits // 2
        shape = (2, int(np.count_nonzero(weights)), self._r.size)
        r, c = (np.ascontiguousarray(word).reshape(-1) for word in (self._r, self._c))
        dealt = dealer.dealing.dealt(shape, lambda: kernels.waves(r, period_bits, ones, half))
        if not dealer.holds:
            return np.zeros((1, *self.shape), np.uint64)
        negative = np.stack([np.uint64(0) - dealt[0], dealt[1]])  # the sine of -r
        total = kernels.wave_products(c, period_bits, weights, bits - half, negative)
        return total.reshape(1, *self.shape)

    def powers(self, fraction: int) -> tuple[Share, Share, int]:
        """2^(c - r) from factors that the helper deals of r: public times dealt, no round. In pieces, dealt as they are used."""
        dealer, made = self._dealer, np.zeros((2, self._r.size), np.uint64)
        r, c = (np.ascontiguousarray(word).reshape(-1) for word in (self._r, self._c))
        for begin in range(0, r.size, _PIECE):
            piece = slice(begin, min(begin + _PIECE, r.size))
            factors = dealer.dealing.dealt(
                (ROWS, piece.stop - begin), partial(power_factors, r[piece], fraction, _PART)
            )
            if dealer.holds:
                made[:, piece] = power_products(c[piece], fraction, _PART, factors)
        whole, rest = made.reshape(2, 1, *self.shape)
        return whole, rest, 2 * _PART + 1
