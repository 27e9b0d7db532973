"""Routing through Benes' network by its looping algorithm; see :mod:`unseen.kernels.network`.

Source: Benes, "Optimal Rearrangeable Multistage Connecting Networks" (Bell System Technical Journal, 1964); Opferman and
Tsao-Wu, "On a Class of Rearrangeable Switching Networks" (1971) for the algorithm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def route(order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """See :func:`unseen.kernels.network.route`."""
    size = len(order)
    if size < 2 or size & (size - 1):  # noqa: PLR2004 - the smallest network
        raise ValueError("a network has 2 to 2^31 rows, a power of two")
    if not np.array_equal(np.sort(order), np.arange(size)):
        raise ValueError("this is no order of rows: each number comes once")
    return _route(np.argsort(order).tolist())


def _route(to: list[int]) -> NDArray[np.uint8]:
    """Columns of a block whose row i must come out at to[i]."""
    size, half = len(to), len(to) // 2
    if size == 2:  # noqa: PLR2004 - one switch
        return np.array([[to[0]]], np.uint8)
    source = np.argsort(to).tolist()
    side = [-1] * size
    for start in range(half):
        row = start
        while side[row] < 0:
            partner = row ^ half
            side[row], side[partner] = 0, 1
            row = source[to[partner] ^ half]
    inner = [[0] * half, [0] * half]
    for row in range(size):
        inner[side[row]][row % half] = to[row] % half
    middle = np.concatenate([_route(inner[0]), _route(inner[1])], axis=1)
    last = [side[source[place]] for place in range(half)]
    return np.concatenate([[side[:half]], middle, [last]]).astype(np.uint8)
