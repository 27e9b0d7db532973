"""Sums by code; see :mod:`unseen.kernels.tally`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tally(codes: NDArray[np.uint16], values: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """See :func:`unseen.kernels.tally.tally`."""
    if values.shape[0] != codes.shape[1]:
        raise ValueError("there is not one row of numbers for each row of codes")
    if width > 1 << 16:
        raise ValueError("there are more sums than codes of two bytes")
    if codes.size and int(codes.max()) >= width:
        raise ValueError("a code is beyond the sums")
    sums = np.zeros((width, values.shape[1]), np.uint64)
    for column in codes:
        np.add.at(sums, column, values)
    return sums
