"""A node without services: canned values of every operation, and a note of every call."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from unseen.api.routes import route
from unseen.core.errors import (
    DeniedError,
    RemoteProtocolError,
    UnavailableError,
    UsageError,
    VerificationError,
)
from unseen.govern.contract import AssetTerms, ColumnTerms
from unseen.node import models as m
from unseen.node.operations import Node

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PRINT = "3f9c 12ab 0000 1111 2222 3333 4444 5555"
KEY = "ed25519:" + "ab" * 32
OWN_KEY = "ed25519:" + "12" * 32
STOCK = m.StockView(
    peer="laboratory",
    number="5c" * 16,
    contents=("transfers 16384", "products 0"),
    runs=3,
    runs_left=2,
    size_bytes=1_600_000,
    bytes_left=1_070_000,
)
PEER = m.PeerView(
    name="laboratory", identity=KEY, fingerprint=PRINT, addresses=("127.0.0.1:1",), accepted_at=NOW
)
TERMS = AssetTerms(
    name="diagnoses",
    holder="hospital",
    columns=(ColumnTerms(name="patient", type="text", role="id"), ColumnTerms(name="age", type="integer")),
    rows=500,
    steps=("psi", "split", "standardise", "train-linear", "evaluate", "predict"),
    purposes=("screening",),
)
ASSET = m.AssetView(terms=TERMS, path="/data/diagnoses.csv", added_at=NOW)
CONTRACT = m.ContractView(
    id="contract-" + "0a" * 32,
    title="Joint model",
    state="proposed",
    parties=("hospital", "laboratory"),
    signatures=(
        m.SignatureView(party="hospital", state="signed", at=NOW),
        m.SignatureView(party="laboratory", state="pending"),
    ),
    runs=3,
    runs_used=1,
    valid_from=NOW,
    valid_until=NOW,
    received_at=NOW,
    summary="The hospital brings diagnoses.",
    contract={"title": "Joint model"},
)
STEPS = ("align", "train")
TASKS = tuple(
    m.TaskProgress(party=party, task=task, state="running", attempt=1, done=1, total=4, note="round 1")
    for task in STEPS
    for party in CONTRACT.parties
)
JOB = m.JobView(
    id="job-" + "0b" * 16,
    contract=CONTRACT.id,
    title="Joint model",
    state="running",
    started_at=NOW,
    started_by="hospital",
    tasks=TASKS,
)
PROBLEM = m.Problem(
    code="unavailable", what="Party laboratory went silent.", why="cable", mend="plug in", party="laboratory"
)
ARTEFACT = m.ArtefactView(
    reference="evaluate.metrics", kind="metrics", arrays={"roc": (10, 2)}, meta={"auc": 0.99}, size_bytes=160
)
MODEL = m.ModelView(
    version=f"model-{'5' * 64}",
    kind="linear",
    whole=False,
    contract="contract-1",
    purpose="research",
    job="job-1",
    reference="train.model",
    made_at=NOW,
    holders=("hospital", "laboratory"),
    columns=("age",),
    receipts=(m.Receipt(party="hospital", index=3, leaf="ab", head_size=5, witnessed_by=("laboratory",)),),
)
EXPORTED = m.Exported(folder="/out", files=("job.json",), size_bytes=10)
STEP = m.StepView(
    name="psi",
    version=1,
    fingerprint="cd" * 32,
    summary="Align rows",
    roles={"holders": "two or more"},
    inputs={"table": "table"},
    outputs={"table": "aligned"},
    levels=("shared",),
    trust="none",
    params={"type": "object"},
)
HEAD = m.LedgerHead(party="hospital", size=4, root="ee" * 32, witnessed_by=("laboratory",))
ENTRY = m.LedgerEntry(index=0, kind="contract", at=NOW, leaf="ff" * 32, state="witnessed")
STATUS = m.NodeStatus(
    name="hospital",
    fingerprint=PRINT,
    version="0.1.0",
    backend="native",
    home="/home/hospital",
    started_at=NOW,
    listen=None,
    public=(),
    peers=(PEER,),
    jobs_running=(JOB.id,),
    log_size=4,
    log_root="ee" * 32,
    disk_free_bytes=10**9,
    refuses_work="",
)
ERRORS = {
    "usage": UsageError("Wrong.", why="because", mend="so", problems=("a: bad", "b: worse")),
    "denied": DeniedError("No.", clause="purpose", mend="ask"),
    "remote": RemoteProtocolError("It lied.", party="laboratory", step="align"),
    "verification": VerificationError("It does not verify."),
    "unavailable": UnavailableError("Disk full.", mend="free space"),
}


class Double(Node):
    """Remembers calls as (operation, arguments); a name of :data:`ERRORS` as id raises that error."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.over = threading.Event()
        self.events: list[m.JobEvent] = []
        self.final = JOB.model_copy(update={"state": "finished"})

    def _note(self, operation: str, **arguments: Any) -> None:
        self.calls.append((operation, arguments))
        for value in arguments.values():
            if isinstance(value, str) and value in ERRORS:
                raise ERRORS[value]
            if value == "bug":
                raise ZeroDivisionError("secret detail")

    def status(self) -> m.NodeStatus:
        self._note("status")
        return STATUS

    def identity(self) -> m.IdentityView:
        self._note("identity")
        return m.IdentityView(name="hospital", identity=OWN_KEY, fingerprint=PRINT, addresses=())

    def peer_invite(self) -> m.Invitation:
        self._note("peer_invite")
        return m.Invitation(text="unseen-invitation-text", fingerprint=PRINT)

    def peer_inspect(self, text: str) -> m.InvitationView:
        self._note("peer_inspect", text=text)
        return m.InvitationView(name="laboratory", identity=KEY, fingerprint=PRINT, addresses=())

    def peer_accept(self, request: m.AcceptPeer) -> m.PeerView:
        self._note("peer_accept", request=request)
        return PEER

    def peer_list(self) -> tuple[m.PeerView, ...]:
        self._note("peer_list")
        return (PEER,)

    def stock_list(self) -> tuple[m.StockView, ...]:
        self._note("stock_list")
        return (STOCK,)

    def peer_remove(self, name: str) -> None:
        self._note("peer_remove", name=name)

    def asset_add(self, request: m.AddAsset) -> m.AssetView:
        self._note("asset_add", request=request)
        return ASSET

    def asset_offer(self, name: str, to: tuple[str, ...]) -> None:
        self._note("asset_offer", name=name, to=to)

    def asset_list(self) -> tuple[m.AssetView, ...]:
        self._note("asset_list")
        return (ASSET,)

    def asset_show(self, name: str, *, holder: str | None = None) -> m.AssetView:
        self._note("asset_show", name=name, holder=holder)
        return ASSET

    def asset_remove(self, name: str) -> None:
        self._note("asset_remove", name=name)

    def contract_propose(self, contract: Mapping[str, Any]) -> m.ContractView:
        self._note("contract_propose", contract=dict(contract))
        return CONTRACT

    def contract_list(self) -> tuple[m.ContractView, ...]:
        self._note("contract_list")
        return (CONTRACT,)

    def contract_show(self, contract_id: str) -> m.ContractView:
        self._note("contract_show", contract_id=contract_id)
        return CONTRACT

    def contract_sign(self, contract_id: str) -> m.ContractView:
        self._note("contract_sign", contract_id=contract_id)
        return CONTRACT

    def contract_refuse(self, contract_id: str, reason: str = "") -> m.ContractView:
        self._note("contract_refuse", contract_id=contract_id, reason=reason)
        return CONTRACT

    def contract_withdraw(self, contract_id: str, reason: str = "") -> m.ContractView:
        self._note("contract_withdraw", contract_id=contract_id, reason=reason)
        return CONTRACT

    def job_start(self, contract_id: str) -> m.JobView:
        self._note("job_start", contract_id=contract_id)
        return JOB

    def job_list(self) -> tuple[m.JobView, ...]:
        self._note("job_list")
        return (JOB,)

    def job_show(self, job_id: str) -> m.JobView:
        self._note("job_show", job_id=job_id)
        return self.final if self.over.is_set() else JOB

    def job_watch(
        self, job_id: str, *, after: int = 0, timeout_s: float | None = None
    ) -> Iterator[m.JobEvent]:
        self._note("job_watch", job_id=job_id, after=after, timeout_s=timeout_s)
        return self._watch(after, timeout_s)

    def _watch(self, after: int, timeout_s: float | None) -> Iterator[m.JobEvent]:
        yield from [event for event in self.events if event.seq > after or event.kind == "progress"]
        self.over.wait(timeout_s)

    def job_result(self, job_id: str) -> m.JobResult:
        self._note("job_result", job_id=job_id)
        return m.JobResult(job=JOB, artefacts=(ARTEFACT,))

    def job_cancel(self, job_id: str, reason: str = "") -> m.JobView:
        self._note("job_cancel", job_id=job_id, reason=reason)
        return JOB

    def artefacts(self, job_id: str) -> tuple[m.ArtefactView, ...]:
        self._note("artefacts", job_id=job_id)
        return (ARTEFACT,)

    def artefact_export(self, job_id: str, reference: str, folder: str) -> m.Exported:
        self._note("artefact_export", job_id=job_id, reference=reference, folder=folder)
        return EXPORTED

    def result_export(self, job_id: str, folder: str, *, report: bool = False) -> m.Exported:
        self._note("result_export", job_id=job_id, folder=folder, report=report)
        return EXPORTED

    def evidence_bundle(self, contract_id: str) -> bytes:
        self._note("evidence_bundle", contract_id=contract_id)
        return b"\x00bundle\xff"

    def evidence_export(self, contract_id: str, path: str) -> m.Exported:
        self._note("evidence_export", contract_id=contract_id, path=path)
        return EXPORTED

    def model_list(self) -> tuple[m.ModelView, ...]:
        self._note("model_list")
        return (MODEL,)

    def model_show(self, version: str) -> m.ModelView:
        self._note("model_show", version=version)
        return MODEL

    def model_verify(self, version: str) -> m.ModelView:
        self._note("model_verify", version=version)
        return MODEL

    def model_export(self, version: str, path: str, form: str = "json") -> m.Exported:
        self._note("model_export", version=version, path=path, form=form)
        return EXPORTED

    def ledger_heads(self) -> tuple[m.LedgerHead, ...]:
        self._note("ledger_heads")
        return (HEAD,)

    def ledger_entries(self, *, after: int = 0, limit: int = 100) -> tuple[m.LedgerEntry, ...]:
        self._note("ledger_entries", after=after, limit=limit)
        return (ENTRY,)

    def backup(self, path: str) -> m.BackupInfo:
        self._note("backup", path=path)
        return m.BackupInfo(path=path, size_bytes=1, log_size=4, made_at=NOW)

    def step_list(self) -> tuple[m.StepView, ...]:
        self._note("step_list")
        return (STEP,)

    def step_show(self, name: str) -> m.StepView:
        self._note("step_show", name=name)
        return STEP


def sample(operation: str) -> dict[str, Any]:
    """Arguments with which a test may call any operation."""
    known: dict[str, Any] = {
        "peer_accept": {"request": m.AcceptPeer(text="t", fingerprint=PRINT)},
        "asset_add": {
            "request": m.AddAsset(name="d", path="/d.csv", steps=("psi",), purposes=("screening",))
        },
        "contract_propose": {"contract": {"title": "T", "nested": {"a": [1, 2]}}},
        "asset_offer": {"name": "diagnoses", "to": ("laboratory", "helper")},
        "asset_show": {"name": "diagnoses", "holder": "laboratory"},
        "job_watch": {"job_id": JOB.id, "after": 3, "timeout_s": 0.05},
        "artefact_export": {"job_id": JOB.id, "reference": "evaluate.metrics", "folder": "/o/p q"},
        "ledger_entries": {"after": 2, "limit": 5},
        "result_export": {"job_id": JOB.id, "folder": "/o", "report": True},
    }
    if operation in known:
        return known[operation]  # type: ignore[no-any-return]
    return {field.name: f"a {field.name} é?" for field in route(operation).fields}
