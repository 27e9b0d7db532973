"""The only way to spread local work: `party.pool.map`, and `aside` for what can go on beside the rest; `talk` for conversations.

Threads by default: kernels release the GIL. A cluster pool can take its place because work items are plain
function calls on values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Runs functions over items, in order of the items."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`[function(item) for item in items]`, spread over the workers; the first error is raised."""
        work = list(items)
        if self.workers == 1 or len(work) <= 1:
            return [function(item) for item in work]
        with ThreadPoolExecutor(min(self.workers, len(work)), thread_name_prefix="unseen-pool") as executor:
            return list(executor.map(function, work))

    def aside(self, function: Callable[[], R]) -> Callable[[], R]:
        """Begin `function()` beside what follows; calling what is returned waits for its result, or raises its error.

        With one worker it runs when it is asked for.
        """
        if self.workers == 1:
            return function
        executor = ThreadPoolExecutor(1, thread_name_prefix="unseen-aside")
        result = executor.submit(function).result
        executor.shutdown(wait=False)
        return result

    def talk(self, conversations: Iterable[Callable[[], R]], *, most: int) -> Iterator[R]:
        """Conversations with several peers side by side, each on a stream of its own: their results as they come.

        `most` at once, begun in order, whatever the number of workers, since they mostly wait. If the peers begin those that they
        have in common in one order, nobody waits in a circle. The first error is raised at once: the others end with their links.
        """
        executor = ThreadPoolExecutor(most, thread_name_prefix="unseen-talk")
        try:
            for done in as_completed([executor.submit(conversation) for conversation in conversations]):
                yield done.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
