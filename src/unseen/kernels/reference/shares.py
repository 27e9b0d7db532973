"""Secret shares in NumPy; see :mod:`unseen.kernels.shares` for shapes and uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import aes_ctr

Words = NDArray[np.uint64]
_WORD = 64


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
