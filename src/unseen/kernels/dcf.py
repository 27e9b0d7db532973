"""Distributed comparison functions: two keys that hide a threshold, and shares of [x < threshold] at points known to both.

A dealer makes two keys of each threshold. Whoever has one of them learns nothing of the threshold, and evaluates it at as many
points as it likes: the two parties' bits add up, by XOR, to [x < threshold]. A key is a root of 16 bytes (of which the lowest
three bits do not count: seeds have 125 bits), different at the two parties, and correction words, which are the same at both
and uniform to each.

Trees have a level for each bit of a point but the last seven, which choose a bit of a block: `levels(bits)` + 1 correction
words of 16 bytes. The hash of a node is pi(sigma(x)) ^ sigma(x), pi being AES under a public key, taken as an ideal
permutation. The native kernel neither branches nor indexes on thresholds and seeds; the NumPy twin makes no such promise.
:mod:`unseen.kernels.reference.dcf` defines every function here and names the source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import dcf as reference

Blocks = NDArray[np.uint8]
Words = NDArray[np.uint64]

BLOCK = reference.BLOCK
levels = reference.levels

_native = native()


def generate(roots: Blocks, thresholds: Words, bits: int) -> Blocks:
    """Correction words, shape (n, levels(bits) + 1, 16).

    Parameters
    ----------
    roots
        Uniform and never used before, (2, n, 16): the first party's, then the second's.
    thresholds
        (n,), each below 2^bits.
    bits
        1 to 64.
    """
    if _native is None:
        return reference.generate(roots, thresholds, bits)
    out: Blocks = _native.dcf_generate(roots, thresholds, bits)
    return out


def evaluate(roots: Blocks, words: Blocks, points: Words, bits: int, *, second: bool) -> NDArray[np.uint8]:
    """One party's shares of [points < threshold], 0 or 1 each, shape (k, n).

    Parameters
    ----------
    roots
        That party's, (n, 16).
    points
        (k, n), each below 2^bits: every key is evaluated at k points.
    second
        Whether this is the second party.
    """
    if _native is None:
        return reference.evaluate(roots, words, points, bits, second=second)
    out: NDArray[np.uint8] = _native.dcf_evaluate(roots, words, points, bits, second)
    return out
