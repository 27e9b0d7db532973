"""Linear codes for the learning-parity-with-noise assumptions (LPN): one that compresses noise, one that adds to it.

**Dual**, for VOLE: H compresses N field elements, few of which are not zero, to N / 2 that look uniform. In the direction
of encoding it is the code of two accumulators behind a block-diagonal one ("BlkAcc3x32", Kolesnikov, Peceny,
Raghuraman, Rindal, *Block-Diagonal Codes*, 2024), here with public pseudo-random weights from the field in front of
the second accumulator and of the block-diagonal step. They are not decoration: a binary code, taken over GF(2^128), is
128 binary codes side by side that share their noise positions, and then the positions follow from linear algebra
(docs/decisions/lpn-code.md). Orders, weights and matrices are public, from AES under a key that :func:`code_key`
derives from the code's name, version and size; nobody chooses it.

**Primal**, for correlated transfers: row i adds ten rows of a table of 2^k, as Ferret does.

No memory access depends on a secret.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels.native import native
from unseen.kernels.reference import lpn as reference

Blocks = NDArray[np.uint8]
Field: TypeAlias = Literal[128, 96]

GF96: Final = 96
MIN_BITS, MAX_BITS = 6, 13
TOGETHER = 4  # chunks that the native kernel writes at a time

_native = native()


def code_key(name: str, version: int, size: int) -> Blocks:
    """The public AES key (16,) of the code of that name, version and size."""
    return np.frombuffer(sha256(f"{name}||{version}||{size}".encode()).digest()[:16], np.uint8)


def chunk_bits(rows: int) -> int:
    """How the dual code divides that many rows: into chunks of 2^bits, about as many as a chunk has rows."""
    return min(max(((max(rows, 1) - 1).bit_length() + 1) // 2, MIN_BITS), MAX_BITS)


def dual_rows(at_least: int, multiple_of: int = 1) -> int:
    """The least number of rows, divisible by the power of two given, that the dual code takes."""
    rows = at_least
    while True:
        step = max(multiple_of, TOGETHER << chunk_bits(rows))
        rounded = max(-(-rows // step), 1) * step
        if chunk_bits(rounded) == chunk_bits(rows):
            return rounded
        rows = rounded


def room(rows: int, width: int) -> Blocks:
    """An uninitialised array (rows, width, 16) as :func:`dual_encode` takes it: on a boundary of 64 bytes."""
    if _native is None:
        return np.empty((rows, width, 16), np.uint8)
    out: Blocks = _native.lpn_room(rows, width)
    return out


def dual_encode(key: Blocks, rows: Blocks, count: int, *, field: Field, scratch: Blocks) -> Blocks:
    """Compress (n, w, 16), w from 1 to 3, by the dual code: (w, count, 16), count <= n / 2.

    The w columns are encoded side by side, each as by the same matrix over GF(2^field); with field 96 the upper four
    bytes of each block must be zero. `rows` and `scratch`, both from :func:`room` or alike, are overwritten.
    """
    bits = chunk_bits(len(rows))
    if len(rows) % (TOGETHER << bits) or rows.shape[1] not in {1, 2, 3} or count > len(rows) // 2:
        raise LocalProtocolError(
            f"The dual code does not take {rows.shape} and give {count}.", mend="ask dual_rows() for the size"
        )
    if _native is None:
        return reference.dual(key, rows, bits, count, field)
    out: Blocks = _native.lpn_dual(key, rows, scratch, bits, count, field == GF96)
    return out


def primal_add(key: Blocks, table: Blocks, rows: Blocks, first: int = 0, *, out: Blocks) -> Blocks:
    """Row i of `out` = row i of (n, 16) ^ the ten rows of the table (2^k, 16) that AES under `key` names for first + i.

    `first` is a multiple of 64; `out` may be the rows themselves. Returns the lowest bit of each row of `out`, (n,) of 0 and 1.
    """
    if _native is None:
        return reference.primal(key, table, rows, first, out=out)
    marks: Blocks = _native.lpn_primal(key, table, rows, first, out)
    return marks
