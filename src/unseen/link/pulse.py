"""Signs of life: a party that waits, or computes, still says every half second that it is there.

When a task stops, everybody waits for somebody: b for the helper, a for b. Who is at fault is whoever says nothing at
all, not whoever has no answer yet; so each end of a link notes when it last heard anything of the other.
"""

from __future__ import annotations

import time

BEAT_S = 0.5


class Pulse:
    """When this end was last heard of, and when it last heard. The link's lock guards it."""

    def __init__(self) -> None:
        self._heard = self._beaten = time.monotonic()

    def hear(self) -> None:
        """Something came of the other end."""
        self._heard = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to say that we are here; the answer yes is for who does so."""
        now = time.monotonic()
        if now - self._beaten < BEAT_S:
            return False
        self._beaten = now
        return True

    @property
    def silent_s(self) -> float:
        """For how long nothing at all has come of the other end."""
        return time.monotonic() - self._heard
