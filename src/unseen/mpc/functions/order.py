"""Sorting, and what follows from it: order of keys, rows in the order of a key, the largest few, shuffles.

Where a protocol hides the order that its shuffle makes from every party, rows are shuffled and then sorted by quicksort,
whose comparisons are opened: they tell how a random order of different keys has to be rearranged, which is uniform and
says nothing of the keys. Keys are made different by their places (key 2^k + place), without which the number of ties
would show. Elsewhere (dealer2, whose helper knows the order) Batcher's odd-even merge network is used, and nothing is
opened at all.

Keys must fit beside their places: |key| 2^bits < 2^(61 - k), with 2^k elements. Fixed-point numbers always do up to
2^(bits - 1) elements.

Sources: Hamada, Kikuchi, Ikarashi, Chida, Takahashi, "Practically Efficient Multi-party Sorting Protocols from
Comparison Sort Algorithms" (ICISC 2012); Batcher, "Sorting Networks and Their Applications" (AFIPS 1968).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.compare import below
from unseen.mpc.shares import Share

_SMALL = 8
Places = NDArray[np.int64]


def sort(x: SecretArray, axis: int = -1) -> SecretArray:
    """Sorted along an axis."""
    return _along(x, axis, places=False)


def argsort(x: SecretArray, axis: int = -1) -> SecretArray:
    """The places of the sorted elements, as secret integers; equal ones in their order."""
    return _along(x, axis, places=True)


def topk(x: SecretArray, count: int) -> tuple[SecretArray, SecretArray]:
    """The `count` largest of a vector, largest first, and where they were."""
    columns = _sorted(x, x.share[..., None])
    last = columns[:, ::-1][:, :count]
    return x.engine.number(last[..., 2], x.bits), x.engine.number(last[..., 1], 0)


def order_by(key: SecretArray, rows: SecretArray) -> SecretArray:
    """Rows (shape (n, width)) in the order of their keys (shape (n,)); equal keys keep their order."""
    if rows.ndim != 2 or key.shape != rows.shape[:1]:  # noqa: PLR2004 - a matrix
        raise LocalProtocolError(f"Rows of shape {rows.shape} have no keys of shape {key.shape}.")
    return rows.engine.number(_sorted(key, rows.share)[..., 2:], rows.bits)


def shuffled(x: SecretArray) -> SecretArray:
    """Rows in an order that no holder knows."""
    rows = x.share.reshape(len(x.share), len(x), -1)
    return x.engine.number(x.engine.protocol.shuffle(rows).reshape(x.share.shape), x.bits)


def _along(x: SecretArray, axis: int, *, places: bool) -> SecretArray:
    engine = x.engine
    x = engine.as_number(x)
    order = [*(other for other in range(x.ndim) if other != axis % x.ndim), axis % x.ndim]
    lines = x.transpose(*order)
    flat = lines.reshape(-1, lines.shape[-1])
    done = [_sorted(line, line.share[..., None]) for line in (flat[place] for place in range(len(flat)))]
    column, bits = (1, 0) if places else (2, x.bits)
    made = engine.number(np.stack([one[..., column] for one in done], axis=1), bits)
    return made.reshape(lines.shape).transpose(*np.argsort(order))


def _sorted(key: SecretArray, rows: Share) -> Share:
    """Columns (key and place in one, place, then those of `rows`), by key."""
    engine = key.engine
    count = len(key)
    shift = max(count - 1, 1).bit_length()
    place = engine.protocol.public(np.arange(count, dtype=np.uint64))
    whole = (key.share << np.uint64(shift)) + place
    columns = np.concatenate([whole[..., None], place[..., None], rows], axis=2)
    if count < 2:  # noqa: PLR2004 - nothing to sort
        return columns
    if engine.protocol.hides_order:
        return _quicksorted(key, np.ascontiguousarray(columns))
    return _through_network(key, columns)


# ---------------------------------------------------------------------- quicksort


def _quicksorted(like: SecretArray, columns: Share) -> Share:
    protocol = like.engine.protocol
    columns = protocol.shuffle(columns)
    keys = np.ascontiguousarray(columns[..., 0])
    order: Places = np.arange(keys.shape[1])
    starts, ends = np.array([0]), np.array([keys.shape[1]])
    while (open_ := ends - starts > _SMALL).any():
        starts, ends = _partition(like, keys, order, starts[open_], ends[open_], starts[~open_], ends[~open_])
    _finish(like, keys, order, starts, ends)
    return columns[:, order]


def _opened(like: SecretArray, keys: Share, left: Places, right: Places) -> NDArray[np.bool_]:
    """Whether keys[left] < keys[right], opened: these are different and in an order that nobody knows."""
    protocol = like.engine.protocol
    bits = protocol.mask(keys[:, left] - keys[:, right]).less_than((0,))
    return protocol.open_shuffled(bits[:, 0]).astype(bool)


def _partition(
    like: SecretArray, keys: Share, order: Places, starts: Places, ends: Places, *done: Places
) -> tuple[Places, Places]:
    """One level of quicksort on all segments at once, in place; the first of each is its pivot."""
    lengths = ends - starts
    inside = np.repeat(starts + 1 - np.r_[0, np.cumsum(lengths - 1)[:-1]], lengths - 1) + np.arange(
        (lengths - 1).sum()
    )
    segment = np.repeat(np.arange(len(starts)), lengths - 1)
    smaller = _opened(like, keys, order[inside], order[starts[segment]])
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


def _finish(like: SecretArray, keys: Share, order: Places, starts: Places, ends: Places) -> None:
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
    smaller = _opened(like, keys, order[left], order[right])
    rank = np.zeros(len(order), np.int64)
    np.add.at(rank, right, smaller)
    np.add.at(rank, left, ~smaller)
    lengths = ends - starts
    inside = np.repeat(starts - np.r_[0, np.cumsum(lengths)[:-1]], lengths) + np.arange(lengths.sum())
    moved = order[inside]
    order[np.repeat(starts, lengths) + rank[inside]] = moved


# ---------------------------------------------------------------------- network


def _stages(count: int) -> Iterator[tuple[Places, Places]]:
    """Pairs (lower, upper) of each stage of Batcher's network for a power of two."""
    block = 1
    while block < count:
        step = block
        while step:
            low = np.arange(count)
            start = step % block
            inside = (low >= start) & ((low - start) % (2 * step) < step) & (low + step < count)
            same = low // (2 * block) == (low + step) // (2 * block)
            lower = low[inside & same]
            yield lower, lower + step
            step //= 2
        block *= 2


def _through_network(like: SecretArray, columns: Share) -> Share:
    """Compare and exchange, stage by stage; absent elements are larger than all and stay at the end."""
    engine = like.engine
    count = columns.shape[1]
    out = columns.copy()
    for lower, upper in _stages(1 << (count - 1).bit_length()):
        there = upper < count
        low, high = lower[there], upper[there]
        difference = out[:, high] - out[:, low]
        swap = engine.as_number(below(engine.number(difference[..., 0], 0), (0.0,))[0])
        amount = engine.multiply(engine.number(swap.share[..., None], 0), engine.number(difference, 0)).share
        out[:, low] += amount
        out[:, high] -= amount
    return out
