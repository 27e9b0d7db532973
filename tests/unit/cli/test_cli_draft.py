"""From a workflow file to a contract, on the catalogue and the peers of a node."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from api_double import KEY, MODEL, NOW, OWN_KEY, PEER, TERMS, Double

from unseen.api.server import serve
from unseen.api.tokens import Tokens
from unseen.cli.draft import contract_of
from unseen.cli.main import run
from unseen.core.errors import UsageError
from unseen.govern.contract import ColumnTerms, Contract
from unseen.jobs.planner import costs_of, offers_of
from unseen.node import models as m
from unseen.node.config import NodeConfig, to_toml
from unseen.node.home import Home

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
FLOW = re.search(r"```toml\n(title.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]


class Catalogue(Double):
    def peer_list(self):
        helper = PEER.model_copy(update={"name": "helper", "identity": "ed25519:" + "56" * 32})
        return (PEER, helper)

    def asset_list(self):
        measured = (
            ColumnTerms(name="patient", type="text", role="id"),
            ColumnTerms(name="pressure", type="numeric"),
        )
        theirs = TERMS.model_copy(
            update={"name": "measurements", "holder": "laboratory", "columns": measured}
        )
        return tuple(m.AssetView(terms=terms, path=None, added_at=NOW) for terms in (TERMS, theirs))


class Generous(Catalogue):
    def asset_list(self):
        more = {"steps": (*TERMS.steps, "folds", "average")}
        return tuple(
            view.model_copy(update={"terms": view.terms.model_copy(update=more)})
            for view in super().asset_list()
        )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flow.toml"
    path.write_text(FLOW)
    return path


def test_keys_terms_and_disclosures_are_filled_in(file):
    contract = contract_of(file, Catalogue())
    assert {party.name: party.identity for party in contract.parties} == {
        "hospital": OWN_KEY,
        "laboratory": KEY,
        "helper": "ed25519:" + "56" * 32,
    }
    assert [asset.rows for asset in contract.assets] == [500, 500]
    assert [task.name for task in contract.tasks] == ["align", "split", "standardise", "train", "evaluate"]
    assert contract.runs == 3
    assert any(disclosure.task == "align" for disclosure in contract.disclosures)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("title = ", "titel = ", ["titel", "title"]),
        ("runs = 3", "runs = 0", ["runs"]),
        ('level = "shared"', 'level = "cloud"', ["level"]),
        ('roles = ["computer"]', 'roles = ["boss"]', ["parties.helper.roles"]),
        ('step = "split"', 'step = "splitt"', ["splitt", "split"]),
        ("laboratory/measurements", "laboratory/records", ["laboratory/records", "offer"]),
        ("[parties.helper]", "[parties.stranger]", ["stranger", "peers"]),
        ('purpose = "screening"', 'purpose = "marketing"', ["marketing"]),
        ('"asset:diagnoses"', '"asset:nothing"', ["nothing"]),
        ('"align.table"', '"align.tables"', ["tables", "has: table"]),
        ('"align.table"', '"aline.table"', ["aline.table", "align"]),
        ('"align.table"', '"table"', ["asset:NAME"]),
        ("title = ", "title ", ["TOML"]),
    ],
)
def test_mistakes_are_named(file, before, after, words):
    assert before in FLOW
    file.write_text(FLOW.replace(before, after, 1))
    with pytest.raises(UsageError) as caught:
        contract_of(file, Catalogue())
    for word in words:
        assert word in str(caught.value)


class Modeller(Catalogue):
    def model_show(self, version):
        if not MODEL.version.startswith(version):
            raise UsageError(f"No models of this party begin with '{version}'.")
        return MODEL


@pytest.mark.parametrize("given", [MODEL.version, MODEL.version[:18]])
def test_models_of_earlier_jobs_are_named_by_their_versions(file, given):
    later = f"""
