"""Budgets on real nodes: each holder counts what is told of its assets, over contracts, before a run's first message."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.core.errors import DeniedError
from unseen.govern.contract import BudgetTerms
from unseen.jobs.evidence import audit_bundle

PARTIES = ("bank", "shop")
BUDGET = BudgetTerms(name="people", epsilon=1.0)


def question(epsilon: float) -> Workflow:
    """How many clients of the bank are the shop's."""
    flow = Workflow(f"Common people, epsilon {epsilon:g}", purpose="statistics")
    for name in PARTIES:
        flow.party(name, roles=("holder", "receiver"))
    tables = {
        name: flow.table(
            f"people-{name}",
            holder=name,
            source=pa.table({"id": [f"p{number}" for number in range(start, start + 200)]}),
            id_columns=("id",),
            budget=BUDGET if name == "bank" else None,
        )
        for name, start in zip(PARTIES, (0, 50), strict=True)
    }
    flow.task(
        "count",
        "common-statistics",
        roles={"holders": PARTIES, "receivers": "shop"},
        inputs={"table": tables},
        params={"epsilon": epsilon},
    )
    return flow


@pytest.mark.long
def test_a_second_contract_meets_what_the_first_one_spent(tmp_path: Path) -> None:
    with Loopback(PARTIES, tmp_path / "homes") as world:
        nodes = dict(world.nodes)
        together.bring(nodes, question(0.7), tmp_path)
        first = together.agree(nodes, question(0.7), "shop")
        assert "epsilon 0.7 of each table" in nodes["bank"].contract_show(first).summary
        together.run(nodes, "shop", first)
        assert nodes["bank"].asset_show("people-bank").epsilon_spent == 0.7
        assert nodes["shop"].asset_show("people-shop").answers_told == 1
        report = audit_bundle(together.evidence(nodes, "bank", first))
        assert report.verdict == "holds", report.to_text()
        assert "charged to 'people': epsilon 0.7" in report.to_text()
        second = together.agree(nodes, question(0.5), "shop")
        with pytest.raises(DeniedError, match="bank failed") as caught:
            together.run(nodes, "shop", second)
        assert caught.value.party == "bank"
        assert nodes["bank"].asset_show("people-bank").answers_told == 1
        with pytest.raises(DeniedError, match=r"0\.3 left") as caught:
            nodes["bank"].job_start(second)
        assert caught.value.clause == "budget of asset people-bank"
