"""`unseen job`: run contracts, watch, and get results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit, emit_line, say

if TYPE_CHECKING:
    from unseen.client.remote import RemoteNode

Flag = Annotated[bool, Parameter(negative="")]


def start(contract: str, *, watch: Flag = False, common: Common = COMMON) -> None:
    """Start one run of a contract that all have signed. Counts the run.

    Parameters
    ----------
    contract
        Its id, or an unambiguous beginning of it.
    watch
        Stay and watch it.
    """
    with connect(common) as node:
        job = node.job_start(contract)
        if watch:
            _watch(node, job.id, common)
        else:
            emit(common, job, show.job)


def list_(*, common: Common = COMMON) -> None:
    """Show all jobs, newest first."""
    with connect(common) as node:
        emit(common, node.job_list(), show.jobs)


def show_(job: str, *, common: Common = COMMON) -> None:
    """Show a job with every task at every party.

    Parameters
    ----------
    job
        Its id, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, node.job_show(job), show.job)


def watch(job: str, *, common: Common = COMMON) -> None:
    """Watch a job until it is over: a bar for every task at every party. Fails as the job fails.

    With --json: one event per line, and the job at last.

    Parameters
    ----------
    job
        Its id, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        _watch(node, node.job_show(job).id, common)


def result(job: str, *, common: Common = COMMON) -> None:
    """Show what this party received from a finished job.

    Parameters
    ----------
    job
        Its id, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, node.job_result(job), lambda value: show.artefacts(value.artefacts))


def artefacts(job: str, *, common: Common = COMMON) -> None:
    """Show all that this party keeps of a job, shares included.

    Parameters
    ----------
    job
        Its id, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, node.artefacts(job), show.artefacts)


def cancel(job: str, *, reason: str = "", common: Common = COMMON) -> None:
    """Stop a running job at all parties. The run counts as used.

    Parameters
    ----------
    job
        Its id, or an unambiguous beginning of it.
    reason
        What the others shall read.
    """
    with connect(common) as node:
        emit(common, node.job_cancel(job, reason), lambda value: say(f"The job is {value.state}."))


def _watch(node: RemoteNode, job: str, common: Common) -> None:
    from unseen.cli.watch import bars, outcome  # noqa: PLC0415 - draws

    events = node.job_watch(job)
    if common.json:
        for event in events:
            emit_line(event)
    else:
        bars(node.job_show(job), events)
    final = node.job_show(job)
    if common.json:
        emit_line(final)
    outcome(final)
    if not common.json:
        show.job(final)
        say(f"Result: `unseen job result {final.id[: show.SHORT_ID]}`")
