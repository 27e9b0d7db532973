"""Powers of two in NumPy: what the native ones are held against.

An exponent is a word with `bits` fraction bits and six whole places; places above are ignored. For 2^(c - r), c - r taken modulo
64 and from 8 on, the 16 factors of r are: is r's whole place div 8 equal to j (0 or 1), for j < 8; 2^(1 - fraction of r) where the
whole place mod 8 is j, else 0. With those, 2^(8 ((u_c - u_r) mod 8) - 8) and 2^(9 + v_c - v_r + f_c - f_r) are linear combinations
whose weights c gives; their product is 2 * 2^(c - r).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_ONE = 30
# Powers of log 2 over factorials, 30 fraction bits.
_TAYLOR = (1073741824, 744261118, 257941248, 59597083, 10327387, 1431680, 165394, 16377, 1419)
_SEVEN, _THREE = np.uint64(7), np.uint64(3)
_EIGHT = np.arange(8, dtype=np.uint64)[:, None]


def powers_of_fraction(x: Words, bits: int, kept: int) -> Words:
    """2^(the lowest `bits` places of x as a fraction) with `kept` <= 30 fraction bits."""
    fraction = x & np.uint64((1 << bits) - 1)
    t = fraction >> np.uint64(bits - _ONE) if bits > _ONE else fraction << np.uint64(_ONE - bits)
    signed = t.astype(np.int64)
    out = np.full(t.shape, _TAYLOR[-1], np.int64)
    for coefficient in _TAYLOR[-2::-1]:
        out = ((out * signed + (1 << (_ONE - 1))) >> _ONE) + coefficient
    return ((out + (1 << (_ONE - kept)) // 2) >> (_ONE - kept)).view(np.uint64)


def power_factors(r: Words, bits: int, kept: int) -> Words:
    """The 16 factors, shape (16, n); the last eight with `kept` fraction bits."""
    doubled = (r & np.uint64((1 << bits) - 1) == 0).astype(np.uint64)
    inverse = powers_of_fraction(np.uint64(0) - r, bits, kept) << doubled
    place = r >> np.uint64(bits)
    eights = ((place >> _THREE) & _SEVEN == _EIGHT).astype(np.uint64)
    ones = (place & _SEVEN == _EIGHT).astype(np.uint64) * inverse
    return np.concatenate([eights, ones])


def power_products(c: Words, bits: int, kept: int, factors: Words) -> Words:
    """The two combinations, shape (2, n); the second with 2 `kept` fraction bits."""
    place = c >> np.uint64(bits)
    steps = ((place >> _THREE) - _EIGHT) & _SEVEN
    whole = factors[:8] << ((np.uint64(8) * steps - np.uint64(8)) & np.uint64(63))
    rest = factors[8:] << (np.uint64(8) + (place & _SEVEN) - _EIGHT)
    made = np.stack([part.sum(axis=0, dtype=np.uint64) for part in (whole, rest)])
    made[1] *= powers_of_fraction(c, bits, kept)
    return made
