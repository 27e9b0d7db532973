"""Trees on shares are the plain trainer's trees."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.learn.trees_run import Case, expected, grow, pooled

from unseen.learn.vertical.trees import plain
from unseen.learn.vertical.trees.model import Booster, Settings


def made(
    seed: int,
    columns: dict[str, int],
    *,
    rows: int = 250,
    missing: bool = False,
    objective: str = "binary",
    depth: int = 2,
    rounds: int = 2,
    **settings: object,
) -> Case:
    rng = np.random.default_rng(seed)
    count = sum(columns.values())
    bins = [int(bins) for bins in rng.integers(2, 9, count)]
    codes = np.stack([rng.integers(0, each, rows) for each in bins])
    signal = sum(np.sin(codes[place] * (place + 1.3)) for place in range(count)) + rng.normal(size=rows)
    if missing:
        for place in range(0, count, 2):
            codes[place][rng.random(rows) < 0.2] = bins[place]
    labels = {
        "binary": (signal > 0).astype(float),
        "squared": (signal - signal.mean()) / signal.std(),
        "softmax": np.digitize(signal, [-0.7, 0.7]).astype(float),
    }[objective]
    classes = 3 if objective == "softmax" else 1
    made = Settings(objective=objective, depth=depth, rounds=rounds, classes=classes, **settings)
    return Case(codes, bins, labels, made, columns)


def check(case: Case, protocol: str = "dealer") -> Booster:
    """The same splits and scores as the plain trainer's, or, where gains are equal, trees that fit as well."""
    outcome = grow(case, protocol)
    model, scores = expected(case)
    got = pooled(case, outcome)
    told = outcome.results["a"][2]
    np.testing.assert_allclose(told, plain.scores(got, case.codes, case.bins), atol=1e-9)
    assert got.splits is not None
    assert model.splits is not None
    same = got.splits.column == model.splits.column
    assert same.mean() > 0.7  # between equal gains rounding decides
    np.testing.assert_allclose(told, scores, atol=2e-3)
    for name in case.columns:
        if name != "a":
            assert outcome.results[name][1:] == (None, None, None)
    return got


@pytest.mark.parametrize("protocol", ["dealer", "replicated3"])
def test_two_holders(protocol: str) -> None:
    check(made(1, {"a": 2, "b": 3}, missing=True), protocol)


def test_three_holders_and_regression() -> None:
    check(made(2, {"a": 1, "b": 2, "c": 1}, objective="squared", min_gain=0.5))


@pytest.mark.parametrize("protocol", ["dealer", "replicated3"])
def test_splits_that_nobody_learns(protocol: str) -> None:
    case = made(6, {"a": 2, "b": 2}, missing=True, rows=120)
    outcome = grow(case, protocol, hide=True)
    assert outcome.results["a"][0] is None
    assert not [
        seen
        for view in outcome.views.values()
        for seen in view
        if type(seen.message).__name__ == "Part" and seen.receiver != "a"
    ]
    np.testing.assert_allclose(outcome.results["a"][2], expected(case)[1], atol=2e-3)


@pytest.mark.parametrize("monotone", [(), (0, 1)])
def test_of_splits_that_part_rows_alike_the_first_is_taken(monotone: tuple[int, ...]) -> None:
    """Most bins have no row in a node, and of some columns no value is missing there."""
    rng = np.random.default_rng(12)
    codes = np.stack([rng.integers(0, 40, 90), rng.integers(0, 40, 90)])
    labels = (codes[0] + 0.3 * codes[1] + rng.normal(0, 3, 90) > 26).astype(float)
    codes[0][(codes[0] > 36) & (labels == 1)] = 40
    case = Case(codes, [40, 40], labels, Settings(rounds=2, depth=2, monotone=monotone), {"a": 1, "b": 1})
    model, got = expected(case)[0], pooled(case, grow(case))
    assert got.splits is not None
    assert model.splits is not None
    for name in ("column", "bin", "missing_left"):
        np.testing.assert_array_equal(getattr(got.splits, name), getattr(model.splits, name))


@pytest.mark.parametrize("protocol", ["dealer", "replicated3"])
def test_a_holder_of_the_label_alone(protocol: str) -> None:
    check(made(3, {"a": 0, "b": 3}), protocol)


def test_monotone_columns() -> None:
    case = made(5, {"a": 2, "b": 2}, rows=150, monotone=(1, -1, 0, 1))
    got = check(case)
    steps = np.zeros((4, 8), int)
    steps[0] = np.arange(8)
    assert (np.diff(plain.scores(got, steps, [8] * 4)[0]) >= -1e-6).all()


def test_a_least_gain_beyond_all_gains() -> None:
    case = made(5, {"a": 1, "b": 1}, rows=600, depth=1, rounds=1, min_gain=1e6)
    assert (pooled(case, grow(case)).splits.column == -1).all()


def test_constant_columns_and_one_class() -> None:
    codes = np.stack([np.zeros(60, int), np.full(60, 2), np.tile([0, 1], 30)])
    check(Case(codes, [1, 3, 2], np.ones(60), Settings(rounds=2, depth=2), {"a": 1, "b": 2}))


OBJECTIVES = ["binary", *(pytest.param(each, marks=pytest.mark.long) for each in ("squared", "softmax"))]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_weights_of_rows_a_start_and_gains(objective: str) -> None:
    case = made(7, {"a": 2, "b": 2}, rows=600, objective=objective)
    rng = np.random.default_rng(1)
    weights = rng.choice([0.0, 0.25, 1.0, 3.0], 600, p=[0.3, 0.3, 0.3, 0.1])
    start = rng.normal(size=(case.settings.classes, 600)) / 2
    outcome = grow(case, "dealer", weights=weights, start=start, measure=True)
    gained = np.zeros(4)
    model, scores = expected(case, weights=weights, start=start, gained=gained)
    got = pooled(case, outcome)
    assert (got.splits.column == model.splits.column).mean() > 0.8
    np.testing.assert_allclose(outcome.results["a"][2], scores, atol=3e-3)
    np.testing.assert_allclose(outcome.results["a"][3].sum(axis=0), gained, rtol=0.02, atol=0.5)
    alone = expected(case)[1]
    assert np.abs(alone - scores).max() > 0.1  # weights and start do matter


def test_gains_of_monotone_columns() -> None:
    case = made(5, {"a": 2, "b": 2}, rows=150, depth=1, rounds=1, monotone=(1, -1, 0, 1))
    gained = np.zeros(4)
    expected(case, gained=gained)
    told = grow(case, "dealer", measure=True).results["a"][3]
    np.testing.assert_allclose(told.sum(axis=0), gained, rtol=0.02, atol=0.1)


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["dealer", "replicated3"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("objective", ["binary", "squared", "softmax"])
def test_many(protocol: str, seed: int, objective: str) -> None:
    holders = {"a": 2, "b": 3} if seed % 2 or protocol == "replicated3" else {"a": 2, "b": 2, "c": 1}
    case = made(seed + 20, holders, rows=1500, objective=objective, depth=3, missing=False)
    check(case, protocol)


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["pair2", "replicated3-malicious"])
def test_other_protocols(protocol: str) -> None:
    check(made(4, {"a": 2, "b": 2}, rows=60), protocol)
