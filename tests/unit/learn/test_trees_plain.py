"""The plain trainer grows XGBoost's trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.learn.prepare.cuts import place, quantile_cuts
from unseen.learn.vertical.trees import plain, search
from unseen.learn.vertical.trees.model import Settings, Splits, leaf_of
from unseen.learn.vertical.trees.objectives import check_labels

DATA = Path(__file__).parents[2] / "vectors" / "data" / "trees_xgboost.json"
CASES = json.loads(DATA.read_text())["cases"]


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_xgboost(case: dict[str, Any]) -> None:
    settings = dict(case["settings"])
    settings["monotone"] = settings["monotone"] and tuple(settings["monotone"])
    codes = np.array(case["codes"])
    model = plain.fit(codes, case["bins"], np.array(case["labels"]), Settings(**settings))
    assert np.abs(plain.scores(model, codes, case["bins"]) - np.array(case["scores"])).max() < 1e-4


def test_constant_and_missing_columns_split_nothing() -> None:
    rng = np.random.default_rng(1)
    constant, informative = np.full(200, 3.0), rng.normal(size=200)
    cuts = [quantile_cuts(constant, 8), quantile_cuts(informative, 8), np.zeros(0)]
    columns = [constant, informative, np.full(200, np.nan)]
    codes = np.stack([place(column, cut) for column, cut in zip(columns, cuts, strict=True)])
    bins = [len(cut) + 1 for cut in cuts]
    model = plain.fit(codes, bins, (informative > 0).astype(float), Settings(rounds=2, depth=3))
    assert model.splits is not None
    assert set(np.unique(model.splits.column)) <= {-1, 1}


def test_of_columns_that_part_rows_alike_the_first_splits() -> None:
    """Gains of a column and of its mirror image are equal but for rounding."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 12, (2, 300))
    labels = (np.sin(codes[0]) + codes[1] / 12 + rng.normal(0, 0.5, 300) > 0.5).astype(float)
    settings = Settings(rounds=5, depth=3)
    alone = plain.fit(codes, [12, 12], labels, settings)
    mirrored = plain.fit(np.concatenate([codes, 11 - codes]), [12] * 4, labels, settings)
    assert alone.splits is not None
    assert mirrored.splits is not None
    np.testing.assert_array_equal(mirrored.splits.column, alone.splits.column)
    np.testing.assert_array_equal(
        search.first_of_largest(np.array([[1.0, 2.0, 2.0 + 1e-9], [3, 0, 1]])), [1, 0]
    )


def test_one_class_grows_no_splits_but_moves_the_score() -> None:
    codes = np.random.default_rng(2).integers(0, 4, (3, 100))
    model = plain.fit(codes, [4, 4, 4], np.ones(100), Settings(rounds=3, depth=2))
    scores = plain.scores(model, codes, [4, 4, 4])
    assert np.ptp(scores) < 1e-9
    assert scores.min() > 0


def test_only_seen_columns_split() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 6, (4, 300))
    labels = (codes.sum(axis=0) > 10).astype(float)
    seen = np.array([[True, False, False, True], [False, True, True, False]])
    model = plain.fit(codes, [6] * 4, labels, Settings(rounds=2, depth=3), columns=seen)
    assert model.splits is not None
    for tree in range(2):
        assert set(model.splits.column[tree]) <= {-1, *np.flatnonzero(seen[tree])}


def test_a_missing_value_goes_where_the_split_says() -> None:
    splits = Splits.none(1, 1)
    splits.column[0, 0], splits.bin[0, 0] = 0, 1
    codes = np.array([[0, 1, 2, 3]], np.uint8)
    for way in (False, True):
        splits.missing_left[0, 0] = way
        left = splits.left(codes, [3], 0, slice(0, 1))
        assert left.tolist() == [[True, True, False, way]]
        assert leaf_of(left, 1).tolist() == [0, 0, 1, 0 if way else 1]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"depth": 0}, "depth"),
        ({"rounds": 0}, "rounds"),
        ({"penalty": 0.0}, "penalty"),
        ({"learning_rate": 2.0}, "learning_rate"),
        ({"row_fraction": 0.0}, "fractions"),
        ({"objective": "softmax"}, "classes"),
        ({"monotone": (2,)}, "monotone"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**wrong)
    assert why in str(caught.value)


@pytest.mark.parametrize("labels", [[0.0, np.nan], [0.0, 2.0], [0.5, 1.0]])
def test_labels_that_are_none_are_refused(labels: list[float]) -> None:
    with pytest.raises(UsageError):
        check_labels(np.array(labels), Settings())
