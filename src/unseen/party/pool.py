"""The only way to spread local work: `party.pool.map`.

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
