"""Products of matrices modulo 2^64, packed into coefficients.

Source: Huang, Lu, Hong, Ding, "Cheetah: Lean and Fast Secure Two-Party Deep Neural Network Inference" (USENIX Security
2022), section 4. A block X of h rows and d columns and a block Y of d rows and w columns, h d w <= N, become polynomials

    x: X[i, p] at i d w + (d - 1 - p)        y: Y[p, j] at j d + p

so that (X Y)[i, j] is the coefficient i d w + j d + d - 1 of x y. (Nothing wraps onto these: the product's degree
is at most h d w + d - 2, and coefficients below d - 1 are not among them.) Only the first w d coefficients of y are not zero, so that
transforming it takes a few of its layers. The left factor is the encrypted one; for the right one transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.crypto.rlwe.params import MATRICES
from unseen.kernels import ntt

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

MOST_INNER = 512  # ciphertexts of a row of blocks, which are held at a time: 128 MiB of bodies
_CIPHERTEXT = MATRICES.degree * MATRICES.limbs * 50 / 8
_FIRST = MATRICES.degree * MATRICES.first_bits / 8
_NUMBER = MATRICES.second_bits / 8


@dataclass(frozen=True, slots=True)
class Blocks:
    """How an encrypted (rows, inner) times a plain (inner, columns) is cut: `high` rows, `deep` inner, `wide` columns."""

    rows: int
    inner: int
    columns: int
    high: int
    deep: int
    wide: int

    @property
    def across(self) -> tuple[int, int, int]:
        """How many blocks there are in each direction: rows, inner, columns."""
        return -(-self.rows // self.high), -(-self.inner // self.deep), -(-self.columns // self.wide)

    @property
    def size_bytes(self) -> float:
        """What travels: ciphertexts one way, answers back."""
        i, k, j = self.across
        return i * k * _CIPHERTEXT + i * j * (_FIRST + self.high * self.wide * _NUMBER)

    @property
    def length(self) -> int:
        """Coefficients of a plain block: the next power of two."""
        return max(ntt.LEAST_COEFFICIENTS, 1 << (self.deep * self.wide - 1).bit_length())

    @property
    def places(self) -> NDArray[np.int64]:
        """Where the numbers of a product's block stand, (high * wide,)."""
        i, j = np.arange(self.high)[:, None], np.arange(self.wide)
        return (i * (self.deep * self.wide) + j * self.deep + self.deep - 1).reshape(-1)

    @property
    def norm(self) -> float:
        """A bound on the Euclidean norm of the plain numbers that enter one coefficient."""
        _, k, _ = self.across
        return sqrt(k * self.deep * self.wide) * 2.0**63


@lru_cache(maxsize=256)
def plan(rows: int, inner: int, columns: int) -> Blocks:
    """The cut that sends the least, an encrypted (rows, inner) times (inner, columns); all at least 1."""
    best: Blocks | None = None
    powers = [1 << i for i in range(MATRICES.degree.bit_length())]
    for deep in sorted({min(inner, d) for d in powers}):
        for wide in sorted({min(columns, w) for w in powers if deep * min(columns, w) <= MATRICES.degree}):
            high = min(rows, MATRICES.degree // (deep * wide))
            high = -(-rows // -(-rows // high))  # blocks of like height
            found = Blocks(rows, inner, columns, high, deep, wide)
            if best is None or found.size_bytes < best.size_bytes:
                best = found
    if best is None:
        raise LocalProtocolError(f"No product of ({rows}, {inner}) and ({inner}, {columns}) is encrypted.")
    return best


def left(blocks: Blocks, row: Words, few: slice) -> Words:
    """Some of one row of blocks, (at most `high` rows, inner), as polynomials (few, n)."""
    part, count = row[:, few.start * blocks.deep : few.stop * blocks.deep], few.stop - few.start
    padded = np.zeros((blocks.high, count * blocks.deep), np.uint64)
    padded[: part.shape[0], : part.shape[1]] = part
    out = np.zeros((count, MATRICES.degree), np.uint64)
    used = blocks.high * blocks.wide * blocks.deep
    view = out[:, :used].reshape(count, blocks.high, blocks.wide, blocks.deep)
    view[:, :, 0] = padded.reshape(blocks.high, count, blocks.deep).transpose(1, 0, 2)[..., ::-1]
    out[:, :used] = view.reshape(count, used)
    return out


def right(blocks: Blocks, part: Words) -> Integers:
    """One column of blocks, (inner, at most `wide` columns), as polynomials (inner blocks, length) of signed numbers."""
    _, count, _ = blocks.across
    padded = np.zeros((count * blocks.deep, blocks.wide), np.uint64)
    padded[: part.shape[0], : part.shape[1]] = part
    out = np.zeros((count, blocks.length), np.uint64)
    turned = padded.reshape(count, blocks.deep, blocks.wide).transpose(0, 2, 1)
    out[:, : blocks.wide * blocks.deep] = turned.reshape(count, -1)
    return out.view(np.int64)
