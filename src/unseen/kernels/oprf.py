"""What a vector-OLE based pseudo-random function does to whole arrays beside decoding and hashing.

Elements of GF(2^128) and GF(2^96) are blocks as in :mod:`unseen.kernels.okvs`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.okvs import Field
from unseen.kernels.reference import oprf as reference

Blocks = NDArray[np.uint8]

_native = native()


def add_scaled(base: Blocks, factors: Blocks, scalar: Blocks, *, field: Field) -> Blocks:
    """`base ^ factors * scalar`, row by row.

    Parameters
    ----------
    base
        Shape (n, 16), or (n, w, 16) for vectors over the field.
    factors
        Shape (n, 16).
    scalar
        Shape (16,), or (w, 16).

    Returns
    -------
    The shape of `base`.

    Raises
    ------
    ValueError
        Shapes that do not fit.
    """
    rows = base if base.ndim > 2 else base.reshape(len(base), 1, base.shape[-1])  # noqa: PLR2004 - (n, w, 16)
    compute = reference.add_scaled if _native is None else _native.add_scaled
    out: Blocks = compute(field == "gf96", rows, factors, np.atleast_2d(scalar))
    return out.reshape(base.shape)
