"""Tables of a workflow on nodes: with the roles of their columns; a workflow that is run again finds its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet
import pytest

from unseen.client import together
from unseen.client.workflow import Workflow
from unseen.core.errors import UnavailableError, UsageError
from unseen.data.read import read
from unseen.govern.contract import AssetTerms, ColumnTerms
from unseen.node.models import AddAsset, AssetView
from unseen.node.operations import Node


@dataclass
class Catalogue:
    """What a node does with assets, without a node."""

    known: dict[str, AssetView] = field(default_factory=dict)

    def asset_list(self) -> tuple[AssetView, ...]:
        return tuple(self.known.values())

    def asset_add(self, request: AddAsset) -> None:
        assert request.name not in self.known
        roles = {name: getattr(request, name) for name in ("id_columns", "label_columns", "ignore_columns")}
        table = read(request.path, **roles)
        columns = tuple(ColumnTerms(name=c.name, type=c.type, role=c.role) for c in table.schema)
        terms = AssetTerms(
            name=request.name,
            holder="bank",
            columns=columns,
            rows=table.rows,
            steps=request.steps,
            purposes=request.purposes,
        )
        self.known[request.name] = AssetView(terms=terms, path=request.path, added_at="2026-01-01T00:00:00Z")


def flow(ages: list[int], purpose: str = "testing") -> Workflow:
    made = Workflow("Again", purpose=purpose)
    rows = pa.table({"id": ["a", "b"], "age": ages, "w": [1.0, 2.0]})
    made.table("clients", holder="bank", source=rows, id_columns=("id",), ignore_columns=("w",))
    return made


def bring(workflow: Workflow, node: Catalogue, folder: Path) -> None:
    together.bring({"bank": cast("Node", node)}, workflow, folder)


def test_columns_keep_their_roles_and_the_same_rows_are_brought_once(tmp_path: Path) -> None:
    node = Catalogue()
    for _ in range(2):
        bring(flow([40, 50]), node, tmp_path)
    [view] = node.asset_list()
    assert [column.role for column in view.terms.columns] == ["id", "feature", "other"]


@pytest.mark.parametrize("other", [{"ages": [40, 51]}, {"ages": [40, 50], "purpose": "research"}])
def test_another_asset_of_that_name_is_left_as_it_is(other: dict[str, Any], tmp_path: Path) -> None:
    node = Catalogue()
    bring(flow([40, 50]), node, tmp_path)
    with pytest.raises(UsageError, match="another asset 'clients'"):
        bring(flow(**other), node, tmp_path)
    kept = pyarrow.parquet.read_table(tmp_path / "bank" / "data" / "clients.parquet")
    assert kept["age"].to_pylist() == [40, 50]


@dataclass
class Watched:
    """A node that has a job; one that was killed answers nothing any more."""

    killed: bool = False

    def job_watch(self, _job: str, *, after: int, timeout_s: float) -> list[Any]:
        assert (after, timeout_s) >= (0, 0)
        if self.killed:
            raise UnavailableError("It is gone.")
        return []

    def job_show(self, _job: str) -> Any:
        return SimpleNamespace(state="finished")


def test_a_node_that_is_killed_and_started_anew_is_followed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes: dict[str, Any] = {"bank": Watched(killed=True)}
    restarts = []
    monkeypatch.setattr(together.time, "sleep", lambda _s: restarts.append(nodes.update(bank=Watched())))
    together._follow("bank", nodes, "job-1", lambda _party, _event: None)
    assert len(restarts) == 1


def test_a_node_that_is_gone_for_good_does_not_keep_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "WAIT_S", 0.05)
    nodes: dict[str, Any] = {"bank": Watched(killed=True)}
    together._follow("bank", nodes, "job-1", lambda _party, _event: None)
