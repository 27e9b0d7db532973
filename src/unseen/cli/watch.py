"""Progress of a job as bars: one for every task at every party."""

from __future__ import annotations

from collections.abc import Iterable

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from unseen.cli.show import console, plain
from unseen.core.errors import UnseenError, from_dict
from unseen.node.models import JobEvent, JobView, TaskProgress

_SIGNS = {"waiting": "·", "running": ">", "finished": "✓", "failed": "✗", "cancelled": "-"}


def bars(job: JobView, events: Iterable[JobEvent]) -> None:
    """Draw until the events end; where there is no terminal, print a line for each change of state."""
    screen = console(errors=True)
    if not screen.is_terminal:
        _lines(events)
        return
    columns = (
        TextColumn("{task.fields[sign]}", markup=False),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        SpinnerColumn(finished_text=""),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=screen) as drawn:
        known: dict[tuple[str, str], TaskID] = {}
        for progress in job.tasks:
            _draw(drawn, known, progress)
        for event in events:
            if event.progress is not None:
                _draw(drawn, known, event.progress)
            elif event.text:
                drawn.console.print(plain(event.text))


def _draw(drawn: Progress, known: dict[tuple[str, str], TaskID], progress: TaskProgress) -> None:
    key = (progress.party, progress.task)
    if key not in known:
        known[key] = drawn.add_task(
            f"{plain(progress.task):<16} {plain(progress.party):<14}",
            total=None,
            start=False,
            sign="",
            count="",
            note="",
        )
    bar = known[key]
    if progress.state != "waiting":
        drawn.start_task(bar)
    over = progress.state not in {"waiting", "running"}
    total = progress.total or 1
    drawn.update(
        bar,
        total=total if over or progress.total else None,
        completed=total if progress.state == "finished" else progress.done,
        sign=_SIGNS[progress.state],
        count=f"{progress.done}/{progress.total}" if progress.total else "",
        note=plain(progress.note).replace("\n", " ")[:60],
    )
    if over:
        drawn.stop_task(bar)


def _lines(events: Iterable[JobEvent]) -> None:
    screen = console(errors=True)
    states: dict[tuple[str, str], str] = {}
    for event in events:
        progress = event.progress
        if progress is None:
            if event.text or event.state:
                screen.print(plain(f"{event.kind}: {event.text or event.state}"))
            continue
        key = (progress.party, progress.task)
        if states.get(key) != progress.state:
            states[key] = progress.state
            screen.print(plain(f"{progress.task} at {progress.party}: {progress.state}"))


def outcome(job: JobView) -> None:
    """Raise what went wrong with a job that is over.

    Raises
    ------
    UnseenError
        It failed: the problem it names. It was cancelled or denied: that.
    """
    if job.state == "finished":
        return
    if job.problem is not None:
        raise from_dict(job.problem.model_dump())
    raise UnseenError(f"The job is {job.state}.", mend=f"see `unseen job show {job.id}`")
