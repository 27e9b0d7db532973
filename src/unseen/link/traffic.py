"""Counting what goes over a link."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.link.channel import LinkStats
from unseen.link.tls import TlsConnection


@dataclass(slots=True)
class Traffic:
    """Counters of one end of a link. Not thread-safe: the link holds its lock."""

    bytes_sent: int = 0
    bytes_received: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    rounds: int = 0
    _wire_sent: int = 0
    _wire_received: int = 0
    _turned: bool = False

    def sent(self, count: int) -> None:
        """A message of `count` bytes was sent."""
        self.bytes_sent += count
        self.messages_sent += 1
        self._turned = True

    def waits(self) -> None:
        """The program wants a message: a round, if it has sent one since the last time."""
        self.rounds += self._turned
        self._turned = False

    def received(self, count: int) -> None:
        """A message of `count` bytes was taken."""
        self.bytes_received += count
        self.messages_received += 1

    def over(self, connection: TlsConnection) -> None:
        """That connection ended."""
        self._wire_sent += connection.bytes_sent
        self._wire_received += connection.bytes_received

    def stats(self, connection: TlsConnection | None) -> LinkStats:
        """Everything so far, `connection` being the one of now."""
        return LinkStats(
            self.bytes_sent,
            self.bytes_received,
            self.messages_sent,
            self.messages_received,
            self.rounds,
            self._wire_sent + (connection.bytes_sent if connection else 0),
            self._wire_received + (connection.bytes_received if connection else 0),
        )
