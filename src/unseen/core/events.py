"""Progress: what a running piece of work tells whoever watches it. Never carries data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One observation of one task.

    `done` and `total` count units of work (rounds, batches, partitions); `note` is plain words.
    """

    step: str
    done: int
    total: int
    note: str = ""

    def to_dict(self) -> dict[str, str | int]:
        """JSON form."""
        return asdict(self)


ProgressSink = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Watch nothing."""
