"""What is written into a log: who says what, when, about which contract, knowing which heads of the others.

Every entry is a JSON object in canonical form (RFC 8785); its bytes are the leaf of the Merkle tree. What the kinds say
is in :mod:`unseen.ledger.bodies`.

==================  =======================  ==================================================================
kind                belongs to               says
==================  =======================  ==================================================================
contract-proposed   contract                 the whole contract
contract-signed     contract                 the author's signature on it
contract-refused    contract                 the author will not sign
contract-withdrawn  contract                 the author takes its signature back
run-started         contract, job            a run was counted
stock-taken         contract, job, task      a run of randomness made ahead was burnt, before it was used
task-finished       contract, job, task      step, commitments to inputs and outputs, what passed the own gate,
                                             what both ends of each link signed, measured and expected cost
run-ended           contract, job            how it ended
key-rotated         no contract (`""`)       the author goes on under another key
key-revoked         no contract (`""`)       a key of the author must not be believed any more
peer-accepted       no contract (`""`)       the author pinned a peer's key
==================  =======================  ==================================================================
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from unseen.core.canonical import canonical_bytes
from unseen.core.errors import UnseenError, VerificationError
from unseen.ledger import bodies

Kind = Literal[
    "contract-proposed",
    "contract-signed",
    "contract-refused",
    "contract-withdrawn",
    "run-started",
    "stock-taken",
    "task-finished",
    "run-ended",
    "key-rotated",
    "key-revoked",
    "peer-accepted",
]
BODIES: dict[str, type[bodies.Body]] = {
    "contract-proposed": bodies.ContractProposed,
    "contract-signed": bodies.ContractSigned,
    "contract-refused": bodies.ContractRefused,
    "contract-withdrawn": bodies.ContractWithdrawn,
    "run-started": bodies.RunStarted,
    "stock-taken": bodies.StockTaken,
    "task-finished": bodies.TaskFinished,
    "run-ended": bodies.RunEnded,
    "key-rotated": bodies.KeyRotated,
    "key-revoked": bodies.KeyRevoked,
    "peer-accepted": bodies.PeerAccepted,
}
_OF_A_TASK = frozenset({"stock-taken", "task-finished"})
_OF_A_JOB = _OF_A_TASK | {"run-started", "run-ended"}
_OF_NO_CONTRACT = frozenset({"key-rotated", "key-revoked", "peer-accepted"})
_TIME = "%Y-%m-%dT%H:%M:%SZ"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Index = Annotated[int, Field(ge=0, lt=2**53)]


class Head(BaseModel):
    """Size and root (hex) of a log, as somebody knew it, with its author's signature on it where there is one.

    `signature` is the base64 of the author's Ed25519 signature on the checkpoint's text. With it, an entry that
    names a head proves that the head was signed; without it, it only says so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    size: Index
    root: Hash
    signature: bodies.Base64 | None = None


class Entry(BaseModel):
    """One entry.

    Attributes
    ----------
    at
        UTC, to the second, `2026-11-24T09:30:00Z`: the author's clock.
    contract
        Id of the contract it belongs to; empty if to none.
    previous
        Index of the author's entry before this one on the same contract.
    depends_on
        Other party -> head of its log that the author had verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    kind: Kind
    party: Name
    at: str
    contract: str
    job: Name | None = None
    task: Name | None = None
    previous: Index | None = None
    depends_on: dict[Name, Head] = {}
    body: dict[str, Any]

    @model_validator(mode="after")
    def _complete(self) -> Entry:
        try:
            BODIES[self.kind].model_validate(self.body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"the body of {self.kind}: {where}: {first['msg']}") from None
        if (self.contract == "") != (self.kind in _OF_NO_CONTRACT):
            raise ValueError(f"{self.kind} belongs to {'no' if self.contract else 'a'} contract")
        wanted = (self.kind in _OF_A_JOB, self.kind in _OF_A_TASK)
        if (self.job is not None, self.task is not None) != wanted:
            raise ValueError(f"{self.kind} must name exactly the job and task that it is about")
        if self.party in self.depends_on:
            raise ValueError("an entry does not name a head of its own log")
        if self.at != timestamp(_parse(self.at)):
            raise ValueError("the time is not written YYYY-MM-DDTHH:MM:SSZ")
        return self

    @property
    def time(self) -> datetime:
        """:attr:`at` as a time."""
        return _parse(self.at)

    def to_bytes(self) -> bytes:
        """Canonical bytes: the leaf."""
        told = self.model_dump(mode="json")
        for head in told["depends_on"].values():
            if head["signature"] is None:
                del head["signature"]
        return canonical_bytes(told)

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        """Rebuild an entry.

        Raises
        ------
        VerificationError
            It is none, or not in canonical form.
        """
        try:
            entry = cls.model_validate(json.loads(data))
            canonical = entry.to_bytes()
        except (ValidationError, ValueError, RecursionError, UnseenError) as error:
            raise VerificationError("An entry of a log cannot be read.", why=str(error)[:300]) from error
        if canonical != data:
            raise VerificationError("An entry of a log is not in canonical form.")
        return entry


def timestamp(now: datetime | None = None) -> str:
    """The written form of a time."""
    return (now or datetime.now(UTC)).astimezone(UTC).strftime(_TIME)


def _parse(written: str) -> datetime:
    return datetime.strptime(written, _TIME).replace(tzinfo=UTC)
