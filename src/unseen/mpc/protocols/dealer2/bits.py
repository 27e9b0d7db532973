"""Boolean shares (by XOR) of whole words, the carry tree of a comparison, and the way back into the ring.

Words are held in *tree* order: place i of a word lies at the position whose six binary digits are those of i
backwards. Then the upper half of a word holds the odd places and the lower half the even ones, and so again in each
half: at every level of the tree, combining neighbours is one AND of two halves.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.dealer2.dealing import Dealing
from unseen.party import Party

U = TypeVar("U", bound=np.unsignedinteger[Any])
Words = NDArray[Any]

_SWAPS = tuple(
    (
        np.uint64((1 << high) - (1 << low)),
        np.uint64(sum(1 << i for i in range(64) if i >> low & 1 and not i >> high & 1)),
    )
    for low, high in ((0, 5), (1, 4), (2, 3))
)
_BITS_OF_BYTE = 8


def tree_order(words: Ring) -> Ring:
    """Place i to the position with the digits of i backwards; its own inverse."""
    for shift, mask in _SWAPS:
        difference = ((words >> shift) ^ words) & mask
        words = words ^ difference ^ (difference << shift)
    return words


class BitGates:
    """AND of XOR-shared words, and bits back into the ring, with dealt randomness."""

    def __init__(self, party: Party, holders: tuple[str, ...], dealing: Dealing) -> None:
        self._party = party
        self._peers = tuple(name for name in holders if name != party.name)
        self._dealing = dealing
        self.leads = party.name == holders[0]
        self.holds = party.name in holders

    def flip(self, words: Words) -> Words:
        """NOT."""
        return ~words if self.leads else words

    def and_both(self, left: Words, rights: tuple[Words, ...]) -> tuple[Words, ...]:
        """`left & right` for each right operand, in one round; `left` is masked once."""
        deal, shape, dtype = self._dealing, left.shape, left.dtype.type
        a = deal.uniform_bits(shape, dtype)
        masks = [deal.uniform_bits(shape, dtype) for _ in rights]
        products = [deal.dealt_bits(shape, dtype, partial(np.bitwise_and, a, b)) for b in masks]
        if not self.holds:
            return tuple(np.zeros(shape, dtype) for _ in rights)
        hidden = np.stack([left ^ a, *(right ^ b for right, b in zip(rights, masks, strict=True))])
        d, *opened = self._party.open_masked(hidden, peers=self._peers, xor=True)
        results = []
        for e, b, c in zip(opened, masks, products, strict=True):
            result = c ^ (d & b) ^ (a & e)
            results.append(result ^ (d & e) if self.leads else result)
        return tuple(results)

    def to_ring(self, bits: NDArray[np.uint8]) -> Ring:
        """Additive shares of single bits (in the lowest place of each byte)."""
        deal, shape = self._dealing, bits.shape
        packed_shape = (-(-bits.size // _BITS_OF_BYTE),)
        rho_packed = deal.uniform_bits(packed_shape, np.uint8)
        rho = np.unpackbits(rho_packed, count=bits.size).reshape(shape)
        rho_ring = deal.dealt(shape, lambda: rho.astype(np.uint64))
        if not self.holds:
            return np.zeros(shape, np.uint64)
        hidden = np.packbits((bits & 1).reshape(-1)) ^ rho_packed
        opened = self._party.open_masked(hidden, peers=self._peers, xor=True)
        v = np.unpackbits(opened, count=bits.size).reshape(shape).astype(np.uint64)
        signed = (np.uint64(1) - np.uint64(2) * v) * rho_ring
        return signed + v if self.leads else signed


def borrow_into_top(bits: BitGates, c: Ring, r: Ring) -> NDArray[np.uint8]:
    """Shares of the borrow into place 63 when r is subtracted from c, in bit 0 of each byte.

    `c` is public, `r` shared by XOR, both in tree order (where place 63 stays at 63). A place makes a borrow
    (g) if c is 0 and r is 1, and passes one on (p) if they are equal; neighbours combine as
    (g, p) = (g_high ^ p_high g_low, p_high p_low). The top place itself is made neutral: it passes on.
    """
    top = np.uint64(1 << 63)
    g = r & ~c & ~top
    p = r ^ ~c if bits.leads else r.copy()
    p = (p & ~top) | (top if bits.leads else np.uint64(0))
    words_g: Words = g
    words_p: Words = p
    for width, dtype in ((64, np.uint32), (32, np.uint16), (16, np.uint8), (8, np.uint8), (4, np.uint8)):
        words_g, words_p = _combine(bits, words_g, words_p, width, dtype)
    g_low, g_high = _halves(words_g, 2, np.uint8)
    _, p_high = _halves(words_p, 2, np.uint8)
    (carried,) = bits.and_both(p_high, (g_low,))
    return (g_high ^ carried) & np.uint8(1)


def _combine(bits: BitGates, g: Words, p: Words, width: int, dtype: type[Any]) -> tuple[Words, Words]:
    g_low, g_high = _halves(g, width, dtype)
    p_low, p_high = _halves(p, width, dtype)
    carried, passed = bits.and_both(p_high, (g_low, p_low))
    return g_high ^ carried, passed


def _halves(words: Words, width: int, dtype: type[Any]) -> tuple[Words, Words]:
    """The even places and the odd places of words of `width` bits in tree order."""
    half = width // 2
    mask = (1 << half) - 1
    return (words & words.dtype.type(mask)).astype(dtype), (words >> words.dtype.type(half)).astype(
        dtype
    ) & dtype(mask)
