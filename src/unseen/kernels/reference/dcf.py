"""Distributed comparison functions in NumPy; see :mod:`unseen.kernels.dcf` for shapes.

Source: Boyle, Chandran, Gilboa, Gupta, Ishai, Kumar, Rathee, "Function Secret Sharing for Mixed-Mode and Fixed-Point Secure
Computation" (EUROCRYPT 2021), figure 1, with results of one bit, which a child's block carries itself.

Both parties walk the tree. Off the threshold's path their seeds and control bits are alike, so their results add up to
nothing new; on it the control bits differ, and exactly one of them adds the correction word, which makes the child that is
left alike and the results add up to [x < threshold].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import hash_blocks

Blocks = NDArray[np.uint8]
Words = NDArray[np.uint64]

BLOCK = 16
LEAF_BITS = 7
_CONTROL, _RESULT = 0, 1  # bits of a child's block; in a correction word: left control, right control, result
_LEAF = np.uint8(2)
_SEED = np.uint8(0xF8)


def levels(bits: int) -> int:
    """How many levels a tree for so many bits has: the last seven bits choose a bit of a block."""
    return max(bits - LEAF_BITS, 0)


def _seeds(blocks: Blocks) -> Blocks:
    out = blocks.copy()
    out[:, 0] &= _SEED
    return out


def _bit(blocks: Blocks, place: int) -> NDArray[np.uint8]:
    picked: NDArray[np.uint8] = blocks[:, 0] >> np.uint8(place) & np.uint8(1)
    return picked


def _where(bits: NDArray[np.uint8], blocks: Blocks) -> Blocks:
    """The blocks where the bit is 1, else zeros."""
    chosen: Blocks = blocks & (np.uint8(0) - bits)[:, None]
    return chosen


def _child(seeds: Blocks, side: NDArray[np.uint8] | np.uint8) -> Blocks:
    marked = seeds.copy()
    marked[:, 0] ^= side
    return hash_blocks(marked)


def _turn(values: Words, bits: int, level: int) -> NDArray[np.uint8]:
    turn: NDArray[np.uint8] = (values >> np.uint64(bits - 1 - level) & np.uint64(1)).astype(np.uint8)
    return turn


def _below(index: Words) -> Blocks:
    """The 128 bits [j < index]."""
    bits = np.arange(1 << LEAF_BITS, dtype=np.uint64)[None] < index[:, None]
    return np.packbits(bits, axis=1, bitorder="little")


def generate(roots: Blocks, thresholds: Words, bits: int) -> Blocks:
    """See :func:`unseen.kernels.dcf.generate`."""
    count = len(thresholds)
    words = np.empty((count, levels(bits) + 1, BLOCK), np.uint8)
    seeds = [_seeds(side) for side in roots]
    controls = [np.full(count, party, np.uint8) for party in (0, 1)]
    value = np.zeros(count, np.uint8)
    for level in range(levels(bits)):
        a = _turn(thresholds, bits, level)
        children = [[_child(seed, np.uint8(side)) for side in (0, 1)] for seed in seeds]
        keep = [_where(a, right) ^ _where(1 - a, left) for left, right in children]
        lose = [_where(a, left) ^ _where(1 - a, right) for left, right in children]
        differ = lose[0] ^ lose[1]
        left, right = (children[0][side] ^ children[1][side] for side in (0, 1))
        control = [_bit(left, _CONTROL) ^ a ^ np.uint8(1), _bit(right, _CONTROL) ^ a]
        result = _bit(differ, _RESULT) ^ value ^ a
        value = value ^ _bit(keep[0] ^ keep[1], _RESULT) ^ result
        kept = np.where(a == 1, control[1], control[0])
        correction = _seeds(differ)
        seeds = [_seeds(keep[p]) ^ _where(controls[p], correction) for p in (0, 1)]
        controls = [_bit(keep[p], _CONTROL) ^ (controls[p] & kept) for p in (0, 1)]
        correction[:, 0] |= control[0] | control[1] << np.uint8(1) | result << np.uint8(2)
        words[:, level] = correction
    leaves = _child(seeds[0], _LEAF) ^ _child(seeds[1], _LEAF)
    index = thresholds & np.uint64((1 << min(bits, LEAF_BITS)) - 1)
    words[:, -1] = leaves ^ (np.uint8(0) - value)[:, None] ^ _below(index)
    return words


def evaluate(roots: Blocks, words: Blocks, points: Words, bits: int, *, second: bool) -> NDArray[np.uint8]:
    """See :func:`unseen.kernels.dcf.evaluate`."""
    out = np.empty(points.shape, np.uint8)
    for row, point in enumerate(points):
        seeds = _seeds(roots)
        control = np.full(len(roots), second, np.uint8)
        value = np.zeros(len(roots), np.uint8)
        for level in range(levels(bits)):
            side, word = _turn(point, bits, level), words[:, level]
            child = _child(seeds, side)
            own = np.where(side == 1, _bit(word, 1), _bit(word, 0))
            value = value ^ _bit(child, _RESULT) ^ (control & _bit(word, 2))
            seeds = _seeds(child) ^ _where(control, _seeds(word))
            control = _bit(child, _CONTROL) ^ (control & own)
        results = _child(seeds, _LEAF) ^ _where(control, words[:, -1])
        place = (point & np.uint64((1 << min(bits, LEAF_BITS)) - 1)).astype(np.int64)
        unpacked = np.unpackbits(results, axis=1, bitorder="little")
        out[row] = value ^ np.take_along_axis(unpacked, place[:, None], axis=1)[:, 0]
    return out
