"""Powers of two of fixed-point exponents, in integers: parties who compute the same number get the same bits.

:mod:`unseen.kernels.reference.powers` defines every function here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import powers as reference

Words = NDArray[np.uint64]

ROWS = 16
_native = native()


def powers_of_fraction(x: Words, bits: int, kept: int) -> Words:
    """2^(the lowest `bits` places of x as a fraction), shape (n,), with `kept` <= 30 fraction bits; good to 2^-29."""
    compute = reference.powers_of_fraction if _native is None else _native.powers_of_fraction
    out: Words = compute(x, bits, kept)
    return out


def power_factors(r: Words, bits: int, kept: int) -> Words:
    """What is to be known of r for 2^(c - r), shape (16, n); `bits` fraction bits of r, `kept` of what is made."""
    compute = reference.power_factors if _native is None else _native.power_factors
    out: Words = compute(r, bits, kept)
    return out


def power_products(c: Words, bits: int, kept: int, factors: Words) -> Words:
    """2^(c - r) from factors of r, or from shares of them, as a product, shape (2, n): a power of 2^8, and what is left.

    For c - r, modulo 64, from 8 on. What is left is below 2^16 and has 2 `kept` + 1 fraction bits.
    """
    compute = reference.power_products if _native is None else _native.power_products
    out: Words = compute(c, bits, kept, factors)
    return out
