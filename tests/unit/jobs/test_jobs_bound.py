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
from unseen.mpc import binding
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer

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


def test_a_length_is_proved_of_bound_inputs_only() -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("train-logistic", {"longest": 3.0})
