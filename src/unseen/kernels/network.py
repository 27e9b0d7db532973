"""Benes' network: columns of switches, each of which exchanges two rows or leaves them, that can put rows into any order.

For 2^k rows there are 2 k - 1 columns of 2^(k-1) switches. In a column rows j and j + h of each block of 2 h rows meet; h
is 2^(k-1) in the first column, halves down to 1, and doubles again. :mod:`unseen.kernels.reference.network` defines it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import network as reference

_native = native()


def route(order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """How the switches stand for row order[j] to come out at j: 1 where rows change places, shape (columns, rows / 2).

    Time and accesses to memory depend on the order: it must be this party's own.

    Raises
    ------
    ValueError
        The number of rows is no power of two (2 to 2^31), or a number is missing.
    """
    if _native is None:
        return reference.route(order)
    out: NDArray[np.uint8] = _native.network_route(order)
    return out
