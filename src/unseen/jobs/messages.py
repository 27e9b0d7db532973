"""What nodes tell each other about a job, to be carried by durable mail.

Every message is idempotent and says all it needs to say: it may come twice, late, or in another order than others
of the same sender. The first one that a node sees of a job it does not know makes it decide whether to take part.

A failure tells the others its class and its step, nothing about anybody's data.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from unseen.core.errors import RemoteProtocolError

Identifier: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=500)]
Attempt: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
Commitment: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Outputs: TypeAlias = dict[Identifier, Commitment]


class JobRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which job: its id, the contract it is a run of, and who started it."""

    id: Identifier
    contract: Identifier
    started_by: Identifier


class JobMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="tag"):
    """Base: one statement of one party about one job."""

    job: JobRef


class Accepted(JobMessage, frozen=True, tag="job.accepted/1"):
    """The sender takes part: it has checked the contract and counted this run. The starter's is the invitation."""


class Ready(JobMessage, frozen=True, tag="job.ready/1"):
    """The sender has settled on this attempt of a task, on disk, and has no worker at any earlier one."""

    task: Identifier
    attempt: Attempt


class Prepared(JobMessage, frozen=True, tag="job.prepared/1"):
    """The sender's outputs of this attempt are on its disk; `outputs` are the commitments to them."""

    task: Identifier
    attempt: Attempt
    outputs: Outputs


class Finished(JobMessage, frozen=True, tag="job.finished/1"):
    """All tasks of the sender are committed."""


class Failed(JobMessage, frozen=True, tag="job.failed/1"):
    """The job is over for everybody. `party` failed with `code`, at the task `step` if at one."""

    code: Identifier
    party: Identifier
    step: Identifier | None = None


class Cancelled(JobMessage, frozen=True, tag="job.cancelled/1"):
    """A person at `party` stopped the job, for `reason`."""

    party: Identifier
    reason: Text = ""


AnyMessage: TypeAlias = Accepted | Ready | Prepared | Finished | Failed | Cancelled

_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: AnyMessage) -> bytes:
    """Wire form."""
    return msgspec.msgpack.encode(message)


def decode(data: bytes, *, sender: str) -> AnyMessage:
    """Rebuild a message.

    Raises
    ------
    RemoteProtocolError
        Anything that is not exactly one known message; the text names `sender`.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RemoteProtocolError(
            f"{sender} sent something about a job that cannot be read.",
            why=str(error),
            mend=f"compare the version of unseen with {sender}",
            party=sender,
        ) from error
