"""Cross-validation and learning curves as tasks: every row is held out once, and the mean is that of the folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.client import Local, Workflow, cross_validate
from unseen.client.cross_validation import CrossValidation
from unseen.client.outcome import Outcome
from unseen.core.errors import UsageError
from unseen.jobs.joined import Joined
from unseen.learn.evaluate.folds import average, averages

ROLES = {"holders": ("bank", "telecom"), "label_holder": "bank", "receiver": "bank", "helper": "helper"}
SEEN = {"show": "scores"}


def begun() -> tuple[Workflow, str]:
    """Aligned rows of two holders, 120 of them."""
    rng = np.random.default_rng(3)
    ids = [f"c{row:03d}" for row in range(120)]
    values = rng.normal(size=(120, 2))
    label = (values.sum(axis=1) + rng.normal(size=120) > 0).astype(float)
    flow = Workflow("Tried", purpose="credit")
    for name in ("bank", "telecom"):
        flow.party(name, roles=("holder", "receiver"))
    flow.party("helper", roles=("computer",))
    bank = pa.table({"id": ids, "x": values[:, 0], "y": label})
    telecom = pa.table({"id": ids, "z": values[:, 1]}).take(rng.permutation(120))
    given = {
        "bank": flow.table("loans", holder="bank", source=bank, id_columns=["id"], label_columns=["y"]),
        "telecom": flow.table("calls", holder="telecom", source=telecom, id_columns=["id"]),
    }
    align = flow.task("align", "psi", roles={"holders": ROLES["holders"]}, inputs={"table": given})
    return flow, align["table"]


@pytest.fixture(scope="module")
def tried() -> tuple[CrossValidation, Outcome]:
    flow, table = begun()
    made = cross_validate(
        flow, "cv", table=table, roles=ROLES, train=("train-linear", {"iterations": 4}),
        prepare=[("standardise", {})], evaluate=SEEN, folds=2, stratify=True, train_sizes=(0.5, 1.0),
    )  # fmt: skip
    return made, Local().run(flow)


def test_every_row_is_held_out_once_and_never_trained_on(tried: tuple[CrossValidation, Outcome]) -> None:
    bank = tried[1].at("bank")
    held_out = [bank[f"cv-{fold}-split.test"].meta["rows"] for fold in (1, 2)]
    assert held_out == [60, 60]
    assert [bank[f"cv-{fold}-split.train"].meta["rows"] for fold in (1, 2)] == [60, 60]
    assert bank["cv-1-50-part.train"].meta["rows"] == 30
    labels = [bank[f"cv-{fold}-evaluate.metrics"].arrays["labels"].sum() for fold in (1, 2)]
    assert abs(labels[0] - labels[1]) <= 1  # by label


def test_the_mean_is_that_of_the_folds(tried: tuple[CrossValidation, Outcome]) -> None:
    made, outcome = tried
    bank = outcome.at("bank")
    each = [bank.metrics(f"cv-{fold}-evaluate")["auc"] for fold in (1, 2)]
    found = made.results(bank)["auc"]
    assert found == average(each)
    told = bank.metrics("cv-mean")
    assert (told["auc"], told["auc_low"], told["auc_high"]) == (found.mean, found.low, found.high)
    assert (told["rows"], told["folds"]) == (120, 2)
    assert "positives_folds" not in told
    assert found.mean > 0.7


def test_a_learning_curve_has_a_row_for_each_part(tried: tuple[CrossValidation, Outcome]) -> None:
    made, outcome = tried
    parts, values = made.curve(outcome.at("bank"), "auc")
    assert parts.tolist() == [0.5, 1.0]
    assert values.shape == (2, 2)
    assert values[1].tolist() == list(made.results(outcome.at("bank"))["auc"].values)


def begun_hidden() -> tuple[Workflow, str]:
    """A hidden join of two holders' tables, 150 of 200 rows in common."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(250, 2))
    label = (values.sum(axis=1) + rng.normal(size=250) > 0).astype(float)
    flow = Workflow("Tried", purpose="credit")
    for name in ("bank", "telecom"):
        flow.party(name, roles=("holder", "receiver"))
    flow.party("helper", roles=("computer",))
    ids = np.array([f"c{row:03d}" for row in range(250)])
    bank = pa.table({"id": ids[:200], "x": values[:200, 0], "y": label[:200]})
    telecom = pa.table({"id": ids[50:], "z": values[50:, 1]})
    given = {
        "bank": flow.table("loans", holder="bank", source=bank, id_columns=["id"], label_columns=["y"]),
        "telecom": flow.table("calls", holder="telecom", source=telecom, id_columns=["id"]),
    }
    holders = {"holders": ROLES["holders"]}
    scaled = flow.task("scale", "standardise", roles=holders, inputs={"train": given, "test": given})
    joined = flow.task(
        "join", "join", roles={**holders, "helper": "helper"}, inputs={"table": scaled["train"]},
        params={"hidden": True, "scaled": True, "at_most": 160},
    )  # fmt: skip
    return flow, joined["table"]


