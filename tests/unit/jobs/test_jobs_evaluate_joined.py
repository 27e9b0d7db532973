"""The step `evaluate` on rows that nobody knows: what it tells is what the common rows say, and nobody learns which they are or how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact, decode, encode
from unseen.jobs.joined import Joined
from unseen.jobs.measures import Measured
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import Matrix
from unseen.learn.evaluate import binary, multiclass, ranking, regression
from unseen.learn.vertical.linear.scaling import Scaling
from unseen.testing.simulate import Run, run, simulate

HOLDERS, CREW = ("a", "b"), ("a", "b", "helper")
ROLES = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",), "receiver": ("b",)}
COUNT, COMMON = 150, 100
RNG = np.random.default_rng(12)
X = RNG.normal(size=(COUNT + 50, 3))
Y = (RNG.random(len(X)) < 1 / (1 + np.exp(0.3 - X @ [1.0, -1.5, 0.5]))).astype(float)
ROWS = {"a": np.arange(COUNT), "b": np.arange(50, 200)}
"""Rows 50 to 149 are common."""
COLUMNS = {"a": ((0,), ("x0",)), "b": ((1, 2), ("x1", "x2"))}


def play(
    name: str,
    inputs: Mapping[str, Mapping[str, Artefact]],
    roles: Mapping[str, Any] = ROLES,
    wait: Any = run,
    **params: Any,
) -> Run[Any]:
    module, chosen = step(name), parse_params(name, params)
    who = Roles({role: parties for role, parties in roles.items() if role in module.ROLES})
    return wait(
        lambda party: module.run(party, inputs.get(party.name, {}), chosen, who),
        CREW,
        disclosures=module.disclosures(chosen, who),
        timeout_s=60,
    )


def scaled(name: str) -> tuple[np.ndarray, Matrix]:
    """A holder's rows, standardised by itself on all of them."""
    places, names = COLUMNS[name]
    mine = X[ROWS[name]][:, places]
    ids = Table.of(pa.table({"id": [f"r{row}" for row in ROWS[name]]}), id_columns=("id",))
    values = (mine - mine.mean(axis=0)) / mine.std(axis=0)
    return values, Matrix(values, names, Y[ROWS["a"]] if name == "a" else None, ids)


@cache
def joined(how: str = "inner") -> dict[str, Artefact]:
    inputs = {name: {"table": scaled(name)[1].to_artefact()} for name in HOLDERS}
    done = play("join", inputs, how=how, hidden=True, scaled=True)
    return {name: done.results[name]["table"] for name in HOLDERS}


@cache
def given(how: str = "inner") -> dict[str, dict[str, Artefact]]:
    rows = {name: {"table": item} for name, item in joined().items()}
    done = play("train-linear", rows, iterations=5, joined=True)
    return {name: {"table": joined(how)[name], "model": done.results[name]["model"]} for name in HOLDERS}


