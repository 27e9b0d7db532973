"""Arithmetic in Z_2^64 on whole arrays: the native kernel where it was built, else the NumPy reference."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import gpu
from unseen.kernels.native import native
from unseen.kernels.reference import ring as reference

_native = native()
_patience = gpu.Patience()
_EACH_THREAD = 1 << 27  # products of words: some milliseconds


def matmul(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Matrix product mod 2^64 of shapes (n, k) and (k, m); any strides. Large ones by several threads, or on a GPU, where there is one."""
    if _patience.ends(left.shape[0], left.shape[1], right.shape[1]):
        there = gpu.matmul(left, right)
        if there is not None:
            return there
    if _native is None:
        return reference.matmul(left, right)
    if right.shape[1] == 1 and left.flags.f_contiguous and not left.flags.c_contiguous:
        row: NDArray[np.uint64] = _native.matmul(right.T, left.T)  # reads the matrix as it lies in memory
        return row.T
    threads = min(os.cpu_count() or 1, left.shape[0] * left.shape[1] * right.shape[1] // _EACH_THREAD)
    if threads <= 1:
        product: NDArray[np.uint64] = _native.matmul(left, right)
        return product
    product, right = np.empty((left.shape[0], right.shape[1]), np.uint64), np.ascontiguousarray(right)
    parts = (np.array_split(whole, threads) for whole in (product, left))
    with ThreadPoolExecutor(threads, thread_name_prefix="unseen-matmul") as executor:
        list(executor.map(_native.matmul_into, *parts, repeat(right)))
    return product
