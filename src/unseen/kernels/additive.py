"""Additive shares between two holders: what a protocol computes between two messages, in one pass each.

Bits are packed eight to the byte, lowest first. :mod:`unseen.kernels.reference.additive` defines every function here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import additive as reference

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]

_native = native()


def beaver_product(c: Words, a: Words, b: Words, d: Words, e: Words, *, leads: bool) -> Words:
    """This party's share of a product, shape (n,): c + d b + a e, and d e where it `leads` (adds what is public).

    `a`, `b` and `c` are shares of a dealt product, `d` and `e` the opened factors less a and b.
    """
    compute = reference.beaver_product if _native is None else _native.beaver_product
    out: Words = compute(c, a, b, d, e, leads)
    return out


def beaver_and(c: Words, a: Words, b: Words, d: Words, e: Words, *, leads: bool) -> Words:
    """The same of bits, 64 a word: XOR for the sum, AND for the product."""
    compute = reference.beaver_and if _native is None else _native.beaver_and
    out: Words = compute(c, a, b, d, e, leads)
    return out


def lifted_bits(dealt: Words, opened: Bits, *, leads: bool) -> Words:
    """This party's share of v ^ rho as a number, shape (n,): `dealt` are shares of the numbers rho, `opened` the bits v."""
    compute = reference.lifted_bits if _native is None else _native.lifted_bits
    out: Words = compute(dealt, opened, leads)
    return out


def selected(x: Words, rho: Words, product: Words, e: Words, v: Bits) -> Words:
    """This party's share of x where a secret bit is 1, else 0, shape (n,): v x + (1 - 2 v) (rho e + product).

    `v` is the bit ^ rho and `e` is x less a, both opened; `rho` and `product` are shares of the bits rho and of rho a.
    """
    compute = reference.selected if _native is None else _native.selected
    out: Words = compute(x, rho, product, e, v)
    return out


def moved_tops(share: Words, offset: Words, mask: Bits, *, leads: bool) -> tuple[Words, Bits]:
    """The share moved up (`leads`: also by 2^62) or down by `offset`, and its top bits under `mask`, packed."""
    compute = reference.moved_tops if _native is None else _native.moved_tops
    moved: tuple[Words, Bits] = compute(share, offset, mask, leads)
    return moved


def without_wrap(
    moved: Words, drop: int, both: NDArray[Any], own: Bits, ours: Bits, theirs: Bits, *, leads: bool
) -> Words:
    """This party's share of what both hold moved, divided by 2^drop: its quotient, less the wrap of the sum.

    Parameters
    ----------
    both
        Share of the product of both parties' mask bits, modulo 2^32 (`drop` up to 32) or 2^64.
    own, ours, theirs
        Packed: this party's mask bits, its top bits under them, the other's top bits under the other's.
    """
    if _native is None or both.dtype != np.uint32:
        return reference.without_wrap(moved, drop, both, own, ours, theirs, leads)
    out: Words = _native.without_wrap(moved, drop, both, own, ours, theirs, leads)
    return out
