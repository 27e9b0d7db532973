"""Fixed-point numbers in Z_2^64: x is held as round(x * 2^bits) mod 2^64, two's complement.

A product of two numbers with `bits` fraction bits has twice as many until it is truncated, and truncation is
right for |value| < 2^62 (see :mod:`unseen.mpc.protocols.dealer`). So with f fraction bits every product and
every sum of products must stay below 2^(62 - 2 f): with the usual f = 20, below 4,194,304.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import UsageError

Ring = NDArray[np.uint64]
FRACTION_BITS = 20
SAFE_BITS = 62


def encode(values: ArrayLike, bits: int, *, limit: float | None = None) -> Ring:
    """Nearest ring elements of real numbers.

    Raises
    ------
    UsageError
        NaN, infinity, or a number too large (by default: to survive one multiplication by a number of about 1).
    """
    plain = np.asarray(values, dtype=np.float64)
    if limit is None:
        limit = 2.0 ** (SAFE_BITS - 2 * bits) if bits else 2.0**53
    if plain.size and not float(np.abs(plain).max()) < limit:  # also catches NaN
        raise UsageError(
            "A number does not fit the fixed-point format.",
            why=f"with {bits} fraction bits numbers must be finite and smaller than {limit:g} in size",
            mend="scale the columns (standardise), or take fewer fraction bits",
        )
    return np.rint(plain * 2.0**bits).astype(np.int64).view(np.uint64)


def decode(ring: Ring, bits: int) -> NDArray[np.float64]:
    """The real numbers that ring elements stand for."""
    return np.asarray(np.array(ring, order="C").view(np.int64) / 2.0**bits)
