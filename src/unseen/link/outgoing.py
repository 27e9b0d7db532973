"""The sending half of a link: queues by channel, credit, numbers, and what is not acknowledged yet. Pure code."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unseen.core.errors import LocalProtocolError
from unseen.link.channel import Buffer
from unseen.link.frames import (
    FIRST,
    HEAD,
    LAST,
    MAX_CHANNELS,
    MESSAGE_COST,
    PIECE_BYTES,
    SIZE,
    FrameError,
    Kind,
    pack,
)

_COPIED_BYTES = 1 << 14


@dataclass(slots=True)
class _Message:
    """What is left to send of one message."""

    size: int
    parts: deque[memoryview]
    begun: bool = False

    def piece(self) -> tuple[list[Buffer], int, int]:
        """The next piece as buffers, without copying large ones; its flags; how many bytes of the message it has."""
        flags, taken, room = 0, list[Buffer](), PIECE_BYTES
        if not self.begun:
            taken.append(SIZE.pack(self.size))
            self.begun, flags = True, FIRST
        while self.parts and room:
            part = self.parts[0]
            taken.append(part[:room])
            if len(part) <= room:
                self.parts.popleft()
            else:
                self.parts[0] = part[room:]
            room -= len(taken[-1])
        return taken, flags | (0 if self.parts else LAST), PIECE_BYTES - room


@dataclass(slots=True)
class _Channel:
    number: int
    limit: int
    sent: int = 0
    waiting: int = 0
    queue: deque[_Message] = field(default_factory=deque)


class Outgoing:
    """See the module. Not thread-safe: the link holds its lock.

    Attributes
    ----------
    window
        The peer's first limit for each channel.
    """

    def __init__(self, window: int = 0) -> None:
        self.window = window
        self._channels: dict[str, _Channel] = {}
        self._by_number: list[_Channel] = []
        self._ready: deque[_Channel] = deque()
        self._control: deque[tuple[Kind, int, bytes]] = deque()
        self._number = 0
        self._unacknowledged: deque[tuple[int, Sequence[Buffer]]] = deque()
        self._acknowledged = 0
        self._closed = False

    @property
    def idle(self) -> bool:
        """Nothing is queued, and all is acknowledged."""
        return not (self._unacknowledged or self.queued)

    @property
    def queued(self) -> bool:
        """Something waits to be sent (perhaps for credit)."""
        return bool(self._control) or any(channel.queue for channel in self._by_number)

    def add(self, name: str, parts: Sequence[Buffer]) -> int:
        """Queue a message; returns its size."""
        channel = self._channels.get(name)
        if channel is None:
            if len(self._by_number) == MAX_CHANNELS:
                raise LocalProtocolError(f"More than {MAX_CHANNELS} channels on one link.")
            channel = self._channels[name] = _Channel(len(self._by_number), self.window)
            self._by_number.append(channel)
            self._control.append((Kind.OPEN, channel.number, name.encode()))
        views = deque(view for part in parts if len(view := memoryview(part).cast("B")))
        size = sum(len(view) for view in views)
        if not channel.queue:
            self._ready.append(channel)
        channel.queue.append(_Message(size, views))
        channel.waiting += size
        return size

    def waiting(self, name: str) -> int:
        """How many bytes of a channel are still to be sent."""
        channel = self._channels.get(name)
        return channel.waiting if channel else 0

    def close(self) -> None:
        """Queue the end, once. It goes out after all data only if the caller waited for :attr:`queued` to be false."""
        if not self._closed:
            self._closed = True
            self._control.append((Kind.CLOSE, 0, b""))

    def next_frame(self) -> Sequence[Buffer] | None:
        """The next frame that may be sent now, as buffers to be written one after another."""
        if self._control:
            kind, number, payload = self._control.popleft()
            return self._numbered([pack(kind, payload, channel=number, number=self._number + 1)])
        for _ in range(len(self._ready)):
            channel = self._ready.popleft()
            if channel.sent < channel.limit:
                return self._data(channel)
            self._ready.append(channel)
        return None

    def _data(self, channel: _Channel) -> Sequence[Buffer]:
        message = channel.queue[0]
        piece, flags, count = message.piece()
        channel.waiting -= count
        channel.sent += count + (MESSAGE_COST if flags & FIRST else 0)
        if flags & LAST:
            channel.queue.popleft()
        if channel.queue:
            self._ready.append(channel)
        size = count + (SIZE.size if flags & FIRST else 0)
        head = HEAD.pack(Kind.DATA, flags, channel.number, size, self._number + 1)
        return self._numbered([b"".join([head, *piece])] if size <= _COPIED_BYTES else [head, *piece])

    def _numbered(self, frame: Sequence[Buffer]) -> Sequence[Buffer]:
        self._number += 1
        self._unacknowledged.append((self._number, frame))
        return frame

    def acknowledge(self, number: int, limits: Iterator[tuple[int, int]]) -> None:
        """The peer has taken in everything up to `number`, and gives credit.

        Raises
        ------
        FrameError
            A frame that was not sent is acknowledged, or a channel that was not opened gets credit.
        """
        if not self._acknowledged <= number <= self._number:
            raise FrameError(f"frame {number} is acknowledged, {self._number} were sent")
        self._acknowledged = number
        while self._unacknowledged and self._unacknowledged[0][0] <= number:
            self._unacknowledged.popleft()
        for place, limit in limits:
            if place >= len(self._by_number):
                raise FrameError(f"credit for channel {place}, which is not open")
            self._by_number[place].limit = max(self._by_number[place].limit, limit)

    def again(self, received: int) -> list[Sequence[Buffer]]:
        """Frames to send again on a new connection, to a peer that has taken in everything up to `received`.

        Raises
        ------
        FrameError
            The peer forgot what it acknowledged, or knows what was never sent.
        """
        self.acknowledge(received, iter(()))
        return [frame for _, frame in self._unacknowledged]
