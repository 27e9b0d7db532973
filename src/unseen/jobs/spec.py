"""What a node tells a worker, and what a worker tells its node."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from unseen.crypto.certificates import Credentials
from unseen.jobs.execute import TaskRecord


class PeerSpec(msgspec.Struct, frozen=True):
    """Another party of the task: which end of the link we are, and the key that the contract pins.

    `fetched` says that our node opens the sockets: it dials the peer, or a relay where both ends must dial. Else the
    peer opens them, and they come without being asked for.
    """

    name: str
    role: str
    identity: bytes
    fetched: bool


class CredentialsSpec(msgspec.Struct, frozen=True):
    """:class:`unseen.crypto.certificates.Credentials` on their way to the worker."""

    party: str
    use: str
    certificate: bytes
    identity_certificate: bytes
    key: bytes

    @classmethod
    def of(cls, credentials: Credentials) -> CredentialsSpec:
        """Packed."""
        return cls(
            credentials.party,
            credentials.use,
            credentials.certificate,
            credentials.identity_certificate,
            credentials.key,
        )

    def unpack(self) -> Credentials:
        """Unpacked."""
        return Credentials(self.party, self.use, self.certificate, self.identity_certificate, self.key)


class DisclosureSpec(msgspec.Struct, frozen=True):
    """One line of the gate's rules."""

    name: str
    what: str
    to: tuple[str, ...]
    door: str
    max_elements: int | None
    times: int


class TaskSpec(msgspec.Struct, frozen=True):
    """Everything a worker needs, and nothing of any other job.

    Attributes
    ----------
    terms
        The task's terms in the contract, as JSON.
    inputs
        Input name -> sealed file.
    outputs
        Folder for the sealed outputs.
    artefact_key, journal_key, stocks_key
        32 bytes each: seal this job's artefacts, this task's journal, this party's stocks.
    stocks, stocks_taken
        Folder of this party's stocks; peer -> stock -> the last of its runs that was taken, as the logs say.
    silence_s, reconnect_s, connect_s, window_bytes
        See `node.toml`.
    """

    job: str
    task: str
    attempt: int
    me: str
    contract: str
    terms: bytes
    disclosures: tuple[DisclosureSpec, ...]
    peers: tuple[PeerSpec, ...]
    credentials: CredentialsSpec
    inputs: dict[str, str]
    outputs: str
    artefact_key: bytes
    journal: str
    journal_key: bytes
    stocks: str
    stocks_key: bytes
    stocks_taken: dict[str, dict[str, int]]
    silence_s: float
    reconnect_s: float
    connect_s: float
    window_bytes: int

    def __repr__(self) -> str:
        return f"TaskSpec({self.job}, {self.task}, attempt {self.attempt})"


class WantSocket(msgspec.Struct, frozen=True, tag="want-socket"):
    """The worker needs a fresh socket to a peer; only asked where we dial."""

    peer: str


class Step(msgspec.Struct, frozen=True, tag="progress"):
    """Progress of the task."""

    done: int
    total: int
    note: str


class Took(msgspec.Struct, frozen=True, tag="took"):
    """The task burnt a run of a stock, and waits for :data:`NOTED` before it uses anything of it."""

    stock: str
    run: int
    runs_left: int


class Output(msgspec.Struct, frozen=True):
    """One output on disk: its commitment, and the salt that opens it (stays at this party)."""

    commitment: str
    salt: bytes
    kind: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The outputs are on disk."""

    outputs: dict[str, Output]
    record: TaskRecord


class Gone(msgspec.Struct, frozen=True, tag="failed"):
    """The task failed: an error's `to_dict()`."""

    error: dict[str, str | None]


FromWorker: TypeAlias = WantSocket | Step | Took | Done | Gone
NOTED = b"noted"
decode_spec = msgspec.msgpack.Decoder(TaskSpec).decode
decode_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
encode = msgspec.msgpack.encode
