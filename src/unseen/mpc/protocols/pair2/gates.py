"""AND of bits that are shared by XOR, from random transfers.

A transfer with random choice c and random pads r, r' gives c (r ^ r') as a XOR of what the two know. One in each direction
makes a triple a b = c with a = c0 ^ c1, whose two halves are the choices; pads have bits to spare, so `b` and `c` are two
of each: the same left operand times two right ones costs no more transfers. The triples are made when they are needed, for
a whole tree of ANDs at once where :meth:`Gates.prepare` was called.

Source: Asharov, Lindell, Schneider, Zohner, "More Efficient Oblivious Transfer" (CCS 2013) for triples from random
transfers; Rathee et al., "CrypTFlow2" (CCS 2020) for two products with one left operand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import transfers
from unseen.mpc.protocols.pair2.products import in_order, roles
from unseen.mpc.protocols.pair2.wires import AHEAD, Wires
from unseen.mpc.shares import Planes

Words = NDArray[np.uint64]

WORD = 64
RIGHTS = 2
PIECE = 1 << 10  # words: 65,536 transfers, a megabyte of rows
TOGETHER = AHEAD // WORD  # words whose choices are sent ahead


class Gates:
    """See the module."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._stock: Words = np.empty((1 + 2 * RIGHTS, 0), np.uint64)  # a; b and b'; c and c'

    def prepare(self, words: int) -> None:
        """Have triples for so many words of left operands."""
        missing = words - self._stock.shape[1]
        if missing <= 0:
            return
        self._wires.prepare(2 * WORD * missing)
        parts = [self._make(min(TOGETHER, missing - begin)) for begin in range(0, missing, TOGETHER)]
        self._stock = np.concatenate([self._stock, *parts], axis=1)

    def _make(self, words: int) -> Words:
        """All choices first, so that the other need not be waited for between pieces."""
        sizes = [min(PIECE, words - begin) for begin in range(0, words, PIECE)]
        chosen = np.concatenate([self._choose(size) for size in sizes], axis=1)
        pads = np.concatenate([self._answer(size) for size in sizes], axis=2)
        a, b = chosen[0], pads[0] ^ pads[1]
        return np.concatenate([a[None], b, chosen[1:] ^ pads[0] ^ (a & b)])

    def _choose(self, words: int) -> Words:
        """Random choices, and the pads of them: (1 + RIGHTS, words)."""
        half = self._wires.choose(WORD * words)
        a = np.packbits(half.choices, bitorder="little").view("<u8").astype(np.uint64, copy=False)
        return np.concatenate([a[None], transfers.hash_planes(half.rows, RIGHTS)[0]])

    def _answer(self, words: int) -> Words:
        """Both pads, (2, RIGHTS, words)."""
        half = self._wires.answer(WORD * words, random=True)
        return transfers.hash_planes(half.rows, RIGHTS, half.delta)

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """`left & right` for each right operand: one opening after the triples."""
        if len(rights) > RIGHTS:
            return self.and_both(left, rights[:RIGHTS]) + self.and_both(left, rights[RIGHTS:])
        shape, words = left.shape, left.size
        self.prepare(words)
        triples, self._stock = self._stock[:, :words], self._stock[:, words:]
        used = [0, *range(1, 1 + len(rights))]
        mine = np.stack([left.reshape(-1), *(right.reshape(-1) for right in rights)]) ^ triples[used]
        d, *e = mine ^ self._wires.exchange(mine)
        out = []
        for place, opened in enumerate(e):
            product = triples[1 + RIGHTS + place] ^ (d & triples[1 + place]) ^ (triples[0] & opened)
            out.append((product ^ (d & opened) if self._wires.place == 0 else product).reshape(shape))
        return tuple(out)

    def private(self, mine: Words) -> Words:
        """Shares of the AND of bits that this party knows and bits that the other knows: words of any shape.

        One transfer a bit: each offers for one half of the words and chooses with the other.
        """
        flat = np.ascontiguousarray(mine).reshape(-1)
        self._wires.prepare(WORD * flat.size)
        parts = [self._private(flat[begin : begin + 2 * PIECE]) for begin in range(0, flat.size, 2 * PIECE)]
        return np.concatenate([np.empty(0, np.uint64), *parts]).reshape(mine.shape)

    def _private(self, mine: Words) -> Words:
        wires = self._wires
        offering, choosing = roles(wires, mine)
        rows = None
        if len(choosing):
            bits = np.unpackbits(choosing.astype("<u8", copy=False).view(np.uint8), bitorder="little")
            rows = wires.choose(WORD * len(choosing), bits).rows
        given, taken = offering, choosing
        if len(offering):
            offered = wires.answer(WORD * len(offering))
            pads = transfers.hash_planes(offered.rows, 1, offered.delta)[:, 0]
            given = pads[0]
            wires.offer(offering ^ pads[0] ^ pads[1])
        if rows is not None:
            taken = transfers.hash_planes(rows, 1)[0, 0] ^ (
                choosing & wires.take((len(choosing),), np.uint64)
            )
        return in_order(wires, given, taken)
