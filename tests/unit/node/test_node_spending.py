"""The node's account of what answers told: charged when a run is counted, once, over contracts, and taken over from the log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.govern.govern_world import asset, contract

from unseen.core.errors import DeniedError
from unseen.dp import EXACT, Spent
from unseen.govern.contract import BudgetTerms, Contract, TaskTerms
from unseen.jobs.step import fingerprint, told_by
from unseen.ledger.bodies import RunStarted
from unseen.node import spending
from unseen.node.database import Database

STEP = "common-statistics"


@pytest.fixture
def database(tmp_path: Path) -> Any:
    made = Database(tmp_path / "node.db")
    yield made
    made.close()


def asking(title: str = "one", **params: Any) -> Contract:
    budget = BudgetTerms(name="people", epsilon=1.0, answers=3)
    return contract(
        title=title,
        assets=(
            asset(steps=(STEP,), budget=budget),
            asset(name="patients", holder="clinic", steps=(STEP,)),
        ),
        tasks=(
            TaskTerms(
                name="levels",
                step=STEP,
                version=2,
                fingerprint=fingerprint(STEP),
                params=params,
                roles={"holders": ("bank", "clinic"), "receivers": ("clinic",)},
                inputs={"table": {"bank": "asset:loans", "clinic": "asset:patients"}},
            ),
        ),
        disclosures=(),
    )


def charge(database: Database, terms: Contract, job: str, holder: str = "bank") -> None:
    own = {item.name: item for item in terms.assets if item.holder == holder}
    with database.write() as transaction:
        spending.charge(transaction, terms, job, own)


def test_answers_add_up_over_contracts_until_nothing_is_left(database: Database) -> None:
    charge(database, asking(epsilon=0.6), "job-1")
    assert spending.spent_of(database, "people") == Spent(1, 0.6, 0)
    with pytest.raises(DeniedError, match=r"0\.4 left; this run would spend 0\.6") as caught:
        charge(database, asking("two", epsilon=0.6), "job-2")
    assert caught.value.clause == "budget of asset loans"
    assert spending.spent_of(database, "people") == Spent(1, 0.6, 0)
    charge(database, asking("three", epsilon=0.2), "job-3")
    charge(database, asking("three", epsilon=0.2), "job-4")
    with pytest.raises(DeniedError, match="3 were given, 0 left"):
        charge(database, asking("four", epsilon=0.1), "job-5")


def test_without_noise_where_the_owner_wants_it(database: Database) -> None:
    with pytest.raises(DeniedError, match="with noise only"):
        charge(database, asking(), "job-1")
    charge(database, asking(), "job-1", "clinic")
    assert spending.spent_of(database, "patients") == Spent(1, 0.0, 1)


TABLE = {"table": {"bank": "asset:loans", "clinic": "asset:patients"}}
TWO = {"holders": ("bank", "clinic")}
LABELS = {**TWO, "label_holder": ("clinic",)}


@pytest.mark.parametrize(("step", "params", "roles", "counts"), [
    ("describe", {"columns": {"bank": ["income"]}}, {**TWO, "receivers": ("clinic",)}, True),
    ("describe", {"columns": {"bank": ["income"]}}, TWO, False),
    ("correlate", {"vif": True}, TWO, True),
    ("bin", {}, LABELS, True),
    ("select", {"iv": 0.1}, LABELS, True),
    ("select", {}, LABELS, False),
    ("evaluate", {}, {**LABELS, "receiver": ("clinic",)}, True),
    ("predict", {}, {**TWO, "receiver": ("clinic",)}, True),
    ("psi", {}, TWO, True),
    ("join", {}, TWO, True),
    ("join", {"hidden": True}, TWO, False),
    ("train-linear", {"coefficients_to_owners": True}, LABELS, True),
    ("train-linear", {}, LABELS, False),
    ("train-gbdt-federated", {}, LABELS, True),
])  # fmt: skip
def test_no_step_goes_round_a_budget(step: str, params: Any, roles: Any, counts: bool) -> None:
    """What a step reveals is an answer without noise, also where the step says nothing of budgets."""
    terms = TaskTerms(
        name="other", step=step, version=1, fingerprint="", params=params, roles=roles, inputs=TABLE
    )
    assert told_by(terms) == (EXACT if counts else None)


def test_exact_figures_of_an_asset_that_allows_noise_only(database: Database) -> None:
    asked = asking(epsilon=0.1)
    told = {"step": "describe", "params": {"columns": {"bank": ["income"]}}}
    described = asked.tasks[0].model_copy(update=told)
    allowed = asked.assets[0].model_copy(update={"steps": (STEP, "describe")})
    terms = asked.model_copy(update={"tasks": (described,), "assets": (allowed, asked.assets[1])})
    with pytest.raises(DeniedError, match="with noise only"):
        charge(database, terms, "job-1")


def test_the_log_says_it_and_a_restored_node_takes_it_over(database: Database, tmp_path: Path) -> None:
    charge(database, asking(epsilon=0.1), "job-1")
    body = spending.body_of(database, "job-1")
    assert body == {"spent": {"people": {"answers": 1, "epsilon": "0.1", "exact": 0}}}
    assert spending.body_of(database, "job-2") == {}
    RunStarted.model_validate({"number": 1, "started_by": "", **body})
    older = Database(tmp_path / "restored.db")
    entry: Any = SimpleNamespace(job="job-1", contract="contract-1", body=body)
    for _ in range(2):
        with older.write() as transaction:
            spending.catch_up(transaction, [entry])
    assert spending.spent_of(older, "people") == Spent(1, 0.1, 0)
    older.close()


def test_mutant_a_run_that_is_charged_twice_is_an_error(database: Database) -> None:
    """A run's row is there once: whoever charges again for a resume fails loudly instead of spending twice."""
    charge(database, asking(epsilon=0.1), "job-1")
    with pytest.raises(Exception, match="UNIQUE"):
        charge(database, asking(epsilon=0.1), "job-1")
