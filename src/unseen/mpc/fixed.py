"""Fixed-point numbers in Z_2^64: x is held as round(x * 2^bits) mod 2^64, two's complement.

A product of two numbers with `bits` fraction bits has twice as many until it is truncated, and truncation is
right for |value| < 2^62 (see :mod:`unseen.mpc.protocols.dealer`). So with f fraction bits every product and
every sum of products must stay below 2^(62 - 2 f): with the usual f = 20, below 4,194,304.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import UsageError

Ring = NDArray[np.uint64]
FRACTION_BITS = 20
SAFE_BITS = 62
_WHOLE = 2**SAFE_BITS
_TIMES, _TEXTS = "take whole numbers of days or seconds (astype('int64'))", "number the categories first"
_MENDED = {
    "c": "keep real and imaginary parts as two arrays",
    **dict.fromkeys("Mm", _TIMES),
    **dict.fromkeys("USV", _TEXTS),
}


def unmasked(values: ArrayLike) -> NDArray[Any]:
    """The values as a plain array.

    Raises
    ------
    UsageError
        Some are masked (np.ma): what lies under a mask would come back as a number.
    """
    if isinstance(values, np.ndarray) and np.any(
        getattr(values, "mask", False)
    ):  # without loading np.ma for it
        raise UsageError(
            "An array with masked values cannot be secret.",
            why="there are no missing values among secrets",
            mend="fill them (np.ma.filled), and share the mask as an array of Booleans",
        )
    return np.asarray(values)


def encode(values: ArrayLike, bits: int, *, limit: float | None = None) -> Ring:
    """Nearest ring elements of real numbers; whole numbers without fraction bits exactly.

    Raises
    ------
    UsageError
        NaN, infinity, or a number too large (by default: to survive one multiplication by a number of about 1; whole numbers: for
        differences, and so comparisons, to fit); or no numbers at all.
    """
    given = np.asarray(values)
    if given.dtype.kind in _MENDED:
        raise UsageError(f"An array of {given.dtype} cannot be secret.", mend=_MENDED[given.dtype.kind])
    if not bits and given.dtype.kind in "iu" and limit is None:
        if given.size and max(-int(given.min()), int(given.max())) >= _WHOLE:
            raise UsageError(
                "A whole number does not fit the format.",
                why="whole numbers must be smaller than 2^62 in size, so that differences fit 64 bits",
                mend="divide, or subtract, before they are shared",
            )
        return given.astype(np.int64).view(np.uint64)
    plain = given.astype(np.float64)
    if limit is None:
        limit = 2.0 ** (SAFE_BITS - 2 * bits) if bits else 2.0**53
    if plain.size and not float(np.abs(plain).max()) < limit:  # also catches NaN
        raise UsageError(
            "A number does not fit the fixed-point format.",
            why=f"with {bits} fraction bits numbers must be finite and smaller than {limit:g} in size",
            mend="scale the columns (standardise), or take fewer fraction bits",
        )
    return np.rint(plain * 2.0**bits).astype(np.int64).view(np.uint64)


def decode(ring: Ring, bits: int) -> NDArray[Any]:
    """The numbers that ring elements stand for: float64, or int64 where there are no fraction bits."""
    whole = np.array(ring, order="C").view(np.int64)
    return np.asarray(whole / 2.0**bits) if bits else whole
