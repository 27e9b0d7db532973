"""Quicksort of freshly shuffled rows, with comparisons that are opened to all parties.

They tell how a random order of different keys has to be rearranged, which is uniform and says nothing of the keys. Keys are
made different by their places (key 2^k + place), without which the number of ties would show; so they must leave room
for them (:func:`widest`). How much is compared next depends on what was opened: where a helper
deals and may not see that, :mod:`unseen.mpc.functions.radix` is used.

Source: Hamada, Kikuchi, Ikarashi, Chida, Takahashi, "Practically Efficient Multi-party Sorting Protocols from Comparison
Sort Algorithms" (ICISC 2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import SAFE_BITS
from unseen.mpc.functions.permute import Rows, take
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Share

_SMALL = 8
Order = NDArray[np.int64]


def widest(count: int) -> int:
    """How many bits a key may have, so that two keys with their places are less than 2^62 apart."""
    return SAFE_BITS - 1 - _place_bits(count)


def _place_bits(count: int) -> int:
    return max(count - 1, 1).bit_length()


def quicksorted(protocol: Protocol, key: Share, *rows: Rows) -> tuple[Rows, ...]:
    """Rows in the order of their keys, shape (components, rows); equal keys keep their order."""
    count = key.shape[1]
    shuffled, *columns = protocol.shuffle(different(protocol, key)[..., None], *rows)
    keys = np.ascontiguousarray(shuffled[..., 0])
    order: Order = np.arange(count)
    starts, ends = np.array([0]), np.array([count])
    while (open_ := ends - starts > _SMALL).any():
        starts, ends = _partition(
            protocol, keys, order, starts[open_], ends[open_], starts[~open_], ends[~open_]
        )
    _finish(protocol, keys, order, starts, ends)
    return tuple(take(column, order) for column in columns)


def different(protocol: Protocol, key: Share) -> Share:
    """Keys with their places added below, so that no two are equal."""
    count = key.shape[1]
    place = protocol.public(np.arange(count, dtype=np.uint64))
    whole: Share = (key << np.uint64(_place_bits(count))) + place
    return whole


def _opened(protocol: Protocol, keys: Share, left: Order, right: Order) -> NDArray[np.bool_]:
    """Whether keys[left] < keys[right], opened: these are different and in an order that nobody knows."""
    bits = protocol.mask(keys[:, left] - keys[:, right]).less_than((0,))
    return protocol.open_shuffled(bits[:, 0]).astype(bool)


def _partition(
    protocol: Protocol, keys: Share, order: Order, starts: Order, ends: Order, *done: Order
) -> tuple[Order, Order]:
    """One level of quicksort on all segments at once, in place; the first of each is its pivot."""
    lengths = ends - starts
    inside = np.repeat(starts + 1 - np.r_[0, np.cumsum(lengths - 1)[:-1]], lengths - 1) + np.arange(
        (lengths - 1).sum()
    )
    segment = np.repeat(np.arange(len(starts)), lengths - 1)
    smaller = _opened(protocol, keys, order[inside], order[starts[segment]])
    running = np.cumsum(smaller)
    before = np.r_[0, running[np.cumsum(lengths - 1) - 1]]
    small = np.diff(before)
    rank = running - smaller - before[segment]  # how many smaller ones of its segment come before it
    offset = inside - starts[segment] - 1 - rank
    target = starts[segment] + np.where(smaller, rank, small[segment] + 1 + offset)
    moved, pivots = order[inside], order[starts]
    order[target] = moved
    order[starts + small] = pivots
    new_starts = np.r_[starts, starts + small + 1, done[0]]
    new_ends = np.r_[starts + small, ends, done[1]]
    keep = new_ends - new_starts > 1
    return new_starts[keep], new_ends[keep]


def _finish(protocol: Protocol, keys: Share, order: Order, starts: Order, ends: Order) -> None:
    """Small segments: all pairs at once; an element's rank is how many are smaller."""
    lefts, rights = [], []
    for length in range(2, _SMALL + 1):
        firsts = starts[ends - starts == length]
        one, other = np.triu_indices(length, 1)
        lefts.append((firsts[:, None] + one).ravel())
        rights.append((firsts[:, None] + other).ravel())
    left, right = np.concatenate(lefts), np.concatenate(rights)
    if not left.size:
        return
    smaller = _opened(protocol, keys, order[left], order[right])
    rank = np.zeros(len(order), np.int64)
    np.add.at(rank, right, smaller)
    np.add.at(rank, left, ~smaller)
    lengths = ends - starts
    inside = np.repeat(starts - np.r_[0, np.cumsum(lengths)[:-1]], lengths) + np.arange(lengths.sum())
    moved = order[inside]
    order[np.repeat(starts, lengths) + rank[inside]] = moved
