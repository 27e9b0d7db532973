"""Trees of ours and of XGBoost's, node by node, on the same rows with the same derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.trees.model import Codes, Settings, Splits, leaf_of
from unseen.learn.vertical.trees.objectives import derivatives

Floats = NDArray[np.float64]
NEAR = 1e-5
"""Of two splits whose gains differ by no more, as a part of the larger, either may be taken."""


@dataclass(slots=True)
class Found:
    """What came of it.

    Attributes
    ----------
    same
        Nodes that XGBoost splits and that part their rows alike.
    nearer
        (tree, node, gap) where they do not, with gains that differ by no more than `NEAR`.
    other
        The same with gains that differ by more: there should be none.
    below
        Nodes that XGBoost splits under those, which have other rows and are not compared.
    weights_off
        Largest difference of the weights of leaves that have the same rows.
    """

    same: int = 0
    nearer: list[tuple[int, int, float]] = field(default_factory=list)
    other: list[tuple[int, int, float]] = field(default_factory=list)
    below: int = 0
    weights_off: float = 0.0


class Forcing:
    """Keeps nothing of a training, and puts the scores of XGBoost's trees in the place of its own after every round.

    So each tree is grown from the derivatives that XGBoost's tree was grown from. Implements
    :class:`unseen.learn.vertical.checkpoints.Keeper` for the label holder.
    """

    def __init__(self, scores: Sequence[Floats]) -> None:
        self._scores = scores

    def resume(self) -> tuple[int, Mapping[str, Any]]:
        """From the beginning."""
        return 0, {}

    def save(self, done: int, state: Mapping[str, Any]) -> None:
        """The array is the one that training goes on with."""
        state["scores"][...] = self._scores[done]


def scores_of(
    splits: Splits, weights: Floats, codes: Codes, bins: Sequence[int], settings: Settings
) -> list[Floats]:
    """Scores (classes, rows) before the first round and after every one."""
    out = [np.full((settings.classes, codes.shape[1]), settings.base_score)]
    for tree in range(settings.trees):
        kind = tree % settings.classes
        now = out[-1].copy() if kind == 0 else out.pop()
        left = splits.left(codes, bins, tree, slice(0, settings.nodes))
        now[kind] += weights[tree][leaf_of(left, settings.depth)]
        out.append(now)
    return out


def compare(
    ours: tuple[Splits, Floats],
    theirs: tuple[Splits, Floats],
    codes: Codes,
    bins: Sequence[int],
    labels: Floats,
    settings: Settings,
) -> Found:
    """Splits and weights of leaves of both; ours grown under :class:`Forcing`."""
    found = Found()
    before = scores_of(*theirs, codes, bins, settings)
    for tree in range(settings.trees):
        kind = tree % settings.classes
        pair = np.stack(
            [one[kind] for one in derivatives(before[tree // settings.classes], labels, settings.objective)]
        )
        _tree(found, tree, ours, theirs, (codes, bins, pair, settings))
    return found


def _tree(
    found: Found, tree: int, ours: tuple[Splits, Floats], theirs: tuple[Splits, Floats], given: Any
) -> None:
    codes, bins, pair, settings = given
    nodes = settings.nodes
    ways = [one[0].left(codes, bins, tree, slice(0, nodes)) for one in (ours, theirs)]
    members: list[NDArray[np.bool_] | None] = [None] * (2 * nodes + 1)
    members[0] = np.ones(codes.shape[1], bool)
    for node in range(nodes):
        rows = members[node]
        if rows is None:
            found.below += bool(ways[1][node].any())
            continue
        one, other = (way[node] & rows for way in ways)
        if not np.array_equal(one, other):
            gains = [_gain(pair, rows, left, settings) for left in (one, other)]
            gap = abs(gains[0] - gains[1]) / max(*gains, 1e-300)
            (found.nearer if gap <= NEAR else found.other).append((tree, node, gap))
            continue
        found.same += bool(other.any())
        members[2 * node + 1], members[2 * node + 2] = one, rows & ~one
    for leaf in range(2**settings.depth):
        rows = members[nodes + leaf]
        if rows is not None and rows.any():
            off = abs(ours[1][tree, leaf] - theirs[1][tree, leaf])
            found.weights_off = max(found.weights_off, float(off))


def _gain(pair: Floats, rows: NDArray[np.bool_], left: NDArray[np.bool_], settings: Settings) -> float:
    """Of parting these rows; 0 if all go one way."""

    def term(part: NDArray[np.bool_]) -> float:
        first, second = pair[:, part].sum(axis=1)
        return float(first * first / (second + settings.penalty))

    return term(left) + term(rows & ~left) - term(rows) if left.any() and (rows & ~left).any() else 0.0
