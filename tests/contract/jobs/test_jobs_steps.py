"""Every installed step keeps the contract of steps: what it declares is what it does. Run on the scenes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from unseen.client.cross_validation import cross_validate
from unseen.client.workflow import Workflow
from unseen.core import registry
from unseen.core.errors import DeniedError, UsageError
from unseen.govern.audit import compare_disclosures
from unseen.govern.contract import Contract
from unseen.jobs.engines import OnShares
from unseen.jobs.evidence import task_body
from unseen.jobs.local import LocalRun, run_local
from unseen.jobs.planner import check_honest, costs_of
from unseen.jobs.step import STEPS, Roles, check_pinned, fingerprint, parse_params, step
from unseen.party import Door
from unseen.scenes import (
    credit_columns,
    credit_trees,
    difference,
    government,
    hidden_training,
    medicine,
    overlap,
    score_card,
)
from unseen.scenes.joint_model import workflow
from unseen.scenes.worlds import firms

NAMES = registry.names(STEPS)
IDENTITIES = {
    name: f"ed25519:{place:064x}"
    for place, name in enumerate(("hospital", "laboratory", "helper", "bank", "telecom", "tax", "registry"))
}


class FewFirms:
    """The scene government with few firms and without trees."""

    @staticmethod
    def study() -> Workflow:
        return workflow(firms(rows=700), replace(government.SCENE.settings, trees=0))


class Ahead:
    """Two holders make a stock, and validate a model in two folds."""

    @staticmethod
    def study() -> Workflow:
        flow = difference.study()
        roles = {"holders": ("hospital", "laboratory")}
        flow.task("stock", "make-stock", roles=roles, params={"transfers": 1000, "products": 100})
        seats = {"holders": ("hospital", "laboratory"), "label_holder": "hospital", "receiver": "hospital"}
        cross_validate(
            flow, "cv", table="align.table", roles=seats | {"helper": "helper"}, folds=2, prepare=[("standardise", {})],
            train=("train-linear", {"iterations": 1}), evaluate={"show": "scores"},
        )  # fmt: skip
        return flow


@cache
def play(scene: ModuleType | type[FewFirms | Ahead]) -> tuple[Contract, LocalRun]:
    study = scene.study()
    contract = study.contract(IDENTITIES)
    return contract, run_local(contract, study.tables)


@pytest.fixture
def played(name: str) -> tuple[Contract, LocalRun]:
    """The scene in which the step has a task."""
    scenes = [
        play(scene)
        for scene in (
            medicine,
            overlap,
            credit_columns,
            credit_trees,
            difference,
            score_card,
            hidden_training,
            FewFirms,
            Ahead,
        )
    ]
    return next((item for item in scenes if any(task.step == name for task in item[0].tasks)), scenes[0])


def task_of(contract: Contract, name: str) -> Any:
    found = [task for task in contract.tasks if task.step == name]
    assert found, f"no scene runs the step '{name}': add it to one"
    return found[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    installed = step(name)
    assert inspect.getdoc(installed)
    assert isinstance(installed.VERSION, int)
    assert installed.VERSION >= 1
    assert installed.SUMMARY.endswith(".")
    assert installed.TRUST.endswith(".")
    for words in (installed.ROLES, installed.INPUTS, installed.OUTPUTS):
        assert isinstance(words, Mapping)
        assert all(words.values())
    assert set(installed.LEVELS) <= {"federated", "shared", "shared-malicious", "enclave"}
    assert inspect.getdoc(installed.Params)
    assert ("helper" in installed.ROLES) <= issubclass(
        installed.Params, OnShares
    )  # so contracts say what it rests on


@pytest.mark.parametrize("name", NAMES)
def test_its_parameters_are_checked_and_its_version_is_pinned(name: str) -> None:
    assert parse_params(name, {})
    with pytest.raises(UsageError, match="parameters"):
        parse_params(name, {"no-such-parameter": 1})
    installed = step(name)
    check_pinned(name, version=installed.VERSION, pinned=fingerprint(name))
    for version, pinned in ((installed.VERSION + 1, fingerprint(name)), (installed.VERSION, "0" * 64)):
        with pytest.raises(DeniedError, match="not the one in the contract"):
            check_pinned(name, version=version, pinned=pinned)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_declares_is_for_parties_of_its_roles(name: str, played: tuple[Contract, LocalRun]) -> None:
    task = task_of(played[0], name)
    declared = step(name).disclosures(parse_params(name, task.params), Roles(task.roles))
    assert len({item.name for item in declared}) == len(declared)
    for item in declared:
        assert item.what
        assert set(item.to) <= set(task.parties)
        assert item.door in Door
        assert item.times >= 1
    check_honest(played[0], me=task.parties[0])


@pytest.mark.parametrize("name", NAMES)
def test_its_gate_let_out_nothing_but_that(name: str, played: tuple[Contract, LocalRun]) -> None:
    contract, run = played
    task = task_of(contract, name)
    for party in task.parties:
        body = task_body(task, 1, run.records[party][task.name], inputs={}, outputs={})
        assert compare_disclosures(contract, task.name, body["disclosures"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_outputs_are_those_it_names(name: str, played: tuple[Contract, LocalRun]) -> None:
    contract, run = played
    task = task_of(contract, name)
    made = {
        reference.partition(".")[2]
        for party in task.parties
        for reference in run.artefacts[party]
        if reference.startswith(f"{task.name}.")
    }
    assert made == set(step(name).OUTPUTS)


@pytest.mark.parametrize("name", NAMES)
def test_its_estimate_is_about_right(name: str, played: tuple[Contract, LocalRun]) -> None:
    """Bytes and rounds within a factor of two, beside what every task costs (signatures, sizes)."""
    contract, run = played
    task = task_of(contract, name)
    cost = costs_of(contract)[task.name]
    records = [run.records[party][task.name] for party in task.parties]
    sent, rounds = sum(item.bytes_sent for item in records), max(item.rounds for item in records)
    assert cost.bytes / 2 - 1000 <= sent <= 2 * cost.bytes + 1000
    assert cost.rounds / 2 - 3 <= rounds <= 2 * cost.rounds + 3
    assert cost.seconds > 0
