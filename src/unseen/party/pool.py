"""The only way to spread local work: `party.pool.map`, and `aside` for what can go on beside the rest.

Threads by default: kernels release the GIL. A cluster pool can take its place because work items are plain
function calls on values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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
