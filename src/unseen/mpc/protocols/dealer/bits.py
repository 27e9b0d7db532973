"""Boolean shares (by XOR) as planes, and the way back into the ring, with dealt randomness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import additive as kernels
from unseen.mpc.protocols.dealer.dealing import Dealing, U
from unseen.mpc.shares import Planes
from unseen.party import Masked, Message, Party, require

_BITS_OF_BYTE = 8


class Choice(Message, frozen=True, tag="mpc.dealer2.choice/1"):
    """The sender's part of bits, eight to the byte, and of words, each under masks that nobody knows."""

    bits: Masked
    words: Masked


class BitGates:
    """AND of XOR-shared words, and bits back into the ring, with dealt randomness."""

    def __init__(self, party: Party, holders: tuple[str, ...], dealing: Dealing) -> None:
        self._party = party
        self._peers = tuple(name for name in holders if name != party.name)
        self._dealing = dealing
        self.leads = party.name == holders[0]
        self.holds = party.name in holders

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """`left & right` for each right operand, in one round; `left` is masked once."""
        deal, shape, count = self._dealing, left.shape, left.size
        masks = deal.uniform_bits((1 + len(rights), count), np.uint64)
        products = deal.dealt_bits((len(rights), count), np.uint64, lambda: masks[0] & masks[1:])
        if not self.holds:
            return tuple(np.zeros(shape, np.uint64) for _ in rights)
        hidden = np.empty_like(masks)
        for place, item in enumerate((left, *rights)):
            np.bitwise_xor(item, masks[place].reshape(shape), out=hidden[place].reshape(shape))
        d, *opened = self._party.open_masked(hidden, peers=self._peers, xor=True)
        return tuple(
            kernels.beaver_and(c, masks[0], b, d, e, leads=self.leads).reshape(shape)
            for c, b, e in zip(products, masks[1:], opened, strict=True)
        )

    def to_ring(self, bits: NDArray[np.uint8], dtype: type[U]) -> NDArray[U]:
        """Additive shares of single bits (in the lowest place of each byte)."""
        deal, count = self._dealing, bits.size
        rho = deal.uniform_bits((-(-count // _BITS_OF_BYTE),), np.uint8)
        dealt = deal.dealt((count,), lambda: _unpacked(rho, count).astype(dtype), dtype)
        if not self.holds:
            return np.zeros(bits.shape, dtype)
        hidden = np.packbits((bits & 1).reshape(-1), bitorder="little") ^ rho
        opened = self._party.open_masked(hidden, peers=self._peers, xor=True)
        if dtype == np.uint64:
            made: NDArray[Any] = kernels.lifted_bits(dealt, opened, leads=self.leads)
            return made.reshape(bits.shape)
        v = _unpacked(opened, count).astype(dtype)
        narrow: NDArray[U] = dealt - dtype(2) * v * dealt
        return (narrow + v if self.leads else narrow).reshape(bits.shape)

    def select(self, bits: NDArray[np.uint8], values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Additive shares of values where bits are 1, else 0, in one round.

        With b = v ^ rho, v opened: b x = v x + (1 - 2 v) rho x, and rho x = rho (x - a) + rho a, x - a opened.
        """
        deal, count = self._dealing, bits.size
        rho = deal.uniform_bits((-(-count // _BITS_OF_BYTE),), np.uint8)
        a = deal.uniform((count,))
        dealt = deal.dealt((2, count), lambda: _with_product(_unpacked(rho, count).astype(np.uint64), a))
        if not self.holds:
            return np.zeros(bits.shape, np.uint64)
        x = np.ascontiguousarray(values).reshape(-1)
        hidden = Choice(np.packbits((bits & 1).reshape(-1), bitorder="little") ^ rho, x - a)
        v, e = hidden.bits, hidden.words
        for peer, theirs in self._party.exchange(hidden, Choice, peers=self._peers).items():
            require(theirs.bits, shape=v.shape, dtype=np.uint8, sender=peer)
            require(theirs.words, shape=e.shape, dtype=np.uint64, sender=peer)
            v, e = v ^ theirs.bits, e + theirs.words
        return kernels.selected(x, dealt[0], dealt[1], e, v).reshape(bits.shape)


def _with_product(rho: NDArray[np.uint64], a: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.stack([rho, rho * a])


def _unpacked(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    return np.unpackbits(packed, count=count, bitorder="little")
