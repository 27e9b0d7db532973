"""Comparisons by function secret sharing, between two holders: one round, that of the opened mask, and large keys.

The helper knows r, and deals keys of [p < r] (:mod:`unseen.kernels.dcf`): each holder evaluates its key at the opened value, by
itself. A key hides r from its holder however often it is evaluated; what must never be used twice is r, which is drawn anew
for every value. Keys are dealt anew at each use, and in pieces, as they are large.

Source: Boyle, Chandran, Gilboa, Gupta, Ishai, Kumar, Rathee, "Function Secret Sharing for Mixed-Mode and Fixed-Point Secure
Computation" (EUROCRYPT 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unseen.kernels import dcf
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.dealer.operands import MaskedOperand
from unseen.mpc.shares import Bits, Share

if TYPE_CHECKING:
    from unseen.mpc.protocols.dealer.sharing import Dealer

PIECE = 1 << 15
"""So many keys are dealt, sent and evaluated at a time: 30 MB."""
_TOP = 63


def below(dealer: Dealer, points: Ring, r: Ring, bits: int) -> Bits:
    """XOR shares of [points < r], shape (1, k, n), of public points (k, n) and r (n,), whole at the helper, below 2^bits."""
    out = np.zeros((1, *points.shape), np.uint8)
    for begin in range(0, points.shape[1], PIECE):
        piece = slice(begin, begin + PIECE)
        count = len(range(*piece.indices(points.shape[1])))
        roots, words = dealer.dealing.comparison_keys(count, bits, partial(np.ascontiguousarray, r[piece]))
        if dealer.holds:
            here = np.ascontiguousarray(points[:, piece])
            out[0, :, piece] = dcf.evaluate(roots, words, here, bits, second=not dealer.leads)
    return out


def is_zero(dealer: Dealer, values: Share, places: int) -> Bits:
    """X = 0, of the lowest places of x = c - r, is c = r: c - 1 is below r and c is not, but that below c = 0 nothing is."""
    r = dealer.dealing.uniform(values.shape)
    c = dealer.open_values(values + r) if dealer.holds else np.zeros(values.shape, np.uint64)
    low = np.uint64((1 << places) - 1)
    c, r = c.reshape(1, -1) & low, r.reshape(-1) & low
    one, other = below(dealer, np.concatenate([c, (c - np.uint64(1)) & low]), r, places)[0]
    bits = one ^ other
    if dealer.leads:
        bits ^= (c[0] == 0).astype(np.uint8)
    made: Bits = bits.reshape(values.shape)
    return made


class KeyedOperand(MaskedOperand):
    """x with c = x + r public, and r known to the helper, who deals keys that hide it."""

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:  # noqa: ARG002 - always exact
        """[x < bound] is the top bit of (c - bound) - r: the top bits, and whether the rest of c - bound is below that of r."""
        dealer, low = self._dealer, np.uint64((1 << _TOP) - 1)
        levels = np.array([bound % (1 << 64) for bound in bounds], np.uint64)
        c = self._c.reshape(1, -1) - levels[:, None]
        r = self._r.reshape(-1)
        tops = dealer.dealing.dealt_bits(
            (-(-r.size // 8),), np.uint8, lambda: np.packbits(r >> np.uint64(_TOP))
        )
        made = below(dealer, c & low, r & low, _TOP)
        if dealer.holds:
            made ^= np.unpackbits(tops, count=r.size)[None, None]
        if dealer.leads:
            made ^= (c >> np.uint64(_TOP)).astype(np.uint8)[None]
        return made.reshape(1, len(bounds), *self.shape)
