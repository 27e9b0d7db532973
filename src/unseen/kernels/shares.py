"""Secret shares: places of words as planes of bits, pads from keys, and products of replicated shares in one pass.

A *pad* is a stream of uniform words that two parties have in common: word i of use `use` under a 16-byte key is half
i % 2 of the block AES-128(key, use * 2^64 + i // 2). A use is never repeated under a key.

:mod:`unseen.kernels.reference.shares` defines every function here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import shares as reference

Words = NDArray[np.uint64]

HALF_WORD = 32
_native = native()


def split_places(words: Words, places: int = 64) -> Words:
    """The lowest `places` bits of each of n words, shape (places, ceil(n / 64)).

    Bit e % 64 of word e // 64 of row i is bit i of element e; bits past n are zero.
    """
    if _native is None:
        return reference.split_places(words, places)
    out: Words = _native.split_places(words, places)
    return out


def join_places(planes: Words, count: int) -> Words:
    """The inverse of :func:`split_places`: `count` words of which the highest places are zero."""
    if _native is None:
        return reference.join_places(planes, count)
    out: Words = _native.join_places(planes, count)
    return out


def pad(key: bytes, use: int, count: int) -> Words:
    """`count` words of a pad."""
    if _native is None:
        return reference.pad(key, use, count)
    out: Words = _native.pad(key, use, count)
    return out


def multiply(left: Words, right: Words, mine: bytes, theirs: bytes, use: int) -> Words:
    """x0 y0 + x0 y1 + x1 y0 + pad(mine) - pad(theirs) of shares (2, n): this party's part of the product, masked."""
    if _native is None:
        return reference.multiply(left, right, mine, theirs, use)
    out: Words = _native.multiply_shares(left, right, mine, theirs, use)
    return out


def conjoin(left: Words, right: Words, mine: bytes, theirs: bytes, use: int) -> Words:
    """The same with AND for the product and XOR for the sum."""
    if _native is None:
        return reference.conjoin(left, right, mine, theirs, use)
    out: Words = _native.conjoin_shares(left, right, mine, theirs, use)
    return out


def truncate_first(
    known: Words, drop: int, offset: int, key0: bytes, key1: bytes, uses: tuple[int, int, int, int]
) -> tuple[Words, Words, NDArray[Any]]:
    """Party 0's step of truncating a split number: (its share (2, n), what party 1 gets, what party 2 gets).

    `uses` are those of the bit (key1), of the rest (key0), and of the masks of parties 1 (key1) and 2 (key0). Halves of
    words are enough for the bit where `drop` is at most 32; whole ones are taken for more.
    """
    if _native is None or drop > HALF_WORD:
        return reference.truncate_first(known, drop, offset, key0, key1, uses)
    numbers = np.array(uses, np.uint64)
    made: tuple[Words, Words, NDArray[Any]] = _native.truncate_first(known, drop, offset, key0, key1, numbers)
    return made


def truncate_part(known: Words, bit: NDArray[Any], key: bytes, use: int) -> NDArray[Any]:
    """What parties 1 and 2 give each other: bit * top bit of what they know + mask; dtype of `bit`."""
    if _native is None or bit.dtype != np.uint32:
        return reference.truncate_part(known, bit, key, use)
    out: NDArray[Any] = _native.truncate_part(known, bit, key, use)
    return out


def truncate_last(
    known: Words,
    drop: int,
    mine: NDArray[Any],
    theirs: NDArray[Any],
    rest: Words,
    key: bytes,
    use: int,
    *,
    alone_first: bool,
) -> Words:
    """The share (2, n) of party 1 (`alone_first`) or 2: rest - mask, and the quotient with the wrap taken off."""
    if _native is None or mine.dtype != np.uint32:
        return reference.truncate_last(known, drop, mine, theirs, rest, key, use, alone_first=alone_first)
    out: Words = _native.truncate_last(known, drop, mine, theirs, rest, key, use, alone_first)
    return out


def waves(x: Words, period_bits: int, weights: NDArray[np.int64], bits: int) -> Words:
    """weights[k-1] * sin(2 pi k x / 2^period_bits), and cosines below: shape (2, rows, n), `bits` fraction bits.

    Rows are those of weights that are not 0; weights have 30 fraction bits. In integers throughout, so that all
    machines agree; good to about k * 2^-28.
    """
    if _native is None:
        return reference.waves(x, period_bits, weights, bits)
    out: Words = _native.waves(x, period_bits, weights, bits)
    return out


def wave_products(x: Words, period_bits: int, weights: NDArray[np.int64], bits: int, factors: Words) -> Words:
    """The sum over k of factors[0, k] * cosines[k] + factors[1, k] * sines[k] of :func:`waves`, shape (n,)."""
    if _native is None:
        return reference.wave_products(x, period_bits, weights, bits, factors)
    out: Words = _native.wave_products(x, period_bits, weights, bits, factors)
    return out
