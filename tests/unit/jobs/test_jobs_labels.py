"""Labels as tables have them: numbers, counts, several classes, two classes under other names; a part of the rows without one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import Matrix, from_table
from unseen.testing.simulate import Run, simulate

HOLDERS = ("bank", "telecom")
ROLES = {"holders": HOLDERS, "label_holder": ("bank",), "receiver": ("bank",), "helper": ("helper",)}
ROWS = 150
RNG = np.random.default_rng(8)
X, Z = RNG.normal(size=(2, ROWS))
SCORE = 2 * X + Z
TREES = {"rounds": 4, "depth": 2, "bins": 8}
LABELS: dict[str, Any] = {
    "numbers": SCORE * 30 + 500,
    "counts": RNG.poisson(np.exp(SCORE / 4)),
    "classes": np.digitize(SCORE, [-1.0, 1.0]),
    "one or two": np.where(SCORE > 0, 2, 1),
    "words": ["yes" if score > 0 else "no" for score in SCORE],
    "flags": SCORE > 0,
}


def table(label: Any, **columns: Any) -> Artefact:
    told = {} if label is None else {"y": label}
    made = pa.table({"id": [f"c{row}" for row in range(ROWS)], **told, **columns})
    return from_table(Table.of(made, id_columns=("id",), label_columns=tuple(told)))


def play(name: str, inputs: dict[str, dict[str, Artefact]], **params: Any) -> Run[Any]:
    installed = step(name)
    who = Roles({role: ROLES[role] for role in installed.ROLES if role in ROLES})
    chosen = parse_params(name, params)
    done = simulate(
        lambda party: installed.run(party, inputs.get(party.name, {}), chosen, who),
        who.everyone,
        disclosures=installed.disclosures(chosen, who),
    )
    assert not done.errors, done.errors
    return done


def tables(label: Any) -> dict[str, dict[str, Artefact]]:
    return {"bank": {"table": table(label, x=X)}, "telecom": {"table": table(None, z=Z)}}


def measured(inputs: dict[str, dict[str, Artefact]], model: Run[Any], **params: Any) -> dict[str, Any]:
    with_model = {name: {**inputs[name], **model.results[name]} for name in HOLDERS}
    found: dict[str, Any] = (
        play("evaluate", with_model, show="scores", **params).results["bank"]["metrics"].meta
    )
    return found


@pytest.mark.parametrize(
    ("trainer", "params", "label", "kind"),
    [
        ("train-linear", {"family": "linear", "iterations": 3}, "numbers", "regression"),
        ("train-linear", {"family": "poisson", "iterations": 6}, "counts", "regression"),
        pytest.param(
            "train-linear",
            {"family": "multinomial", "classes": 3, "iterations": 4},
            "classes",
            "multiclass",
            marks=pytest.mark.long,
        ),
        ("train-gbdt", {**TREES, "objective": "squared"}, "numbers", "regression"),
        pytest.param(
            "train-gbdt",
            {**TREES, "objective": "softmax", "classes": 3},
            "classes",
            "multiclass",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_table_with_numbers_or_several_classes_is_trained_on_and_measured(
    trainer: str, params: dict[str, Any], label: str, kind: str
) -> None:
    inputs = tables(LABELS[label])
    several = {name: value for name, value in params.items() if name == "classes"}
    found = measured(inputs, play(trainer, inputs, **params), kind=kind, **several)
    if kind == "regression":
        assert found["rmse"] < 0.9 * np.std(LABELS[label])
    else:
        assert found["macro_auc"] > 0.9


@pytest.mark.parametrize("label", ["one or two", "words", "flags"])
def test_two_classes_are_zero_and_one_whatever_they_are_called(label: str) -> None:
    model = play("train-linear", tables(LABELS[label]), iterations=3, coefficients_to_owners=True).results
    plain = play(
        "train-linear", tables((SCORE > 0).astype(int)), iterations=3, coefficients_to_owners=True
    ).results
    for name in HOLDERS:
        mine, same = (held[name]["model"].meta["known"]["coefficients"] for held in (model, plain))
        np.testing.assert_allclose(mine, same, atol=1e-3)


def test_rows_are_parted_by_several_classes_and_by_no_numbers() -> None:
    holders = {"holders": HOLDERS, "label_holder": ("bank",)}
    installed, who = step("folds"), Roles(holders)
    chosen = parse_params("folds", {"folds": 3, "stratify": True})
    for label, fine in (("classes", True), ("words", True), ("numbers", False)):
        inputs = tables(LABELS[label])
        done = simulate(
            lambda party, inputs=inputs: installed.run(party, inputs[party.name], chosen, who),
            HOLDERS,
            disclosures=installed.disclosures(chosen, who),
        )
        assert fine == (not done.errors), done.errors
    assert "no classes to choose rows by" in str(done.errors["bank"])


def test_a_label_that_lacks_values_hinders_only_who_needs_it() -> None:
    y = np.where(SCORE > 0, 1.0, 0.0)
    model = play("train-linear", tables(y), iterations=3)
    y[3:5] = np.nan
    inputs = tables(y)
    with_model = {name: {**inputs[name], **model.results[name]} for name in HOLDERS}
    assert len(play("predict", with_model).results["bank"]["scores"].arrays["scores"]) == ROWS
    own = Matrix.of(inputs["bank"]["table"])
    for wanted in (own.binary_label, own.known_label):
        with pytest.raises(UsageError, match=r"bank's label 'y' is missing in 2 row\(s\)"):
            wanted("bank")


def test_what_a_label_cannot_be() -> None:
    with pytest.raises(UsageError, match=r"two classes[\s\S]*3 \(a, b, c\)"):
        Matrix.of(table(["a", "b", "c"] * (ROWS // 3), x=X))
    with pytest.raises(UsageError, match=r"two classes[\s\S]*3 \(0, 1, 2\)"):
        Matrix.of(table(LABELS["classes"], x=X)).binary_label("bank")
    with pytest.raises(UsageError, match="no number in 1 row"):
        Matrix.of(table(np.where(np.arange(ROWS) == 7, np.inf, X), x=X))
    with pytest.raises(UsageError, match="its table has none"):
        Matrix.of(table(None, x=X)).known_label("bank")
    with pytest.raises(UsageError, match="1 or 2, and cannot be committed to"):
        Matrix.of(table(LABELS["one or two"], x=X)).committed()
    assert Matrix.of(table(LABELS["flags"], x=X)).committed().commitment is not None
