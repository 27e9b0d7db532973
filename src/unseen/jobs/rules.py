"""What a peer may say about a job, and when.

There are two kinds of offence:

- nonsense (another job, a stranger, an unknown step): dropped, it has no effect;
- what contradicts what was said before: the job ends, for somebody has forgotten what it did, or lies.
"""

from __future__ import annotations

from unseen.core.errors import RemoteProtocolError
from unseen.govern.contract import Contract
from unseen.jobs import messages as m
from unseen.jobs.standing import Phase, TaskStanding


def check_sense(contract: Contract, me: str, job: m.JobRef, sender: str, message: m.AnyMessage) -> None:
    """Let pass what `sender` could say about this job at some time.

    Raises
    ------
    RemoteProtocolError
        Nonsense.
    """
    if problem := _nonsense(contract, me, job, sender, message):
        raise RemoteProtocolError(
            f"A message of {sender} about {job.id} makes no sense.", why=problem, party=sender
        )


def _nonsense(contract: Contract, me: str, job: m.JobRef, sender: str, message: m.AnyMessage) -> str:
    parties = contract.party_names
    if sender == me or sender not in parties:
        return "it takes no part in this job"
    if (message.job.id, message.job.contract) != (job.id, job.contract):
        return "it speaks of another job"
    if isinstance(message, m.Ready | m.Prepared):
        shared = {task.name for task in contract.tasks if {sender, me} <= set(task.parties)}
        return "" if message.task in shared else f"'{message.task}' is no step that it shares with {me}"
    if isinstance(message, m.Failed | m.Cancelled) and message.party not in parties:
        return f"'{message.party}' is no party of this job"
    if isinstance(message, m.Failed) and message.step not in (None, *(task.name for task in contract.tasks)):
        return f"'{message.step}' is no step of this job"
    return ""


def objection(task: TaskStanding, sender: str, message: m.Ready | m.Prepared, *, max_attempts: int) -> str:
    """Why this statement contradicts what was said before; empty if it does not."""
    if task.phase == Phase.COMMITTED and message.attempt > task.attempt:
        return f"it wants attempt {message.attempt} where all had finished attempt {task.attempt}"
    if message.attempt > max_attempts:
        return f"attempt {message.attempt} is over the limit of {max_attempts}"
    if isinstance(message, m.Prepared):
        if message.attempt > task.announced:
            return f"it finished attempt {message.attempt}, which this party remembers no part in"
        known = task.prepared.get(sender)
        if known and known.attempt == message.attempt and known.outputs != message.outputs:
            return f"it committed to two different outputs of attempt {message.attempt}"
    return ""
