"""The best split of each node from sums in the clear, for all nodes of a level and all columns of one holder at once.

What is found is what :mod:`unseen.learn.vertical.trees.plain` finds, ties included: columns in order, of each first the
splits that send missing values right, bin by bin, then those that send them left, from the last bin down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.trees.model import Settings

Floats = NDArray[np.float64]
_LEAST_GAIN = 1e-6
ROUNDED = 1e-6
"""Gains that differ by no more of themselves are equal but for rounding: XGBoost adds and compares in 32 bits."""


@dataclass(frozen=True, slots=True)
class Best:
    """Of each node, shape (nodes,) each: the gain (0 where nothing is gained) and where to split."""

    gain: Floats
    column: NDArray[np.int32]
    bin: NDArray[np.int32]
    missing_left: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Level:
    """Nodes of a level: sums of derivatives (2, nodes), and where monotone columns let the weights be."""

    sums: Floats
    low: Floats
    high: Floats

    @classmethod
    def root(cls, sums: Floats) -> Level:
        """One node."""
        return cls(sums, np.full(1, -np.inf), np.full(1, np.inf))


def weights(sums: Floats, settings: Settings, low: Floats, high: Floats) -> Floats:
    """The best weights before the learning rate, of sums (2, ...)."""
    first, second = sums
    fine = (second > 0) & (second >= settings.min_child_weight)
    best = np.where(fine, -first / np.where(fine, second + settings.penalty, 1.0), 0.0)
    clipped: Floats = np.clip(best, low, high)
    return clipped


def best_splits(
    tables: Sequence[Floats],
    level: Level,
    settings: Settings,
    *,
    ways: NDArray[np.int64],
    allowed: NDArray[np.bool_],
) -> Best:
    """The best split of each node on one holder's columns.

    Parameters
    ----------
    tables
        For each column the sums by bin, the missing values' last, shape (2, nodes, bins + 1).
    level
        With sums that are those of `tables` exactly: a side without rows must come out as 0.
    ways, allowed
        For each column whether the score may only grow or fall with it, and whether this tree sees it.
    """
    nodes, columns = level.sums.shape[1], len(tables)
    bins = np.array([table.shape[2] - 1 for table in tables], np.int64)
    width = int(bins.max(initial=1))
    left = np.zeros((2, nodes, columns, 2 * width))
    valid = np.zeros((nodes, columns, 2 * width), bool)
    for column, table in enumerate(tables):
        if not allowed[column]:
            continue
        count = int(bins[column])
        running = np.cumsum(table[:, :, :count], axis=2)
        left[:, :, column, :count] = running
        valid[:, column, :count] = True
        missing = table[:, :, count:]
        below = np.concatenate([np.zeros((2, nodes, 1)), running[:, :, : count - 1]], axis=2)[:, :, ::-1]
        left[:, :, column, width : width + count] = below + missing
        valid[:, column, width : width + count] = missing[1] > 0
    if not columns:
        nothing = np.zeros(nodes, np.int32)
        return Best(np.zeros(nodes), nothing - 1, nothing, nothing.astype(bool))
    flat = np.where(valid, _gains(left, level, settings, ways), -np.inf).reshape(nodes, -1)
    place = first_of_largest(flat)
    gain = flat[np.arange(nodes), place]
    split, at = np.divmod(place, 2 * width)
    missing_left = at >= width
    last = np.where(missing_left, bins[split] - 2 - (at - width), at)
    found = gain > max(_LEAST_GAIN, settings.min_gain - 1e-15)
    return Best(
        np.where(found, gain, 0.0),
        np.where(found, split, -1).astype(np.int32),
        np.where(found, last, 0).astype(np.int32),
        missing_left & found,
    )


def first_of_largest(gains: Floats) -> NDArray[np.int64]:
    """Where the largest number of each line (..., places) stands; of those that equal it but for rounding, the first."""
    most = gains.max(axis=-1, keepdims=True)
    places: NDArray[np.int64] = np.argmax(gains >= most - ROUNDED * np.abs(most), axis=-1)
    return places


def _gains(left: Floats, level: Level, settings: Settings, ways: NDArray[np.int64]) -> Floats:
    """Of left sums (2, nodes, columns, places)."""
    own = level.sums[:, :, None, None]
    low, high = level.low[:, None, None], level.high[:, None, None]
    right = own - left
    least = np.minimum(left[1], right[1])
    fits = (least > 0) & (least >= settings.min_child_weight)
    left_weight = weights(left, settings, low, high)
    right_weight = weights(right, settings, low, high)
    fits &= ways[:, None] * (right_weight - left_weight) >= 0
    gain = _score(left, left_weight, settings) + _score(right, right_weight, settings)
    gain = gain - _score(own, weights(own, settings, low, high), settings)
    made: Floats = np.where(fits, gain, -np.inf)
    return made


def _score(sums: Floats, weight: Floats, settings: Settings) -> Floats:
    score: Floats = -(2 * sums[0] * weight + (sums[1] + settings.penalty) * weight * weight)
    return score


def children(level: Level, sums: Floats, ways: NDArray[np.int64], settings: Settings) -> Level:
    """The nodes below, with sums (2, 2 nodes), given the way (-1, 0, 1) of the column that each node was split on."""
    low, high = np.repeat(level.low, 2), np.repeat(level.high, 2)
    held = weights(sums, settings, low, high)
    middle = (held[::2] + held[1::2]) / 2
    grows, falls = ways > 0, ways < 0
    high[::2] = np.where(grows, middle, high[::2])
    low[1::2] = np.where(grows, middle, low[1::2])
    low[::2] = np.where(falls, middle, low[::2])
    high[1::2] = np.where(falls, middle, high[1::2])
    return Level(sums, low, high)
