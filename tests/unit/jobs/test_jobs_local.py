"""The whole main job in one process: same as the pooled model, and one clear error where something is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from unseen.client.workflow import Workflow
from unseen.core.errors import DeniedError, UsageError
from unseen.data.table import Table
from unseen.govern.contract import Contract
from unseen.jobs.local import LocalRun, run_local
from unseen.jobs.tables import Matrix
from unseen.scenes import baseline
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import Holding, breast_cancer


def tables(holdings: tuple[Holding, ...]) -> dict[str, Table]:
    return {
        item.asset: Table.of(
            item.table, id_columns=(item.key,), label_columns=(item.label,) if item.label else ()
        )
        for item in holdings
    }


def signed(flow: Workflow) -> Contract:
    return flow.contract({name: f"ed25519:{place:064x}" for place, name in enumerate(flow.parties)})


def go(holdings: tuple[Holding, ...], settings: Settings | None = None) -> LocalRun:
    flow = workflow(holdings, settings or Settings())
    return run_local(signed(flow), tables(holdings))


@pytest.fixture(scope="module")
def finished() -> LocalRun:
    return go(breast_cancer())


def test_the_joint_model_is_the_pooled_model(finished: LocalRun) -> None:
    mine, theirs = finished.artefacts["hospital"], finished.artefacts["laboratory"]
    train = [Matrix.of(held["standardise.train"]) for held in (mine, theirs)]
    test = [Matrix.of(held["standardise.test"]) for held in (mine, theirs)]
    assert train[0].ids.data.equals(train[1].ids.data)
    pooled = baseline.fit(
        "pooled",
        np.hstack([part.values for part in train]),
        train[0].label,
        np.hstack([part.values for part in test]),
        test[0].label,
        penalty=1.0,
    )
    coefficients = [c for held in (mine, theirs) for c in held["train.model"].meta["known"]["coefficients"]]
    metrics = mine["evaluate.metrics"].meta
    agreement = baseline.compare(
        mine["predict.scores"].arrays["scores"], np.array(coefficients), metrics["auc"], pooled
    )
    assert agreement.largest_score_difference < 1e-3
    assert agreement.largest_coefficient_error < 1e-3
    assert agreement.holds


def test_nobody_gets_what_the_contract_gives_to_others(finished: LocalRun) -> None:
    assert {"evaluate.metrics", "predict.scores"} & set(finished.artefacts["laboratory"]) == set()
    assert finished.artefacts["helper"] == {}
    assert "intercept" not in finished.artefacts["laboratory"]["train.model"].meta["known"]


def test_every_passage_is_one_that_the_contract_lists(finished: LocalRun) -> None:
    holdings = breast_cancer()
    contract = signed(workflow(holdings, Settings()))
    listed = {(item.task, item.name) for item in contract.disclosures}
    for records in finished.records.values():
        for task, record in records.items():
            assert {(task, passage.name) for passage in record.passages} <= listed


def test_estimates_are_of_the_right_order(finished: LocalRun) -> None:
    holdings = breast_cancer()
    costs = workflow(holdings, Settings()).plan().costs
    sent = sum(records["train"].bytes_sent for records in finished.records.values())
    assert sent / 3 < costs["train"].bytes < sent * 3


def _with(holding: Holding, **columns: object) -> Holding:
    table = holding.table
    for name, values in columns.items():
        array = pa.array([values] * table.num_rows) if not isinstance(values, list) else pa.array(values)
        place = table.column_names.index(name)
        table = table.set_column(place, name, array)
    return replace(holding, table=table)


def test_text_where_numbers_are_due_is_named() -> None:
    first, second = breast_cancer()
    with pytest.raises(UsageError) as caught:
        go((first, _with(second, radius_error="large")))
    assert "radius_error" in "".join(caught.value.problems)
    assert caught.value.__notes__ == ["At: party laboratory, step standardise"]


def test_a_label_of_one_class_is_named() -> None:
    first, second = breast_cancer()
    with pytest.raises(UsageError, match="two classes"):
        go((_with(first, diagnosis=1), second))


def test_no_common_rows() -> None:
    first, second = breast_cancer()
    strangers = [f"Q-{place}" for place in range(second.table.num_rows)]
    with pytest.raises(UsageError, match="in common"):
        go((first, _with(second, patient=strangers)))


def test_another_source_of_a_step_is_refused() -> None:
    holdings = breast_cancer()
    contract = signed(workflow(holdings, Settings()))
    other = contract.model_copy(
        update={
            "tasks": (contract.tasks[0].model_copy(update={"fingerprint": "0" * 64}), *contract.tasks[1:])
        }
    )
    with pytest.raises(DeniedError, match="not the one in the contract"):
        run_local(other, tables(holdings))


def test_a_missing_table_is_named() -> None:
    holdings = breast_cancer()
    contract = signed(workflow(holdings, Settings()))
    with pytest.raises(UsageError, match="measurements"):
        run_local(contract, {"diagnoses": tables(holdings)["diagnoses"]})


def test_a_model_by_its_version_is_refused_as_there_is_none_here() -> None:
    holdings = breast_cancer()
    contract = signed(workflow(holdings, Settings()))
    version = f"model:model-{'0' * 64}"
    tasks = tuple(
        task.model_copy(update={"inputs": {**task.inputs, "model": version}})
        if task.name == "predict"
        else task
        for task in contract.tasks
    )
    with pytest.raises(UsageError, match="by its version") as caught:
        run_local(contract.model_copy(update={"tasks": tasks}), tables(holdings))
    assert caught.value.problems == (f"task 'predict' takes '{version}' as model",)
    assert "Loopback" in caught.value.mend