def scores(inputs: Mapping[str, Mapping[str, Artefact]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels of the common rows, by both holders' shares of the model put together."""
    shares = [SharedModel.of(inputs[name]["model"]).model.shares["weights"] for name in HOLDERS]
    weights = (shares[0].values + shares[1].values)[0].view(np.int64) / 2.0 ** shares[0].bits
    columns = np.column_stack([scaled("a")[0][50:], scaled("b")[0][:100]])
    return 1 / (1 + np.exp(-(columns @ weights[:-1] + weights[-1]))), Y[50:150]


def measured(done: Run[Any]) -> Measured:
    assert done.results["a"] == done.results["helper"] == {}
    artefact = done.results["b"]["metrics"]
    return Measured.of(artefact.meta, artefact.arrays)


def test_what_is_told_is_what_the_common_rows_say_and_not_how_many_they_are() -> None:
    done = play("evaluate", given(), joined=True, at_least=5)
    found = measured(done)
    told, labels = scores(given())
    quality = binary.measure(labels, told)
    for name in ("auc", "gini", "ks", "average_precision", "log_loss", "brier", "accuracy"):
        assert found.figures[name] == pytest.approx(getattr(quality, name), abs=1.5e-3), name
    assert "rows" not in found.figures
    assert found.figures["places"] == COUNT
    assert found.groups is not None
    assert found.groups.rows.sum() == pytest.approx(1)
    assert found.groups.auc == pytest.approx(ranking.by_rank(labels, told, 10).auc, abs=0.1)  # few are merged
    assert set(found.pictures()) == {
        "roc", "ks", "precision-recall", "gain", "lift", "calibration", "distribution", "calibration-by-score", "confusion",
    }  # fmt: skip
    entries = {entry.name for entry in done.journals["a"].entries}  # type: ignore[attr-defined]
    assert entries == {"enough", "ranking", "groups", "distribution", "confusion", "losses"}


def test_the_number_of_rows_is_told_where_the_contract_says_so() -> None:
    done = play("evaluate", given(), joined=True, tell_rows=True, measures=["ranking"])
    figures = measured(done).figures
    assert (figures["rows"], figures["positives"]) == (COMMON, Y[50:150].sum())
    assert {entry.name for entry in done.journals["a"].entries} == {"enough", "class-sizes", "ranking"}  # type: ignore[attr-defined]


def test_fewer_places_tell_less() -> None:
    exact, coarse = (
        measured(play("evaluate", given(), joined=True, measures=["ranking"], precision=bits)).figures
        for bits in (14, 7)
    )
    for name in ("auc", "ks", "average_precision"):
        assert coarse[name] * 2**7 == round(coarse[name] * 2**7)
        assert coarse[name] == pytest.approx(exact[name], abs=2.0**-8 + 2.0**-14)


def test_the_scale_of_a_model_that_was_trained_openly_is_kept_to() -> None:
    """Weights for columns less 0.25, halved: the same scores with other weights."""
    inputs = given()
    changed = {}
    for name in HOLDERS:
        held = SharedModel.of(inputs[name]["model"])
        own = Scaling(np.full(len(held.columns), 0.25), np.full(len(held.columns), 0.5))
        model = replace(held.model, private=own.private)
        changed[name] = {**inputs[name], "model": replace(held, model=model).to_artefact()}
    found = measured(play("evaluate", changed, joined=True, measures=["losses"])).figures
    shares = [SharedModel.of(inputs[name]["model"]).model.shares["weights"] for name in HOLDERS]
    weights = (shares[0].values + shares[1].values)[0].view(np.int64) / 2.0 ** shares[0].bits
    columns = np.column_stack([scaled("a")[0][50:], scaled("b")[0][:100]])
    told = 1 / (1 + np.exp(-((columns - 0.25) / 0.5 @ weights[:-1] + weights[-1])))
    assert found["brier"] == pytest.approx(binary.measure(Y[50:150], told).brier, abs=1e-3)
    far = {name: {**changed[name], "model": far_off(changed[name]["model"])} for name in HOLDERS}
    done = play("evaluate", far, wait=simulate, joined=True)
    assert any("no places for" in str(error) for error in done.errors.values())


def far_off(model: Artefact) -> Artefact:
    held = SharedModel.of(model)
    private = Scaling(np.zeros(len(held.columns)), np.full(len(held.columns), 1e4)).private
    return replace(held, model=replace(held.model, private=private)).to_artefact()


OUTCOMES = {
    "linear": 3 * (X @ [1.0, -1.5, 0.5]) + RNG.normal(size=len(X)) + 200,
    "multinomial": np.digitize(X @ [1.0, -1.5, 0.5] + RNG.normal(size=len(X)), [-1.0, 1.0]).astype(float),
}
KINDS: Mapping[str, dict[str, Any]] = {
    "linear": {"kind": "regression"},
    "multinomial": {"kind": "multiclass", "classes": 3, "matrix": True},
}


@cache
def other_labels(family: str) -> tuple[dict[str, dict[str, Artefact]], np.ndarray]:
    """A hidden join with labels that are no yes or no, a model that was trained openly on the common rows, and its scores of these."""
    tables = {name: scaled(name)[1] for name in HOLDERS}
    tables["a"] = replace(tables["a"], label=OUTCOMES[family][ROWS["a"]])
    brought = {name: {"table": item.to_artefact()} for name, item in tables.items()}
    made = play("join", brought, hidden=True, scaled=True).results
    common = {"a": slice(50, 150), "b": slice(0, 100)}
    rows = {
        name: {
            "table": Matrix(
                item.values[common[name]],
                item.columns,
                None if item.label is None else item.label[common[name]],
                item.ids.take(np.arange(COUNT)[common[name]]),
            ).to_artefact()
        }
        for name, item in tables.items()
    }
    params = {"classes": 3} if family == "multinomial" else {}
    models = play("train-linear", rows, family=family, iterations=4, **params).results
    held = {name: {**rows[name], "model": models[name]["model"]} for name in HOLDERS}
    told = play("predict", held).results["b"]["scores"].arrays["scores"]
    return {name: {"table": made[name]["table"], "model": models[name]["model"]} for name in HOLDERS}, told


@pytest.mark.parametrize("family", ["linear", pytest.param("multinomial", marks=pytest.mark.long)])
def test_numbers_and_several_classes(family: str) -> None:
    inputs, told = other_labels(family)
    assert "outcome" in {item.role for item in Joined.of(inputs["a"]["table"]).known.columns}
    labels = OUTCOMES[family][50:150]
    done = play("evaluate", inputs, joined=True, tell_rows=True, **KINDS[family])
    figures = measured(done).figures
    assert (figures["rows"], figures["places"]) == (COMMON, COUNT)
    if family == "linear":
        fit = regression.measure(labels, told)
        for name in ("rmse", "mae", "r2"):
            assert figures[name] == pytest.approx(getattr(fit, name), abs=1e-3)
        few = play("evaluate", inputs, wait=simulate, joined=True, at_least=101, **KINDS[family])
        assert "too few rows" in str(few.errors["a"])
        assert str(few.errors["a"]) == str(few.errors["b"])
    else:
        several = multiclass.measure(labels, told)
        for name in ("accuracy", "macro_auc", "log_loss"):
            assert figures[name] == pytest.approx(getattr(several, name), abs=2e-3)
        np.testing.assert_allclose(np.array(figures["matrix"]) * COMMON, several.confusion, atol=0.01)
        np.testing.assert_allclose(figures["aucs"], several.aucs, atol=2e-3)
        two = play("evaluate", inputs, wait=simulate, joined=True, kind="multiclass", classes=2)
        assert two.errors
    yes_or_no = play("evaluate", inputs, wait=simulate, joined=True)
    assert any("cannot be evaluated on" in str(error) for error in yes_or_no.errors.values())


@pytest.mark.parametrize("scale", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("family", ["linear", pytest.param("multinomial", marks=pytest.mark.long)])
def test_models_of_numbers_and_classes_are_those_of_the_common_rows(family: str, scale: bool) -> None:
    inputs, _ = other_labels(family)
    rows = {name: {"table": inputs[name]["table"]} for name in HOLDERS}
    if scale:
        done = play("standardise-joined", rows)
        rows = {name: {"table": done.results[name]["table"]} for name in HOLDERS}
    params = {"classes": 3} if family == "multinomial" else {}
    trained = play(
        "train-linear", rows, family=family, joined=True, coefficients_to_owners=True, iterations=6, **params
    )
    known = [SharedModel.of(trained.results[name]["model"]).known for name in HOLDERS]
    columns = np.column_stack([scaled("a")[0][50:], scaled("b")[0][:100]])
    mean, deviation = (columns.mean(axis=0), columns.std(axis=0)) if scale else (np.zeros(3), np.ones(3))
    model = Ridge(alpha=1.0) if family == "linear" else LogisticRegression(C=1.0, tol=1e-10, max_iter=500)
    model.fit((columns - mean) / deviation, OUTCOMES[family][50:150])
    expected = np.atleast_2d(model.coef_) / deviation
    found = np.r_[known[0]["coefficients"], known[1]["coefficients"]].reshape(3, -1).T
    np.testing.assert_allclose(found, expected, atol=5e-3)
    intercepts = np.atleast_1d(model.intercept_) - expected @ mean
    np.testing.assert_allclose(
        known[0]["intercept"] - np.mean(known[0]["intercept"]), intercepts - intercepts.mean(), atol=5e-3
    )
    if family == "linear":
        assert known[0]["intercept"][0] == pytest.approx(intercepts[0], abs=0.05)
        assert {entry.name for entry in trained.journals["b"].entries} == {  # type: ignore[attr-defined]
            "coefficients-a", "coefficients-b", "intercept",
        }  # fmt: skip
    held = {
        name: {"table": inputs[name]["table"], "model": trained.results[name]["model"]} for name in HOLDERS
    }
    figures = measured(play("evaluate", held, joined=True, **KINDS[family])).figures
    assert figures.get("r2", figures.get("accuracy")) > 0.6


def test_the_logistic_family_refuses_numbers() -> None:
    inputs, _ = other_labels("linear")
    done = play(
        "train-linear",
        {name: {"table": inputs[name]["table"]} for name in HOLDERS},
        wait=simulate,
        joined=True,
    )
    assert any("labels of two values of a: 0" in getattr(error, "why", "") for error in done.errors.values())


def test_labels_that_do_not_fit_are_not_joined() -> None:
    tables = {name: scaled(name)[1] for name in HOLDERS}
    for labels, words in (
        (OUTCOMES["linear"] * 9, "too large to be joined"),
        (np.ones(len(X)), "two classes"),
    ):
        bad = {**tables, "a": replace(tables["a"], label=labels[ROWS["a"]])}
        brought = {name: {"table": item.to_artefact()} for name, item in bad.items()}
        done = play("join", brought, wait=simulate, hidden=True, scaled=True)
        assert any(words in f"{error}" for error in done.errors.values()), done.errors


def test_too_few_ids_end_it_for_all_alike() -> None:
    done = play("evaluate", given(), wait=simulate, joined=True, at_least=80)
    assert {str(done.errors[name]) for name in HOLDERS} == {str(done.errors["a"])}
    assert "enough labels of every class" in str(done.errors["a"])
    told = {entry.name for entry in done.journals["a"].entries}  # type: ignore[attr-defined]
    assert told == {"enough"}


def test_rows_that_cannot_be_scored_are_refused() -> None:
    left = play("evaluate", given("left"), wait=simulate, joined=True)
    assert any("cannot be evaluated on" in str(error) for error in left.errors.values())
    other = given()
    held = SharedModel.of(other["b"]["model"])
    changed = {**other["b"], "model": replace(held, columns=("x2", "x1")).to_artefact()}
    done = play("evaluate", {**other, "b": changed}, wait=simulate, joined=True)
    assert any("b has other columns than in training" in str(error) for error in done.errors.values())
    kind = {
        name: {
            **other[name],
            "model": replace(
                SharedModel.of(other[name]["model"]),
                model=replace(
                    SharedModel.of(other[name]["model"]).model,
                    kind="trees",
                    public={"leaves_at": "a"},
                    shares={},
                ),
            ).to_artefact(),
        }
        for name in HOLDERS
    }
    done = play("evaluate", kind, wait=simulate, joined=True)
    assert any("cannot score rows that nobody knows" in str(error) for error in done.errors.values()), (
        done.errors
    )


def parts(name: str, tables: Mapping[str, Artefact], **params: Any) -> dict[str, dict[str, Joined]]:
    """Output -> holder -> joined rows."""
    module, chosen = step(name), parse_params(name, params)
    who = Roles({"holders": HOLDERS})
    done = run(lambda party: module.run(party, {"table": tables[party.name]}, chosen, who), HOLDERS)
    outputs = {
        output: {h: Joined.of(decode(encode(done.results[h][output]))) for h in HOLDERS}
        for output in done.results["a"]
    }
    for each in outputs.values():
        assert each["a"].known == each["b"].known
    return outputs


def opened(rows: Mapping[str, Joined]) -> tuple[np.ndarray, np.ndarray]:
    """Members, and columns in units of the last place."""
    member = (rows["a"].member ^ rows["b"].member)[0].astype(bool)
    return member, (rows["a"].values + rows["b"].values)[0].view(np.int64)


def test_places_are_cut_alike_and_folds_are_independent_of_who_is_there() -> None:
    member, values = opened({name: Joined.of(joined()[name]) for name in HOLDERS})
    cut = parts("split", joined(), test_fraction=0.3)
    assert {name: item["a"].known.places for name, item in cut.items()} == {"train": 105, "test": 45}
    assert not cut["test"]["a"].known.complete
    both = [opened(cut[name]) for name in ("train", "test")]
    assert sum(part[0].sum() for part in both) == member.sum() == COMMON
    assert sorted(map(tuple, np.concatenate([part[1] for part in both]))) == sorted(map(tuple, values))
    # a quarter of the members in each of four folds, give or take what chance gives: 25 of 100 of 150 places
    made = parts("folds", joined(), folds=4)["table"]
    folds = made["a"].folds
    assert folds is not None
    np.testing.assert_array_equal(folds, made["b"].folds)
    assert np.ptp(np.bincount(folds)) <= 1
    assert np.abs(np.bincount(folds[member]) - 25).max() <= 14
    given = {name: made[name].to_artefact() for name in HOLDERS}
    held_out = parts("split", given, fold=1)
    np.testing.assert_array_equal(opened(held_out["test"])[1], values[folds == 1])
    np.testing.assert_array_equal(opened(held_out["train"])[0], member[folds != 1])


def test_what_could_not_be_kept_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError, match="cannot hold uint16"):
        Artefact("joined", {"folds": np.zeros(3, np.uint16)})


@pytest.mark.parametrize(("name", "params", "words"), [
    ("folds", {"stratify": True}, "by label"),
    ("split", {"stratify": True}, "by label"),
    ("split", {"fold": 7}, "no fold 7"),
    ("folds", {"folds": 200}, "too few"),
])  # fmt: skip
def test_places_that_cannot_be_cut(name: str, params: dict[str, Any], words: str) -> None:
    module, who = step(name), Roles({"holders": HOLDERS, "label_holder": ("a",)})
    chosen = parse_params(name, params)
    done = simulate(lambda party: module.run(party, {"table": joined()[party.name]}, chosen, who), HOLDERS)
    assert all(words in f"{error} {getattr(error, 'why', '')}" for error in done.errors.values()), done.errors
    assert set(done.errors) == set(HOLDERS)


@pytest.mark.parametrize(
    "params",
    [
        {"tell_rows": True},
        {"joined": True, "show": "scores"},
        {"joined": True, "weight_column": "w"},
        {"joined": True, "measures": []},
        {"precision": 10},
    ],
)
def test_parameters_that_do_not_go_with_joined_rows(params: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("evaluate", params)
