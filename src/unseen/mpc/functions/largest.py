"""Which of many is the largest, as Booleans of which one holds: all pairs of a group are compared at once.

A tournament of pairs takes a comparison and a choice for every level, so latency is paid 9 log2(n) times. Groups of k need
log_k(n) stages, at (k - 1) / 2 comparisons a number in each; the groups are as large as is best where a round costs what
:data:`ROUND` comparisons cost.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.compare import less
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Bits, Share

ROUND = 1000
"""Comparisons that take as long as a round: 0.7 ms on a quick network, where parties share two cores."""
_STAGE, _LARGEST_GROUP = 9, 64
Places = NDArray[np.int64]
_LOWEST = 1 << 61


def one_hot_of_largest(x: SecretArray) -> SecretArray:
    """Booleans (lines, places): where the largest number of each line stands, of equal ones the first; |x| < 2^60 units.

    Numbers of shape (lines, places).
    """
    engine, (lines, places) = x.engine, x.shape
    chosen: list[Bits] = []  # of each stage: winners (components, lines, groups, size)
    field = x.share
    while field.shape[2] > 1:
        size = _size(lines, field.shape[2], ROUND)
        groups = -(-field.shape[2] // size)
        grouped = _padded(engine.protocol, field, groups * size).reshape(-1, lines, groups, size)
        sides = np.ascontiguousarray(np.moveaxis(grouped, 3, 1)).reshape(len(grouped), size, -1)
        won = _winners(engine.number(sides, x.bits))
        chosen.append(np.moveaxis(won.reshape(-1, size, lines, groups), 1, 3))
        if groups == 1:
            break
        field = engine.protocol.inner(engine.protocol.to_ring(won), sides).reshape(-1, lines, groups)
    if not chosen:
        return engine.lift(np.ones((lines, places), bool))
    made = chosen[-1].reshape(len(x.share), lines, -1)
    for won in reversed(chosen[:-1]):
        groups, size = won.shape[2:]
        above = np.repeat(made[:, :, :groups, None], size, axis=3)
        (both,) = engine.protocol.and_both(planes.pack(won), (planes.pack(above),))
        made = planes.unpack(both, won.shape[1:])[:, 0].reshape(len(won), lines, -1)
    return engine.boolean(np.ascontiguousarray(made[:, :, :places]))


@cache
def _size(lines: int, places: int, round_cost: int) -> int:
    """Of the groups that cost least, if all stages have groups of one size."""
    sizes = range(2, max(3, min(places, _LARGEST_GROUP) + 1))
    return min(sizes, key=lambda size: _cost(lines, places, size, round_cost))


def _cost(lines: int, places: int, size: int, round_cost: int) -> int:
    """In comparisons."""
    total = 0
    while places > 1:
        places = -(-places // size)
        total += lines * places * (size * (size - 1) // 2)
        total += round_cost * (_STAGE + (size - 2).bit_length())  # that of a group has size - 1 to win
    return total


def comparisons(lines: int, places: int) -> int:
    """How many comparisons the search in that many lines and places takes: what its cost is made of."""
    total = 0
    while places > 1:
        size = _size(lines, places, ROUND)
        places = -(-places // size)
        total += lines * places * (size * (size - 1) // 2)
    return total


def rounds(lines: int, places: int) -> int:
    """How many rounds the search takes, about."""
    total = 0
    while places > 1:
        size = _size(lines, places, ROUND)
        places = -(-places // size)
        total += _STAGE + (size - 2).bit_length()
    return total


def _padded(protocol: Protocol, field: Share, places: int) -> Share:
    missing = places - field.shape[2]
    if not missing:
        return field
    lowest = np.full((field.shape[1], missing), -_LOWEST, np.int64).view(np.uint64)
    return np.concatenate([field, protocol.public(lowest)], axis=2)


@cache
def _pairs(size: int) -> tuple[Places, Places, Places, NDArray[np.bool_]]:
    """All pairs; for each place which pairs it is in, shape (size - 1, size), and whether as the first of the two."""
    first, second = np.triu_indices(size, 1)
    place = np.zeros((size, size), np.int64)
    place[first, second] = place[second, first] = np.arange(len(first))
    others = np.array([[other for other in range(size) if other != own] for own in range(size)]).T
    own = np.arange(size)
    return first, second, place[others, own], (others > own)[..., None]


def _winners(x: SecretArray) -> Bits:
    """Of (size, groups): whether a number is more than all before it and no less than all after it, in its group."""
    engine, (size, groups) = x.engine, x.shape
    first, second, pair, flipped = _pairs(size)
    one, other = (engine.number(np.ascontiguousarray(x.share[:, side]), x.bits) for side in (first, second))
    later = less(one, other).bit_share  # the later one is more
    packed = planes.pack(later.reshape(-1, groups)).reshape(len(later), len(first), -1)
    ones = engine.protocol.public_bits(np.full(packed.shape[2], ~np.uint64(0)))
    wins = packed[:, pair] ^ np.where(flipped, ones[:, None, None], np.uint64(0))
    won = planes.conjunction(engine.protocol, wins.reshape(len(wins), size - 1, -1))
    return planes.unpack(won.reshape(len(won), size, -1), (groups,))
