"""Where one job stands at one node: the value that :mod:`unseen.jobs.coordination` works on, and its stored form."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unseen.core.errors import VerificationError
from unseen.jobs.messages import JobRef, Outputs

FORMAT = 1


class Phase(StrEnum):
    """Where one task stands at one party.

    idle → ready → running → prepared → committed; from ready, running and prepared back to ready with a higher
    attempt; from running to waiting (a pause before the next attempt) and on to ready.
    """

    IDLE = "idle"
    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    PREPARED = "prepared"
    COMMITTED = "committed"


class JobPhase(StrEnum):
    """Where the job stands at one party. The last four are the end of it."""

    NEW = "new"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DENIED = "denied"


OVER = frozenset({JobPhase.FINISHED, JobPhase.FAILED, JobPhase.CANCELLED, JobPhase.DENIED})


class PeerPrepared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A peer's newest statement that it is prepared."""

    attempt: int
    outputs: Outputs


class TaskStanding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One task at one party.

    Attributes
    ----------
    attempt
        The attempt this party is at. Announced to the others in every phase but idle and waiting.
    outputs
        Commitments to this party's own outputs, once prepared.
    ready
        Peer -> highest attempt it announced.
    prepared
        Peer -> its newest statement to be prepared.
    """

    phase: Phase = Phase.IDLE
    attempt: int = 0
    outputs: Outputs = {}
    ready: dict[str, int] = {}
    prepared: dict[str, PeerPrepared] = {}

    @property
    def announced(self) -> int:
        """The highest attempt this party told others; 0 if none."""
        return self.attempt - 1 if self.phase == Phase.WAITING else self.attempt

    @property
    def highest(self) -> int:
        """The highest attempt that anybody announced, this party included."""
        return max([self.attempt, *self.ready.values()])

    def prepared_attempt(self, peer: str) -> int:
        """The newest attempt that `peer` said to be prepared for; 0 if none."""
        known = self.prepared.get(peer)
        return known.attempt if known else 0

    def is_prepared(self, peer: str) -> bool:
        """Whether `peer` is prepared for the attempt this party is at."""
        return self.prepared_attempt(peer) == self.attempt


class JobStanding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One job at one party. `problem` is an error's `to_dict()`; `tasks` holds the tasks of this party only."""

    job: JobRef
    phase: JobPhase = JobPhase.NEW
    accepted: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    tasks: dict[str, TaskStanding] = {}
    problem: dict[str, str | None] | None = None
    format: int = FORMAT


def encode(standing: JobStanding) -> bytes:
    """Stored form."""
    return msgspec.msgpack.encode(standing)


def decode(data: bytes) -> JobStanding:
    """Rebuild a standing.

    Raises
    ------
    VerificationError
        Damaged, or of an unknown format.
    """
    try:
        standing = msgspec.msgpack.decode(data, type=JobStanding)
    except (msgspec.DecodeError, ValueError) as error:
        raise VerificationError(
            "The stored state of a job cannot be read.",
            why=str(error),
            mend="restore the node from a backup: `unseen node restore`",
        ) from error
    if standing.format != FORMAT:
        raise VerificationError(
            f"The stored state of a job has format {standing.format}; this version knows {FORMAT}.",
            mend="run the version of unseen that wrote it",
        )
    return standing