@pytest.mark.parametrize("sizes", [(1.0,), pytest.param((0.5, 1.0), marks=pytest.mark.long)])
def test_folds_of_rows_that_nobody_knows(sizes: tuple[float, ...]) -> None:
    """The same section as for aligned rows: each place is held out once, and of a fold only measures are told."""
    flow, table = begun_hidden()
    made = cross_validate(
        flow, "cv", table=table, roles=ROLES, train=("train-linear", {"iterations": 2, "joined": True}),
        prepare=[("standardise-joined", {})], evaluate={"measures": ["ranking"]}, folds=2, train_sizes=sizes,
    )  # fmt: skip
    outcome = Local().run(flow)
    bank = outcome.at("bank")
    places = [
        Joined.of(bank[f"cv-{fold}-split.{side}"]).known.places
        for fold in (1, 2)
        for side in ("train", "test")
    ]
    assert places == [80, 80, 80, 80]
    found = made.results(bank)
    assert set(found) == {"auc", "gini", "ks", "average_precision"}
    assert found["auc"].mean == pytest.approx(0.84, abs=0.15)  # folds are tossed for
    assert made.curve(bank, "auc")[1].shape == (len(sizes), 2)
    told = bank.metrics("cv-mean")
    assert told["places"] == 160
    assert "rows" not in told
    assert outcome.at("telecom").artefacts.keys().isdisjoint({"cv-mean.metrics", "cv-1-evaluate.metrics"})


@pytest.mark.parametrize(("params", "words"), [
    ({"stratify": True}, "by label"),
    ({"prepare": [("standardise", {})]}, "joined rows in shares"),
])  # fmt: skip
def test_what_cannot_be_done_with_joined_rows(params: dict[str, Any], words: str) -> None:
    flow, table = begun()
    with pytest.raises(UsageError) as caught:
        cross_validate(
            flow, "cv", table=table, roles=ROLES, train=("train-linear", {"joined": True}), **params
        )
    assert words in " ".join(caught.value.problems)


def test_the_interval_is_wider_than_if_folds_were_independent() -> None:
    found = average([0.7, 0.8, 0.75, 0.72, 0.78])
    assert found.mean == pytest.approx(0.75)
    # s = 0.0412311, 1/5 + 1/4, t(4) = 2.776445
    assert found.high - found.mean == pytest.approx(2.776445 * 0.0412311 * 0.45**0.5, rel=1e-5)
    with pytest.raises(ValueError, match="two"):
        average([0.5])


def test_only_measures_that_all_folds_have_are_averaged() -> None:
    told = averages([{"rows": 5, "auc": 0.5, "ks": 0.1, "aucs": [1.0]}, {"rows": 5, "auc": 0.7}])
    assert set(told) == {"auc"}


def test_what_does_not_fit_is_said_all_at_once() -> None:
    flow, table = begun()
    with pytest.raises(UsageError, match="'cv' is not to be had") as caught:
        cross_validate(
            flow,
            "cv",
            table=table,
            roles=ROLES,
            train=("psi", {}),
            prepare=[("bin", {})],
            folds=1,
            train_sizes=(0, 2),
        )
    assert len(caught.value.problems) == 4
