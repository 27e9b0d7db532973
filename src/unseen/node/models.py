"""What the node's operations take and give: frozen pydantic values, the same in Python, HTTP and `--json`.

Nothing here holds data of a party: names, sizes, states, and results that this party may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from unseen.core.cost import Cost
from unseen.core.errors import UsageError
from unseen.core.ids import check_name
from unseen.govern.contract import AssetTerms, ColumnTerms


def _asset(name: str) -> str:
    try:
        return check_name(name, kind="asset")
    except UsageError as error:
        raise ValueError(f"{error.what} {error.mend}") from error


Name = Annotated[str, AfterValidator(_asset)]

JobState = Literal["starting", "running", "finished", "failed", "cancelled", "denied"]
TaskState = Literal["waiting", "running", "finished", "failed", "cancelled"]
ContractState = Literal["proposed", "signed", "refused", "withdrawn", "expired", "altered"]
JOB_OVER: frozenset[JobState] = frozenset({"finished", "failed", "cancelled", "denied"})


class Model(BaseModel):
    """Base: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Model):
    """An error as shown to this party's user; see :class:`unseen.core.errors.UnseenError`."""

    code: str
    what: str
    why: str = ""
    mend: str = ""
    party: str | None = None
    step: str | None = None


# ---------------------------------------------------------------------- the node and its peers


class IdentityView(Model):
    """Who this node is. `fingerprint` is what two people compare over the telephone."""

    name: str
    identity: str
    fingerprint: str
    addresses: tuple[str, ...]


class PeerView(Model):
    """Another organisation, pinned. `connected`, `mail_waiting` and `problem` (why not connected) are of this moment."""

    name: str
    identity: str
    fingerprint: str
    addresses: tuple[str, ...]
    accepted_at: datetime
    connected: bool = False
    last_seen: datetime | None = None
    mail_waiting: int = 0
    problem: Problem | None = None


class StockView(Model):
    """Randomness made ahead with a peer. `contents`: what each run holds. No task takes from one that is `damaged` or `restored`.

    `damaged`: it does not open. `restored`: it still has runs that were taken, as the logs know: it is an old copy.
    """

    peer: str
    number: str
    contents: tuple[str, ...]
    runs: int = 0
    runs_left: int = 0
    runs_unused: int = 0
    size_bytes: int = 0
    bytes_left: int = 0
    damaged: bool = False
    restored: bool = False


class NodeStatus(Model):
    """The node at a glance. `refuses_work` says why no job may start now; empty if they may."""

    name: str
    fingerprint: str
    version: str
    backend: str
    home: str
    started_at: datetime
    listen: str | None
    public: tuple[str, ...]
    peers: tuple[PeerView, ...]
    jobs_running: tuple[str, ...]
    log_size: int
    log_root: str
    disk_free_bytes: int
    refuses_work: str


class InvitationView(Model):
    """What an invitation says, after its signature was checked; nothing is pinned yet."""

    name: str
    identity: str
    fingerprint: str
    addresses: tuple[str, ...]


class Invitation(Model):
    """An invitation to hand to another organisation, and the fingerprint to read out to them."""

    text: str
    fingerprint: str


class AcceptPeer(Model):
    """Pin a peer. `fingerprint` is the one its people told you by another way than the invitation came."""

    text: str
    fingerprint: str


# ---------------------------------------------------------------------- assets


class AddAsset(Model):
    """Put a file into the catalogue. The file stays where it is; the node remembers a commitment to it.

    `id_columns` and `label_columns` set those columns' roles; `sensitivity` overrides the default "personal"
    by column. `steps` are the steps that may work on the asset and on what comes of it, `purposes` what for.
    `epsilon` and `answers` bound what answers about it tell in all; assets of the same `budget` (the asset's name, if none
    is given) share that.
    """

    name: Name
    path: str
    id_columns: tuple[str, ...] = ()
    label_columns: tuple[str, ...] = ()
    ignore_columns: tuple[str, ...] = ()
    sensitivity: dict[str, Literal["public", "internal", "personal", "special"]] = {}
    steps: tuple[str, ...] = Field(min_length=1)
    purposes: tuple[str, ...] = Field(min_length=1)
    legal_basis: str = ""
    budget: str = ""
    epsilon: float | None = Field(default=None, gt=0)
    answers: int | None = Field(default=None, ge=0)


class AssetView(Model):
    """One asset: the terms that others may know, and (for our own) where the file lies.

    `holder` is this node or the peer that offered it. `changed` says that the file no longer is the one that
    was added. `answers_told` and `epsilon_spent`: what was told of its budget so far, where it is this node's.
    """

    terms: AssetTerms
    path: str | None
    added_at: datetime
    changed: bool = False
    answers_told: int = 0
    epsilon_spent: float = 0.0

    @property
    def columns(self) -> tuple[ColumnTerms, ...]:
        """Its columns."""
        return self.terms.columns


# ---------------------------------------------------------------------- contracts


class SignatureView(Model):
    """Where one party stands with a contract."""

    party: str
    state: Literal["signed", "refused", "withdrawn", "pending"]
    at: datetime | None = None
    reason: str = ""


