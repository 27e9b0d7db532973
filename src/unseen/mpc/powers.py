"""Powers of two of known fractions, in integers: parties who compute the same number must get the same bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ONE = 30
# Powers of log 2 over factorials, 30 fraction bits.
_TAYLOR = (1073741824, 744261118, 257941248, 59597083, 10327387, 1431680, 165394, 16377, 1419)


def power_of_fraction(fraction: NDArray[np.uint64], bits: int, kept: int) -> NDArray[np.uint64]:
    """2^(fraction / 2^bits) of public fractions below 1 of up to 30 bits, with `kept` <= 30 bits; in integers, the same everywhere."""
    t = (fraction << np.uint64(_ONE - bits)).astype(np.int64)
    out = np.full(t.shape, _TAYLOR[-1], np.int64)
    for coefficient in _TAYLOR[-2::-1]:
        out = ((out * t + (1 << (_ONE - 1))) >> _ONE) + coefficient
    return ((out + (1 << (_ONE - kept)) // 2) >> (_ONE - kept)).view(np.uint64)
