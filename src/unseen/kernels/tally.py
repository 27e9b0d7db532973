"""Sums of rows of numbers by code, mod 2^64: a product with a one-hot matrix that nobody writes out.

Where memory is written tells the codes to whoever watches the caches: they are those of the party that runs it.
:mod:`unseen.kernels.reference.tally` defines it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import tally as reference

_native = native()


def tally(codes: NDArray[np.uint16], values: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """Row w of the sums, shape (width, count): the rows of `values` whose code is w, for all columns of codes together.

    Parameters
    ----------
    codes
        Below `width`, shape (columns, rows).
    values
        Shape (rows, count).
    width
        Number of codes, at most 2^16.

    Raises
    ------
    ValueError
        A code that is not below `width`, or shapes that do not fit.
    """
    if _native is None:
        return reference.tally(codes, values, width)
    sums: NDArray[np.uint64] = _native.tally(codes, values, width)
    return sums
