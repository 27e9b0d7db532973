"""Products that are checked: each against triples of which nobody knew, when they were made, which product they would meet.

A product of replicated shares costs one message a party. Under a zero-share it tells nothing, whoever deviates, but a wrong
message makes the product wrong, by an error that its sender chose and that does not depend on what it does not know. So
products are taken as they come and noted, and checked together later:

1. For N products, (N + 1) B triples a b = c of random secrets are made in the same way.
2. A coin puts them in order. The first B are opened and must be right. Product j gets B others as its bucket.
3. For each triple of its bucket, x - a and y - b are opened (a and b hide x and y), and

       z - c - (x - a) b - (y - b) a - (x - a) (y - b)

   is claimed to be zero: it is the product's error minus the triple's.

A wrong product passes only if all triples of its bucket are wrong by the same. Errors are fixed before the order is drawn,
so whoever made k >= 1 products wrong needs exactly k B wrong triples, in exactly the k buckets: one choice among
C((N + 1) B, k B). That is smallest for k = 1 and k = N, so the probability is at most 1 / C((N + 1) B, B), and
:func:`bucket` takes the B that makes it 2^-40 (:data:`SECURITY_BITS`) for every batch.

The same for bits, 64 to a word: XOR for the sum, AND for the product; a word is what is right or wrong.

Sources: Furukawa, Lindell, Nof, Weinstein, "High-Throughput Secure Three-Party Computation for Malicious Adversaries and an
Honest Majority" (EUROCRYPT 2017) for buckets; Araki and others, "Optimized Honest-Majority MPC for Malicious Adversaries"
(S&P 2017) for triples made after the products, which lets buckets be smaller (10 words for a product instead of 13); Eerikson
and others, "Use Your Brain! Arithmetic 3PC for Any Modulus with Active Security" (ITC 2020) for rings. The bound is worked
out here for this way of opening and matching, and tried out exhaustively for small N by a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import shares as kernels
from unseen.mpc.protocols.replicated3.replicated import public
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires
from unseen.mpc.shares import Share

SECURITY_BITS = 40
BATCH = 3 << 14
"""At most so many products are checked at a time: with three triples each. Two would be enough from 741,455 on, which took a
seventh of a gigabyte for what is checked at a time."""
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Algebra:
    """Numbers or bits: what a sum and what a product is, and the part of a product that one party makes."""

    xor: bool
    add: np.ufunc
    subtract: np.ufunc
    times: np.ufunc
    part: Callable[[Words, Words, bytes, bytes, int], Words]


NUMBERS = Algebra(xor=False, add=np.add, subtract=np.subtract, times=np.multiply, part=kernels.multiply)
BITS = Algebra(
    xor=True, add=np.bitwise_xor, subtract=np.bitwise_xor, times=np.bitwise_and, part=kernels.conjoin
)


@cache
def bucket(products: int) -> int:
    """Triples for each of that many products, so that a wrong one passes with probability at most 2^-40."""
    size = 2
    while math.comb((products + 1) * size, size) < 1 << SECURITY_BITS:
        size += 1
    return size


def batches(sizes: Iterable[int]) -> Iterator[int]:
    """How many products are checked at a time, when that many are made one after another and checked at the end."""
    total = sum(sizes)
    yield from [BATCH] * (total // BATCH)
    if total % BATCH:
        yield total % BATCH


class Gates:
    """Products of one algebra; see the module."""

    def __init__(self, wires: CheckedWires, algebra: Algebra) -> None:
        self._wires = wires
        self._algebra = algebra
        self._noted: Words | None = None  # factors and product, shape (3, 2, BATCH)
        self._count = 0

    def product(self, left: Share, right: Share) -> Share:
        """Shares of the products of shares (2, n), to be checked by :meth:`check` before anything is opened."""
        made = self._unchecked(left, right)
        begin, total = 0, left.shape[1]
        while begin < total:
            end = min(total, begin + BATCH - self._count)
            if self._noted is None:
                self._noted = np.empty((3, 2, BATCH), np.uint64)
            # Copies: what is checked must be what was multiplied, whatever the caller does with its arrays.
            for place, one in enumerate((left, right, made)):
                self._noted[place, :, self._count : self._count + end - begin] = one[:, begin:end]
            self._count += end - begin
            begin = end
            if self._count == BATCH:
                self.check()
        return made

    def _unchecked(self, left: Share, right: Share) -> Share:
        wires = self._wires
        x, y = np.ascontiguousarray(left), np.ascontiguousarray(right)
        return wires.around(self._algebra.part(x, y, wires.mine, wires.next, wires.use()))

    def check(self) -> None:
        """Claim that all noted products are right; the claims are settled by :meth:`CheckedWires.settle`.

        Raises
        ------
        VerificationError
            An opened triple is wrong, or parties do not see the same.
        """
        if self._noted is None:
            return
        x, y, z = self._noted[..., : self._count]
        self._noted, self._count = None, 0
        size = bucket(x.shape[1])
        triples = [self._wires.random(((x.shape[1] + 1) * size,)) for _ in range(2)]
        triples.append(self._unchecked(*triples))
        order = self._wires.coin().permutation(triples[0].shape[1])
        for place in range(3):  # one after another, so that little is there twice
            triples[place] = np.take(triples[place], order, axis=1)
        self._sacrifice((x, y, z), triples, size)

    def _sacrifice(self, gates: tuple[Share, Share, Share], triples: list[Share], size: int) -> None:
        """Open the first `size` triples, and check every product against `size` of the others."""
        wires, algebra = self._wires, self._algebra
        (x, y, z), (a, b, c) = gates, triples
        products = x.shape[1]
        opened = np.empty((2, 3 * size + 2 * size * products), np.uint64)
        opened[:, : 3 * size] = np.concatenate([part[:, :size] for part in (a, b, c)], axis=1)
        masked = opened[:, 3 * size :].reshape(2, 2, size, products)  # x - a and y - b
        for factor, (value, mask) in enumerate(((x, a), (y, b))):
            buckets = mask[:, size:].reshape(2, size, products)
            algebra.subtract(value[:, None], buckets, out=masked[:, factor])
        told = wires.open(opened, xor=algebra.xor)
        del opened, masked
        one, other, product = told[: 3 * size].reshape(3, size)
        if not np.array_equal(algebra.times(one, other), product):
            wires.fail("One of the others deviated from the protocol.", why="an opened triple is no product")
        lefts, rights = told[3 * size :].reshape(2, size, products)
        for place, (left, right) in enumerate(zip(lefts, rights, strict=True)):
            here = slice(size + place * products, size + (place + 1) * products)
            known = public(wires.place, algebra.times(left, right))
            for part in (algebra.times(left, b[:, here]), algebra.times(right, a[:, here]), c[:, here]):
                known = algebra.add(known, part)
            wires.zero(algebra.subtract(z, known), xor=algebra.xor)
