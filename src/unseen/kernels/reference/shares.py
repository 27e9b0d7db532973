"""Secret shares in NumPy; see :mod:`unseen.kernels.shares` for shapes and uses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import aes_ctr

Words = NDArray[np.uint64]
_WORD = 64
_HALF_WORD = 32


def split_places(words: Words, places: int) -> Words:
    """See :func:`unseen.kernels.shares.split_places`."""
    count = len(words)
    bits = np.unpackbits(words.astype("<u8").view(np.uint8).reshape(count, 8), axis=1, bitorder="little")
    out = np.zeros((places, 8 * -(-count // _WORD)), np.uint8)
    out[:, : -(-count // 8)] = np.packbits(bits[:, :places].T, axis=1, bitorder="little")
    return out.view("<u8").astype(np.uint64, copy=False)


def join_places(planes: Words, count: int) -> Words:
    """See :func:`unseen.kernels.shares.join_places`."""
    bits = np.zeros((_WORD, count), np.uint8)
    data = np.ascontiguousarray(planes.astype("<u8", copy=False)).view(np.uint8)
    if count:
        bits[: len(planes)] = np.unpackbits(data, axis=1, count=count, bitorder="little")
    return np.packbits(bits.T, axis=1, bitorder="little").reshape(-1).view("<u8").astype(np.uint64)


def pad(key: bytes, use: int, count: int) -> Words:
    """See :func:`unseen.kernels.shares.pad`."""
    blocks = aes_ctr(np.frombuffer(key, np.uint8), use, 0, -(-count // 2))
    return blocks.reshape(-1).view("<u8").astype(np.uint64, copy=False)[:count]


def multiply(left: Words, right: Words, mine: bytes, theirs: bytes, use: int) -> Words:
    """See :func:`unseen.kernels.shares.multiply`."""
    count = left.shape[1]
    product: Words = left[0] * (right[0] + right[1]) + left[1] * right[0]
    return product + pad(mine, use, count) - pad(theirs, use, count)


def conjoin(left: Words, right: Words, mine: bytes, theirs: bytes, use: int) -> Words:
    """See :func:`unseen.kernels.shares.conjoin`."""
    count = left.shape[1]
    product: Words = (left[0] & (right[0] ^ right[1])) ^ (left[1] & right[0])
    return product ^ pad(mine, use, count) ^ pad(theirs, use, count)


def _small_pad(key: bytes, use: int, count: int, dtype: type[Any]) -> NDArray[Any]:
    words = pad(key, use, -(-count * np.dtype(dtype).itemsize // 8))
    halves: NDArray[Any] = words.astype("<u8", copy=False).view(dtype)[:count]
    return halves


def truncate_first(
    known: Words, drop: int, offset: int, key0: bytes, key1: bytes, uses: tuple[int, int, int, int]
) -> tuple[Words, Words, NDArray[Any]]:
    """See :func:`unseen.kernels.shares.truncate_first`."""
    small = np.uint32 if drop <= _HALF_WORD else np.uint64
    weight, count = np.uint64(_WORD - drop), len(known)
    use_bit, use_rest, use_one, use_two = uses
    a = known + np.uint64(1 << 62)
    top = a >> np.uint64(63)
    kept = pad(key0, use_rest, count)
    rest = (a >> np.uint64(drop)) - (top << weight) - np.uint64(offset) - kept
    bit = top.astype(small) - _small_pad(key1, use_bit, count, small)
    share0 = kept - (_small_pad(key0, use_two, count, small).astype(np.uint64) << weight)
    share1 = rest - (_small_pad(key1, use_one, count, small).astype(np.uint64) << weight)
    return np.stack([share0, share1]), rest, bit


def truncate_part(known: Words, bit: NDArray[Any], key: bytes, use: int) -> NDArray[Any]:
    """See :func:`unseen.kernels.shares.truncate_part`."""
    small = bit.dtype.type
    out: NDArray[Any] = bit * (known >> np.uint64(63)).astype(small) + _small_pad(key, use, len(known), small)
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
    """See :func:`unseen.kernels.shares.truncate_last`."""
    weight = np.uint64(_WORD - drop)
    quotient = (known >> np.uint64(drop)) - (known >> np.uint64(63) << weight)
    both = quotient + ((mine + theirs).astype(np.uint64) << weight)
    mask = _small_pad(key, use, len(known), mine.dtype.type).astype(np.uint64)
    alone = rest - (mask << weight)
    return np.stack([alone, both] if alone_first else [both, alone])


_ONE = 30
_HALF = 1 << (_ONE - 1)
_SINE = [round(2**_ONE * (math.pi / 2) ** k / math.factorial(k) * (-1) ** (k // 2)) for k in (1, 3, 5, 7, 9)]
_COSINE = [
    round(2**_ONE * (math.pi / 2) ** k / math.factorial(k) * (-1) ** (k // 2)) for k in (0, 2, 4, 6, 8, 10)
]
Integers = NDArray[np.int64]


def _times(left: Integers, right: Integers | int) -> Integers:
    product: Integers = (left * right + _HALF) >> _ONE
    return product


def _first_turn(x: Words, period_bits: int) -> tuple[Integers, Integers]:
    """Cosine and sine with 30 fraction bits: polynomials around the nearest quarter of a turn, then the quarters."""
    angle = (x << np.uint64(64 - period_bits)) >> np.uint64(32)
    quarter = ((angle + np.uint64(1 << 29)) >> np.uint64(30)) & np.uint64(3)
    u = (angle - (quarter << np.uint64(30))).astype(np.uint32).view(np.int32).astype(np.int64)
    square = _times(u, u)
    sine, cosine = np.full_like(u, _SINE[-1]), np.full_like(u, _COSINE[-1])
    for coefficient in _SINE[-2::-1]:
        sine = _times(sine, square) + coefficient
    for coefficient in _COSINE[-2::-1]:
        cosine = _times(cosine, square) + coefficient
    sine = _times(sine, u)
    at = quarter.astype(np.int64)
    return np.choose(at, [cosine, -sine, -cosine, sine]), np.choose(at, [sine, cosine, -sine, -cosine])


def waves(x: Words, period_bits: int, weights: Integers, bits: int) -> Words:
    """See :func:`unseen.kernels.shares.waves`."""
    cosine, sine = first = _first_turn(x, period_bits)
    drop = 2 * _ONE - bits
    rows = []
    for place, weight in enumerate(weights):
        if place:
            turned = cosine * first[0] - sine * first[1], sine * first[0] + cosine * first[1]
            cosine, sine = ((part + _HALF) >> _ONE for part in turned)
        if weight:
            rows.append([(part * weight + (1 << (drop - 1))) >> drop for part in (sine, cosine)])
    made = np.array(rows, np.int64).reshape(len(rows), 2, len(x)).transpose(1, 0, 2)
    return np.ascontiguousarray(made).view(np.uint64)


def wave_products(x: Words, period_bits: int, weights: Integers, bits: int, factors: Words) -> Words:
    """See :func:`unseen.kernels.shares.wave_products`."""
    sines, cosines = waves(x, period_bits, weights, bits)
    total: Words = (factors[0] * cosines + factors[1] * sines).sum(axis=0, dtype=np.uint64)
    return total
