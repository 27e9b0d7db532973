"""SoftSpoken oblivious transfer: what each side computes between its trees and its rows.

There are 128 / k trees of 2^k leaves, k = 2, 4 or 8; each leaf is the AES-128 key of a stream of bits. The receiver knows
all leaves, the sender all but one of each tree. Transfers come in blocks of 128: block number b is counter b of every
stream, so a stretch of blocks can be made in any pieces, in any order, on any instruction set. A block must not be made
twice under other choices: the difference of the two corrections is the difference of the choices.

Bits of rows: bit k i + j of a row (bit n is bit n % 8 of byte n // 8) belongs to tree i, bit j of the leaf's number.
:mod:`unseen.kernels.reference.softspoken` defines every function here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import softspoken as reference

Blocks = NDArray[np.uint8]

_native = native()


def receive(keys: Blocks, first: int, rows: Blocks, choices: Blocks | None = None) -> tuple[Blocks, Blocks]:
    """The receiver's side of a stretch of blocks from block `first`.

    Parameters
    ----------
    keys
        All leaves, shape (128 / k, 2^k, 16).
    rows
        Where the rows go, shape (128 * blocks, 16), C-contiguous; overwritten.
    choices
        Choice bits, shape (blocks, 16), 128 of them to a block; None: those that come for nothing from the first tree.

    Returns
    -------
    choices (blocks, 16); corrections for the sender, (trees, blocks, 16) or, without given choices, (trees - 1, blocks,
    16).
    """
    if _native is None:
        return reference.receive(keys, first, rows, choices)
    out: tuple[Blocks, Blocks] = _native.softspoken_receive(keys, first, rows, choices)
    return out


def send(keys: Blocks, delta: Blocks, first: int, corrections: Blocks, rows: Blocks) -> None:
    """The sender's side: each row is the receiver's, XOR `delta` where the choice is 1.

    Parameters
    ----------
    keys
        Shape (128 / k, 2^k, 16): key x of tree i is the receiver's leaf x XOR delta_i, the i-th k bits of `delta`. Key 0
        of each tree, which the sender does not know, may be anything.
    delta
        Shape (16,).
    corrections
        From the receiver, shape (trees, blocks, 16) or (trees - 1, blocks, 16).
    rows
        Where the rows go, shape (128 * blocks, 16), C-contiguous; overwritten.
    """
    if _native is None:
        reference.send(keys, delta, first, corrections, rows)
    else:
        _native.softspoken_send(keys, delta, first, corrections, rows)


def fold(seed: Blocks, first: int, rows: Blocks) -> Blocks:
    """A random linear hash of each of the 128 columns of rows (128 m, 16): shape (128, 16).

    Column c is m blocks of 128 bits, read as elements of GF(2^128); its hash is their sum with the coefficients
    `aes_ctr(seed, 0, first, m)`.
    """
    if _native is None:
        return reference.fold(seed, first, rows)
    out: Blocks = _native.softspoken_fold(seed, first, rows)
    return out
