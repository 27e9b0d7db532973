"""Rows of variable-length bytes, as Arrow holds strings: their digests, and trimming.

A column is `(offsets, bytes)`: row r is `bytes[offsets[r]:offsets[r + 1]]`, offsets int32 or int64, one more than there
are rows. Native kernels hash 16 (or 8) rows side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import rows as reference

_native = native()

Offsets: TypeAlias = NDArray[np.int32] | NDArray[np.int64]


def digest_rows(domain: bytes, columns: Sequence[tuple[Offsets, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """SHA-256 of each row, shape (rows, 32).

    Of `domain`, then for each column the length of its value as four bytes big-endian and the value.

    Raises
    ------
    ValueError
        No column, columns of different lengths, offsets that descend or leave their buffer, a value of 4 GiB.
    """
    if _native is None:
        return reference.digest_rows(domain, columns)
    digests: NDArray[np.uint8] = _native.digest_rows(domain, [tuple(column) for column in columns])
    return digests


def is_ascii(data: NDArray[np.uint8]) -> bool:
    """Whether every byte of a one-dimensional array is below 128."""
    if _native is None:
        return reference.is_ascii(data)
    answer: bool = _native.is_ascii(data)
    return answer


def trim_rows(offsets: Offsets, data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The rows without blanks at either end, packed into new bytes: `(offsets, bytes)`.

    Blanks are the ASCII ones that `str.strip` takes away (tab to carriage return, file separator to space), so for
    ASCII text this is `str.strip`; rows with other characters need Unicode's rules and are not for this function.

    Raises
    ------
    ValueError
        Offsets that descend or leave the buffer.
    """
    if _native is None:
        return reference.trim_rows(offsets, data)
    trimmed: tuple[NDArray[np.int64], NDArray[np.uint8]] = _native.trim_rows(offsets, data)
    return trimmed
