"""A job's events as they happen: the node's blocking iterator as a stream of Server-Sent Events.

Each watcher waits in a thread of its own pool, never in those that serve other requests; it looks up every few
seconds, so that a client that left, or a stopping server, is noticed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from unseen.api.wire import EVENT_STREAM, KEEP_ALIVE, ServerEvent, error_event, write_event
from unseen.core.errors import UnavailableError, UnseenError
from unseen.node.models import JOB_OVER, JobEvent
from unseen.node.operations import Node

_log = structlog.get_logger("unseen.api")
MAX_WATCHERS = 64
LOOK_UP_S = 5.0


class Watchers:
    """All streams of one node."""

    def __init__(self, node: Node, *, most: int = MAX_WATCHERS, look_up_s: float = LOOK_UP_S) -> None:
        self._node = node
        self._most = most
        self._look_up_s = look_up_s
        self._count = 0
        self._threads: CapacityLimiter | None = None

    async def stream(
        self, request: Request, *, job_id: str, after: int = 0, timeout_s: float | None = None
    ) -> StreamingResponse:
        """Begin a stream.

        Raises
        ------
        UsageError
            There is no such job.
        UnavailableError
            Too many watch already.
        """
        job = await run_in_threadpool(self._node.job_show, job_id)
        if self._count >= self._most:
            raise UnavailableError(
                f"{self._most} watch jobs of this node already.", mend="close some of them"
            )
        last = request.headers.get("last-event-id", "")
        after = max(after, int(last)) if last.isascii() and last.isdigit() else after
        events = self._events(request, job.id, after, timeout_s)
        return StreamingResponse(events, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})

    async def _events(
        self, request: Request, job: str, after: int, timeout_s: float | None
    ) -> AsyncIterator[str]:
        self._count += 1
        try:
            yield KEEP_ALIVE
            quiet_since = anyio.current_time()
            shown: dict[tuple[str, str], JobEvent] = {}
            while True:
                over = (await run_in_threadpool(self._node.job_show, job)).state in JOB_OVER
                async for event in self._until_quiet(job, after, timeout_s):
                    quiet_since = anyio.current_time()
                    after = max(after, event.seq)
                    if _is_news(event, shown):
                        yield write_event(ServerEvent("job", event.model_dump_json(), str(event.seq)))
                if over or (timeout_s is not None and anyio.current_time() - quiet_since >= timeout_s):
                    yield write_event(ServerEvent("end", "{}"))
                    return
                if await request.is_disconnected():
                    return
                yield KEEP_ALIVE
        except UnseenError as error:
            yield error_event(error)
        except Exception as error:  # noqa: BLE001 - the status line is sent: this is how to say it now
            _log.error("api.bug", operation="job_watch", exc_info=error)
            yield error_event(UnseenError("The node failed on this request.", why="see the node's log"))
        finally:
            self._count -= 1

    async def _until_quiet(self, job: str, after: int, timeout_s: float | None) -> AsyncIterator[JobEvent]:
        if self._threads is None:
            self._threads = CapacityLimiter(self._most)
        wait = self._look_up_s if timeout_s is None else min(self._look_up_s, timeout_s)
        events = self._node.job_watch(job, after=after, timeout_s=wait)
        while True:
            event = await to_thread.run_sync(_next, events, limiter=self._threads)
            if event is None:
                return
            yield event


def _next(events: Iterator[JobEvent]) -> JobEvent | None:
    return next(events, None)


def _is_news(event: JobEvent, shown: dict[tuple[str, str], JobEvent]) -> bool:
    """Progress is told anew after every look up; only what changed is worth sending."""
    if event.kind != "progress" or event.progress is None:
        return True
    key = (event.progress.party, event.progress.task)
    before = shown.get(key)
    shown[key] = event
    return before is None or before.progress != event.progress
