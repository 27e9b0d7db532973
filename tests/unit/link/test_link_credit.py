"""Credit: whatever the sizes and windows, data flow as long as somebody takes it, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError
from unseen.link.frames import (
    MAX_CHANNELS,
    MESSAGE_COST,
    PIECE_BYTES,
    Frame,
    FrameError,
    Kind,
    Parser,
    limits,
    pack,
)
from unseen.link.incoming import Incoming
from unseen.link.outgoing import Outgoing


class Pair:
    """A sender and a receiver with nothing but memory between them."""

    def __init__(self, window: int) -> None:
        self.outgoing, self.incoming = Outgoing(window=window), Incoming(window)
        self.window = window

    def move(self) -> int:
        """Move frames until none may be sent, and an acknowledgement back if one is due; how many frames."""
        moved = 0
        while (buffers := self.outgoing.next_frame()) is not None:
            parser = Parser()
            data = b"".join(bytes(buffer) for buffer in buffers)
            parser.room()[: len(data)] = data
            for frame in parser.frames(len(data)):
                self.incoming.take(frame)
            moved += 1
        if ack := self.incoming.ack():
            parser = Parser()
            parser.room()[: len(ack)] = ack
            for frame in parser.frames(len(ack)):
                self.outgoing.acknowledge(frame.number, limits(frame.payload))
        return moved

    def take(self, name: str) -> bytes:
        """What `recv` does; fails if it would wait for ever."""
        box = self.incoming.inbox(name)
        box.waiting += 1
        idle = 0
        while not box.messages:
            idle = 0 if self.move() else idle + 1
            assert idle < 3, "sender and receiver wait for each other"
        box.waiting -= 1
        return bytes(self.incoming.pop(box))


SIZES = st.one_of(
    st.integers(0, 200),
    st.sampled_from([PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, (1 << 17) + 100, 300_000]),
    st.integers(0, 400_000),
)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300_000), st.lists(st.tuples(st.sampled_from("xy"), SIZES), max_size=12), st.booleans())
def test_nobody_waits_for_ever(window: int, messages: list[tuple[str, int]], ahead: bool) -> None:
    pair = Pair(window)
    for name, size in messages:
        pair.outgoing.add(name, [bytes([size % 251]) * size])
    if ahead:
        pair.move()
    for name in "yx":
        for other, size in messages:
            if other == name:
                assert pair.take(name) == bytes([size % 251]) * size
    pair.move()
    assert not pair.outgoing.queued


@pytest.mark.parametrize("window", [1 << 16, 1 << 20])
@pytest.mark.parametrize("beyond", [-1, 0, 1, 100])
def test_a_message_just_beyond_the_window(window: int, beyond: int) -> None:
    pair = Pair(window)
    pair.outgoing.add("m", [bytes(window + beyond)])
    assert len(pair.take("m")) == window + beyond


def test_a_message_that_what_is_left_of_the_credit_does_not_cover() -> None:
    pair = Pair(1 << 20)
    pair.outgoing.add("m", [bytes(400_000)])
    pair.outgoing.add("m", [bytes(900_000)])
    assert len(pair.take("m")) == 400_000
    assert len(pair.take("m")) == 900_000


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 1 << 18), st.lists(st.integers(0, 5000), max_size=200))
def test_what_is_not_taken_stays_below_the_window(window: int, sizes: list[int]) -> None:
    pair = Pair(window)
    for size in sizes:
        pair.outgoing.add("m", [bytes(size)])
    for _ in range(5):
        pair.move()
    box = pair.incoming.inbox("m")
    assert box.received <= window + MESSAGE_COST + PIECE_BYTES
    assert len(box.messages) <= window // MESSAGE_COST + 1


def test_empty_messages_cost_credit() -> None:
    pair = Pair(1 << 16)
    for _ in range(5000):
        pair.outgoing.add("m", [b""])
    pair.move()
    assert len(pair.incoming.inbox("m").messages) == (1 << 16) // MESSAGE_COST
    for _ in range(5000):
        assert pair.take("m") == b""


def frames(count: int) -> list[Frame]:
    """Frames that a sender really writes: a channel, messages of one and of several pieces, the end."""
    outgoing = Outgoing(window=1 << 30)
    for number in range(count):
        outgoing.add("m", [bytes([number]) * (10 if number % 2 else PIECE_BYTES + 10)])
    written = list(iter(outgoing.next_frame, None))
    outgoing.close()
    written += list(iter(outgoing.next_frame, None))
    found = []
    for buffers in written:
        parser, data = Parser(), b"".join(bytes(buffer) for buffer in buffers)
        parser.room()[: len(data)] = data
        found += [
            Frame(f.kind, f.flags, f.channel, f.number, memoryview(bytes(f.payload)))
            for f in parser.frames(len(data))
        ]
    return found


REAL = frames(6)


@given(st.integers(0, len(REAL) - 2), st.sampled_from(["drop", "repeat", "swap"]))
def test_a_frame_dropped_repeated_or_swapped_is_refused(place: int, deed: str) -> None:
    attacked = list(REAL)
    if deed == "drop":
        del attacked[place]
    elif deed == "repeat":
        attacked.insert(place, attacked[place])
    else:
        attacked[place], attacked[place + 1] = attacked[place + 1], attacked[place]
    incoming = Incoming(1 << 30)

    def take_all() -> None:
        for frame in attacked:
            incoming.take(frame)

    with pytest.raises(FrameError):
        take_all()


@settings(max_examples=200)
@given(
    st.integers(0, len(REAL) - 1),
    st.sampled_from([Kind.OPEN, Kind.DATA, Kind.CLOSE]),
    st.integers(0, 255),
    st.integers(0, 3),
    st.binary(max_size=40),
)
def test_a_forged_frame_in_the_right_place_is_taken_or_refused_never_worse(
    place: int, kind: Kind, flags: int, channel: int, payload: bytes
) -> None:
    incoming = Incoming(1 << 20)
    for frame in REAL[:place]:
        incoming.take(frame)
    try:
        incoming.take(Frame(kind, flags, channel, place + 1, memoryview(payload)))
    except (FrameError, UnicodeDecodeError):
        return
    for box in incoming._by_number:
        assert all(len(message) <= len(payload) or place > 1 for message in box.messages)


def test_an_empty_piece_in_the_middle_is_refused() -> None:
    incoming = Incoming(1 << 20)
    incoming.take(Frame(Kind.OPEN, 0, 0, 1, memoryview(b"m")))
    incoming.take(Frame(Kind.DATA, 1, 0, 2, memoryview((5).to_bytes(8, "big") + b"ab")))
    with pytest.raises(FrameError, match="empty piece"):
        incoming.take(Frame(Kind.DATA, 0, 0, 3, memoryview(b"")))


def test_too_many_channels_are_refused() -> None:
    incoming = Incoming(1 << 20)
    for number in range(MAX_CHANNELS):
        incoming.take(Frame(Kind.OPEN, 0, number, number + 1, memoryview(str(number).encode())))
    with pytest.raises(FrameError, match=str(MAX_CHANNELS)):
        incoming.take(Frame(Kind.OPEN, 0, MAX_CHANNELS, MAX_CHANNELS + 1, memoryview(b"one more")))


@given(st.integers(0, 70000), st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 1 << 63)), max_size=4))
def test_false_acknowledgements_are_refused(number: int, credit: list[tuple[int, int]]) -> None:
    outgoing = Outgoing(window=100)
    outgoing.add("m", [b"x"])
    sent = 0
    while outgoing.next_frame() is not None:
        sent += 1
    if number <= sent and all(place == 0 for place, _ in credit):
        outgoing.acknowledge(number, iter(credit))
        assert len(outgoing.again(number)) == sent - number
        return
    with pytest.raises(FrameError):
        outgoing.acknowledge(number, iter(credit))


def test_a_sender_does_not_open_too_many_channels() -> None:
    outgoing = Outgoing(window=1 << 20)
    for number in range(MAX_CHANNELS):
        outgoing.add(str(number), [b""])
    with pytest.raises(LocalProtocolError, match="channels"):
        outgoing.add("one more", [b""])


def test_the_end_is_said_once() -> None:
    outgoing = Outgoing(window=1 << 20)
    outgoing.close()
    outgoing.close()
    assert outgoing.next_frame() is not None
    assert outgoing.next_frame() is None


def test_an_announced_size_beyond_the_kind_is_refused_before_it_is_waited_for() -> None:
    head = pack(Kind.OPEN)[:4] + (401).to_bytes(4, "big") + bytes(8)
    parser = Parser()
    parser.room()[: len(head)] = head
    with pytest.raises(FrameError, match="401"):
        list(parser.frames(len(head)))
