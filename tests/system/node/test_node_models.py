"""Models by version on real nodes: the same name at all holders, receipts, a whole model as a file, and rows scored by a later contract."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from node_world import over, start

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.core.errors import DeniedError, UsageError, VerificationError
from unseen.node.models import ModelView
from unseen.scenes import credit_columns

PARTIES = ("bank", "telecom", "helper")
HOLDERS = ("bank", "telecom")
CREW = {"holders": HOLDERS, "helper": "helper"}
RULES = (
    {"do": "impute", "by": "median"},
    {"do": "one-hot", "unseen": "other"},
    {"do": "scale", "to": "standard"},
)


def begun(title: str, seed: int, purpose: str = "credit-risk") -> tuple[Workflow, str]:
    flow = Workflow(title, purpose=purpose)
    for name in PARTIES:
        flow.party(name, roles=("computer",) if name == "helper" else ("holder", "receiver"))
    tables = credit_columns.customers(seed=seed, rows=300)
    references = {
        name: flow.table(
            f"{name}-{seed}",
            holder=name,
            source=tables[name],
            id_columns=("customer",),
            label_columns=("default",) if name == "bank" else (),
        )
        for name in HOLDERS
    }
    rows = flow.task("align", "psi", roles={"holders": HOLDERS}, inputs={"table": references})
    return flow, rows["table"]


def training() -> Workflow:
    flow, table = begun("A joint model", 1)
    halves = flow.task("split", "split", roles={"holders": HOLDERS}, inputs={"table": table})
    ready = flow.task(
        "prepare",
        "prepare",
        roles={"holders": HOLDERS},
        inputs={"train": halves["train"], "test": halves["test"]},
        params={"rules": RULES},
    )
    model = flow.task(
        "train",
        "train-linear",
        roles={**CREW, "label_holder": "bank"},
        inputs={"table": ready["train"]},
        params={"iterations": 3},
    )
    flow.task(
        "handover",
        "reveal-model",
        roles={**CREW, "receiver": "bank"},
        inputs={"model": model["model"]},
    )
    return flow


def scoring(
    rules: str, model: str, *, holders: tuple[str, ...] = HOLDERS, purpose: str = "credit-risk"
) -> Workflow:
    flow, table = begun("Scores of new customers", 2, purpose)
    ready = flow.task(
        "transform",
        "transform",
        roles={"holders": HOLDERS},
        inputs={"rules": f"model:{rules}", "table": table},
    )
    flow.task(
        "predict",
        "predict",
        roles={**CREW, "holders": holders, "receiver": "bank"},
        inputs={"model": f"model:{model}", "table": ready["table"]},
    )
    return flow


def finished(world: Loopback, flow: Workflow) -> str:
    contract = together.agree(dict(world.nodes), flow, "bank")
    job = start(world, contract, "bank")
    for party in PARTIES:
        over(world, party, job, 100)
        assert world[party].job_show(job).state == "finished", world[party].job_show(job).problem
    together.evidence(dict(world.nodes), "bank", contract)  # all entries have reached all
    return job


def known(world: Loopback, party: str) -> dict[str, ModelView]:
    return {view.reference: view for view in world[party].model_list()}


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_model_has_one_name_can_be_checked_and_serves_later_contracts(tmp_path: Path) -> None:
    with Loopback(PARTIES, folder=tmp_path) as world:
        flow = training()
        together.bring(dict(world.nodes), flow, tmp_path)
        finished(world, flow)
        bank, telecom = known(world, "bank"), known(world, "telecom")
        assert set(bank) == {"train.model", "prepare.rules", "handover.model"}
        assert set(telecom) == {"train.model", "prepare.rules"}
        assert known(world, "helper") == {}
        name, rules = bank["train.model"].version, bank["prepare.rules"].version
        assert (name, rules) == (telecom["train.model"].version, telecom["prepare.rules"].version)
        assert [receipt.party for receipt in bank["train.model"].receipts] == list(HOLDERS)
        assert bank["train.model"].purpose == "credit-risk"
        assert bank["train.model"].public["family"] == bank["handover.model"].public["family"] == "logistic"
        for party in HOLDERS:
            assert world[party].model_verify(name[:14]).version == name

        whole = bank["handover.model"].version
        world["bank"].model_export(whole, str(tmp_path / "model.json"), "json")
        told = json.loads((tmp_path / "model.json").read_text())
        with pytest.raises(DeniedError, match="a part of the model"):
            world["telecom"].model_export(name, str(tmp_path / "part.json"))
        with pytest.raises(UsageError, match="formats"):
            world["bank"].model_export(whole, str(tmp_path / "model.json"), "json")

        later = scoring(rules, name)
        together.bring(dict(world.nodes), later, tmp_path)
        job = finished(world, later)
        world["bank"].artefact_export(job, "predict.scores", str(tmp_path / "scores"))
        scores = np.load(tmp_path / "scores" / "scores.npy")
        assert len(scores) > 100
        with (tmp_path / "scores" / "scores.csv").open(newline="") as rows:
            listed = list(csv.DictReader(rows))
        assert [float(row["scores"]) for row in listed] == scores.tolist()
        assert len({row["customer"] for row in listed}) == len(scores)
        assert 0 < scores.min() < scores.max() < 1
        assert len(told["coef_"][0]) == len(told["feature_names_in_"])

        for wrong, words in (
            (scoring(rules, name, holders=("telecom", "bank")), "holders as they are"),
            (scoring(rules, f"model-{'0' * 64}"), "No models of this party"),
        ):
            with pytest.raises(DeniedError, match=words):
                together.agree(dict(world.nodes), wrong, "bank")

        stored = next((tmp_path / "telecom").glob(f"**/{telecom['train.model'].job}/train/model"))
        other = next((tmp_path / "telecom").glob(f"**/{telecom['train.model'].job}/prepare/rules"))
        stored.write_bytes(other.read_bytes())
        with pytest.raises(VerificationError, match="not what was committed to"):
            world["telecom"].model_verify(name)
