"""Digests of rows of variable-length bytes: plain and slow, the definition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Offsets: TypeAlias = NDArray[np.int32] | NDArray[np.int64]

BLANKS = bytes([*range(9, 14), *range(28, 33)])  # the ASCII characters that str.strip takes away


def digest_rows(domain: bytes, columns: Sequence[tuple[Offsets, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """SHA-256 of the domain and each column's length and bytes, row by row."""
    counts = {check(offsets, data) for offsets, data in columns}
    if len(counts) != 1:
        raise ValueError("no column" if not counts else "the columns have different numbers of rows")
    rows = counts.pop()
    digests = []
    for row in range(rows):
        state = hashlib.sha256(domain)
        for offsets, data in columns:
            piece = data[offsets[row] : offsets[row + 1]].tobytes()
            state.update(len(piece).to_bytes(4, "big") + piece)
        digests.append(state.digest())
    return np.frombuffer(b"".join(digests), np.uint8).reshape(rows, 32)


def is_ascii(data: NDArray[np.uint8]) -> bool:
    """Whether every byte is below 128."""
    return not bool((data >= 0x80).any())  # noqa: PLR2004


def trim_rows(offsets: Offsets, data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The rows without blanks at their ends, packed: new offsets and new bytes."""
    rows = check(offsets, data)
    pieces = [data[offsets[row] : offsets[row + 1]].tobytes().strip(BLANKS) for row in range(rows)]
    trimmed = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    return trimmed, np.frombuffer(b"".join(pieces), np.uint8)


def check(offsets: Offsets, data: NDArray[np.uint8]) -> int:
    """Check that offsets ascend within the data; returns the number of rows."""
    if offsets.dtype not in {np.dtype(np.int32), np.dtype(np.int64)} or offsets.ndim != 1:
        raise ValueError("offsets must be int32 or int64 of one dimension")
    if data.dtype != np.uint8 or data.ndim != 1:
        raise ValueError("bytes must be uint8 of one dimension")
    if not len(offsets):
        raise ValueError("offsets are one more than the rows, never none")
    if offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
        raise ValueError("offsets must ascend from 0 or more")
    if offsets[-1] > len(data):
        raise ValueError("offsets leave the buffer")
    return len(offsets) - 1