class CostView(Model):
    """What a task is expected to take: bytes sent are of all parties together, memory is one party's most.

    `scratch` is temporary files, party -> bytes; `scratch_bytes` of all together.
    """

    task: str
    seconds: float
    bytes_sent: int
    rounds: int
    memory_bytes: int
    scratch_bytes: int
    scratch: dict[str, int] = {}

    @property
    def cost(self) -> Cost:
        """The same as a value of estimates."""
        return Cost(self.seconds, self.bytes_sent, self.rounds, self.memory_bytes, self.scratch)

    @classmethod
    def of(cls, costs: Mapping[str, Cost]) -> tuple[CostView, ...]:
        """Of all tasks."""
        return tuple(
            cls(
                task=task,
                seconds=cost.seconds,
                bytes_sent=cost.bytes,
                rounds=cost.rounds,
                memory_bytes=cost.memory_bytes,
                scratch_bytes=cost.scratch_bytes,
                scratch=dict(cost.scratch),
            )
            for task, cost in costs.items()
        )


class ContractView(Model):
    """One contract. `summary` is plain words; `contract` is the whole value in JSON form; `costs` are estimates.

    `costs` are for a network of 1 Gbit/s and 0.2 ms, of the tasks whose steps are installed here. `too_large` says of which tasks
    this node has too little disk or memory now: it would refuse a run.
    State "altered": what lies in this node's database is not what the id says; nothing of it is believed or shown.
    """

    id: str
    title: str
    state: ContractState
    parties: tuple[str, ...]
    signatures: tuple[SignatureView, ...]
    runs: int
    runs_used: int
    valid_from: datetime
    valid_until: datetime
    received_at: datetime
    summary: str = ""
    contract: dict[str, Any] = {}
    costs: tuple[CostView, ...] = ()
    too_large: tuple[str, ...] = ()


# ---------------------------------------------------------------------- jobs


class TaskProgress(Model):
    """How far one party is with one task, as it says itself."""

    party: str
    task: str
    state: TaskState
    attempt: int = 0
    done: int = 0
    total: int = 0
    note: str = ""


class JobView(Model):
    """One run of a contract. `problem` names the party and step that failed."""

    id: str
    contract: str
    title: str
    state: JobState
    started_at: datetime
    ended_at: datetime | None = None
    started_by: str
    tasks: tuple[TaskProgress, ...] = ()
    problem: Problem | None = None
    waiting_for: tuple[str, ...] = ()


class JobEvent(Model):
    """One thing that happened to a job; `seq` counts up within the job, from 1."""

    seq: int
    at: datetime
    job: str
    kind: Literal["job", "task", "progress", "problem", "ledger"]
    state: str = ""
    progress: TaskProgress | None = None
    problem: Problem | None = None
    text: str = ""


class ArtefactView(Model):
    """One output of a finished job at this party. `meta` holds the plain data (metrics, names), no arrays."""

    reference: str
    kind: str
    arrays: dict[str, tuple[int, ...]]
    meta: dict[str, Any]
    size_bytes: int


class JobResult(Model):
    """What this party received: the artefacts that a disclosure of the contract gave it."""

    job: JobView
    artefacts: tuple[ArtefactView, ...]


class Exported(Model):
    """Files written for the user, and their total size."""

    folder: str
    files: tuple[str, ...]
    size_bytes: int


# ---------------------------------------------------------------------- models


class Receipt(Model):
    """Where a party's log says what it made: entry `index` with hash `leaf`, under a signed head of `head_size` entries."""

    party: str
    index: int
    leaf: str
    head_size: int
    witnessed_by: tuple[str, ...] = ()


class ModelView(Model):
    """One model that this party has: its part of a joint one, or a whole one that a contract entitled it to.

    Attributes
    ----------
    version
        `model-` and the hash of contract, job, task, output and the holders' commitments to their parts: the same at all of
        them. Empty while `waiting_for` names holders whose log entries have not reached this node.
    kind
        Such as "linear" or "trees".
    whole
        Whether this is the whole model in clear; else a part that says nothing alone.
    public
        What everybody who uses it knows of it, such as its family, how many trees, how deep.
    purpose
        What the contract that it was made under says it is for.
    columns
        This party's own columns, or all of a whole model.
    known
        What this party was told of a joint model, as the contract says: of each of its columns the coefficient, its standard error, how
        much splits on it gained; the intercept at the label holder. Empty of a whole model.
    receipts
        Where the holders' logs say what they made.
    """

    version: str
    kind: str
    public: dict[str, Any] = {}
    whole: bool
    contract: str
    purpose: str
    job: str
    reference: str
    made_at: datetime
    holders: tuple[str, ...]
    columns: tuple[str, ...]
    known: dict[str, list[float]] = {}
    receipts: tuple[Receipt, ...]
    waiting_for: tuple[str, ...] = ()


# ---------------------------------------------------------------------- ledger


class LedgerHead(Model):
    """The head of one party's log as this node knows it. `witnessed_by` are parties that co-signed this head."""

    party: str
    size: int
    root: str
    witnessed_by: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


class LedgerEntry(Model):
    """One entry of this node's own log. `body` is None where the entry belongs to others."""

    index: int
    kind: str
    at: datetime | None
    leaf: str
    state: Literal["recorded", "witnessed", "final"]
    witnessed_by: tuple[str, ...] = ()
    body: dict[str, Any] | None = None


class BackupInfo(Model):
    """A backup that was written."""

    path: str
    size_bytes: int
    log_size: int
    made_at: datetime


# ---------------------------------------------------------------------- steps


class StepView(Model):
    """An installed step; `params` is the JSON schema of its parameters."""

    name: str
    version: int
    fingerprint: str
    summary: str
    roles: dict[str, str]
    inputs: dict[str, str]
    outputs: dict[str, str]
    levels: tuple[str, ...]
    trust: str
    params: dict[str, Any] = {}
