"""The receiving half of a link: numbers checked, messages put together, credit given. Pure code."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from unseen.link.channel import MAX_MESSAGE_BYTES
from unseen.link.frames import (
    FIRST,
    LAST,
    LIMIT,
    MAX_CHANNELS,
    MESSAGE_COST,
    SIZE,
    Frame,
    FrameError,
    Kind,
    pack,
)

_ACK_FRAMES = 16


@dataclass(slots=True)
class Inbox:
    """One channel as its receiver sees it.

    Attributes
    ----------
    messages
        Complete messages that the program has not taken yet.
    waiting
        How many threads of the program wait for a message.
    growing, expected
        The message that is coming in, and how long it will be.
    received, taken, granted
        What came in, what the program took, and the last limit we gave, all counted from the beginning.
    """

    name: str
    number: int | None = None
    messages: deque[bytearray] = field(default_factory=deque)
    waiting: int = 0
    growing: bytearray | None = None
    expected: int = 0
    received: int = 0
    taken: int = 0
    granted: int = 0

    def limit(self, window: int) -> int:
        """How much may have come in all: a window beyond what was taken, or the message that is waited for."""
        return max(self.taken + window, self._end_of_wanted())

    def starves(self) -> bool:
        """Whether the program waits for a message that the last limit does not let through."""
        return self.granted < self._end_of_wanted()

    def _end_of_wanted(self) -> int:
        if not self.waiting or self.growing is None or self.messages:
            return 0
        return self.taken + self.expected + MESSAGE_COST


class Incoming:
    """See the module. Not thread-safe: the link holds its lock."""

    def __init__(self, window_bytes: int) -> None:
        self._window = window_bytes
        self._by_name: dict[str, Inbox] = {}
        self._by_number: list[Inbox] = []
        self.number = 0
        self.closed = False
        self._acknowledged = 0

    def inbox(self, name: str) -> Inbox:
        """The channel of that name, whether the peer has opened it yet or not."""
        box = self._by_name.get(name)
        if box is None:
            box = self._by_name[name] = Inbox(name)
        return box

    def take(self, frame: Frame) -> None:
        """Take in a numbered frame.

        Raises
        ------
        FrameError
            Its number is not the next; it breaks the rules of its channel; the credit is overdrawn.
        """
        if frame.number != self.number + 1:
            raise FrameError(f"frame {frame.number} after frame {self.number}")
        if self.closed:
            raise FrameError("a frame after the end")
        self.number = frame.number
        if frame.kind == Kind.OPEN:
            self._open(frame)
        elif frame.kind == Kind.DATA:
            self._data(frame)
        else:
            self.closed = True

    def _open(self, frame: Frame) -> None:
        name = bytes(frame.payload).decode(errors="strict")
        if frame.channel != len(self._by_number) or frame.channel >= MAX_CHANNELS:
            raise FrameError(f"channel {frame.channel} is opened after {len(self._by_number)} channels")
        box = self.inbox(name)
        if box.number is not None:
            raise FrameError("a channel is opened twice")
        box.number, box.granted = frame.channel, self._window
        self._by_number.append(box)

    def _data(self, frame: Frame) -> None:
        if frame.channel >= len(self._by_number):
            raise FrameError(f"data for channel {frame.channel}, which is not open")
        box, payload = self._by_number[frame.channel], frame.payload
        cost = 0
        if bool(frame.flags & FIRST) != (box.growing is None):
            raise FrameError("a piece that does not follow the one before")
        if box.growing is None:
            if len(payload) < SIZE.size:
                raise FrameError("a first piece without size")
            (box.expected,) = SIZE.unpack_from(payload)
            if box.expected > MAX_MESSAGE_BYTES:
                raise FrameError(f"a message of {box.expected} bytes")
            payload, box.growing = payload[SIZE.size :], bytearray()
            cost = MESSAGE_COST
        elif not payload:
            raise FrameError("an empty piece in the middle of a message")
        if box.received >= box.granted:
            raise FrameError("more data than there was room for")
        box.growing += payload
        box.received += cost + len(payload)
        brought = len(box.growing)
        if brought > box.expected or (brought == box.expected) != bool(frame.flags & LAST):
            raise FrameError(f"a message of {box.expected} bytes brings {brought}")
        if frame.flags & LAST:
            box.messages.append(box.growing)
            box.growing = None

    def pop(self, box: Inbox) -> bytearray:
        """The next message of a channel, which must have one."""
        message = box.messages.popleft()
        box.taken += len(message) + MESSAGE_COST
        return message

    def ack(self, *, force: bool = False) -> bytes | None:
        """An acknowledgement, if it is time for one: many frames, much new credit, or credit that is waited for."""
        grants = []
        for box in self._by_number:
            limit = box.limit(self._window)
            if limit - box.granted >= self._window // 2 or box.starves() or (force and limit > box.granted):
                grants.append(LIMIT.pack(box.number or 0, limit))
                box.granted = limit
        if not (force or grants or self.number - self._acknowledged >= _ACK_FRAMES):
            return None
        self._acknowledged = self.number
        return pack(Kind.ACK, b"".join(grants), number=self.number)

    @property
    def owes(self) -> bool:
        """Whether there is something to acknowledge at all."""
        return self.number > self._acknowledged

    def standing(self) -> bytes:
        """An acknowledgement with all limits, for a new connection."""
        self._acknowledged = self.number
        grants = [LIMIT.pack(box.number or 0, box.granted) for box in self._by_number]
        return pack(Kind.ACK, b"".join(grants), number=self.number)
