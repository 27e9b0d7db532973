"""A party that dies while it stores a checkpoint, and comes back with what was on its disk."""

from __future__ import annotations

from typing import Literal

from unseen.core.errors import UnavailableError
from unseen.party import MemoryJournal

When = Literal["before", "after"]


class DyingJournal(MemoryJournal):
    """The disk of such a party. The same object serves all attempts; :meth:`next_attempt` begins another."""

    def __init__(self) -> None:
        super().__init__()
        self._dies: tuple[int, When] | None = None
        self._stored = 0

    @property
    def kept(self) -> dict[int, bytes]:
        """Slot -> the checkpoint there; what is taken out is lost."""
        return self._checkpoints

    def next_attempt(self, dies: tuple[int, When] | None = None) -> None:
        """Die before or after storing the nth checkpoint of it; or not."""
        self._dies, self._stored = dies, 0

    def store_checkpoint(self, slot: int, data: bytes) -> None:
        """Store, if alive."""
        self._stored += 1
        nth, when = self._dies or (0, "after")
        if self._stored == nth and when == "before":
            raise UnavailableError("This party died.")
        super().store_checkpoint(slot, data)
        if self._stored == nth:
            raise UnavailableError("This party died.")
