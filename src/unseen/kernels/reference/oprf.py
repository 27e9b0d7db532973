"""The definition of :mod:`unseen.kernels.oprf`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.okvs import times

Blocks = NDArray[np.uint8]

_BLOCK = 16


def add_scaled(gf96: bool, base: Blocks, factors: Blocks, scalar: Blocks) -> Blocks:  # noqa: FBT001 - as the native one
    """`base ^ factors * scalar`: shapes (n, w, 16), (n, 16), (w, 16)."""
    if base.shape != (len(factors), len(scalar), _BLOCK) or factors.shape[1:] != (_BLOCK,):
        raise ValueError("one factor a row, and as many blocks of the scalar as a row has")
    out = base.copy()
    for row, factor in enumerate(factors):
        for value, block in enumerate(scalar):
            product = times(_number(factor), _number(block), "gf96" if gf96 else "gf128")
            out[row, value] ^= np.frombuffer(product.to_bytes(_BLOCK, "little"), np.uint8)
    return out


def _number(block: Blocks) -> int:
    return int.from_bytes(block.tobytes(), "little")
