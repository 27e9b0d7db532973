"""Arithmetic in Z_2^64 on whole arrays: the native kernel where it was built, else the NumPy reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import gpu
from unseen.kernels.native import native
from unseen.kernels.reference import ring as reference

_native = native()
_patience = gpu.Patience()


def matmul(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Matrix product mod 2^64 of shapes (n, k) and (k, m); any strides. Large ones on a GPU, where there is one."""
    if _patience.ends(left.shape[0], left.shape[1], right.shape[1]):
        there = gpu.matmul(left, right)
        if there is not None:
            return there
    if _native is None:
        return reference.matmul(left, right)
    if right.shape[1] == 1 and left.flags.f_contiguous and not left.flags.c_contiguous:
        row: NDArray[np.uint64] = _native.matmul(right.T, left.T)  # reads the matrix as it lies in memory
        return row.T
    product: NDArray[np.uint64] = _native.matmul(left, right)
    return product
