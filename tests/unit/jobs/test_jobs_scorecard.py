"""Scorecards of models on evidence that nobody learns: told to the owners of bins alone, or scored under shares."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import from_table
from unseen.jobs.whole_models import WholeModel
from unseen.learn.vertical.linear.scorecard import Scale
from unseen.testing.simulate import Run, simulate

HOLDERS = ("bank", "telecom")
ROLES = {"holders": HOLDERS, "label_holder": ("bank",), "receiver": ("bank",), "helper": ("helper",)}
ROWS = 150
RNG = np.random.default_rng(9)
X, Z = RNG.normal(size=(2, ROWS))
Z[:12] = np.nan
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-X - np.nan_to_num(Z)))).astype(float)
SCALE = Scale()


def table(label: Any = None, **columns: Any) -> Artefact:
    told = {} if label is None else {"y": label}
    made = pa.table({"id": [f"c{row}" for row in range(ROWS)], **told, **columns})
    return from_table(Table.of(made, id_columns=("id",), label_columns=tuple(told)))


def play(name: str, inputs: dict[str, dict[str, Artefact]], **params: Any) -> Run[Any]:
    installed, chosen = step(name), parse_params(name, params)
    who = Roles({role: ROLES[role] for role in installed.ROLES if role in ROLES})
    return simulate(
        lambda party: installed.run(party, inputs.get(party.name, {}), chosen, who),
        who.everyone,
        disclosures=installed.disclosures(chosen, who),
    )


@cache
def trained(bins: int) -> dict[str, dict[str, Artefact]]:
    own = {"bank": {"table": table(Y, x=X)}, "telecom": {"table": table(z=Z if bins else np.nan_to_num(Z))}}
    done = play("train-linear", own, iterations=5, woe_bins=bins)
    assert not done.errors
    return {name: {**own[name], **done.results[name]} for name in HOLDERS}


def probabilities(inputs: dict[str, dict[str, Artefact]]) -> np.ndarray:
    found: np.ndarray = play("predict", inputs).results["bank"]["scores"].arrays["scores"]
    return found


def test_owners_are_told_the_points_of_their_own_bins_and_rows_add_them_up() -> None:
    inputs = trained(4)
    done = play("scorecard", inputs, tables="evidence")
    assert not done.errors
    points = {name: done.results[name]["points"].meta for name in HOLDERS}
    assert "base" in points["bank"]
    assert "base" not in points["telecom"]
    total = np.full(ROWS, points["bank"]["base"])
    for name, values in (("bank", X), ("telecom", Z)):
        (column,) = points[name]["columns"]
        assert len(column["points"]) == len(column["cuts"]) + 1
        place = np.searchsorted(column["cuts"], np.nan_to_num(values), side="right")
        total += np.where(np.isnan(values), column["missing"], np.array(column["points"])[place])
    scores = done.results["bank"]["scores"]
    np.testing.assert_array_equal(scores.arrays["scores"], total)
    exact = SCALE.base_points - SCALE.factor * (
        np.log(SCALE.base_odds) + np.log((p := probabilities(inputs)) / (1 - p))
    )
    assert np.abs(scores.arrays["scores"] - exact).max() < 2  # every entry is rounded
    assert "scores" not in done.results["telecom"]


def test_the_whole_model_scores_as_the_joint_one_and_tells_nothing_of_bins_with_few_rows() -> None:
    few = np.where(
        np.arange(ROWS) < 3, np.nan, X
    )  # three rows miss the value: their labels are nobody's business
    own = {"bank": {"table": table(Y, x=few)}, "telecom": {"table": table(z=Z)}}
    models = play("train-linear", own, iterations=5, woe_bins=4).results
    inputs = {name: {**own[name], **models[name]} for name in HOLDERS}
    done = play("reveal-model", models, least_rows=10)
    assert not done.errors
    whole = WholeModel.of(done.results["bank"]["model"])
    assert (whole.model.kind, whole.columns) == ("binned", (("bank", "x"), ("telecom", "z")))
    assert "model" not in done.results["telecom"]
    scores = whole.model.scores(np.column_stack([few, Z]))
    np.testing.assert_allclose(scores, probabilities(inputs), atol=1e-3)
    weights = whole.model.arrays["weights"]
    assert abs(weights[0, -1]) < 1e-4
    for values, row, cuts in zip((few, Z), weights, whole.model.cuts, strict=True):
        counts = np.bincount(np.searchsorted(cuts, values[~np.isnan(values)], side="right"), minlength=4)
        counts = np.r_[counts, np.isnan(values).sum()]
        # standardised without the bin of few rows, else it would follow from the others
        assert abs(counts * (counts >= 10) @ row) / ROWS < 2e-3
        assert np.abs(row).max() > 0.1


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("reveal-model", {}),
        ("reveal-model", {"least_rows": 11}),
        ("scorecard", {"tables": "evidence", "least_rows": 11}),
    ],
)
def test_points_of_fewer_rows_than_agreed_are_not_told(name: str, params: dict[str, Any]) -> None:
    done = play(name, trained(4), **params)  # of `woe_least_rows` 10
    assert set(done.errors) == {"bank", "telecom", "helper"}
    assert all("least_rows" in str(error) for error in done.errors.values()), done.errors


@pytest.mark.parametrize("bins", [4, pytest.param(0, marks=pytest.mark.long)])
def test_without_tables_rows_are_scored_under_shares(bins: int) -> None:
    inputs = trained(bins)
    done = play("scorecard", inputs, tables="nobody")
    assert not done.errors
    assert set(done.results["bank"]) == {"scores"}
    assert done.results["telecom"] == done.results["helper"] == {}
    p = probabilities(inputs)
    exact = SCALE.base_points - SCALE.factor * (np.log(SCALE.base_odds) + np.log(p / (1 - p)))
    found = done.results["bank"]["scores"].arrays
    assert np.abs(found["scores"] - exact).max() < 0.6
    np.testing.assert_allclose(found["bad"], p, atol=0.02)


def test_rejects_are_there_to_train_again_where_nobody_has_a_table() -> None:
    inputs = trained(4)
    label = np.where(np.arange(ROWS) < 30, np.nan, Y)
    rejected = {**inputs, "bank": {**inputs["bank"], "table": table(label, x=X)}}
    found = play("scorecard", rejected, tables="nobody", raised=2.0).results["bank"]["scores"].arrays
    assert len(found["again_rows"]) == ROWS + 30
    assert found["again_weights"].sum() == pytest.approx(ROWS)


def test_what_a_scorecard_cannot_be_made_of_is_said() -> None:
    linear = trained(0)
    for inputs, params, words in (
        (linear, {"tables": "evidence"}, "of another model"),
        (linear, {}, "training rows, which are not there"),
        (trained(4), {}, "training rows, which are not there"),
    ):
        done = play("scorecard", inputs, **params)
        assert any(words in str(error) for error in done.errors.values()), done.errors


def test_columns_that_were_prepared_otherwise_than_in_training_get_no_points() -> None:
    own = {"bank": table(Y, x=X), "telecom": table(z=np.nan_to_num(Z))}
    made = {
        name: Artefact(item.kind, item.arrays, {**item.meta, "prepared": "ab" * 32})
        for name, item in own.items()
    }
    models = play(
        "train-linear", {name: {"table": item} for name, item in made.items()}, coefficients_to_owners=True
    ).results
    inputs = {name: {**models[name], "train": made[name], "table": made[name]} for name in HOLDERS}
    assert not play("scorecard", inputs).errors
    cut = Artefact(own["telecom"].kind, own["telecom"].arrays, {**own["telecom"].meta, "prepared": "cd" * 32})
    inputs["telecom"]["table"] = cut
    assert "prepared in another way" in str(play("scorecard", inputs).errors["telecom"])
