"""Fisher and Yates' shuffle; see :mod:`unseen.kernels.shuffle`.

Source: Durstenfeld, "Algorithm 235: Random Permutation" (CACM 1964).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW = (1 << 64) - 1


def order(words: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """See :func:`unseen.kernels.shuffle.order`."""
    if count > len(words):
        raise ValueError("a shuffle takes a word for each row")
    drawn = words.tolist()
    rows, spare = list(range(count)), count
    for place in range(count - 1, 0, -1):
        bound = place + 1
        product = drawn[place] * bound
        while product & _LOW < (1 << 64) % bound:
            if spare == len(drawn):
                raise ValueError("too many words were refused")
            product, spare = drawn[spare] * bound, spare + 1
        other = product >> 64
        rows[place], rows[other] = rows[other], rows[place]
    return np.array(rows, np.int64)
