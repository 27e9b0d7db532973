"""What happens to jobs, as told to those who watch: events on disk, and a bell that rings when there is a new one.

Events tell states, progress and problems; never data. Progress is kept in memory only, newest per party and
task: after a restart the states are still there, the percentages come again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sql

from unseen.node.database import Database, Transaction, events
from unseen.node.models import JobEvent, TaskProgress

_NAP_S = 60.0


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Board:
    """Events of all jobs of this node. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bell = threading.Condition()
        self._rings = 0
        self._closed = False
        self._progress: dict[str, dict[tuple[str, str], tuple[int, TaskProgress]]] = {}

    def post(self, transaction: Transaction, event: JobEvent) -> None:
        """Write down an event; its `seq` and `at` are given here."""
        highest = sql.select(sql.func.max(events.c.seq)).where(events.c.job == event.job)
        seq = (transaction.execute(highest).scalar() or 0) + 1
        body = event.model_copy(update={"seq": seq, "at": now()}).model_dump(mode="json")
        transaction.execute(sql.insert(events).values(job=event.job, seq=seq, body=body))
        transaction.afterwards(self.ring)

    def progress(self, job: str, progress: TaskProgress) -> None:
        """Show how far a party is with a task."""
        with self._bell:
            self._rings += 1
            self._progress.setdefault(job, {})[progress.party, progress.task] = (self._rings, progress)
            self._bell.notify_all()

    def latest(self, job: str) -> dict[tuple[str, str], TaskProgress]:
        """Newest progress by (party, task)."""
        with self._bell:
            return {key: progress for key, (_, progress) in self._progress.get(job, {}).items()}

    def forget(self, job: str) -> None:
        """The job is over: drop its percentages."""
        with self._bell:
            self._progress.pop(job, None)

    def ring(self) -> None:
        """Make all watchers look."""
        with self._bell:
            self._rings += 1
            self._bell.notify_all()

    def close(self) -> None:
        """End all watching."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()

    def since(self, job: str, after: int) -> list[JobEvent]:
        """Events on disk with numbers over `after`."""
        query = sql.select(events.c.body).where(events.c.job == job, events.c.seq > after)
        with self._database.read() as view:
            return [
                JobEvent.model_validate(body) for body in view.execute(query.order_by(events.c.seq)).scalars()
            ]

    def watch(
        self, job: str, *, after: int, over: Callable[[], bool], timeout_s: float | None
    ) -> Iterator[JobEvent]:
        """Events of `job` over `after`, and progress as it comes, until the job is over.

        Events of kind "progress" repeat the number of the event before them: asking again after that number
        misses nothing.
        """
        rings, shown = -1, 0
        while True:
            done = over()
            for event in self.since(job, after):
                after = event.seq
                yield event
            for stamp, progress in self._fresh(job, shown):
                shown = max(shown, stamp)
                yield JobEvent(seq=after, at=now(), job=job, kind="progress", progress=progress)
            if done:
                return
            seen = rings
            rings = self._wait(seen, timeout_s)
            if rings == seen:
                return

    def _fresh(self, job: str, shown: int) -> list[tuple[int, TaskProgress]]:
        with self._bell:
            return sorted(
                (item for item in self._progress.get(job, {}).values() if item[0] > shown),
                key=lambda item: item[0],
            )

    def _wait(self, seen: int, timeout_s: float | None) -> int:
        """The bell's count once it is another than `seen`; `seen` if the time is over or the board closed."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._bell:
            while self._rings == seen and not self._closed:
                left = _NAP_S if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    break
                self._bell.wait(min(left, _NAP_S))
            return seen if self._closed else self._rings
