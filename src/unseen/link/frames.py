"""Frames: what two ends of a link write to each other inside TLS. Pure code: bytes in, frames out.

Every frame has a head of 16 bytes: kind, flags, channel number, size of what follows, number. *Numbered* frames
(open, data, close) count up by one over the whole life of the link, across connections: a number that comes again, or
that leaves one out, is an error. The others say something about a moment (hello, acknowledge, abort).

=======  ==========  =============================================================
kind     numbered    payload
=======  ==========  =============================================================
hello    no          msgpack of :class:`Hello`; first on every connection
open     yes         name of a channel of the sender, which from now on has this number
data     yes         piece of a message; the first piece begins with its whole size (u64)
ack      no          number = last numbered frame taken in; then (channel u16, limit u64) pairs
abort    no          msgpack of :class:`Abort`; last on the link
close    yes         nothing; the sender will send no more data
=======  ==========  =============================================================

A *limit* is how much of a channel the receiver is ready to have taken in all, so it may be said again. A message counts
as its bytes and :data:`MESSAGE_COST`: else a peer could fill the memory with empty ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import msgspec

WIRE_VERSIONS = (1,)
HEAD = struct.Struct(">BBHIQ")
SIZE = struct.Struct(">Q")
LIMIT = struct.Struct(">HQ")
PIECE_BYTES = 1 << 16
MESSAGE_COST = 64
MAX_CHANNELS = 256
MAX_NAME_BYTES = 400
_MAX_CONTROL_BYTES = 1 << 14
_Text = Annotated[str, msgspec.Meta(max_length=200)]


class Kind(IntEnum):
    """See the module."""

    HELLO = 1
    OPEN = 2
    DATA = 3
    ACK = 4
    ABORT = 5
    CLOSE = 6


FIRST, LAST = 1, 2
NUMBERED = frozenset({Kind.OPEN, Kind.DATA, Kind.CLOSE})
_MOST = {
    Kind.HELLO: _MAX_CONTROL_BYTES,
    Kind.OPEN: MAX_NAME_BYTES,
    Kind.DATA: PIECE_BYTES + SIZE.size,
    Kind.ACK: LIMIT.size * MAX_CHANNELS,
    Kind.ABORT: _MAX_CONTROL_BYTES,
    Kind.CLOSE: 0,
}
_LONGEST = HEAD.size + max(_MOST.values())
_ROOM_BYTES = 1 << 18


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First frame of each end on each connection.

    Attributes
    ----------
    clock
        Seconds since 1970 at the sender.
    session
        32 random bytes, drawn once by each end for the life of the link.
    knows
        The other's `session`, or empty on the first connection.
    received
        Number of the last numbered frame that the sender took in.
    window
        First limit of every channel towards the sender.
    """

    versions: tuple[int, ...]
    party: str
    peer: str
    scope: str
    clock: float
    session: bytes
    knows: bytes
    received: int
    window: Annotated[int, msgspec.Meta(ge=1)]


class Abort(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The sender failed: class of its error, the step, and the party that it says failed before; "" where it is the first."""

    code: _Text
    step: _Text | None
    cause: _Text = ""


class FrameError(ValueError):
    """What came is no frame, or not one that may come now."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame taken apart. The payload is a view that holds until the parser gives room again: copy what you keep."""

    kind: Kind
    flags: int
    channel: int
    number: int
    payload: memoryview


def pack(kind: Kind, payload: bytes = b"", *, flags: int = 0, channel: int = 0, number: int = 0) -> bytes:
    """Bytes of a frame."""
    return HEAD.pack(kind, flags, channel, len(payload), number) + payload


class Parser:
    """Cuts a stream of bytes into frames; the bytes are written right into its buffer. Not thread-safe."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_ROOM_BYTES + _LONGEST))
        self._start = self._end = 0

    def room(self) -> memoryview:
        """Where to write what comes next; frames taken before are gone."""
        rest = self._end - self._start
        self._buffer[:rest] = self._buffer[self._start : self._end]
        self._start, self._end = 0, rest
        return self._buffer[rest:]

    def frames(self, count: int) -> Iterator[Frame]:
        """Frames that are complete now that `count` more bytes lie in :meth:`room`.

        Raises
        ------
        FrameError
            An unknown kind, or a size that no frame of that kind has: before the payload is waited for.
        """
        self._end += count
        while self._end - self._start >= HEAD.size:
            kind, flags, channel, size, number = HEAD.unpack_from(self._buffer, self._start)
            if kind not in _MOST or size > _MOST[kind]:
                raise FrameError(f"a frame of kind {kind} with {size} bytes")
            begin = self._start + HEAD.size
            if self._end - begin < size:
                return
            self._start = begin + size
            yield Frame(Kind(kind), flags, channel, number, self._buffer[begin : begin + size])


def limits(payload: memoryview) -> Iterator[tuple[int, int]]:
    """(channel, limit) pairs of an ack.

    Raises
    ------
    FrameError
        Its size is not a multiple of a pair's.
    """
    if len(payload) % LIMIT.size:
        raise FrameError("an acknowledgement of a broken size")
    yield from LIMIT.iter_unpack(payload)


def unpack_hello(frame: Frame) -> Hello:
    """The greeting in a frame.

    Raises
    ------
    FrameError
        It is none.
    """
    if frame.kind != Kind.HELLO:
        raise FrameError(f"a frame of kind {frame.kind.name.lower()} before the greeting")
    try:
        return msgspec.msgpack.decode(frame.payload, type=Hello)
    except msgspec.DecodeError as error:
        raise FrameError(str(error)) from error


def unpack_abort(frame: Frame) -> Abort:
    """The failure in a frame.

    Raises
    ------
    FrameError
        It is none.
    """
    try:
        return msgspec.msgpack.decode(frame.payload, type=Abort)
    except msgspec.DecodeError as error:
        raise FrameError(str(error)) from error
