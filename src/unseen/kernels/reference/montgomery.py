"""What :mod:`unseen.kernels.montgomery` computes, on Python's integers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LIMB_BITS = 52
_MASK = (1 << LIMB_BITS) - 1

Rows = NDArray[np.uint64]


def split(numbers: Sequence[int], limbs: int) -> Rows:
    """Numbers as limbs of 52 bits, shape (n, limbs)."""
    flat = [number >> (LIMB_BITS * j) & _MASK for number in numbers for j in range(limbs)]
    return np.array(flat, np.uint64).reshape(len(numbers), limbs)


def joined(rows: Rows, bits: int = LIMB_BITS) -> list[int]:
    """Limbs (n, limbs) as numbers."""
    numbers: list[int] = []
    for row in rows.tolist():
        number = 0
        for limb in reversed(row):
            number = number << bits | int(limb)
        numbers.append(number)
    return numbers


def _radix(rows: Rows) -> int:
    return 1 << int(LIMB_BITS * rows.shape[1])


def enter(modulus: int, limbs: int, words: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The residues x R mod n, and whether x < n; 0 where it is not."""
    numbers = joined(words, 64)
    flags = [number < modulus for number in numbers]
    shift = LIMB_BITS * limbs
    held = [(number << shift) % modulus if flag else 0 for number, flag in zip(numbers, flags, strict=True)]
    return split(held, limbs), np.array(flags, np.bool_)


def leave(modulus: int, rows: Rows, width: int) -> Rows:
    """The x of x R mod n, as 64-bit words."""
    inverse = pow(_radix(rows), -1, modulus)
    numbers = [number * inverse % modulus for number in joined(rows)]
    flat = [number >> (64 * k) & ((1 << 64) - 1) for number in numbers for k in range(width)]
    return np.array(flat, np.uint64).reshape(len(numbers), width)


def multiply(modulus: int, left: Rows, right: Rows) -> Rows:
    """(x R) (y R) / R mod n."""
    if len(right) not in (len(left), 1) or right.shape[1] != left.shape[1]:
        raise ValueError("as many rows on either side, or one row")
    inverse = pow(_radix(left), -1, modulus)
    factors = joined(right) * (len(left) if len(right) == 1 else 1)
    return split(
        [a * b * inverse % modulus for a, b in zip(joined(left), factors, strict=False)], left.shape[1]
    )


def products(modulus: int, table: Rows, order: NDArray[np.int64], starts: NDArray[np.int64]) -> Rows:
    """Each segment's product."""
    ends = starts.tolist()
    if not ends or ends[0] < 0 or sorted(ends) != ends or ends[-1] > len(order):
        raise ValueError("segments follow one another")
    if len(order) and not 0 <= order.min() <= order.max() < len(table):
        raise ValueError("there is no such row")
    numbers, radix, places = joined(table), _radix(table), order.tolist()
    inverse, out = pow(radix, -1, modulus), []
    for first, last in itertools.pairwise(ends):
        product = radix % modulus
        for place in places[first:last]:
            product = product * numbers[place] * inverse % modulus
        out.append(product)
    return split(out, table.shape[1])


def power(modulus: int, base: Rows, exponent: int) -> Rows:
    """The residues x^e R mod n."""
    radix = _radix(base)
    inverse = pow(radix, -1, modulus)
    held = [pow(number * inverse, exponent, modulus) * radix % modulus for number in joined(base)]
    return split(held, base.shape[1])
