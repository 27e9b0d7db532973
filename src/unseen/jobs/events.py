"""What may happen to a job at one node, and what the node is then told to do.

The two alphabets of the machine in :mod:`unseen.jobs.coordination`.
The node performs the actions of one answer in order. :class:`Persist` must be on disk before any later one is
begun; the rest may be repeated after a crash, so each is idempotent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from unseen.core.errors import UnseenError
from unseen.jobs.messages import AnyMessage, Outputs
from unseen.jobs.standing import JobPhase

# ---------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Accept:
    """This party starts the job, or takes part in it: the contract is in force and this run is counted."""


@dataclass(frozen=True, slots=True)
class Deny:
    """This party does not take part."""

    error: UnseenError


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a peer, whose identity is checked."""

    sender: str
    message: AnyMessage
    late: bool = False
    """Whether it was put off before (:class:`PutOff`)."""


@dataclass(frozen=True, slots=True)
class WorkerDone:
    """The worker of this attempt has its outputs on disk."""

    task: str
    attempt: int
    outputs: Outputs


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """The worker of this attempt gave up, died, or could not be started."""

    task: str
    attempt: int
    error: UnseenError


@dataclass(frozen=True, slots=True)
class Waited:
    """The pause that a :class:`Wait` asked for is over."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The node begins again after a crash or stop: no worker of this job runs any more."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A person at this party stops the job."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The time for this job is over."""


Event: TypeAlias = (
    Accept | Deny | Received | WorkerDone | WorkerFailed | Waited | Restarted | Cancel | DeadlinePassed
)

# ---------------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Persist:
    """Put the state on disk, durably, before anything else in this list is begun. Always first."""

    state: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand `message` to the durable mail for each of `peers`."""

    peers: tuple[str, ...]
    message: AnyMessage


@dataclass(frozen=True, slots=True)
class Kill:
    """See to it that no worker of this attempt lives, and remove the outputs it wrote (not the task's journal)."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The outputs of this attempt are the task's: publish them to the store and the ledger, once."""

    task: str
    attempt: int
    outputs: Outputs
    peers: dict[str, Outputs]


@dataclass(frozen=True, slots=True)
class Launch:
    """Start a worker. Each (task, attempt) is launched at most once, ever."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Feed :class:`Waited` after `delay_s`."""

    task: str
    attempt: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class PutOff:
    """Feed this :class:`Received` again after `delay_s`, as a late one. It may be lost in a crash: peers say again what a job ended with."""

    sender: str
    message: AnyMessage
    delay_s: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The job is over at this party. `error` says whose fault and at which step, unless it finished."""

    phase: JobPhase
    error: UnseenError | None = None


Action: TypeAlias = Persist | Tell | Kill | Commit | Launch | Wait | PutOff | Finish

ORDER: tuple[type[Action], ...] = (Persist, Tell, Kill, Commit, Launch, Wait, PutOff, Finish)
"""In which order the actions of one answer come: nothing is launched before what stands in its way is dead, and
before its inputs are published."""
