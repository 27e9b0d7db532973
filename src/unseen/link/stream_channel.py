"""A channel of a link over TLS: the part of the link that a protocol holds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unseen.link.channel import Buffer

if TYPE_CHECKING:
    from unseen.link.stream import StreamLink


class StreamChannel:
    """See :class:`unseen.link.channel.Channel`."""

    def __init__(self, link: StreamLink, name: str) -> None:
        self._link = link
        self.name = name
        self._order = threading.Lock()

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        views = [memoryview(part).cast("B") for part in parts if memoryview(part).nbytes]
        with self._order:
            self._link.transcribe(self.name, self._link.me, views)
            self._link.send(self.name, views)

    def drain(self, most_bytes: int, timeout_s: float | None = None) -> None:
        """Wait until little is left to go out."""
        self._link.drain(self.name, most_bytes, timeout_s)

    def recv(self, timeout_s: float | None = None) -> memoryview:
        """The next message."""
        message = self._link.recv(self.name, timeout_s)
        self._link.transcribe(self.name, self._link.peer, [message])
        return memoryview(message)
