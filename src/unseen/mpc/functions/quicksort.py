"""Quicksort of freshly shuffled rows, with comparisons that are opened to all parties.

They tell how a random order of different keys has to be rearranged, which is uniform and says nothing of the keys. Keys are
made different by their places (key 2^k + place), without which the number of ties would show; so they must leave room
for them (:func:`widest`). How much is compared next depends on what was opened: where a helper
deals and may not see that, :mod:`unseen.mpc.functions.radix` is used.

Where only the keys are wanted they are shuffled alone: in their order, without their places, they are what is wanted.

What is compared at one time is compared in pieces, as all functions work (:mod:`unseen.mpc.functions.pieces`); beside the shuffled
rows there are four bytes of order for each.

Source: Hamada, Kikuchi, Ikarashi, Chida, Takahashi, "Practically Efficient Multi-party Sorting Protocols from Comparison
Sort Algorithms" (ICISC 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import SAFE_BITS
from unseen.mpc.functions.permute import Rows, take
from unseen.mpc.functions.pieces import cut, piece
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Share

_SMALL = 8
_PARTS = 16
_LEAST = 1 << 15  # compared at a time: in fewer rounds than pieces of numbers, as they are many levels
Order = NDArray[Any]


def widest(count: int) -> int:
    """How many bits a key may have, so that two keys with their places are less than 2^62 apart."""
    return SAFE_BITS - 1 - _place_bits(count)


def _place_bits(count: int) -> int:
    return max(count - 1, 1).bit_length()


def quicksorted(protocol: Protocol, key: Share, *rows: Rows) -> tuple[Rows, ...]:
    """Rows in the order of their keys, shape (components, rows); equal keys keep their order."""
    count = key.shape[1]
    shuffled, *columns = protocol.shuffle(different(protocol, key)[..., None], *rows)
    order = _sorted(_Keys(protocol, shuffled[..., 0]))
    del shuffled
    return tuple(take(column, order) for column in columns) if count else tuple(columns)


def sorted_keys(protocol: Protocol, key: Share) -> Share:
    """The keys (components, n) themselves in order: what is above their places, so nothing else need be shuffled."""
    count = key.shape[1]
    places = _place_bits(count)
    (shuffled,) = protocol.shuffle(different(protocol, key)[..., None])
    if count:
        order = _sorted(_Keys(protocol, shuffled[..., 0]))
        shuffled = take(shuffled, order)
        del order
    keys: Share = shuffled[..., 0]
    for here in cut(count, _PARTS):
        keys[:, here] = protocol.truncate(keys[:, here], places, exact=True)
    return keys


def different(protocol: Protocol, key: Share) -> Share:
    """Keys with their places added below, so that no two are equal."""
    count = key.shape[1]
    whole: Share = key << np.uint64(_place_bits(count))
    for here in cut(count, _PARTS):
        whole[:, here] += protocol.public(np.arange(here.start, here.stop, dtype=np.uint64))
    return whole


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys (components, n) that are all different, in an order that nobody knows."""

    protocol: Protocol
    share: Share

    @property
    def step(self) -> int:
        """How many are compared at a time."""
        return piece(self.share.shape[1], _PARTS, least=_LEAST)

    def less(self, pairs: Order) -> NDArray[np.bool_]:
        """Whether keys[left] < keys[right] for pairs (2, n) of left and right, opened."""
        difference = self.share[:, pairs[0]]
        for place, own in enumerate(self.share):
            difference[place] -= own[pairs[1]]
        del pairs  # a temporary of the caller
        masked = self.protocol.mask(difference)
        del difference
        bits = masked.less_than((0,))
        return self.protocol.open_shuffled(bits[:, 0]).view(np.bool_)


def _sorted(keys: _Keys) -> Order:
    """Which key comes first, second, and so on."""
    count = keys.share.shape[1]
    kind: type[Any] = np.int32 if count <= np.iinfo(np.int32).max else np.int64
    order: Order = np.arange(count, dtype=kind)
    starts, ends = np.zeros(1, kind), np.full(1, count, kind)
    done = [(starts[:0], ends[:0])]
    while len(starts):
        small = ends - starts <= _SMALL
        done.append((starts[small], ends[small]))
        starts, ends = starts[~small], ends[~small]
        if len(starts):
            starts, ends = _partition(keys, order, starts, ends)
    _finish(keys, order, *(np.concatenate(sides) for sides in zip(*done, strict=True)))
    return order