[[tasks]]
name = "later"
step = "evaluate"
roles = {{ holders = ["hospital", "laboratory"], helper = "helper", label_holder = "hospital", receiver = "hospital" }}
inputs = {{ model = "model:{given}", table = "standardise.test" }}
"""
    file.write_text(FLOW + later)
    task = contract_of(file, Modeller()).task("later")
    assert set(
        task.inputs["model"].values() if isinstance(task.inputs["model"], dict) else [task.inputs["model"]]
    ) == {f"model:{MODEL.version}"}
    file.write_text(FLOW + later.replace(given, "model-0123"))
    with pytest.raises(UsageError, match="begin with 'model-0123'"):
        contract_of(file, Modeller())


def test_the_command_writes_what_can_be_proposed(file, tmp_path, capsys):
    home = Home(tmp_path / "home")
    home.make()
    config = NodeConfig(name="hospital", home=home.path)
    (home.path / "node.toml").write_text(to_toml(config))
    Tokens(home.path).write_owner()
    node = Catalogue()
    where = ["--home", str(home.path)]
    with serve(node, config):
        assert run(["contract", "draft", str(file), *where]) == 0
        Contract.model_validate(json.loads(capsys.readouterr().out))
        out = tmp_path / "contract.json"
        assert run(["contract", "draft", str(file), "--out", str(out), "--json", *where]) == 0
        told = capsys.readouterr()
        assert "In all: " in told.err
        assert "of memory at one party" in told.err
        costs = json.loads(told.out)["costs"]
        assert [cost["task"] for cost in costs] == [
            task["name"] for task in json.loads(out.read_text())["tasks"]
        ]
        assert all(cost["memory_bytes"] > 0 for cost in costs)
        assert run(["contract", "propose", str(out), *where]) == 0
        assert node.calls[-1][1]["contract"] == json.loads(out.read_text())
        assert run(["contract", "draft", str(file), "--out", str(tmp_path / "no" / "c"), *where]) == 2
        assert run(["contract", "draft", str(tmp_path / "none.toml"), *where]) == 2


def test_what_hides_the_intersection_is_offered(file):
    offers = offers_of(contract_of(file, Catalogue()))
    assert [offer.step for offer in offers.values()] == ["join"]


def test_a_file_that_withholds_the_intersection_is_refused_with_the_offer(file):
    file.write_text(FLOW.replace("purpose =", 'withhold = ["intersection"]\npurpose =', 1))
    with pytest.raises(UsageError, match="more than this contract is to list") as caught:
        contract_of(file, Catalogue())
    assert "'join' with hidden = true" in caught.value.problems[0]


def test_estimates_of_a_contract_that_is_anybodys_never_fail(file):
    made = contract_of(file, Catalogue())
    whole = costs_of(made)
    assert list(whole) == [task.name for task in made.tasks]
    odd = [
        task.model_copy(update={"step": "not-here"} if not place else {"params": {"no": "such"}})
        for place, task in enumerate(made.tasks)
    ]
    assert costs_of(made.model_copy(update={"tasks": tuple(odd)})) == {}
    huge = tuple(asset.model_copy(update={"rows": 10**30}) for asset in made.assets)
    assert set(costs_of(made.model_copy(update={"assets": huge}))) <= set(whole)


def test_a_section_of_the_file_adds_a_cross_validation(file):
    section = re.search(r"```toml\n(\[\[cross_validations.*?)```", PAGE, re.DOTALL)
    assert section is not None
    file.write_text(FLOW + section.group(1))
    made = contract_of(file, Generous())
    steps = [task.step for task in made.tasks if task.name.startswith("cv-")]
    assert steps[0] == "folds"
    assert steps[1:-1] == ["split", "standardise", "train-linear", "evaluate"] * 5
    assert steps[-1] == "average"
    file.write_text(FLOW + section.group(1).replace("align.table", "nothing.table"))
    with pytest.raises(UsageError, match="which is nothing"):
        contract_of(file, Generous())
