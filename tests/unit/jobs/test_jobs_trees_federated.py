"""train-gbdt-federated and predict: the scores are those of the plain trainer; on real nodes too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.client.local import Local
from unseen.client.loopback import Loopback
from unseen.core.errors import UsageError
from unseen.crypto.additive import fixed_base
from unseen.data.table import Table
from unseen.jobs.artefacts import decode, encode
from unseen.jobs.step import Roles
from unseen.jobs.steps import predict, reveal_model, train_gbdt_federated
from unseen.jobs.tables import Matrix
from unseen.jobs.whole_models import WholeModel
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded, plain
from unseen.learn.vertical.trees.model import Settings
from unseen.learn.vertical.trees.objectives import probabilities
from unseen.party import Party
from unseen.scenes import credit_trees
from unseen.testing.simulate import run

HOLDERS = ("a", "b")
ROLES = Roles({"holders": HOLDERS, "label_holder": ("a",)})
SCORING = Roles({"holders": HOLDERS, "helper": ("helper",), "receiver": ("a",)})
ROWS = 120


@pytest.fixture(scope="module", autouse=True)
def small_tables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_base, "TABLE_BYTES", 1 << 20)
        yield


def blocks() -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(ROWS, 4))
    values[rng.random(ROWS) < 0.2, 1] = np.nan
    signal = np.nan_to_num(values[:, 1]) + values[:, 2] * values[:, 0] + 0.3 * rng.normal(size=ROWS)
    return {"a": values[:, :2], "b": values[:, 2:]}, signal


def matrix(name: str, label: np.ndarray | None) -> dict[str, Any]:
    values = blocks()[0][name]
    ids = Table.of(pa.table({"id": [str(row) for row in range(ROWS)]}), id_columns=("id",))
    columns = tuple(f"{name}{place}" for place in range(values.shape[1]))
    return {"table": Matrix(values, columns, label, ids).to_artefact()}


def trained(label: np.ndarray, **params: Any) -> dict[str, Any]:
    chosen = train_gbdt_federated.Params(bins=5, key_bits=2048, **params)

    def program(party: Party) -> Any:
        if party.name == "helper":
            return None, predict.run(party, {}, predict.Params(), SCORING)
        table = matrix(party.name, label if party.name == "a" else None)
        holders = party.group(HOLDERS, name="training")
        model = train_gbdt_federated.run(holders, table, chosen, ROLES)
        stored = {"model": decode(encode(model["model"]))}
        return model["model"], predict.run(party, {**table, **stored}, predict.Params(), SCORING)

    told = (*train_gbdt_federated.disclosures(chosen, ROLES), *predict.disclosures(predict.Params(), SCORING))
    wide = [item for item in told if item.name != "shape"]
    shapes = [item for item in told if item.name == "shape"][-1]
    with pytest.warns(UserWarning, match="112 bits"):
        return run(
            program,
            (*HOLDERS, "helper"),
            disclosures=[*wide, type(shapes)(shapes.name, shapes.what, shapes.to, shapes.door, 1, 4)],
            timeout_s=60,
        ).results


def revealed(results: dict[str, Any]) -> WholeModel:
    """The whole model, at who has no labels."""
    chosen, roles = reveal_model.Params(), Roles({**SCORING.by_name, "receiver": ("b",)})
    done = run(
        lambda party: reveal_model.run(
            party, {"model": results[party.name][0]} if party.name in HOLDERS else {}, chosen, roles
        ),
        (*HOLDERS, "helper"),
        disclosures=reveal_model.disclosures(chosen, roles),
    ).results
    assert done["a"] == {}
    return WholeModel.of(done["b"]["model"])


@pytest.mark.parametrize(
    "objective", ["squared", *(pytest.param(x, marks=pytest.mark.long) for x in ("binary", "softmax"))]
)
def test_scores_are_those_of_the_plain_trainer(objective: str) -> None:
    signal = blocks()[1]
    label = {"squared": signal, "binary": (signal > 0) * 1.0, "softmax": np.digitize(signal, [-1, 1]) * 1.0}[
        objective
    ]
    params = {"objective": objective, "rounds": 2, "depth": 2, "classes": 3 if objective == "softmax" else 1}
    results = trained(label, **params)
    values = np.column_stack(list(blocks()[0].values()))
    cuts = tuple(quantile_cuts(column, 5) for column in values.T)
    bins, codes = [len(cut) + 1 for cut in cuts], coded(values, cuts)
    model = plain.fit(codes, bins, label, train_gbdt_federated.Params(**params).settings())
    want = probabilities(plain.scores(model, codes, bins), model.settings.objective)
    scores = results["a"][1]["scores"].arrays["scores"]
    np.testing.assert_allclose(scores, want.T if objective == "softmax" else want[0], atol=2e-3)
    whole = revealed(results).model
    np.testing.assert_allclose(whole.scores(values), scores, atol=1e-4)
    assert "private.weights" in results["a"][0].arrays
    assert "private.weights" not in results["b"][0].arrays
    assert len(results["a"][0].meta["known"]["gain of b"]) == 2
    assert results["b"][0].meta["known"] == {}


def test_columns_that_a_contract_says_are_monotone_are() -> None:
    signal = blocks()[1]
    results = trained(
        signal, objective="squared", rounds=2, depth=2, monotone={"a": {"a1": -1}, "b": {"b0": -1}}
    )
    values = np.column_stack(list(blocks()[0].values()))
    cuts = tuple(quantile_cuts(column, 5) for column in values.T)
    bins, codes = [len(cut) + 1 for cut in cuts], coded(values, cuts)
    settings = Settings(objective="squared", rounds=2, depth=2, monotone=(0, -1, -1, 0))
    want = plain.scores(plain.fit(codes, bins, signal, settings), codes, bins)[0]
    np.testing.assert_allclose(results["a"][1]["scores"].arrays["scores"], want, atol=2e-3)
    free = plain.scores(plain.fit(codes, bins, signal, replace(settings, monotone=None)), codes, bins)[0]
    assert np.abs(free - want).max() > 0.1
    with pytest.raises(UsageError, match="no column b7"):
        trained(signal, objective="squared", rounds=1, depth=1, monotone={"b": {"b7": 1}})


@pytest.mark.long
def test_it_samples_and_stops_early() -> None:
    label = (blocks()[1] > 0) * 1.0
    results = trained(
        label, rounds=6, depth=2, row_fraction=0.7, column_fraction=0.5, held_out=0.3, patience=1
    )
    known = results["a"][0].meta["known"]
    assert len(known["losses"]) <= 6
    assert results["a"][0].meta["public"] == results["b"][0].meta["public"]
    assert results["b"][0].meta["public"]["rounds"] == int(np.argmin(known["losses"])) + 1


def test_what_cannot_be_trained_on_is_refused() -> None:
    for wrong in ({"objective": "softmax"}, {"patience": 3}, {"key_bits": 1024}):
        with pytest.raises(ValueError, match=r"softmax|patience|3072"):
            train_gbdt_federated.Params(**wrong)

    def program(party: Party) -> Any:
        return train_gbdt_federated.run(party, matrix(party.name, None), train_gbdt_federated.Params(), ROLES)

    with pytest.raises(UsageError, match="label"):
        run(
            program,
            HOLDERS,
            disclosures=train_gbdt_federated.disclosures(train_gbdt_federated.Params(), ROLES),
        )
    elsewhere = Roles({"holders": HOLDERS, "label_holder": ("c",)})
    with pytest.raises(UsageError, match="no holder"):
        train_gbdt_federated.run(None, {}, train_gbdt_federated.Params(), elsewhere)  # type: ignore[arg-type]


@pytest.mark.long
def test_the_scene_runs_here_and_on_nodes(tmp_path: Path) -> None:
    local = Local().run(credit_trees.study())
    with Loopback((credit_trees.BANK, credit_trees.TELECOM), folder=tmp_path) as world:
        nodes = credit_trees.study().run(world)
    assert local is not None
    for outcome in (local, nodes):
        assert outcome.at(credit_trees.BANK) is not None
