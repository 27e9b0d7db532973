"""Which of many is the largest, as Booleans of which one holds: all pairs of a group are compared at once.

A tournament of pairs takes a comparison and a choice for every level, so latency is paid 9 log2(n) times. Groups of k need
log_k(n) stages, at (k - 1) / 2 comparisons a number in each; the groups are as large as a budget of comparisons allows.
"""

from __future__ import annotations

import math

import numpy as np

from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.functions.compare import less
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Bits, Share

BUDGET = 1 << 15
_LOWEST = 1 << 61


def one_hot_of_largest(x: SecretArray) -> SecretArray:
    """Booleans (lines, places): where the largest number of each line stands, of equal ones the first; |x| < 2^60 units.

    Numbers of shape (lines, places).
    """
    engine, (lines, places) = x.engine, x.shape
    chosen: list[tuple[Bits, int]] = []  # of each stage: winners (components, lines, groups, size), size
    field = x.share
    while field.shape[2] > 1:
        size = _size(lines, field.shape[2])
        groups = -(-field.shape[2] // size)
        padded = _padded(engine.protocol, field, groups * size)
        grouped = padded.reshape(len(padded), lines, groups, size)
        won = _winners(engine.number(grouped, x.bits))
        chosen.append((won, size))
        if groups > 1:
            field = _value(engine.number(grouped, x.bits), won).share
        else:
            break
    if not chosen:
        return engine.lift(np.ones((lines, places), bool))
    made = chosen[-1][0].reshape(len(x.share), lines, -1)
    for won, size in reversed(chosen[:-1]):
        groups = won.shape[2]
        above = np.repeat(made[:, :, :groups, None], size, axis=3)
        (both,) = engine.protocol.and_both(planes.pack(won), (planes.pack(above),))
        made = planes.unpack(both, won.shape[1:])[:, 0].reshape(len(won), lines, -1)
    return engine.boolean(np.ascontiguousarray(made[:, :, :places]))


def _size(lines: int, places: int) -> int:
    """Of groups: as few stages as the budget allows, or pairs."""
    for stages in range(1, places.bit_length() + 1):
        size: int = max(2, math.ceil(float(places) ** (1 / stages)))
        if lines * -(-places // size) * (size * (size - 1) // 2) <= BUDGET:
            return size
    return 2


def _padded(protocol: Protocol, field: Share, places: int) -> Share:
    missing = places - field.shape[2]
    if not missing:
        return field
    lowest = np.full((field.shape[1], missing), -_LOWEST, np.int64).view(np.uint64)
    return np.concatenate([field, protocol.public(lowest)], axis=2)


def _winners(x: SecretArray) -> Bits:
    """Whether a number is more than all before it and no less than all after it, within its group of the last axis."""
    engine, size = x.engine, x.shape[-1]
    first, second = np.triu_indices(size, 1)
    share = x.share
    one, other = (engine.number(np.ascontiguousarray(share[..., side]), x.bits) for side in (first, second))
    later = less(one, other).bit_share  # the later one is more
    ones = engine.protocol.public_bits(np.ones((1, *x.shape[:-1]), np.uint8))[:, 0]
    wins = np.empty((len(later), size - 1, *x.shape), np.uint8)
    filled = [0] * size
    for pair, (left, right) in enumerate(zip(first, second, strict=True)):
        wins[:, filled[left], ..., left] = later[..., pair] ^ ones
        wins[:, filled[right], ..., right] = later[..., pair]
        filled[left] += 1
        filled[right] += 1
    flat = [planes.pack(wins[:, place]) for place in range(size - 1)]
    all_won = planes.conjunction(engine.protocol, np.concatenate(flat, axis=1))
    return planes.unpack(all_won, x.shape)[:, 0]


def _value(x: SecretArray, won: Bits) -> SecretArray:
    """The number that won in each group."""
    engine = x.engine
    hot = engine.as_number(engine.boolean(won)).share
    left, right = (np.ascontiguousarray(np.moveaxis(side, -1, 1)) for side in (hot, x.share))
    flat = (side.reshape(*side.shape[:2], -1) for side in (left, right))
    made = engine.protocol.inner(*flat)
    return engine.number(made.reshape(len(made), *x.shape[:-1]), x.bits)
