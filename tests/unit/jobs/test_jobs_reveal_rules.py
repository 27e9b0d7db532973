"""A whole model together with the rules by which its columns were prepared: it scores columns as they come."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import RemoteProtocolError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.steps import reveal_model
from unseen.jobs.tables import from_table, prepared_by, prepared_of, to_preparation
from unseen.jobs.whole_models import WholeModel
from unseen.party import Released
from unseen.testing.simulate import Run, simulate

HOLDERS = ("bank", "telecom")
ROLES = {"holders": HOLDERS, "label_holder": ("bank",), "receiver": ("bank",), "helper": ("helper",)}
ROWS = 120
RNG = np.random.default_rng(12)
AGE, CALLS = 40 + 10 * RNG.normal(size=ROWS), RNG.normal(size=ROWS)
AGE[::9] = np.nan
TOWN = np.array(["Bern", "Graz", "Lyon"])[RNG.integers(0, 3, ROWS)]
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-CALLS - (TOWN == "Bern")))).astype(float)
RULES = [
    {"do": "impute", "flag": True, "of": "bank"},
    {"do": "scale", "of": "bank", "columns": ["age"]},
    {"do": "one-hot", "of": "telecom", "columns": ["town"], "drop_first": True},
    {"do": "clip", "of": "telecom", "columns": ["calls"]},
]
Inputs = dict[str, dict[str, Artefact]]


def play(name: str, inputs: Inputs, **params: Any) -> Run[Any]:
    installed, chosen = step(name), parse_params(name, params)
    who = Roles({role: ROLES[role] for role in installed.ROLES if role in ROLES})
    return simulate(
        lambda party: installed.run(party, inputs.get(party.name, {}), chosen, who),
        who.everyone,
        disclosures=installed.disclosures(chosen, who),
    )


def tables() -> dict[str, Artefact]:
    ids = [f"c{row}" for row in range(ROWS)]
    made = {
        "bank": (pa.table({"id": ids, "y": Y, "age": AGE}), ("y",)),
        "telecom": (pa.table({"id": ids, "calls": CALLS, "town": TOWN}), ()),
    }
    return {
        name: from_table(Table.of(rows, id_columns=("id",), label_columns=labels))
        for name, (rows, labels) in made.items()
    }


@cache
def prepared() -> dict[str, dict[str, Artefact]]:
    inputs = {name: {"train": one, "test": one} for name, one in tables().items()}
    return play("prepare", inputs, rules=RULES).results


def trained(on: dict[str, Artefact]) -> dict[str, Artefact]:
    done = play("train-linear", {name: {"table": on[name]} for name in HOLDERS}, iterations=3)
    assert not done.errors
    return {name: done.results[name]["model"] for name in HOLDERS}


@cache
def models() -> dict[str, Artefact]:
    return trained({name: prepared()[name]["train"] for name in HOLDERS})


def handed_over(held: dict[str, Artefact], rules: dict[str, Artefact]) -> Run[Any]:
    inputs = {name: {"model": held[name], "rules": rules[name]} for name in HOLDERS if name in rules}
    return play("reveal-model", inputs, with_rules=True)


def test_it_scores_columns_as_they_come() -> None:
    done = handed_over(models(), {name: prepared()[name]["rules"] for name in HOLDERS})
    assert not done.errors
    whole = WholeModel.of(done.results["bank"]["model"]).model
    assert whole.given == (("age", False), ("calls", False), ("town", True))
    assert whole.columns == ("age", "age=missing", "calls", "town=Graz", "town=Lyon")
    scores = whole.scores(whole.prepared({"age": AGE, "calls": CALLS, "town": TOWN.astype(object)}))
    inputs = {name: {"table": prepared()[name]["test"], "model": models()[name]} for name in HOLDERS}
    found = play("predict", inputs).results["bank"]["scores"].arrays["scores"]
    np.testing.assert_allclose(scores, found, atol=1e-4)


def test_how_columns_were_made_goes_with_them() -> None:
    telecom, rules = prepared()["telecom"], to_preparation(prepared()["telecom"]["rules"])
    assert prepared_of(telecom["train"]) == prepared_by(rules) == SharedModel.of(models()["telecom"]).prepared
    later = {name: {"rules": prepared()[name]["rules"], "table": tables()[name]} for name in HOLDERS}
    again = play("transform", later).results
    assert prepared_of(again["telecom"]["table"]) == prepared_by(rules)
    assert prepared_by(rules, prepared_of(again["telecom"]["table"])) != prepared_by(
        rules
    )  # twice is not once
    other = play("prepare", {name: {"train": t, "test": t} for name, t in tables().items()}, rules=RULES[:3])
    inputs = {
        name: {"table": other.results[name]["test"], "model": models()[name]} for name in HOLDERS
    }  # the names of the columns are the same
    assert "prepared in another way" in str(play("predict", inputs).errors["telecom"])


def test_rules_that_did_not_make_the_columns_are_refused() -> None:
    rules = {name: prepared()[name]["rules"] for name in HOLDERS}
    between = {
        name: {"train": prepared()[name]["train"], "test": prepared()[name]["test"]} for name in HOLDERS
    }
    scaled = play("standardise", between).results
    done = handed_over(trained({name: scaled[name]["train"] for name in HOLDERS}), rules)
    assert "rules are not those by which" in str(done.errors["bank"])
    inputs = {name: {"model": models()[name]} for name in HOLDERS}
    done = play("reveal-model", inputs, with_rules=True)
    assert "has no rules of preparation" in str(done.errors["telecom"])


@pytest.mark.parametrize("told", [b"", b"[]", b"[{}]", b"[[[", b'[{"source":"x","text":true}]'])
def test_a_peer_that_tells_something_else_is_named(told: bytes) -> None:
    numbers = (Released(item, Released._maker) for item in (["x", "y"], [], []))
    parts = {"telecom": reveal_model.ModelPart(*numbers)}
    with pytest.raises(RemoteProtocolError, match="telecom told") as caught:
        reveal_model._chains("telecom", {"telecom": told}, parts)
    assert caught.value.party == "telecom"
