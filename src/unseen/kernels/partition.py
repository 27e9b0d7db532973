"""Spreading identifiers over 2^bits public buckets by a keyed hash, so that each bucket can be worked on alone.

For streams: :func:`bucket_rows` of each chunk gives counts to be added up; when all are known, cursors start where the
buckets begin and :func:`scatter_rows` fills the buckets chunk by chunk. How many rows a bucket got is a fact about the data:
where others would see it, pad each to :func:`capacity`. The key is public but drawn after the identifiers are fixed, so
that nobody can choose identifiers that crowd one bucket.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.capacity import capacity
from unseen.kernels.native import native
from unseen.kernels.reference import partition as reference

__all__ = ["bucket_rows", "capacity", "partition_rows", "scatter_rows"]

Ids = NDArray[np.uint8]

_native = native()


def bucket_rows(key: NDArray[np.uint8], rows: Ids, bits: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The bucket of each row, shape (n,), and how many rows each bucket has, shape (2^bits,).

    Rows have shape (n, 16) or (n, 32). A row's hash is AES-CBC-MAC under the key (16 bytes), which is pseudo-random on
    rows of one length; the bucket is its upper `bits` bits, read as a little-endian number.

    Raises
    ------
    ValueError
        Another width, another key length, bits outside 0 to 24.
    """
    if _native is None:
        return reference.bucket_rows(key, rows, bits)
    done: tuple[NDArray[np.uint32], NDArray[np.int64]] = _native.bucket_rows(key, rows, bits)
    return done


def scatter_rows(
    buckets: NDArray[np.uint32],
    rows: Ids,
    numbers: NDArray[np.int64] | int,
    *,
    cursor: NDArray[np.int64],
    rows_out: Ids,
    numbers_out: NDArray[np.int64],
) -> None:
    """Copy each row, and its number, to the place that its bucket's cursor points at, which then moves on by one.

    `numbers` has shape (n,), or is the number of the first row. Results are written in place: `cursor` (buckets,),
    `rows_out` (places, 16 or 32) and `numbers_out` (places,), all C-contiguous. One cursor running into the next bucket
    is not noticed; leaving the array is.

    Raises
    ------
    ValueError
        A bucket without cursor, or a place outside `rows_out`: then nothing has been written.
    """
    if _native is not None:
        given = None if isinstance(numbers, int) else numbers
        first = numbers if isinstance(numbers, int) else 0
        _native.scatter_rows(buckets, rows, given, first, cursor, rows_out, numbers_out)
        return
    if isinstance(numbers, int):
        numbers = np.arange(numbers, numbers + len(rows), dtype=np.int64)
    reference.scatter_rows(buckets, rows, numbers, cursor, rows_out, numbers_out)


def partition_rows(
    key: NDArray[np.uint8], rows: Ids, bits: int
) -> tuple[Ids, NDArray[np.int64], NDArray[np.int64]]:
    """All rows at once: `(rows, numbers, begins)`, bucket b being rows[begins[b]:begins[b + 1]], in their old order."""
    buckets, counts = bucket_rows(key, rows, bits)
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    rows_out, numbers = np.empty_like(rows, order="C"), np.empty(len(rows), np.int64)
    scatter_rows(buckets, rows, 0, cursor=begins[:-1].copy(), rows_out=rows_out, numbers_out=numbers)
    return rows_out, numbers, begins
