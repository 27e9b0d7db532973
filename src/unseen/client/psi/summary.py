"""What a run was: times, bytes, protocol, trust, and what was learnt."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """One side's account.

    Attributes
    ----------
    matched
        Common ids; None where this side does not learn the result.
    seconds
        By phase: read, meet (waiting for the other side), agree, intersect, write.
    """

    me: str
    protocol: str
    reason: str
    security: str
    assumption: str
    trust: str
    learned: dict[str, str]
    leaks: str
    rows: int
    ids: int
    peer_ids: int
    matched: int | None
    written: int | None
    output: str | None
    partitions: int
    resumed_at: int
    seconds: dict[str, float]
    bytes_sent: int
    bytes_received: int
    wire_bytes_sent: int
    wire_bytes_received: int
    rounds: int
    peak_memory_bytes: int
    agreement: str

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


@dataclass(slots=True)
class Clock:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what is inside; a phase that comes again adds up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) << 10
