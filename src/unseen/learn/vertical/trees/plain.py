"""Boosted trees on plain codes: the definition that the secret ways are held against.

Where nothing is sampled, splits are those of XGBoost's `hist` on the same codes with a fixed base score (a test compares
with trees that XGBoost 3 grew).

Source: Chen and Guestrin, "XGBoost" (KDD 2016), algorithms 1 and 3; of gains that are equal but for rounding the first is taken, in XGBoost's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.trees.model import Booster, Codes, Settings, Splits, leaf_of
from unseen.learn.vertical.trees.objectives import derivatives
from unseen.learn.vertical.trees.search import ROUNDED

Floats = NDArray[np.float64]
_LEAST_GAIN = 1e-6
_LEFT, _RIGHT = 0, 1


@dataclass(frozen=True, slots=True)
class Node:
    """Sums of derivatives in a node, and where monotone columns let its weight be."""

    first: float
    second: float
    low: float = -np.inf
    high: float = np.inf


def fit(
    codes: Codes,
    bins: Sequence[int],
    labels: Floats,
    settings: Settings,
    *,
    rows: NDArray[np.bool_] | None = None,
    columns: NDArray[np.bool_] | None = None,
    weights: Floats | None = None,
    start: Floats | None = None,
    gained: Floats | None = None,
) -> Booster:
    """Grow trees on pooled codes.

    Parameters
    ----------
    codes
        Shape (columns, rows): 0 to bins - 1, and bins where the value is missing.
    bins
        For each column the number of bins without the missing one.
    labels
        Shape (rows,).
    rows, columns
        Which ones each tree sees, shape (trees, rows) and (trees, columns); None: all.
    weights
        Of rows, shape (rows,).
    start
        Scores (classes, rows) to go on from.
    gained
        Shape (columns,): the gain of every split is added to that of its column.
    """
    trees, nodes = settings.trees, settings.nodes
    splits = Splits.none(trees, nodes)
    leaves = np.zeros((trees, 2**settings.depth))
    scores = np.full((settings.classes, len(labels)), settings.base_score) if start is None else start.copy()
    each = np.ones(len(labels)) if weights is None else weights
    gained = np.zeros(len(codes)) if gained is None else gained
    for tree in range(trees):
        kind = tree % settings.classes
        if kind == 0:
            gradients = derivatives(scores, labels, settings.objective)
        seen = each if rows is None else rows[tree] * each
        pair = np.stack([gradient[kind] * seen for gradient in gradients])
        allowed = np.ones(len(codes), bool) if columns is None else columns[tree]
        leaf = _grow(codes, bins, pair, settings, allowed, splits, leaves, gained, tree)
        scores[kind] += leaves[tree][leaf]
    return Booster(settings, splits, leaves)


def scores(booster: Booster, codes: Codes, bins: Sequence[int]) -> Floats:
    """Scores (classes, rows) of pooled codes by trees that are known whole."""
    settings, splits, weights = booster.settings, booster.splits, booster.weights
    assert splits is not None and weights is not None  # noqa: PT018 - of a pooled model
    out = np.full((settings.classes, codes.shape[1]), settings.base_score)
    for tree in range(settings.trees):
        left = splits.left(codes, bins, tree, slice(0, settings.nodes))
        out[tree % settings.classes] += weights[tree][leaf_of(left, settings.depth)]
    return out


def weight(first: float, second: float, settings: Settings) -> float:
    """The best weight of a leaf, before the learning rate."""
    if second <= 0 or second < settings.min_child_weight:
        return 0.0
    return -first / (second + settings.penalty)


def _grow(
    codes: Codes,
    bins: Sequence[int],
    pair: Floats,
    settings: Settings,
    allowed: NDArray[np.bool_],
    splits: Splits,
    weights: Floats,
    gained: Floats,
    tree: int,
) -> NDArray[np.int64]:
    """One tree, into `splits`, `weights` and `gained`; the leaf of each row."""
    rows = np.arange(codes.shape[1])
    place = np.zeros(codes.shape[1], np.int64)  # of a row's node within its level
    level = [Node(float(pair[0].sum()), float(pair[1].sum()))]
    for depth in range(settings.depth):
        width, start = 2**depth, 2**depth - 1
        tables = [_histogram(codes[column], bins[column], place, pair, width) for column in range(len(codes))]
        below: list[Node] = []
        for index, node in enumerate(level):
            table = [per_column[:, index] for per_column in tables]
            below += _split(table, node, settings, allowed, splits, gained, (tree, start + index))
        left = splits.left(codes, bins, tree, slice(start, start + width))
        place = 2 * place + 1 - left[place, rows]
        level = below
    for index, node in enumerate(level):
        best = np.clip(weight(node.first, node.second, settings), node.low, node.high)
        weights[tree, index] = settings.learning_rate * best
    return place


def _histogram(codes: Codes, bins: int, place: NDArray[np.int64], pair: Floats, nodes: int) -> Floats:
    """Sums by node and code, shape (2, nodes, bins + 1)."""
    slot, size = place * (bins + 1) + codes, nodes * (bins + 1)
    sums = [np.bincount(slot, values, minlength=size) for values in pair]
    table: Floats = np.stack(sums).astype(np.float64).reshape(2, nodes, bins + 1)
    return table


def _split(
    table: list[Floats],
    node: Node,
    settings: Settings,
    allowed: NDArray[np.bool_],
    splits: Splits,
    gained: Floats,
    at: tuple[int, int],
) -> list[Node]:
    """Find the best split of a node; its two children (all rows in the right one if there is none)."""
    best = max(_LEAST_GAIN, settings.min_gain - 1e-15)
    children = [Node(0.0, 0.0, node.low, node.high), node]
    for column in np.flatnonzero(allowed):
        sums = table[column]
        bins = sums.shape[1] - 1
        running = np.cumsum(sums[:, :bins], axis=1)
        way = settings.monotone[column] if settings.monotone else 0
        orders = [(False, range(bins))] + [(True, range(bins - 2, -2, -1))] * bool(sums[1, bins] > 0)
        for missing_left, order in orders:
            for last in order:
                below = running[:, last] if last >= 0 else np.zeros(2)
                left = below + (sums[:, bins] if missing_left else 0)
                right = np.array([node.first, node.second]) - left
                made = _gain(left, right, node, settings, way)
                if made is not None and made[0] > best * (1 + ROUNDED):
                    best, children = made
                    splits.column[at], splits.bin[at] = column, last
                    splits.missing_left[at] = missing_left
    if splits.column[at] >= 0:
        gained[splits.column[at]] += best
    return children


def _gain(
    left: Floats, right: Floats, node: Node, settings: Settings, way: int
) -> tuple[float, list[Node]] | None:
    """What a split gains, and its children; None if it may not be."""
    if min(left[1], right[1]) < settings.min_child_weight or min(left[1], right[1]) <= 0:
        return None
    penalty = settings.penalty
    sides = [
        float(np.clip(weight(side[0], side[1], settings), node.low, node.high)) for side in (left, right)
    ]
    if way * (sides[_RIGHT] - sides[_LEFT]) < 0:
        return None
    own = float(np.clip(weight(node.first, node.second, settings), node.low, node.high))
    gain = sum(
        sign * -(2 * first * w + (second + penalty) * w * w)
        for sign, (first, second), w in (
            (1, left, sides[_LEFT]),
            (1, right, sides[_RIGHT]),
            (-1, (node.first, node.second), own),
        )
    )
    middle = (sides[_LEFT] + sides[_RIGHT]) / 2
    below = [(node.low, node.high)] * 2
    if way > 0:
        below = [(node.low, middle), (middle, node.high)]
    elif way < 0:
        below = [(middle, node.high), (node.low, middle)]
    return gain, [Node(float(s[0]), float(s[1]), *b) for s, b in zip((left, right), below, strict=True)]
