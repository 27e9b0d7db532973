"""What two parties make of the rows of correlated transfers in one pass: pads of bits, carries, products.

The sender's row is q, the receiver's is q, or q ^ delta where its choice is 1. A *pad* is the lower word of the hash of a
row (:func:`unseen.kernels.blocks.hash_blocks`). Every row is used once.

:mod:`unseen.kernels.reference.transfers` defines every function here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import transfers as reference

Blocks = NDArray[np.uint8]
Words = NDArray[np.uint64]

_native = native()


def product_bytes(bits: int, ring: int) -> int:
    """Length of one offer of :func:`offer_products`: ring - i bits for each bit i, in whole bytes."""
    return -(-(bits * ring - bits * (bits - 1) // 2) // 8)


def hash_planes(rows: Blocks, width: int, delta: Blocks | None = None) -> Words:
    """The lowest `width` bits of the pads of n rows, n a multiple of 64, as planes: shape (1, width, n / 64).

    With `delta` the pads of the rows ^ delta come second: (2, width, n / 64).
    """
    if _native is None:
        return reference.hash_planes(rows, width, delta)
    out: Words = _native.hash_planes(rows, width, delta)
    return out


def offer_carries(
    rows: Blocks, delta: Blocks, words: Words, leaves: int
) -> tuple[NDArray[np.uint16], Words, Words]:
    """The sender's side of adding words place by place, three places a leaf, `leaves` leaves from the top.

    Rows are (element, leaf, place), lowest leaf first: shape (3 * leaves * n, 16).

    Returns
    -------
    What the receiver needs, (n, leaves); this side's shares (by XOR) of whether a leaf makes a carry and whether it would
    pass one on: planes, (leaves, ceil(n / 64)).
    """
    if _native is None:
        return reference.offer_carries(rows, delta, words, leaves)
    out: tuple[NDArray[np.uint16], Words, Words] = _native.offer_carries(rows, delta, words, leaves)
    return out


def take_carries(rows: Blocks, words: Words, offers: NDArray[np.uint16]) -> tuple[Words, Words]:
    """The receiver's side, whose choices were the bits of `words`: its shares."""
    if _native is None:
        return reference.take_carries(rows, words, offers)
    out: tuple[Words, Words] = _native.take_carries(rows, words, offers)
    return out


def offer_products(rows: Blocks, delta: Blocks, words: Words, bits: int, ring: int) -> tuple[Blocks, Words]:
    """The sender's side of words (n, width) times numbers (n,) of `bits` bits of the receiver, modulo 2^ring.

    Rows are (element, bit): shape (bits * n, 16).

    Returns
    -------
    What the receiver needs, (n, width, product_bytes(bits, ring)); this side's share, (n, width), below 2^ring.
    """
    if _native is None:
        return reference.offer_products(rows, delta, words, bits, ring)
    out: tuple[Blocks, Words] = _native.offer_products(rows, delta, words, bits, ring)
    return out


def take_products(rows: Blocks, numbers: Words, offers: Blocks, bits: int, ring: int) -> Words:
    """The receiver's side, whose choices were the lowest `bits` bits of each of its numbers: its share."""
    if _native is None:
        return reference.take_products(rows, numbers, offers, bits, ring)
    out: Words = _native.take_products(rows, numbers, offers, bits, ring)
    return out
