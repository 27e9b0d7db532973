"""The search for splits where some columns may move the score one way only.

A split on such a column must not put the smaller weight where the larger one belongs, and the weights below it stay on their side
of the middle between the two: every node has bounds, secret as all else. Weights are cut off at the bounds, and gains are those of
the weights that result, -(2 G w + H' w^2), as in XGBoost.

More is compared than without: six times for each candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.trees import gains
from unseen.learn.vertical.trees.bins import Bins, Candidates
from unseen.learn.vertical.trees.gains import Found, Scale, Sums
from unseen.learn.vertical.trees.importance import Measure
from unseen.learn.vertical.trees.model import Settings
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions.compare import clip, less, logical_not
from unseen.mpc.functions.largest import one_hot_of_largest

FARTHEST = 2.0**12
"""Weights beyond do not occur: the first bounds of the root."""
_TWO = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """Secret bounds of the nodes' weights, shape (nodes,)."""

    low: SecretArray
    high: SecretArray

    @classmethod
    def of_root(cls, engine: Engine) -> Bounds:
        """So far that they bind nothing."""
        return cls(engine.lift(np.array([-FARTHEST])), engine.lift(np.array([FARTHEST])))


def ways(choices: Candidates, bins: Bins, monotone: Sequence[int]) -> NDArray[np.int64]:
    """The way of each candidate's column: 1 up, -1 down, 0 either."""
    starts = np.concatenate([[0], np.cumsum(list(bins.columns.values()))[:-1]])
    way: NDArray[np.int64] = np.array(monotone, np.int64)[starts[choices.owner] + choices.column]
    return way


def best(
    engine: Engine,
    sums: Sums,
    node: Sums,
    bounds: Bounds,
    choices: Candidates,
    way: NDArray[np.int64],
    settings: Settings,
    scale: Scale,
) -> tuple[Found, SecretArray]:
    """As :func:`.gains.best`, and where bounds of the children would be by each candidate (nodes, candidates): see :func:`below`."""
    left, right = gains.parted(engine, sums, node, choices)
    count = left.first.shape[1]
    every = Sums(
        *(
            engine.concatenate([one, other, whole.reshape(-1, 1)], axis=1)
            for one, other, whole in zip(
                (left.first, left.second), (right.first, right.second), (node.first, node.second), strict=True
            )
        )
    )
    root = gains.roots(engine, every.second, settings, scale)
    cut = clip(
        gains.weight(engine, every, root, scale), bounds.low.reshape(-1, 1), bounds.high.reshape(-1, 1)
    )
    grown = gains.times(engine, every.second + settings.penalty, cut, engine.bits)
    each = -gains.times(engine, cut, every.first * _TWO + grown, engine.bits)
    one, other = cut[:, :count], cut[:, count : 2 * count]
    total = each[:, :count] + each[:, count : 2 * count]
    allowed = gains.choosable(engine, sums, left, right, choices, settings)
    bound = np.flatnonzero(way)
    total = _forbidden(engine, total, one, other, way, bound)
    none = each[:, 2 * count] + max(settings.min_gain, 2.0**-10)
    lowest = -(2.0**20)
    total = engine.select(allowed, total - lowest) + lowest
    hot = one_hot_of_largest(engine.concatenate([none.reshape(-1, 1), total], axis=1))
    found = Found(hot, left, Measure(total - each[:, 2 * count].reshape(-1, 1)))
    middle: SecretArray = (one + other) * 0.5
    return found, middle


def _forbidden(
    engine: Engine,
    total: SecretArray,
    one: SecretArray,
    other: SecretArray,
    way: NDArray[np.int64],
    bound: NDArray[np.int64],
) -> SecretArray:
    """Gains far below all others where the weights are the wrong way round."""
    if not len(bound):
        return total
    low = engine.number(one.share[..., bound] * way[bound].astype(np.uint64), one.bits)
    high = engine.number(other.share[..., bound] * way[bound].astype(np.uint64), other.bits)
    right_way = logical_not(less(high, low))
    lowest = -(2.0**20)
    some = engine.number(np.ascontiguousarray(total.share[..., bound]), total.bits)
    kept = engine.select(right_way, some - lowest) + lowest
    share = total.share.copy()
    share[..., bound] = kept.share
    return engine.number(share, total.bits)


def below(
    engine: Engine, won: SecretArray, bounds: Bounds, middle: SecretArray, way: NDArray[np.int64]
) -> Bounds:
    """Bounds of the children, left, right, left, right: they move to the middle of the split that won, where its column has a way.

    `won`: one-hot numbers (nodes, 1 + candidates).
    """
    nodes = len(middle)
    moved = []
    for edge, towards in ((bounds.low, -1), (bounds.high, 1), (bounds.low, 1), (bounds.high, -1)):
        chosen = np.moveaxis(won.share[..., 1:][..., way == towards], -1, 1)
        gap = (middle - edge.reshape(-1, 1)).share[..., way == towards]
        if not chosen.shape[1]:
            moved.append(edge.share)
            continue
        made = engine.protocol.inner(
            np.ascontiguousarray(chosen), np.ascontiguousarray(np.moveaxis(gap, -1, 1))
        )
        moved.append(edge.share + made)
    low, high = (np.stack([moved[side], moved[side + 2]], axis=2).reshape(-1, 2 * nodes) for side in (0, 1))
    return Bounds(engine.number(low, engine.bits), engine.number(high, engine.bits))
