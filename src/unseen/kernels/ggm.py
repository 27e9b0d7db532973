"""Correlated GGM trees, many at once: pseudo-random functions that one party holds whole and the other but for one point.

A tree of depth d has 2^d leaves. A node s has the children H(s) and H(s) ^ s, and the two nodes of level 1 differ by
Delta, so the nodes of every level add up to Delta (Guo, Yang, Wang, Zhang, Xie, Liu, Zhao, "Half-Tree", EUROCRYPT 2023,
the tree cGGM). The full tree is known from its root; whoever gets, for each level, the sum of the nodes whose last bit
is *not* that of a position knows all leaves but the one at that position.

H(x) is pi(sigma(x)) ^ sigma(x), circular correlation robust, or with `tweaked` pi(pi(x) ^ i) ^ pi(x) for a receiver who
may deviate; pi is AES under a public key, one for the trees and one for each value made from a leaf. Keys are to be new
in every run.

The native kernel's memory accesses and branches do not depend on the positions: all nodes are expanded, the unknown ones
as zero, and what belongs elsewhere is put there by masks over whole levels. The NumPy twin makes no such promise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import ggm as reference

Blocks = NDArray[np.uint8]

MAX_DEPTH = 24

_native = native()


def expand(
    keys: Blocks,
    roots: Blocks,
    delta: Blocks,
    depth: int,
    width: int,
    *,
    tweaked: bool = False,
    truncated: bool = False,
) -> tuple[Blocks, Blocks, Blocks]:
    """Full trees.

    Parameters
    ----------
    keys
        AES keys, (3, 16).
    roots
        The first node of level 1 of each tree, (t, 16).
    width
        0: rows are the leaves, their lowest bit cleared; 1 or 2: so many hashed values of a leaf.
    truncated
        Values have 96 bits: the upper four bytes of their blocks are zero.

    Returns
    -------
    Rows (t 2^depth, max(width, 1), 16); the XOR of each level's even nodes (t, depth, 16); the XOR of each tree's
    values (t, width, 16).
    """
    if _native is None:
        return reference.expand(keys, roots, delta, depth, width, tweaked=tweaked, truncated=truncated)
    rows, sums, totals = _native.ggm_expand(keys, roots, delta, depth, width, tweaked, truncated)
    return rows, sums, totals


def puncture(
    keys: Blocks,
    sums: Blocks,
    positions: NDArray[np.uint64],
    corrections: Blocks,
    noise: Blocks,
    *,
    tweaked: bool = False,
    truncated: bool = False,
) -> Blocks:
    """Trees of which one leaf is not known.

    Parameters
    ----------
    sums
        (t, depth, 16): for each level the XOR of the nodes whose last bit differs from the position's bit there
        (level 1 decides the highest bit).
    positions
        (t,), each below 2^depth.
    corrections
        (t, width, 16). With width 0 the rows are leaves, the unknown one being set to the XOR of all others, with the
        lowest bit set there and cleared elsewhere: if Delta's lowest bit is set, rows differ by Delta at the position.
    noise
        (t, 16), what to put into the first block of the row at the position; not used with width 0.

    Returns
    -------
    Rows (t 2^depth, 1 + width, 16): noise at the position and zero elsewhere, then the values; at the position
    correction ^ all other values of that tree.
    """
    if _native is None:
        return reference.puncture(
            keys, sums, positions, corrections, noise, tweaked=tweaked, truncated=truncated
        )
    rows: Blocks = _native.ggm_puncture(keys, sums, positions, corrections, noise, tweaked, truncated)
    return rows


def fold(key: Blocks, rows: Blocks) -> Blocks:
    """Sum of chi_j rows[j] over GF(2^128), chi_j = AES(key, j), of each column of (n, w, 16), w <= 3: (w, 16)."""
    if _native is None:
        return reference.fold(key, rows)
    out: Blocks = _native.ggm_fold(key, rows)
    return out


def fold_marked(key: Blocks, rows: Blocks) -> Blocks:
    """Of (n, 16), the sum of chi_j times the lowest bit of rows[j], and the sum of chi_j rows[j]: (2, 16)."""
    if _native is None:
        marks = np.zeros_like(rows)
        marks[:, 0] = rows[:, 0] & 1
        return reference.fold(key, np.stack([marks, rows], axis=1))
    out: Blocks = _native.ggm_fold_marked(key, rows)
    return out


def pack(rows: Blocks, field: int) -> Blocks:
    """Sum over j of x^j rows[field i + j] in GF(2^field), field 128 or 96, for each i: (n / field, 16).

    Of each row the lower `field` bits count; x^96 = x^10 + x^9 + x^6 + 1. What this makes of correlated transfers is an
    element of vector OLE: bits that are choices become the coefficients of a factor of Delta.
    """
    if _native is None:
        return reference.pack(rows, field)
    out: Blocks = _native.ggm_pack(rows, field)
    return out
