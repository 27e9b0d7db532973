"""A workflow from start to end on the nodes of all its parties: data, contract, signatures, job, evidence.

Only the public operations of a node are used, each party through its own node. Where all nodes are at hand (Loopback,
demonstrations, tests), this is what the parties' people would do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet

from unseen.client.workflow import Workflow
from unseen.core.errors import UnavailableError, UsageError
from unseen.data.table import Table
from unseen.govern.contract import AssetTerms, BudgetTerms
from unseen.jobs.evidence import audit_bundle
from unseen.node.models import JOB_OVER, AddAsset, JobEvent, JobView
from unseen.node.operations import Node

Nodes = Mapping[str, Node]
Watch = Callable[[str, JobEvent], None]

WAIT_S = 60.0


def bring(nodes: Nodes, flow: Workflow, folder: Path) -> None:
    """Write each table of the workflow to its holder's own folder as Parquet, and put it into that node's catalogue.

    What lies there already with the same rows, on the same terms, is left as it is: a workflow may be run again, changed.

    Raises
    ------
    UsageError
        A node has another asset of that name.
    """
    for terms in flow.assets:
        table = flow.tables[terms.name]
        place = folder / terms.holder / "data"
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / f"{terms.name}.parquet"
        if _there(nodes[terms.holder], terms, table, path):
            continue
        pyarrow.parquet.write_table(table.data, path)
        nodes[terms.holder].asset_add(
            AddAsset(
                name=terms.name,
                path=str(path),
                id_columns=table.ids,
                label_columns=table.labels,
                ignore_columns=tuple(column.name for column in table.schema if column.role == "other"),
                steps=terms.steps,
                purposes=terms.purposes,
                **({} if terms.budget is None else _bounds(terms.budget)),
            )
        )


def _there(node: Node, terms: AssetTerms, table: Table, path: Path) -> bool:
    known = next((view for view in node.asset_list() if view.path and view.terms.name == terms.name), None)
    if known is None:
        return False
    told = {"rows", "columns", "steps", "purposes", "budget"}
    same = known.terms.model_dump(include=told) == terms.model_dump(include=told)
    if not (same and path.exists() and pyarrow.parquet.read_table(path).equals(table.data)):
        raise UsageError(
            f"{terms.holder} has another asset '{terms.name}' already.",
            why="its rows, or the steps and purposes that are allowed, are not the same",
            mend="call it otherwise, or remove the old one (`asset_remove`)",
        )
    return True


def _bounds(budget: BudgetTerms) -> dict[str, Any]:
    return {"budget": budget.name, "epsilon": budget.epsilon, "answers": budget.answers}


def agree(nodes: Nodes, flow: Workflow, proposer: str) -> str:
    """Offer the assets to the proposer, propose, sign at every party; returns the contract's id."""
    desk = nodes[proposer]
    for terms in flow.assets:
        if terms.holder != proposer:
            nodes[terms.holder].asset_offer(terms.name, (proposer,))
    for terms in flow.assets:
        told = f"the terms of {terms.name} from {terms.holder}"
        flow.asset(wait_for(partial(_terms, desk, terms.holder, terms.name), told))
    identities = {name: node.identity().identity for name, node in nodes.items()}
    identifier = desk.contract_propose(flow.contract(identities).to_json()).id
    for name, node in nodes.items():
        if name != proposer:
            wait_for(partial(_known, node, identifier), f"the contract at {name}")
            node.contract_sign(identifier)
    for name, node in nodes.items():
        wait_for(partial(_signed, node, identifier), f"all signatures at {name}")
    return identifier


def run(nodes: Nodes, starter: str, contract: str, watch: Watch = lambda _party, _event: None) -> str:
    """Start the job and follow it at every party; returns its id when it is over at all.

    Raises
    ------
    UnseenError
        The job failed: the error of the party and step that failed.
    """
    job: str = wait_for(partial(_started, nodes[starter], contract), "the witnesses of the signatures").id
    threads = [
        threading.Thread(target=_follow, args=(name, nodes, job, watch), name=f"watch-{name}", daemon=True)
        for name in nodes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    nodes[starter].job_result(job)
    return job


def evidence(nodes: Nodes, party: str, contract: str) -> bytes:
    """The evidence bundle, once every party has written and witnessed the end of the run."""

    def complete() -> bytes | None:
        for node in nodes.values():
            entries = [entry for entry in node.ledger_entries(limit=10_000) if entry.kind == "run-ended"]
            if not any(entry.body and entry.body["contract"] == contract for entry in entries):
                return None
        bundle = nodes[party].evidence_bundle(contract)
        return bundle if audit_bundle(bundle).verdict != "incomplete" else None

    found: bytes = wait_for(complete, "the end of the run in every party's log")
    return found


def measured(nodes: Nodes, contract: str) -> dict[str, dict[str, float]]:
    """Task -> seconds, rounds and memory of the slowest or largest party, and payload bytes of all together."""
    found: dict[str, dict[str, float]] = {}
    for node in nodes.values():
        for entry in node.ledger_entries(limit=10_000):
            if entry.kind != "task-finished" or not entry.body or entry.body["contract"] != contract:
                continue
            told = {name: float(value) for name, value in entry.body["body"]["measured"].items()}
            task = found.setdefault(
                entry.body["task"], {"seconds": 0.0, "bytes_sent": 0.0, "rounds": 0.0, "memory_bytes": 0.0}
            )
            task["seconds"] = max(task["seconds"], told["milliseconds"] / 1000)
            task["bytes_sent"] += told["bytes_sent"]
            task["rounds"] = max(task["rounds"], told["rounds"])
            task["memory_bytes"] = max(task["memory_bytes"], told["memory_bytes"])
    return found


def wait_for(look: Callable[[], Any], what: str, timeout_s: float = WAIT_S) -> Any:
    """Look until there is something; mail between nodes takes its time.

    Raises
    ------
    UnavailableError
        Nothing came.
    """
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Nothing came: {what}.", mend="see the log of the node that should have sent it"
            )
        time.sleep(0.05)
    return found


def _terms(desk: Node, holder: str, name: str) -> AssetTerms | None:
    found = (
        view.terms for view in desk.asset_list() if (view.terms.holder, view.terms.name) == (holder, name)
    )
    return next(found, None)


def _known(node: Node, contract: str) -> bool | None:
    return any(view.id == contract for view in node.contract_list()) or None


def _signed(node: Node, contract: str) -> bool | None:
    return node.contract_show(contract).state == "signed" or None


def _started(node: Node, contract: str) -> JobView | None:
    """The job; None while signatures are not witnessed yet."""
    try:
        return node.job_start(contract)
    except UnavailableError:
        return None


def _follow(name: str, nodes: Nodes, job: str, watch: Watch) -> None:
    """Until the job is over there, or the node has not answered for a minute; it may be killed and started anew meanwhile."""
    seen, heard = 0, time.monotonic()
    while time.monotonic() - heard < WAIT_S:
        try:
            for event in nodes[name].job_watch(job, after=seen, timeout_s=5.0):
                seen = event.seq
                watch(name, event)
            if nodes[name].job_show(job).state in JOB_OVER:
                return
            heard = time.monotonic()
        except Exception:  # noqa: BLE001 - a peer may not have heard of the job yet; its end is asked for
            time.sleep(0.1)
