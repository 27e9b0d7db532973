"""Training on inputs that are bound to what the log said before: the same model, and nobody brings something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.client.workflow import Workflow
from unseen.core.errors import UsageError, VerificationError
from unseen.data.table import Table
from unseen.govern.contract import Contract
from unseen.jobs.artefacts import decode, encode
from unseen.jobs.evidence import task_body
from unseen.jobs.execute import TaskRecord
from unseen.jobs.local import LocalRun, run_local
from unseen.jobs.step import parse_params
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout
from unseen.mpc import Engine, binding
from unseen.party import Party
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer
from unseen.testing.simulate import simulate

HOLDERS = ("hospital", "laboratory")


def agreed(**settings: Any) -> tuple[Contract, dict[str, Table]]:
    holdings = breast_cancer()
    flow: Workflow = workflow(holdings, Settings(iterations=2, **settings))
    contract = flow.contract({name: f"ed25519:{place:064x}" for place, name in enumerate(flow.parties)})
    tables = {
        item.asset: Table.of(
            item.table, id_columns=(item.key,), label_columns=(item.label,) if item.label else ()
        )
        for item in holdings
    }
    return contract, tables


def up_to_training(contract: Contract, tables: dict[str, Table]) -> LocalRun:
    kept = tuple(task for task in contract.tasks if task.name in ("align", "split", "standardise", "train"))
    told = tuple(item for item in contract.disclosures if item.task in {task.name for task in kept})
    return run_local(contract.model_copy(update={"tasks": kept, "disclosures": told}), tables)


def test_both_check_what_the_other_brings() -> None:
    contract, tables = agreed(bound=True)
    run = up_to_training(contract, tables)
    committed = {name: run.records[name]["standardise"].committed["train"] for name in HOLDERS}
    assert {name: run.records[name]["train"].bound for name in HOLDERS} == dict.fromkeys(HOLDERS, committed)
    assert run.records["helper"]["train"].bound == {}
    matrix = Matrix.of(decode(encode(run.artefacts["hospital"]["standardise.train"])))
    assert matrix.commitment is not None
    assert matrix.commitment.element.hex() == committed["hospital"]
    numbers = binding.encode(matrix.numbers, 20).view(np.int64).reshape(-1).tolist()
    binding.pedersen.check_vector(matrix.commitment.element, numbers, matrix.commitment.blind, what="It")
    body = task_body(contract.task("train"), 1, run.records["hospital"]["train"], inputs={}, outputs={})
    assert body["bound"] == committed
    assert f"{matrix.commitment.blind:x}" not in str(body)


def test_nothing_is_committed_to_unless_wanted() -> None:
    contract, _ = agreed()
    assert not contract.task("train").params["bound"]
    body = task_body(contract.task("train"), 1, TaskRecord(0.0, 0, 0, 0, 0, (), ()), inputs={}, outputs={})
    assert not {"bound", "committed"} & set(body)


def test_without_a_commitment_there_is_no_training() -> None:
    contract, tables = agreed(bound=True)
    standardise = contract.task("standardise").model_copy(update={"params": {"commit": False}})
    tasks = tuple(standardise if task.name == "standardise" else task for task in contract.tasks)
    with pytest.raises(UsageError, match="has not committed"):
        up_to_training(contract.model_copy(update={"tasks": tasks}), tables)


def test_whoever_brings_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laboratory's training columns are changed on its disk after they were committed to."""
    contract, tables = agreed(bound=True)
    shared = binding.Engine.share

    def other(self: Any, values: Any, *, owner: str, shape: tuple[int, ...], **kind: Any) -> Any:
        if values is not None and owner == "laboratory":
            values = np.array(values)
            values[3, 2] += 0.5
        return shared(self, values, owner=owner, shape=shape, **kind)

    monkeypatch.setattr(binding.Engine, "share", other)
    with pytest.raises(VerificationError, match="laboratory shared is not what it committed to"):
        up_to_training(contract, tables)


@pytest.mark.long
@pytest.mark.parametrize(("longest", "kept"), [(200.0, True), (20.0, False)])
def test_what_is_brought_is_no_longer_than_agreed(longest: float, kept: bool) -> None:
    """455 rows of about 15 scaled columns at each are about 80 long."""
    contract, tables = agreed(bound=True)
    train = contract.task("train")
    longer = train.model_copy(update={"params": {**train.params, "longest": longest}})
    tasks = tuple(longer if task.name == "train" else task for task in contract.tasks)
    changed = contract.model_copy(update={"tasks": tasks})
    if kept:
        assert up_to_training(changed, tables).records["hospital"]["train"].bound
        return
    with pytest.raises(UsageError, match="squares add up"):
        up_to_training(changed, tables)


@pytest.mark.parametrize("helper", ["helper", None])
@pytest.mark.parametrize(("within", "beyond"), [(4.0, None), (2.0, "b")])
def test_bounds_and_lengths_of_each_holders_numbers(
    helper: str | None, within: float, beyond: str | None
) -> None:
    brought = {"a": np.array([[0.5, 1.0], [-2.0, 0.0]]), "b": np.array([[3.5], [-1.0]])}
    sizes = layout.Layout(2, {"a": 1, "b": 1})

    def body(party: Party) -> Any:
        protocol = "dealer2" if helper else "pair2"
        engine = Engine(party, holders=("a", "b"), helper=helper, protocol=protocol)
        own = brought.get(party.name)
        made = None if own is None else binding.commit(own)
        return layout.share_bound(engine, sizes, own, made, label_holder="a", longest=4.0, within=within)[2]

    outcome = simulate(body, ("a", "b", *([helper] if helper else [])))
    if beyond is None:
        assert not outcome.errors
        assert outcome.results["a"] == outcome.results["b"] != {}
    else:
        assert isinstance(outcome.errors[beyond], UsageError)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("within", "kept"), [(16.0, True), (1.0, False)])
def test_no_number_that_is_brought_is_beyond_the_bounds(within: float, kept: bool) -> None:
    contract, tables = agreed(bound=True)
    train = contract.task("train")
    wider = train.model_copy(update={"params": {**train.params, "within": within}})
    tasks = tuple(wider if task.name == "train" else task for task in contract.tasks)
    changed = contract.model_copy(update={"tasks": tasks})
    if kept:
        assert up_to_training(changed, tables).records["hospital"]["train"].bound
        return
    with pytest.raises(UsageError, match="cannot be proved"):
        up_to_training(changed, tables)


@pytest.mark.parametrize("agreed_on", [{"longest": 9.0}, {"within": 8.0}])
def test_of_too_many_numbers_nothing_is_shared(
    agreed_on: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("something was shared")

    monkeypatch.setattr(binding, "committed_share", never)
    sizes = layout.Layout(40_000, {"a": 1, "b": 1})

    def body(party: Party) -> None:
        engine = Engine(party, holders=("a", "b"), protocol="pair2")
        own = np.zeros((40_000, 1 + (party.name == "a")))
        layout.share_bound(
            engine, sizes, own, binding.Commitment(bytes(32), 1), label_holder="a", **agreed_on
        )

    errors = simulate(body, ("a", "b")).errors
    assert {type(error) for error in errors.values()} == {UsageError}
    assert "80000 numbers" in str(errors["a"])


@pytest.mark.parametrize("wrong", [{"within": 8.0}, {"within": 3.0, "bound": True}])
def test_bounds_are_a_power_of_two_and_of_bound_inputs(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("train-linear", wrong)


def test_a_length_is_proved_of_bound_inputs_only() -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("train-linear", {"longest": 3.0})
