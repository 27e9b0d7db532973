"""What must be done once a decision is on disk: in order within a job, again after trouble, some of it later.

One thread. An item that raises UnavailableError (disk full, process table full) is tried again after a pause, and
what stands behind it *in the same job* waits; other jobs go on. Anything else that raises is handed to `failed`.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from unseen.core.errors import UnavailableError

Do = Callable[[], None]
PAUSE_S = 1.0
_log = structlog.get_logger("unseen.jobs")


@dataclass(slots=True)
class _Lane:
    """What one job has to do, first things first."""

    items: deque[Do] = field(default_factory=deque)
    not_before: float = 0.0


class Agenda:
    """See the module. Thread-safe."""

    def __init__(self, failed: Callable[[str, BaseException], None], *, pause_s: float = PAUSE_S) -> None:
        self._failed = failed
        self._pause_s = pause_s
        self._lanes: dict[str, _Lane] = {}
        self._later: list[tuple[float, int, str, Do]] = []
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="agenda", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the item in hand and end; what is left comes again after a restart."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def add(self, job: str, do: Do) -> None:
        """Do it after everything added before for this job."""
        with self._wake:
            self._lanes.setdefault(job, _Lane()).items.append(do)
            self._wake.notify_all()

    def add_later(self, job: str, delay_s: float, do: Do) -> None:
        """Add it in `delay_s` seconds."""
        with self._wake:
            heapq.heappush(self._later, (time.monotonic() + delay_s, next(self._numbers), job, do))
            self._wake.notify_all()

    def _run(self) -> None:
        while (chosen := self._next()) is not None:
            job, lane = chosen
            try:
                lane.items[0]()
            except UnavailableError as error:
                _log.warning("will be tried again", job=job, problem=error.to_dict())
                lane.not_before = time.monotonic() + self._pause_s
                continue
            except Exception as error:  # noqa: BLE001 - handed on; this thread serves all jobs
                self._report(job, error)
            with self._wake:
                lane.items.popleft()
                if not lane.items:
                    del self._lanes[job]

    def _report(self, job: str, error: Exception) -> None:
        try:
            self._failed(job, error)
        except Exception:  # noqa: BLE001 - said in the log; this thread serves all jobs
            _log.exception("a failure could not be reported", job=job)

    def _next(self) -> tuple[str, _Lane] | None:
        """Wait for a lane whose turn has come; None when stopping."""
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    _, _, job, do = heapq.heappop(self._later)
                    self._lanes.setdefault(job, _Lane()).items.append(do)
                ready = [item for item in self._lanes.items() if item[1].not_before <= now]
                if ready:
                    job, lane = ready[0]
                    self._lanes[job] = self._lanes.pop(job)  # the others come first next time
                    return job, lane
                moments = [lane.not_before for lane in self._lanes.values()]
                moments += [self._later[0][0]] if self._later else []
                self._wake.wait(min(moments) - now if moments else None)
            return None
