"""SoftSpoken oblivious transfer in NumPy; see :mod:`unseen.kernels.softspoken` for shapes.

Source: Roy, "SoftSpokenOT: Quieter OT Extension from Small-Field Silent VOLE in the Minicrypt Model" (CRYPTO 2022),
figures 7 and 8, with a repetition code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.blocks import aes_ctr, gf_combine, transpose_bits

Blocks = NDArray[np.uint8]

_SIDE = 128


def _tree(keys: Blocks, first: int, blocks: int) -> tuple[Blocks, Blocks]:
    """The sum u of all leaves' streams, and for each bit j the sum v_j of the leaves whose number has it."""
    streams = np.stack([aes_ctr(key, 0, first, blocks) for key in keys])
    numbers = np.arange(len(keys))
    bits = len(keys).bit_length() - 1
    planes = [np.bitwise_xor.reduce(streams[numbers >> bit & 1 == 1], axis=0) for bit in range(bits)]
    return np.bitwise_xor.reduce(streams, axis=0), np.stack(planes)


def _rows(planes: list[Blocks], blocks: int) -> Blocks:
    return transpose_bits(np.concatenate(planes).reshape(_SIDE, 16 * blocks))


def receive(keys: Blocks, first: int, rows: Blocks, choices: Blocks | None = None) -> tuple[Blocks, Blocks]:
    """See :func:`unseen.kernels.softspoken.receive`."""
    blocks = len(rows) // _SIDE
    sums, planes = zip(*[_tree(tree, first, blocks) for tree in keys], strict=True)
    u = sums[0] if choices is None else choices
    corrections = [other ^ u for other in sums[choices is None :]]
    rows[:] = _rows(list(planes), blocks)
    return u.copy(), np.stack(corrections)


def send(keys: Blocks, delta: Blocks, first: int, corrections: Blocks, rows: Blocks) -> None:
    """See :func:`unseen.kernels.softspoken.send`."""
    trees, blocks = len(keys), corrections.shape[1]
    bits = np.unpackbits(delta, bitorder="little").reshape(trees, -1, 1, 1)
    planes = [_tree(tree, first, blocks)[1] for tree in keys]
    for tree, correction in enumerate(corrections, start=trees - len(corrections)):
        planes[tree] = planes[tree] ^ correction * bits[tree]
    rows[:] = _rows(planes, blocks)


def fold(seed: Blocks, first: int, rows: Blocks) -> Blocks:
    """See :func:`unseen.kernels.softspoken.fold`."""
    columns = transpose_bits(rows).reshape(_SIDE, len(rows) // _SIDE, 16)
    return np.stack([gf_combine(seed, first, column) for column in columns])
