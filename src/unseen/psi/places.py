"""Places of a hidden result: moved so that those with a row come first, and their columns apart or side by side.

Columns that are many are turned over in pieces that stay in the processor's memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray
from unseen.mpc.functions.order import Key, arranged
from unseen.mpc.shares import Share

_PIECE = 1 << 12


def rows_first(
    member: SecretArray, bits: Sequence[SecretArray], numbers: Share, at_most: int
) -> tuple[SecretArray, list[SecretArray], Share]:
    """Members, other Booleans and columns of the places in an order with all members first, under shares, cut to so many.

    Of more members, those stay that stood first; nobody learns whether there were more.

    Parameters
    ----------
    member, bits
        Secret Booleans, shape (places,).
    numbers
        Shape (components, places, columns).
    """
    engine = member.engine
    flags = np.stack([item.bit_share for item in (member, *bits)], axis=2)
    empty = not numbers.shape[2]
    given = np.zeros((*numbers.shape[:2], 1), np.uint64) if empty else numbers
    moved, kept = arranged([Key(member.reshape(1, -1), descending=True)], flags, given)
    clean = moved[:, :at_most] & np.uint8(1)  # a shuffle fills all places of a byte with noise
    first, *rest = (
        engine.boolean(np.ascontiguousarray(clean[:, :, place])) for place in range(flags.shape[2])
    )
    return first, rest, numbers[:, :at_most] if empty else np.ascontiguousarray(kept[:, :at_most])


def apart(numbers: Share) -> list[Share]:
    """Columns of shape (components, places, columns), each (components, places)."""
    components, places, columns = numbers.shape
    out = np.empty((columns, components, places), np.uint64)
    for begin in range(0, places, _PIECE):
        piece = slice(begin, begin + _PIECE)
        out[:, :, piece] = numbers[:, piece].transpose(2, 0, 1)
    return list(out)


def side_by_side(columns: Sequence[Share], shape: tuple[int, int]) -> NDArray[np.uint64]:
    """The inverse of :func:`apart`; `shape` is (components, places), of which there may be no column."""
    out = np.empty((*shape, len(columns)), np.uint64)
    for begin in range(0, shape[1], _PIECE):
        piece = slice(begin, begin + _PIECE)
        for place, column in enumerate(columns):
            out[:, piece, place] = column[:, piece]
    return out
