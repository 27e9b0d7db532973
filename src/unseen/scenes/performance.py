"""A joint model from start to end on running nodes: assets, contract, signatures, job, results, evidence.

Only the public operations of a node are used (:class:`unseen.node.operations.Node`), each party through its own node.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
from numpy.typing import NDArray

from unseen.core.errors import UnavailableError
from unseen.govern.contract import AssetTerms
from unseen.jobs.evidence import audit_bundle
from unseen.node.models import JOB_OVER, AddAsset, ContractView, JobEvent, JobView
from unseen.node.operations import Node
from unseen.scenes.joint_model import PURPOSE, Settings, workflow
from unseen.scenes.partition import Holding

Nodes = Mapping[str, Node]
Watch = Callable[[str, JobEvent], None]

STEPS_OF_DATA = ("psi",)
WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What the parties have afterwards, read from their nodes.

    Attributes
    ----------
    metrics
        AUC, KS, accuracy, log loss and row counts, as the receiver measured them.
    scores, labels, ids
        Of the held-out rows, in one order; at the receiver.
    false_positive_rate, true_positive_rate
        The ROC curve.
    columns, coefficients, owners
        Side by side over all holders: what each owner was told of its own columns.
    """

    job: JobView
    contract: ContractView
    metrics: Mapping[str, float]
    scores: NDArray[np.float64]
    labels: NDArray[np.float64]
    ids: tuple[str, ...]
    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    columns: tuple[str, ...]
    owners: tuple[str, ...]
    coefficients: NDArray[np.float64]
    intercept: float


def bring(nodes: Nodes, holdings: Sequence[Holding], folder: Path) -> None:
    """Write each holding to its holder's own folder as CSV and put it into that node's catalogue."""
    for holding in holdings:
        place = folder / holding.party / "data"
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / f"{holding.asset}.csv"
        pyarrow.csv.write_csv(holding.table, path)
        nodes[holding.party].asset_add(
            AddAsset(
                name=holding.asset,
                path=str(path),
                id_columns=(holding.key,),
                label_columns=(holding.label,) if holding.label else (),
                steps=STEPS_OF_DATA,
                purposes=(PURPOSE,),
            )
        )


def agree(nodes: Nodes, holdings: Sequence[Holding], settings: Settings) -> str:
    """Offer, propose, sign; returns the contract's id. The first holder proposes."""
    proposer = holdings[0].party
    for holding in holdings[1:]:
        nodes[holding.party].asset_offer(holding.asset, (proposer,))
    desk = nodes[proposer]
    terms = [
        _wait_for(partial(_terms, desk, holding), f"the terms of {holding.asset} from {holding.party}")
        for holding in holdings
    ]
    identities = {name: node.identity().identity for name, node in nodes.items()}
    contract = workflow(holdings, terms, settings).contract(identities)
    identifier = desk.contract_propose(contract.to_json()).id
    for name, node in nodes.items():
        if name != proposer:
            _wait_for(partial(_known, node, identifier), f"the contract at {name}")
            node.contract_sign(identifier)
    for name, node in nodes.items():
        _wait_for(partial(_signed, node, identifier), f"all signatures at {name}")
    return identifier


def run(nodes: Nodes, proposer: str, contract: str, watch: Watch) -> str:
    """Start the job and follow it at every party; returns its id when it is over at all.

    Raises
    ------
    UnseenError
        The job failed: the error of the party and step that failed.
    """
    job: str = _wait_for(lambda: _started(nodes[proposer], contract), "the witnesses of the signatures").id
    threads = [
        threading.Thread(target=_follow, args=(name, node, job, watch), name=f"watch-{name}", daemon=True)
        for name, node in nodes.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    nodes[proposer].job_result(job)
    return job


def collect(nodes: Nodes, holdings: Sequence[Holding], job: str, folder: Path) -> Result:
    """Read the receiver's results, and each holder's own coefficients."""
    receiver = nodes[holdings[0].party]
    view = receiver.job_show(job)
    place = folder / holdings[0].party / "results"
    receiver.result_export(job, str(place))
    columns: list[str] = []
    owners: list[str] = []
    coefficients: list[float] = []
    intercept = 0.0
    for holding in holdings:
        model = next(
            item for item in nodes[holding.party].artefacts(job) if item.reference == "train.model"
        ).meta
        columns += model["columns"]
        owners += [holding.party] * len(model["columns"])
        coefficients += model["known"].get("coefficients", [])
        intercept += sum(model["known"].get("intercept", [0.0]))
    metrics = next(item for item in receiver.artefacts(job) if item.reference == "evaluate.metrics").meta
    return Result(
        job=view,
        contract=receiver.contract_show(view.contract),
        metrics=metrics,
        scores=_array(place, "predict.scores", "scores"),
        labels=_array(place, "evaluate.metrics", "labels"),
        ids=_ids(place, holdings[0].key),
        false_positive_rate=_array(place, "evaluate.metrics", "false_positive_rate"),
        true_positive_rate=_array(place, "evaluate.metrics", "true_positive_rate"),
        columns=tuple(columns),
        owners=tuple(owners),
        coefficients=np.array(coefficients),
        intercept=intercept,
    )


def evidence(nodes: Nodes, party: str, contract: str) -> bytes:
    """The evidence bundle, once every party has written and witnessed the end of the run."""

    def complete() -> bytes | None:
        for node in nodes.values():
            entries = [entry for entry in node.ledger_entries(limit=10_000) if entry.kind == "run-ended"]
            if not any(entry.body and entry.body["contract"] == contract for entry in entries):
                return None
        bundle = nodes[party].evidence_bundle(contract)
        return bundle if audit_bundle(bundle).verdict != "incomplete" else None

    found: bytes = _wait_for(complete, "the end of the run in every party's log")
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


def _array(place: Path, reference: str, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(place / reference / f"{name}.npy", allow_pickle=False)
    return array


def _ids(place: Path, key: str) -> tuple[str, ...]:
    with pa.memory_map(str(place / "predict.scores" / "ids.arrow")) as source:
        table = pa.ipc.open_stream(source).read_all()
    return tuple(str(value) for value in table.column(key).to_pylist())


def _terms(desk: Node, holding: Holding) -> AssetTerms | None:
    wanted = (holding.party, holding.asset)
    found = (view.terms for view in desk.asset_list() if (view.terms.holder, view.terms.name) == wanted)
    return next(found, None)


def _signed(node: Node, contract: str) -> bool | None:
    return node.contract_show(contract).state == "signed" or None


def _started(node: Node, contract: str) -> JobView | None:
    """The job; None while signatures are not witnessed yet."""
    try:
        return node.job_start(contract)
    except UnavailableError:
        return None


def _known(node: Node, contract: str) -> bool | None:
    return any(view.id == contract for view in node.contract_list()) or None


def _wait_for(look: Callable[[], Any], what: str, timeout_s: float = WAIT_S) -> Any:
    """Look until there is something; mail between nodes takes its time."""
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Nothing came: {what}.", mend="see the log of the node that should have sent it"
            )
        time.sleep(0.05)
    return found


def _follow(name: str, node: Node, job: str, watch: Watch) -> None:
    seen = 0
    while True:
        try:
            for event in node.job_watch(job, after=seen, timeout_s=5.0):
                seen = event.seq
                watch(name, event)
            if node.job_show(job).state in JOB_OVER:
                return
        except Exception:  # noqa: BLE001 - a peer may not have heard of the job yet; the end is asked for below
            time.sleep(0.1)
