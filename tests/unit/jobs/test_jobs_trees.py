"""train-gbdt and predict: the scores are those of the plain trainer on the same cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs import trees_gone_on as going_on
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.steps import predict, train_gbdt
from unseen.jobs.tables import Matrix, from_table
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded, plain
from unseen.learn.vertical.trees.model import ways_of
from unseen.learn.vertical.trees.objectives import probabilities
from unseen.party import Party
from unseen.testing.simulate import run

HOLDERS = ("a", "b")
ROLES = Roles({"holders": HOLDERS, "label_holder": ("a",), "helper": ("helper",), "receiver": ("a",)})


def blocks(rows: int, seed: int = 3) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    values[rng.random(rows) < 0.2, 1] = np.nan
    signal = np.nan_to_num(values[:, 1]) + values[:, 2] * values[:, 0] + 0.3 * rng.normal(size=rows)
    return {"a": values[:, :2], "b": values[:, 2:]}, signal


def matrix(name: str, values: np.ndarray, label: np.ndarray | None) -> Matrix:
    ids = Table.of(pa.table({"id": [str(row) for row in range(len(values))]}), id_columns=("id",))
    return Matrix(values, tuple(f"{name}{place}" for place in range(values.shape[1])), label, ids)


def trained(
    label: np.ndarray,
    params: dict[str, Any],
    rows: int,
    *,
    start: dict[str, Any] | None = None,
    weights: np.ndarray | None = None,
) -> dict[str, Any]:
    """Every party's (model, scores); `start` has such results, `weights` are b's."""
    parts, _ = blocks(rows)
    chosen = train_gbdt.Params(
        **params,
        warm_start=start is not None,
        weight_column="" if weights is None else "weight",
    )
    roles = ROLES if weights is None else Roles({**ROLES.by_name, "weight_holder": ("b",)})

    def program(party: Party) -> Any:
        table = None
        if party.name in parts:
            table = {
                "table": matrix(
                    party.name, parts[party.name], label if party.name == "a" else None
                ).to_artefact()
            }
        given = dict(table or {})
        if start is not None and party.name in parts:
            given["start"] = start[party.name][0]
        if weights is not None and party.name == "b":
            given["weights"] = from_table(Table.of(pa.table({"weight": weights})))
        model = train_gbdt.run(party, given, chosen, roles)
        scored = predict.run(party, {**(table or {}), **model}, predict.Params(), ROLES)
        return model.get("model"), scored

    told = (*train_gbdt.disclosures(chosen, roles), *predict.disclosures(predict.Params(), ROLES))
    return run(program, (*HOLDERS, "helper"), disclosures=told, timeout_s=60).results


def expected(label: np.ndarray, params: dict[str, Any], rows: int, **options: Any) -> np.ndarray:
    chosen = train_gbdt.Params(**params)
    values = np.column_stack(list(blocks(rows)[0].values()))
    cuts = tuple(quantile_cuts(column, chosen.bins) for column in values.T)
    bins, codes = [len(cut) + 1 for cut in cuts], coded(values, cuts)
    model = plain.fit(codes, bins, label, chosen.settings(), **options)
    return probabilities(plain.scores(model, codes, bins), chosen.objective)


@pytest.mark.parametrize(
    ("objective", "tell"),
    [("binary", True), ("squared", False), pytest.param("softmax", True, marks=pytest.mark.long)],
)
def test_scores_are_those_of_the_plain_trainer(objective: str, tell: bool) -> None:
    rows, params = 300, {"objective": objective, "rounds": 2, "depth": 2, "bins": 5, "tell_splits": tell}
    signal = blocks(rows)[1]
    label = (signal > 0).astype(float)
    told = label
    if objective == "squared":
        label = 50 + 7 * signal
        told = (label - label.mean()) / label.std()
    if objective == "softmax":
        params["classes"] = 3
        label = told = np.digitize(signal, [-1, 1]).astype(float)
    results = trained(label, params, rows)
    scores = results["a"][1]["scores"].arrays["scores"]
    assert results["b"][1] == {}
    want = expected(told, params, rows)
    if objective == "squared":
        want = want * label.std() + label.mean()
    np.testing.assert_allclose(scores, want.T if objective == "softmax" else want[0], rtol=2e-3, atol=2e-3)
    if tell:
        assert sum(sum(results[name][0].meta["known"]["splits"]) for name in HOLDERS) > 0
    else:
        assert all("splits" not in results[name][0].meta["known"] for name in HOLDERS)
        assert all("private.bin" not in results[name][0].arrays for name in HOLDERS)
    assert "weights" not in results["a"][0].meta  # of leaves there are shares alone
    assert results["a"][0].arrays["share.weights"].dtype == np.uint64


@pytest.mark.parametrize(
    ("objective", "tell"),
    [
        ("binary", True),
        pytest.param("squared", False, marks=pytest.mark.long),
        pytest.param("squared", True, marks=pytest.mark.long),
        pytest.param("softmax", True, marks=pytest.mark.long),
    ],
)
def test_trees_that_go_on_from_an_earlier_model_are_those_of_one_training(objective: str, tell: bool) -> None:
    rows = 300
    params = {"objective": objective, "rounds": 1, "depth": 2, "bins": 5, "tell_splits": tell}
    label = {"binary": (blocks(rows)[1] > 0).astype(float), "squared": 50 + 7 * blocks(rows)[1]}.get(
        objective
    )
    if label is None:
        params["classes"], label = 3, np.digitize(blocks(rows)[1], [-1, 1]).astype(float)
    first = trained(label, params, rows)
    second = trained(label, params, rows, start=first)
    whole = trained(label, params | {"rounds": 2}, rows)
    told = [each["a"][1]["scores"].arrays["scores"] for each in (second, whole)]
    np.testing.assert_allclose(*told, rtol=2e-3, atol=2e-3)
    shapes = [each["a"][0].arrays["share.weights"].shape for each in (second, whole)]
    assert shapes[0] == shapes[1]
    with pytest.raises(UsageError, match="trained in another way"):
        trained(label, params | {"depth": 1}, rows, start=first)


def test_weights_and_gains() -> None:
    rows, weights = 300, np.random.default_rng(4).choice([0.0, 0.5, 2.0], 300, p=[0.3, 0.5, 0.2])
    label = (blocks(rows)[1] > 0).astype(float)
    params = {"rounds": 1, "depth": 2, "bins": 5}
    results = trained(label, params | {"importance": True}, rows, weights=weights)
    gained = np.zeros(4)
    want = expected(label, params, rows, weights=weights, gained=gained)
    np.testing.assert_allclose(results["a"][1]["scores"].arrays["scores"], want[0], rtol=2e-3, atol=2e-3)
    told = [*results["a"][0].meta["known"]["gain"], *results["b"][0].meta["known"]["gain"]]
    np.testing.assert_allclose(told, gained, rtol=0.02, atol=0.1)
    with pytest.raises(UsageError, match="on average at most 1"):
        trained(label, params, rows, weights=np.full(rows, 1.5))
    with pytest.raises(UsageError, match="has no input `start`"):
        going_on.of("a", {})


def test_it_stops_early_and_drops_what_came_after_the_best_round() -> None:
    params = {"rounds": 8, "depth": 2, "bins": 4, "stop_after": 1, "stop_rows": 0.3, "learning_rate": 1.0}
    label = np.random.default_rng(9).integers(0, 2, 200).astype(float)  # nothing to learn
    results = trained(label, params, 200)
    model, scores = results["a"][0], results["a"][1]["scores"].arrays["scores"]
    losses = model.meta["known"]["losses"]
    assert 0.2 < losses[0] < 0.4
    assert len(losses) < 7
    assert len(losses) == int(np.argmin(losses)) + 2
    assert model.arrays["share.weights"].shape[1] == int(np.argmin(losses)) + 1
    assert model.arrays["private.column"].shape[0] == int(np.argmin(losses)) + 1
    assert results["b"][0].meta["known"]["losses"] == losses
    assert scores.shape == (200,)


@pytest.mark.long
def test_sampling() -> None:
    params = {"rounds": 3, "depth": 2, "bins": 4, "row_fraction": 0.5, "column_fraction": 0.5}
    label = (blocks(300)[1] > 0).astype(float)
    results = trained(label, params, 300)
    scores = results["a"][1]["scores"].arrays["scores"]
    assert ((scores > 0.5) == label).mean() > 0.6  # 0.73 to 0.82 in 25 runs: rows and columns are drawn anew


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(UsageError, match="without a single number"):
        quantile_cuts(np.full(5, np.nan), 4)
    with pytest.raises(ValueError, match="softmax"):
        train_gbdt.Params(objective="softmax")
    own = matrix("a", np.zeros((4, 1)), None)
    with pytest.raises(UsageError, match="label"):
        train_gbdt._label("a", own, train_gbdt.Params().settings())
    with pytest.raises(UsageError, match="no column age"):
        ways_of("a", ("a0",), {"age": 1})
    bad = matrix("a", np.zeros((2, 1)), np.array([0.0, 3.0]))
    with pytest.raises(UsageError, match="whole numbers"):
        train_gbdt._label("a", bad, train_gbdt.Params(objective="softmax", classes=3).settings())


def test_the_estimate_says_what_lies_in_memory_and_in_files() -> None:
    def cost(rows: int) -> Cost:
        sizes = Sizes(rows={"a": rows, "b": rows}, columns={"a": 25, "b": 25})
        return train_gbdt.estimate(train_gbdt.Params(), ROLES, sizes, Network())

    small, large = cost(10_000), cost(1_000_000)
    assert small.scratch == {}
    assert 12e9 < large.scratch_bytes < 20e9  # 8 bytes a row and code of the other
    assert large.scratch["a"] == large.scratch["b"]
    alone = Roles({"holders": ("a", "b", "c"), "label_holder": ("a",)})
    sizes = Sizes(rows=dict.fromkeys("abc", 1_000_000), columns={"a": 25, "b": 1, "c": 1})
    assert set(train_gbdt.estimate(train_gbdt.Params(), alone, sizes, Network()).scratch) == {"c"}
    assert large.memory_bytes < 4 << 30
