"""What the entries of each kind say: one frozen model per kind. No personal data, nothing guessable in clear.

Numbers that may pass 2^53 are decimal strings; signatures and certificates are base64, hashes and commitments are hex.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,29})$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?$")]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Element = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}( [0-9a-f]{4}){7}$")]
Identity = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]


class Body(BaseModel):
    """Base of all bodies: exactly these fields, of exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ContractProposed(Body):
    """The whole contract in its JSON form; its id is its hash."""

    contract: dict[str, Any]


class ContractSigned(Body):
    """The author's signature on the contract, by the identity that the contract names."""

    identity: Identity
    signature: Base64


class ContractRefused(Body):
    """The author will not sign."""

    reason: str


class ContractWithdrawn(Body):
    """The author takes its signature back, for the future."""

    reason: str
    signature: Base64


class Charge(Body):
    """What a run may tell about the assets of one budget: answers, their epsilon together, and how many have no noise."""

    answers: int
    epsilon: Amount
    exact: int


class RunStarted(Body):
    """A run was counted; `number` counts from 1, or is 0 where it is not known after a crash.

    `spent`: the author's budgets, by name.
    """

    number: int
    started_by: str
    spent: dict[Name, Charge] = {}


class Disclosure(Body):
    """One passage through the author's own gate: a reveal or a release."""

    name: Name
    index: int
    door: Name
    to: list[Name]
    elements: Count


class Transcript(Body):
    """What both ends of a link signed about all they said; the certificates (DER) show whose keys signed."""

    peer: Name
    statement: Base64
    ours: Base64
    theirs: Base64
    our_certificate: Base64
    their_certificate: Base64


class Measured(Body):
    """What the task took."""

    milliseconds: Count
    bytes_sent: Count
    bytes_received: Count
    rounds: Count
    memory_bytes: Count


class Estimate(Body):
    """What the planner had expected it to take; fields it does not estimate are left out."""

    milliseconds: Count | None = None
    bytes_sent: Count | None = None
    rounds: Count | None = None
    memory_bytes: Count | None = None


class Resumed(Body):
    """The checkpoint that a task went on from: stored in `attempt` after `done` of `total` passages of this `unit`."""

    unit: Name
    done: Count
    total: Count
    attempt: int


class FromStock(Body):
    """A run that was taken from a stock of randomness made ahead; `made`: what it lacked was made as the task ran."""

    stock: Name
    run: Count
    runs_left: Count
    made: Count


class StockTaken(Body):
    """A run of a stock that an attempt of a task burnt: written before anything of it was used, whatever became of the attempt."""

    stock: Name
    run: Count
    runs_left: Count
    attempt: int


class TaskFinished(Body):
    """A task at the author: which step ran on what, what came out, what was let out, what was said.

    `committed`: output -> the commitment to its numbers. `bound`: holder -> the commitment that its input was checked
    against.
    """

    attempt: int
    step: Name
    version: int
    fingerprint: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    disclosures: list[Disclosure]
    transcripts: list[Transcript]
    measured: Measured
    estimate: Estimate | None = None
    committed: dict[Name, Element] = {}
    bound: dict[Name, Element] = {}
    stocks: list[FromStock] = []
    resumed: Resumed | None = None


class Problem(Body):
    """Why a run did not finish: no more than every party may know."""

    code: Name
    party: str | None
    step: str | None


class RunEnded(Body):
    """How a run ended at the author."""

    state: Name
    problem: Problem | None


class KeyRotated(Body):
    """The author goes on under another key: each key signs for the other (see :mod:`unseen.ledger.keys`)."""

    old: Identity
    new: Identity
    signature_old: Base64
    signature_new: Base64


class KeyRevoked(Body):
    """The author's key must not be believed from now on; signed by the key that is revoked."""

    identity: Identity
    reason: str
    signature: Base64


class PeerAccepted(Body):
    """The author pinned a peer's key, after comparing its fingerprint with the peer."""

    peer: Name
    identity: Identity
    fingerprint: Fingerprint
