"""What is made of the rows of correlated transfers, in NumPy; see :mod:`unseen.kernels.transfers` for shapes and uses.

Sources: Gilboa, "Two Party RSA Key Generation" (CRYPTO 1999) for products; Naor and Pinkas (STOC 1999) for a transfer of
eight from three transfers; Rathee et al., "CrypTFlow2" (CCS 2020) for its use in comparisons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import hash_blocks
from unseen.kernels.reference.shares import split_places

Blocks = NDArray[np.uint8]
Words = NDArray[np.uint64]

_WORD = 64
_PLACES = 3
_VALUES = 1 << _PLACES


def _pads(rows: Blocks) -> Words:
    """Both words of each row's hash, (n, 2)."""
    return np.ascontiguousarray(hash_blocks(rows)).view("<u8").astype(np.uint64, copy=False).reshape(-1, 2)


def hash_planes(rows: Blocks, width: int, delta: Blocks | None) -> Words:
    """See :func:`unseen.kernels.transfers.hash_planes`."""
    both = [rows] if delta is None else [rows, rows ^ delta]
    return np.stack([split_places(_pads(one)[:, 0].copy(), width) for one in both])


def _digits(words: Words, leaves: int) -> NDArray[np.int64]:
    shifts = np.uint64(_WORD - _PLACES * leaves) + np.arange(leaves, dtype=np.uint64) * np.uint64(_PLACES)
    return ((words[:, None] >> shifts) & np.uint64(_VALUES - 1)).astype(np.int64)


def _planes(bits: NDArray[np.uint64]) -> Words:
    """Bits (n, leaves) as planes (leaves, words)."""
    columns = [split_places(np.ascontiguousarray(column), 1) for column in bits.T]
    return np.concatenate(columns)


def offer_carries(
    rows: Blocks, delta: Blocks, words: Words, leaves: int
) -> tuple[NDArray[np.uint16], Words, Words]:
    """See :func:`unseen.kernels.transfers.offer_carries`."""
    pads = np.stack([_pads(rows)[:, 0], _pads(rows ^ delta)[:, 0]], axis=1)
    pads = pads.reshape(len(words), leaves, _PLACES, 2)
    own = (pads[:, :, 0, 0] ^ pads[:, :, 0, 1]) >> np.uint64(32)
    generate, propagate = own & np.uint64(1), own >> np.uint64(1) & np.uint64(1)
    a, offers = _digits(words, leaves), np.zeros((len(words), leaves), np.uint64)
    for value in range(_VALUES):
        for place, share, holds in (
            (value, generate, a + value >= _VALUES),
            (_VALUES + value, propagate, a + value == _VALUES - 1),
        ):
            bit = share ^ holds.astype(np.uint64)
            for level in range(_PLACES):
                bit = bit ^ (pads[:, :, level, value >> level & 1] >> np.uint64(place) & np.uint64(1))
            offers |= bit << np.uint64(place)
    return offers.astype(np.uint16), _planes(generate), _planes(propagate)


def take_carries(rows: Blocks, words: Words, offers: NDArray[np.uint16]) -> tuple[Words, Words]:
    """See :func:`unseen.kernels.transfers.take_carries`."""
    count, leaves = offers.shape
    pads = _pads(rows)[:, 0].reshape(count, leaves, _PLACES)
    made = np.bitwise_xor.reduce(pads, axis=2) ^ offers.astype(np.uint64)
    made = made >> _digits(words, leaves).astype(np.uint64)
    return _planes(made & np.uint64(1)), _planes(made >> np.uint64(_VALUES) & np.uint64(1))


# ---------------------------------------------------------------------- products


def _lowest(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _fields(bits: int, ring: int) -> list[int]:
    """How many bits of an offer belong to each bit; the last gets what is missing to a whole byte."""
    sizes = [ring - i for i in range(bits)]
    return [*sizes[:-1], sizes[-1] + -sum(sizes) % 8]


def _product_pads(rows: Blocks, width: int) -> Words:
    """A word for each row and each word of the other side: the hash's own, or half-blocks made from it as a key."""
    if width == 1:
        return _pads(rows)[:, :1].copy()
    keys, blocks = hash_blocks(rows), -(-width // 2)
    inputs = np.repeat(keys[:, None], blocks, axis=1).copy().view("<u8")
    inputs[:, :, 0] ^= np.arange(1, blocks + 1, dtype=np.uint64)
    return _pads(inputs.view(np.uint8).reshape(-1, 16)).reshape(len(rows), 2 * blocks)[:, :width]


def _stream(values: list[Words], sizes: list[int]) -> Blocks:
    """Fields one after another, lowest bit first, in bytes."""
    bits = []
    for value, size in zip(values, sizes, strict=True):
        data = np.ascontiguousarray(value).astype("<u8").view(np.uint8).reshape(*value.shape, 8)
        bits.append(np.unpackbits(data, axis=-1, bitorder="little")[..., :size])
    return np.packbits(np.concatenate(bits, axis=-1), axis=-1, bitorder="little")


def offer_products(rows: Blocks, delta: Blocks, words: Words, bits: int, ring: int) -> tuple[Blocks, Words]:
    """See :func:`unseen.kernels.transfers.offer_products`."""
    count, width = words.shape
    shape = (count, bits, width)
    zero, one = (_product_pads(item, width).reshape(shape) for item in (rows, rows ^ delta))
    share = np.zeros(words.shape, np.uint64)
    values = []
    for i, size in enumerate(_fields(bits, ring)):
        share -= zero[:, i] << np.uint64(i)
        values.append((zero[:, i] + words - one[:, i]) & _lowest(size))
    return _stream(values, _fields(bits, ring)), share & _lowest(ring)


def take_products(rows: Blocks, numbers: Words, offers: Blocks, bits: int, ring: int) -> Words:
    """See :func:`unseen.kernels.transfers.take_products`."""
    count, width, _ = offers.shape
    pads = _product_pads(rows, width).reshape(count, bits, width)
    plain = np.unpackbits(offers, axis=-1, bitorder="little")
    share, begin = np.zeros((count, width), np.uint64), 0
    for i, size in enumerate(_fields(bits, ring)):
        field = np.zeros((count, width, _WORD), np.uint8)
        field[..., :size] = plain[..., begin : begin + size]
        value = np.packbits(field, axis=-1, bitorder="little").view("<u8")[..., 0].astype(np.uint64)
        chosen = np.uint64(0) - (numbers >> np.uint64(i) & np.uint64(1))
        share += (pads[:, i] + (value & chosen[:, None])) << np.uint64(i)
        begin += size
    return share & _lowest(ring)
