"""What a party holds of a secret array: `components` arrays of the secret's shape, stacked along the first axis.

Additive sharing has one component, replicated sharing two. Linear operations are the same for all protocols: they
work on every component alike, and only have to leave the first axis alone.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Share: TypeAlias = NDArray[np.uint64]
"""Numbers, shape (components, *shape of the secret); the secret is the sum of all parties' distinct components."""

Bits: TypeAlias = NDArray[np.uint8]
"""Booleans, the same with XOR: one 0 or 1 a byte."""

Planes: TypeAlias = NDArray[np.uint64]
"""Bits of many elements, shape (components, places, words): bit e % 64 of word e // 64 is element e's."""


def align(*shares: NDArray[Any]) -> list[NDArray[Any]]:
    """Give all shares as many dimensions as the largest has, so that they broadcast behind the first axis.

    Raises
    ------
    ValueError
        The secrets' shapes do not broadcast.
    """
    np.broadcast_shapes(*(share.shape[1:] for share in shares))
    most = max(share.ndim for share in shares)
    return [share.reshape(share.shape[0], *[1] * (most - share.ndim), *share.shape[1:]) for share in shares]


def broadcast(*shares: NDArray[Any]) -> list[NDArray[Any]]:
    """All shares in their common shape, contiguous."""
    return [np.ascontiguousarray(share) for share in np.broadcast_arrays(*align(*shares))]


def pick(share: NDArray[Any], index: Any) -> NDArray[Any]:
    """`secret[index]` of every component.

    Raises
    ------
    IndexError
        In NumPy's words about the secret's own axes.
    """
    try:
        return _picked(share, index)
    except IndexError:
        np.broadcast_to(np.uint8(0), share.shape[1:])[index]
        raise


def _picked(share: NDArray[Any], index: Any) -> NDArray[Any]:
    parts = index if isinstance(index, tuple) else (index,)
    if all(isinstance(part, slice | int | np.integer) or part is None or part is Ellipsis for part in parts):
        view: NDArray[Any] = share[(slice(None), *parts)]
        return view
    return np.stack([np.asarray(component[index]) for component in share])
