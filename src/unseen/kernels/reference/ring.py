"""The kernels in NumPy: slow, plain, and what the native ones are held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def matmul(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Matrix product mod 2^64 of shapes (n, k) and (k, m)."""
    product: NDArray[np.uint64] = left @ right
    return product
