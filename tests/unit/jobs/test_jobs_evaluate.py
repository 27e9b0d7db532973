"""The steps `evaluate` and `reveal-model` on joint models of every kind there is: what they tell is what plain arithmetic says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.data.table import Table
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.measures import Measured
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.steps import reveal_model
from unseen.jobs.tables import Matrix, from_table
from unseen.jobs.whole_models import WholeModel
from unseen.learn.evaluate import binary, multiclass, ranking, regression, secret
from unseen.learn.vertical import trees
from unseen.learn.vertical.models import Model
from unseen.learn.vertical.trees import model as tree_model
from unseen.learn.vertical.trees.bins import Bins
from unseen.learn.vertical.trees.shared import Grown
from unseen.party import Party, Released
from unseen.testing.simulate import Run, run, simulate

HOLDERS, HELPER = ("a", "b"), "helper"
CREW = (*HOLDERS, HELPER)
CREW_ROLES = Roles({"holders": HOLDERS, "helper": (HELPER,)})
COUNT = 160
RNG = np.random.default_rng(11)
X = RNG.normal(size=(COUNT, 3)) * [1.0, 3.0, 0.5] + [0.0, 10.0, 2.0]
RAW = X @ [1.0, 0.4, -1.5] - 1.2
LABELS = {
    "logistic": (RNG.random(COUNT) < 1 / (1 + np.exp(-RAW))).astype(float),
    "linear": RAW + RNG.normal(size=COUNT),
    "multinomial": np.digitize(RAW + RNG.normal(size=COUNT), [-1.0, 1.0]).astype(float),
}
KINDS: Mapping[str, dict[str, Any]] = {
    "logistic": {"kind": "binary"},
    "linear": {"kind": "regression"},
    "multinomial": {"kind": "multiclass", "classes": 3, "matrix": True},
}
BLOCKS = {"a": (X[:, :1], ("x0",)), "b": (X[:, 1:], ("x1", "x2"))}


def matrix(party: str, label: np.ndarray | None) -> Artefact:
    values, names = BLOCKS[party]
    ids = Table.of(pa.table({"id": [f"r{row}" for row in range(COUNT)]}), id_columns=("id",))
    return Matrix(values, names, label, ids).to_artefact()


def tables(family: str) -> dict[str, Artefact]:
    return {name: matrix(name, LABELS[family] if name == "a" else None) for name in HOLDERS}


def play(
    name: str,
    inputs: Mapping[str, Mapping[str, Artefact]],
    roles: Mapping[str, Any],
    wait: Any = run,
    **params: Any,
) -> Run[Any]:
    module, who = step(name), Roles({"holders": HOLDERS, "helper": (HELPER,), **roles})
    chosen = parse_params(name, params)
    return wait(
        lambda party: module.run(party, inputs.get(party.name, {}), chosen, who),
        CREW,
        disclosures=module.disclosures(chosen, who),
        timeout_s=60,
    )


@cache
def trained(family: str) -> dict[str, Artefact]:
    params: dict[str, Any] = {"family": family, "iterations": 4}
    if family == "multinomial":
        params["classes"] = 3
    inputs = {name: {"table": one} for name, one in tables(family).items()}
    done = play("train-linear", inputs, {"label_holder": ("a",)}, **params)
    return {name: done.results[name]["model"] for name in HOLDERS}


def given(family: str, models: Mapping[str, Artefact]) -> dict[str, dict[str, Artefact]]:
    return {name: {"table": one, "model": models[name]} for name, one in tables(family).items()}


def measured(done: Run[Any], party: str) -> Measured:
    artefact = done.results[party]["metrics"]
    return Measured.of(artefact.meta, artefact.arrays)


@pytest.mark.parametrize(
    "family", ["logistic", "linear", pytest.param("multinomial", marks=pytest.mark.long)]
)
def test_what_is_measured_under_shares_is_what_the_scores_say(family: str) -> None:
    inputs = given(family, trained(family))
    roles = {"label_holder": ("a",), "receiver": ("b",)}
    hidden = measured(play("evaluate", inputs, roles, **KINDS[family]), "b")
    roles["receiver"] = ("a",)
    shown = measured(play("evaluate", inputs, roles, **KINDS[family], show="scores"), "a")
    scores, labels = shown.arrays["scores"], LABELS[family]
    if family == "linear":
        fit = regression.measure(labels, scores)
        expected = {"rmse": fit.rmse, "mae": fit.mae, "r2": fit.r2}
    elif family == "multinomial":
        several = multiclass.measure(labels, scores)
        expected = {
            "accuracy": several.accuracy,
            "macro_auc": several.macro_auc,
            "log_loss": several.log_loss,
        }
        np.testing.assert_allclose(hidden.figures["matrix"], several.confusion, atol=1)
        assert hidden.figures["aucs"] == pytest.approx(several.aucs, abs=2e-3)
    else:
        quality = binary.measure(labels, scores)
        expected = {name: getattr(quality, name) for name in ("auc", "ks", "log_loss", "brier", "accuracy")}
        exact = ranking.by_rank(labels, scores, 10)
        assert hidden.groups is not None
        assert hidden.groups.rows.sum() == exact.rows.sum()
        assert shown.levels is not None
        assert shown.levels.auc == quality.auc
        assert set(shown.pictures()) >= set(hidden.pictures()) >= {"roc", "ks", "lift", "distribution"}
    for name, value in expected.items():
        assert shown.figures[name] == pytest.approx(value)
        assert hidden.figures[name] == pytest.approx(value, abs=2e-3)
    assert hidden.levels is None
    assert not hidden.arrays


WEIGHTS = np.random.default_rng(5).gamma(2.0, size=COUNT)


@pytest.mark.parametrize(
    "family", ["linear", *(pytest.param(one, marks=pytest.mark.long) for one in ("logistic", "multinomial"))]
)
def test_weighted_measures_under_shares_are_those_of_scores_and_weights(family: str) -> None:
    inputs = given(family, trained(family))
    heavy = from_table(Table.of(pa.table({"heavy": WEIGHTS * 7})))
    params = KINDS[family] | {"weight_column": "heavy"}
    at_b = {**inputs, "b": {**inputs["b"], "weights": heavy}}
    roles = {"label_holder": ("a",), "receiver": ("b",), "weight_holder": ("b",)}
    hidden = measured(play("evaluate", at_b, roles, **params), "b")
    at_a = {**inputs, "a": {**inputs["a"], "weights": heavy}}
    roles = {"label_holder": ("a",), "receiver": ("a",), "weight_holder": ("a",)}
    shown = measured(play("evaluate", at_a, roles, **params, show="scores"), "a")
    assert ("average_precision" in hidden.figures) == (family == "logistic")
    names = set(shown.figures) & set(hidden.figures) - {"matrix", "aucs"}
    assert names >= {"rows"}
    for name in names:
        assert hidden.figures[name] == pytest.approx(shown.figures[name], abs=3e-3)
    if family == "linear":
        fit = regression.measure(LABELS[family], shown.arrays["scores"], WEIGHTS)
        assert hidden.figures["rmse"] == pytest.approx(fit.rmse, abs=1e-3)


def test_weights_go_with_a_holder_and_are_no_secret_where_scores_are_shown() -> None:
    inputs = given("logistic", trained("logistic"))
    roles = {"label_holder": ("a",), "receiver": ("a",), "weight_holder": ("b",)}
    for params, words in (({"weight_column": "w", "show": "scores"}, "weights if"), ({}, "weight_column")):
        done = play("evaluate", inputs, roles, simulate, **params)
        assert any(words in str(error) for error in done.errors.values()), done.errors


def test_only_what_was_asked_for_is_told() -> None:
    inputs = given("logistic", trained("logistic"))
    roles = {"label_holder": ("a",), "receiver": ("b",)}
    done = play("evaluate", inputs, roles, measures=["confusion"], threshold=0.4)
    found = measured(done, "b")
    assert set(found.figures) == {"rows", "positives", "accuracy"}
    assert (found.groups, found.distribution) == (None, None)
    told = {entry.name for entry in done.journals["a"].entries}  # type: ignore[attr-defined]
    assert told == {"shape", "enough", "class-sizes", "confusion"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"kind": "multiclass", "classes": 3}, "none of kind multiclass"),
        ({"at_least": 100}, "enough labels of every class"),
        ({"show": "scores"}, "must have the labels"),
    ],
)
def test_what_does_not_fit_ends_it(params: dict[str, Any], words: str) -> None:
    inputs = given("logistic", trained("logistic"))
    done = play("evaluate", inputs, {"label_holder": ("a",), "receiver": ("b",)}, simulate, **params)
    errors = [str(error) for error in done.errors.values() if isinstance(error, UsageError)]
    assert any(words in error for error in errors), done.errors


@pytest.mark.parametrize("params", [{"kind": "multiclass"}, {"matrix": True}, {"edges": [0.5, 0.2]}])
def test_parameters_that_contradict_each_other(params: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("evaluate", params)


# ---------------------------------------------------------------------- the whole model


def revealed(models: Mapping[str, Artefact]) -> WholeModel:
    inputs = {name: {"model": models[name]} for name in HOLDERS}
    done = play("reveal-model", inputs, {"receiver": ("b",)})
    assert done.results["a"] == done.results[HELPER] == {}
    return WholeModel.of(done.results["b"]["model"])


@pytest.mark.parametrize("family", ["logistic", "linear", "multinomial"])
def test_the_whole_model_scores_as_the_joint_one_and_takes_columns_as_they_came(family: str) -> None:
    models = trained(family)
    whole = revealed(models)
    assert whole.columns == (("a", "x0"), ("b", "x1"), ("b", "x2"))
    done = play("predict", given(family, models), {"receiver": ("a",)})
    np.testing.assert_allclose(whole.model.scores(X), done.results["a"]["scores"].arrays["scores"], atol=1e-4)


def test_whole_trees() -> None:
    settings = tree_model.Settings(rounds=2, depth=2, base_score=0.2)
    cuts = {"a": (np.array([-0.5, 0.4]),), "b": (np.array([9.0, 11.0]), np.array([2.0]))}
    leaves = RNG.normal(size=(2, 4))
    column = {"a": [[0, -1, -1], [-1, 0, -1]], "b": [[-1, 0, 1], [1, -1, -1]]}
    last = {"a": [[1, 0, 0], [0, 0, 0]], "b": [[0, 1, 0], [0, 0, 0]]}
    missing = np.array([[True, False, True], [True, True, False]])

    protocol = engines.choose(CREW_ROLES).protocol
    bins = Bins(COUNT, {"a": (3,), "b": (3, 2)}, {"a": (True,), "b": (True, True)})

    def deal(party: Party) -> Any:
        engine = engines.open_engine(party, CREW_ROLES, engines.OnShares())
        weights = engine.share(leaves if party.name == "a" else None, owner="a", shape=leaves.shape)
        if party.name == HELPER:
            return None
        own = tree_model.Splits(
            np.array(column[party.name], np.int32), np.array(last[party.name], np.int32), missing
        )
        grown = Grown(own, weights)
        made = trees.to_model(
            grown, cuts[party.name], settings, protocol=protocol, holders=HOLDERS, bins=bins
        )
        return SharedModel(made, {"a": 1, "b": 2}, BLOCKS[party.name][1]).to_artefact()

    models = run(deal, CREW).results
    whole = revealed(models)
    done = play("predict", given("logistic", models), {"receiver": ("a",)})
    np.testing.assert_allclose(whole.model.scores(X), done.results["a"]["scores"].arrays["scores"], atol=1e-4)


def test_of_cuts_only_those_of_splits_are_told_and_a_peer_tells_parts_of_the_model_only() -> None:
    settings = tree_model.Settings(rounds=1, depth=1)
    cuts = (np.array([1.0, 2.0]), np.array([7.0]))
    splits = tree_model.Splits(np.array([[0]], np.int32), np.array([[1]], np.int32), np.array([[True]]))
    private = trees.model_with_leaves(splits, None, cuts, settings, leaves_at="a", holders=HOLDERS)
    model = replace(private, public=asdict(settings))
    assert reveal_model._private(model) == ([0, 0, 1], [[2.0]])
    good = part(["x", "y"], [0, 0, 1], [[2.0]])
    reveal_model._check_part("b", good, model, 2)
    for bad in (
        part(["x"], [0, 0, 1], [[2.0]]),
        part(["x", "y"], [0, 0], [[2.0]]),
        part(["x", "y"], [1, 0, 1], [[2.0]]),
        part(["x", "y"], [0, -1, 1], [[2.0]]),
        part(["x", "y"], [0, 2, 1], [[2.0]]),
        part(["x", "y"], [0, 0, 1], [[]]),
        part(["x", "y"], [0, 0, 1], [[float("nan")]]),
        part(["x", "y"], [0, 0, 1, 0, 1, 0], [[2.0, 7.0]]),
    ):
        with pytest.raises(RemoteProtocolError, match="no part of this model"):
            reveal_model._check_part("b", bad, model, 2)
    linear = replace(model, kind="linear")
    reveal_model._check_part("b", part(["x"], [], [[0.5, 2.0]]), linear, 1)
    for numbers in ([[0.5]], [[0.5, 0.0]], [[float("inf"), 1.0]], [[0.0, 1.0]] * 2):
        with pytest.raises(RemoteProtocolError, match="no part of this model"):
            reveal_model._check_part("b", part(["x"], [], numbers), linear, 1)


def test_of_bins_a_peer_tells_cuts_in_order() -> None:
    model = Model("binned", 1, "", HOLDERS, {"bins": 3, "least_rows": 10})
    reveal_model._check_part("b", part(["x", "y"], [], [[1.0, 2.0], []]), model, 2)
    for bad in (
        part(["x", "y"], [], [[1.0]]),
        part(["x", "y"], [0, 0, 1], [[1.0], []]),
        part(["x"], [], [[1.0, 1.0]]),
        part(["x"], [], [[float("inf")]]),
        part(["x"], [], [[1.0, 2.0, 3.0]]),
    ):
        with pytest.raises(RemoteProtocolError, match="no part of this model"):
            reveal_model._check_part("b", bad, model, len(bad.columns.value))


def part(columns: list[str], splits: list[int], numbers: list[list[float]]) -> reveal_model.ModelPart:
    return reveal_model.ModelPart(*(Released(item, Released._maker) for item in (columns, splits, numbers)))


def test_trees_whose_splits_nobody_knows_are_not_told() -> None:
    model = Model("trees", 1, "", HOLDERS, {**asdict(tree_model.Settings()), "widths": {"a": [3]}})
    with pytest.raises(UsageError, match="cannot be told as a whole"):
        reveal_model._check_kind(model, reveal_model.Params())


def test_errors_that_do_not_fit_or_are_of_few_rows_are_not_measured() -> None:
    secret.check_range(np.array([1e6, 1e6 + 1000]))
    params = {"kind": "regression", "at_least": COUNT + 1}
    roles = {"label_holder": ("a",), "receiver": ("a",)}
    done = play("evaluate", given("linear", trained("linear")), roles, simulate, **params)
    assert {str(error)[:33] for error in done.errors.values()} == {"There are 160 rows to measure on,"}


def test_a_model_of_other_columns_is_refused_by_name() -> None:
    models = trained("logistic")
    inputs = given("logistic", models)
    table = Matrix.of(inputs["b"]["table"])
    inputs["b"]["table"] = replace(table, columns=("x1", "age")).to_artefact()
    done = play("predict", inputs, {"receiver": ("a",)}, simulate)
    assert any("b has other columns than in training" in str(error) for error in done.errors.values())
