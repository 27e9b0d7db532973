"""A uniform order from uniform words: Fisher and Yates' shuffle, without bias.

From the last row down to row 1, row i changes places with row floor(w (i + 1) / 2^64) of word w = words[i]. Where
w (i + 1) mod 2^64 is below 2^64 mod (i + 1), which would make some orders likelier, the next of the words behind the first
`count` is taken instead. :mod:`unseen.kernels.reference.shuffle` defines it.

Source: Lemire, "Fast Random Integer Generation in an Interval" (ACM TOMACS 2019) for the rejection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import shuffle as reference

_native = native()


def order(words: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """An order of `count` rows. Some words more than rows are due: a word is refused with a probability of count / 2^64.

    Where memory is read depends on the order.

    Raises
    ------
    ValueError
        Too few words.
    """
    if _native is None:
        return reference.order(words, count)
    out: NDArray[np.int64] = _native.shuffle_order(words, count)
    return out
