"""The comparison of trees, node by node, sees what differs and says whether that is a tie."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from bench.splits.compare import Floats, Forcing, compare, scores_of

from unseen.learn.vertical.trees import plain
from unseen.learn.vertical.trees.model import Settings, Splits

SETTINGS = Settings("binary", rounds=3, depth=3, min_child_weight=0.0)
RNG = np.random.default_rng(9)
CODES = RNG.integers(0, 6, (4, 200)).astype(np.uint8)
BINS = [6, 6, 6, 5]  # of the last column some values are missing
LABELS = (CODES[0] * (CODES[3] == 5) + CODES[1] > 5).astype(float)


def trees(
    settings: Settings = SETTINGS, labels: Floats = LABELS, codes: Any = CODES
) -> tuple[Splits, Floats]:
    model = plain.fit(codes, BINS[: len(codes)], labels, settings)
    assert model.splits is not None
    assert model.weights is not None
    return model.splits, model.weights


def test_the_same_trees_are_the_same() -> None:
    found = compare(trees(), trees(), CODES, BINS, LABELS, SETTINGS)
    assert found.same == (trees()[0].column >= 0).sum() > 9
    assert not found.nearer
    assert not found.other
    assert found.below == 0
    assert found.weights_off < 1e-15


def test_another_split_and_another_leaf_are_found() -> None:
    splits, weights = copy.deepcopy(trees())
    weights[2, np.flatnonzero(weights[2])[0]] += 1e-3
    assert compare((splits, weights), trees(), CODES, BINS, LABELS, SETTINGS).weights_off == pytest.approx(
        1e-3
    )
    splits.bin[1, 0] -= 1
    found = compare((splits, weights), trees(), CODES, BINS, LABELS, SETTINGS)
    ((tree, node, gap),) = found.other
    assert (tree, node) == (1, 0)
    assert gap > 1e-3
    assert found.below == (trees()[0].column[1] >= 0).sum() - 1


def test_a_tie_is_said_to_be_one() -> None:
    codes = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], np.uint8)
    labels, settings = np.array([-1.0, 0, 0, 1]), Settings("squared", rounds=1, depth=1, min_child_weight=0.0)
    one, weights = trees(settings, labels, codes)
    other = copy.deepcopy(one)
    other.column[0, 0] = 1 - one.column[0, 0]
    found = compare((one, weights), (other, weights), codes, [2, 2], labels, settings)
    assert found.nearer == [(0, 0, 0.0)]
    assert not found.other


def test_scores_are_put_in_place_after_a_round() -> None:
    before = scores_of(*trees(), CODES, BINS, SETTINGS)
    assert len(before) == SETTINGS.rounds + 1
    np.testing.assert_allclose(
        before[-1], plain.scores(plain.fit(CODES, BINS, LABELS, SETTINGS), CODES, BINS)
    )
    held = {"scores": np.zeros((1, 200))}
    Forcing(before).save(2, held)
    np.testing.assert_array_equal(held["scores"], before[2])
