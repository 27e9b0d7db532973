"""Spreading identifiers over buckets, in plain Python: the definition."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from numpy.typing import NDArray

_BLOCK, _MOST_BITS, _HASH_BITS = 16, 24, 128
_WIDTHS = (16, 32)


def bucket_rows(
    key: NDArray[np.uint8], rows: NDArray[np.uint8], bits: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """See :func:`unseen.kernels.partition.bucket_rows`."""
    if rows.ndim != 2 or rows.shape[1] not in _WIDTHS:  # noqa: PLR2004
        raise ValueError("identifiers have 16 or 32 bytes")
    if key.shape != (_BLOCK,):
        raise ValueError("a key is 16 bytes")
    if not 0 <= bits <= _MOST_BITS:
        raise ValueError("there are 2^0 to 2^24 buckets")
    buckets = np.empty(len(rows), np.uint32)
    for i, row in enumerate(rows):
        chained = Cipher(AES(key.tobytes()), CBC(bytes(_BLOCK))).encryptor().update(row.tobytes())
        buckets[i] = int.from_bytes(chained[-_BLOCK:], "little") >> (_HASH_BITS - bits)
    return buckets, np.bincount(buckets, minlength=1 << bits).astype(np.int64)


def scatter_rows(
    buckets: NDArray[np.uint32],
    rows: NDArray[np.uint8],
    numbers: NDArray[np.int64],
    cursor: NDArray[np.int64],
    rows_out: NDArray[np.uint8],
    numbers_out: NDArray[np.int64],
) -> None:
    """See :func:`unseen.kernels.partition.scatter_rows`."""
    places = np.empty(len(rows), np.int64)
    after = cursor.copy()
    for i, bucket in enumerate(buckets):
        if bucket >= len(cursor):
            raise ValueError("a bucket is not among the cursors")
        places[i] = after[bucket]
        after[bucket] += 1
    if len(places) and not (places.min() >= 0 and places.max() < len(rows_out)):
        raise ValueError("a bucket's rows leave the array")
    rows_out[places], numbers_out[places] = rows, numbers
    cursor[:] = after