def _partition(keys: _Keys, order: Order, starts: Order, ends: Order) -> tuple[Order, Order]:
    """One level of quicksort on all segments at once, in place; the first of each is its pivot."""
    kind = order.dtype
    firsts = np.concatenate(
        [[0], np.cumsum(ends - starts - 1)]
    )  # of each segment's elements but for the pivot

    segments = np.repeat(np.arange(len(starts), dtype=kind), ends - starts - 1)
    moves = (starts + 1 - firsts[:-1]).astype(kind)

    def places(begin: int) -> tuple[slice, Order, Order]:
        """Of some of these elements: which they are, their segment, and where they are in the order."""
        here = slice(begin, min(begin + keys.step, len(segments)))
        segment = segments[here].astype(np.intp)
        return here, segment, moves[segment] + np.arange(here.start, here.stop, dtype=kind)

    def with_pivots(begin: int) -> Order:
        _, segment, inside = places(begin)
        return np.stack([order[inside], order[starts[segment]]])

    smaller = np.empty(firsts[-1], np.bool_)
    for begin in range(0, len(smaller), keys.step):
        smaller[begin : begin + keys.step] = keys.less(with_pivots(begin))
    small = np.add.reduceat(smaller, firsts[:-1], dtype=kind)
    before = np.concatenate([[0], np.cumsum(small)])
    old, ranked = order.copy(), 0
    for begin in range(0, len(smaller), keys.step):
        here, segment, inside = places(begin)
        chosen = smaller[here]
        running = ranked + np.cumsum(chosen)
        rank = running - chosen - before[segment]  # how many smaller ones of its segment come before it
        ranked = int(running[-1])
        target = np.where(chosen, starts[segment] + rank, inside + small[segment] - rank)
        order[target] = old[inside]
    order[starts + small] = old[starts]
    starts, ends = np.concatenate([starts, starts + small + 1]), np.concatenate([starts + small, ends])
    keep = ends - starts > 1
    return starts[keep].astype(kind), ends[keep].astype(kind)


def _finish(keys: _Keys, order: Order, starts: Order, ends: Order) -> None:
    """Small segments, some at a time: all pairs at once; an element's rank is how many are smaller."""
    lengths = ends - starts
    by_length = np.argsort(lengths, kind="stable")
    starts, lengths = starts[by_length], lengths[by_length]
    pairs = np.cumsum(lengths * (lengths - 1) // 2)
    done = 0
    while done < len(starts):
        before = pairs[done - 1] if done else 0
        some = max(done + 1, int(np.searchsorted(pairs, before + keys.step, side="right")))
        _rank(keys, order, starts[done:some], lengths[done:some])
        done = some


def _rank(keys: _Keys, order: Order, starts: Order, lengths: Order) -> None:
    """Put these segments into order."""
    smaller = keys.less(order[_pairs(starts, lengths)])
    rank = np.zeros(len(order), np.uint8)
    left, right = _pairs(starts, lengths)  # again: they are longer than all else
    np.add.at(rank, right, smaller.view(np.uint8))
    np.add.at(rank, left, (~smaller).view(np.uint8))
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    inside = np.repeat(starts, lengths) + np.arange(len(first)) - first
    moved = order[inside]
    order[np.repeat(starts, lengths) + rank[inside]] = moved


def _pairs(starts: Order, lengths: Order) -> Order:
    """Where the left and the right element of every pair within these segments are: (2, n)."""
    found = [starts[:0].reshape(2, 0)]
    for length in range(2, _SMALL + 1):
        places = np.stack(np.triu_indices(length, 1)).astype(starts.dtype)
        found.append((starts[lengths == length][:, None] + places[:, None]).reshape(2, -1))
    return np.concatenate(found, axis=1)
