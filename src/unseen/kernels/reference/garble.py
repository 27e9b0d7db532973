"""Half gates in NumPy; see :mod:`unseen.kernels.garble` for shapes.

Sources: Zahur, Rosulek, Evans, "Two Halves Make a Whole" (EUROCRYPT 2015); Guo, Katz, Wang, Weng, Yu, "Better Concrete
Security for Half-Gates Garbling" (CRYPTO 2020) for the hash.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import hash_rekeyed

Blocks = NDArray[np.uint8]

_XOR, _AND = 0, 1
_WORD = 1 << 64


def _marked(labels: Blocks) -> Blocks:
    """Labels (n, lanes, 16) with the number of the lane added to both halves: (n * lanes, 16)."""
    marks = np.repeat(np.arange(labels.shape[1], dtype="<u8")[:, None], 2, axis=1).view(np.uint8)
    marked: Blocks = (labels ^ marks).reshape(-1, labels.shape[2])
    return marked


def _where_odd(labels: Blocks, blocks: Blocks) -> Blocks:
    """The blocks where the lowest bit of the label is 1, else zeros."""
    chosen: Blocks = blocks & (np.uint8(0) - (labels[:, :1] & np.uint8(1)))
    return chosen


def garble(
    gates: tuple[NDArray[np.int32] | NDArray[np.uint8], ...],
    labels: Blocks,
    delta: Blocks,
    *,
    start: Blocks,
    number: int,
    stride: int,
) -> Blocks:
    """See :func:`unseen.kernels.garble.garble`."""
    groups, _, lanes, _ = labels.shape
    ands = int((gates[0] == _AND).sum())
    tables = np.empty((groups, ands, lanes, 2, 16), np.uint8)
    for group, slots in enumerate(labels):
        done = 0
        for kind, left, right, out in zip(*gates, strict=True):
            a, b = slots[left], slots[right]
            if kind == _XOR:
                slots[out] = a ^ b
            elif kind == _AND:
                key = (number + group * stride + 2 * done) % _WORD
                both = _marked(np.stack([a, a ^ delta, b, b ^ delta]))
                h = hash_rekeyed(both, start, key, per_key=2 * lanes).reshape(4, lanes, 16)
                of_garbler = h[0] ^ h[1] ^ _where_odd(b, np.broadcast_to(delta, b.shape))
                of_evaluator = h[2] ^ h[3] ^ a
                tables[group, done, :, 0], tables[group, done, :, 1] = of_garbler, of_evaluator
                slots[out] = h[0] ^ _where_odd(a, of_garbler) ^ h[2] ^ _where_odd(b, of_evaluator ^ a)
                done += 1
            else:
                slots[out] = a ^ delta
    return tables


def evaluate(
    gates: tuple[NDArray[np.int32] | NDArray[np.uint8], ...],
    labels: Blocks,
    tables: Blocks,
    *,
    start: Blocks,
    number: int,
    stride: int,
) -> None:
    """See :func:`unseen.kernels.garble.evaluate`."""
    lanes = labels.shape[2]
    for group, slots in enumerate(labels):
        done = 0
        for kind, left, right, out in zip(*gates, strict=True):
            a, b = slots[left], slots[right]
            if kind == _XOR:
                slots[out] = a ^ b
            elif kind == _AND:
                key = (number + group * stride + 2 * done) % _WORD
                both = _marked(np.stack([a, b]))
                h = hash_rekeyed(both, start, key, per_key=lanes).reshape(2, lanes, 16)
                of_garbler, of_evaluator = tables[group, done, :, 0], tables[group, done, :, 1]
                slots[out] = h[0] ^ _where_odd(a, of_garbler) ^ h[1] ^ _where_odd(b, of_evaluator ^ a)
                done += 1
            else:
                slots[out] = a
