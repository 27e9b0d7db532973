"""What is written into a log. No personal data, nothing guessable in clear.

Every entry is a JSON object in canonical form (RFC 8785); its bytes are the leaf of the Merkle tree.

==================  ======================================================================================
kind                body
==================  ======================================================================================
contract-proposed   contract (the whole of it)
contract-signed     identity, signature
contract-refused    reason
contract-withdrawn  reason, signature
run-started         number, started_by
task-finished       attempt, step, version, fingerprint, inputs, outputs (commitments), disclosures (what passed the
                    own gate), transcripts (what both ends of each link signed), measured
run-ended           state, problem (code, party, step)
==================  ======================================================================================
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from unseen.core.canonical import canonical_bytes
from unseen.core.errors import VerificationError

Kind = Literal[
    "contract-proposed",
    "contract-signed",
    "contract-refused",
    "contract-withdrawn",
    "run-started",
    "task-finished",
    "run-ended",
]

_BODIES: dict[str, frozenset[str]] = {
    "contract-proposed": frozenset({"contract"}),
    "contract-signed": frozenset({"identity", "signature"}),
    "contract-refused": frozenset({"reason"}),
    "contract-withdrawn": frozenset({"reason", "signature"}),
    "run-started": frozenset({"number", "started_by"}),
    "task-finished": frozenset(
        {
            "attempt",
            "step",
            "version",
            "fingerprint",
            "inputs",
            "outputs",
            "disclosures",
            "transcripts",
            "measured",
        }
    ),
    "run-ended": frozenset({"state", "problem"}),
}


class Head(BaseModel):
    """Size and root (hex) of a log, as its author knew it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int
    root: str


class Entry(BaseModel):
    """One entry.

    Attributes
    ----------
    at
        UTC, to the second, `2026-11-24T09:30:00Z`: the author's clock.
    contract
        Id of the contract it belongs to.
    previous
        Index of the author's entry before this one on the same contract.
    depends_on
        Other party -> head of its log that the author had verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    kind: Kind
    party: str
    at: str
    contract: str
    job: str | None = None
    task: str | None = None
    previous: int | None = None
    depends_on: dict[str, Head] = {}
    body: dict[str, Any]

    @model_validator(mode="after")
    def _complete(self) -> Entry:
        if set(self.body) != _BODIES[self.kind]:
            raise ValueError(
                f"the body of {self.kind} has {sorted(self.body)}, not {sorted(_BODIES[self.kind])}"
            )
        return self

    def to_bytes(self) -> bytes:
        """Canonical bytes: the leaf."""
        return canonical_bytes(self.model_dump(mode="json"))

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
        except (ValidationError, ValueError, RecursionError) as error:
            raise VerificationError("An entry of a log cannot be read.", why=str(error)[:300]) from error
        if entry.to_bytes() != data:
            raise VerificationError("An entry of a log is not in canonical form.")
        return entry


def timestamp(now: datetime | None = None) -> str:
    """The written form of a time."""
    return (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
