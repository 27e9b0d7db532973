"""What a party keeps on its disk from one task to another, besides outputs: stocks of randomness made ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Drawn:
    """One run that was taken from a stock: its number, how many are left, and what was asked for when it had not enough."""

    stock: str
    run: int
    runs_left: int
    unmet: Callable[[], int]


def _nowhere(_drawn: Drawn) -> None:
    """Where no log is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of this party with a folder for each peer, the key that seals what is in it, and what the task took of it.

    Attributes
    ----------
    taken
        Peer -> stock -> the last of its runs that was taken, as logs outside of the folder say.
    note
        Writes into such a log what is about to be used; it is there when this returns.
    """

    folder: Path
    key: bytes = field(repr=False)
    taken: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    note: Callable[[Drawn], None] = _nowhere
    drawn: list[Drawn] = field(default_factory=list)
