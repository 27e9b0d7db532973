"""Frames: whatever is cut up comes together again, whatever is wrong is an error and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.link.frames import Frame, FrameError, Kind, Parser, limits, pack, unpack_abort, unpack_hello
from unseen.link.incoming import Incoming
from unseen.link.outgoing import Outgoing


def feed(parser: Parser, data: bytes | memoryview) -> Iterator[Frame]:
    """Give the parser bytes as a connection does; frames are valid until the next one is asked for."""
    data = memoryview(data)
    while data:
        room = parser.room()
        count = min(len(room), len(data))
        room[:count], data = data[:count], data[count:]
        yield from parser.frames(count)


FRAMES = st.lists(
    st.tuples(
        st.sampled_from([Kind.DATA, Kind.HELLO, Kind.ABORT]), st.binary(max_size=300), st.integers(0, 1 << 60)
    ),
    max_size=6,
)


@given(FRAMES, st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_any_cutting_gives_the_same_frames(frames, cuts) -> None:
    stream = b"".join(pack(kind, payload, number=number) for kind, payload, number in frames)
    parser, got, at = Parser(), [], 0
    for cut in [*cuts, len(stream)]:
        got += [(f.kind, bytes(f.payload), f.number) for f in feed(parser, stream[at : at + cut])]
        at += cut
    assert got == frames


@given(st.binary(max_size=400))
def test_rubbish_is_refused_or_waited_for(data: bytes) -> None:
    try:
        for frame in feed(Parser(), data):
            for reader in (unpack_hello, unpack_abort):
                with pytest.raises(FrameError):
                    reader(frame)
            list(limits(frame.payload))
    except FrameError:
        return


def transfer(outgoing: Outgoing, incoming: Incoming, limit: int | None = None) -> int:
    """Move frames until there is none to be sent."""
    parser, moved = Parser(), 0
    while (limit is None or moved < limit) and (buffers := outgoing.next_frame()) is not None:
        for buffer in buffers:
            for frame in feed(parser, memoryview(buffer)):
                incoming.take(frame)
        moved += 1
    return moved


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.binary(max_size=3000)), max_size=20))
def test_messages_arrive_in_order_on_their_channels(messages) -> None:
    outgoing, incoming = Outgoing(window=1 << 20), Incoming(1 << 20)
    for name, content in messages:
        outgoing.add(name, [content[:10], content[10:]])
    transfer(outgoing, incoming)
    for channel in "xyz":
        box = incoming.inbox(channel)
        expected = [content for name, content in messages if name == channel]
        assert [bytes(incoming.pop(box)) for _ in expected] == expected
        assert not box.messages


def test_no_more_than_the_window_goes_out_without_credit() -> None:
    window = 1 << 16
    outgoing, incoming = Outgoing(window=window), Incoming(window)
    for _ in range(40):
        outgoing.add("m", [bytes(10_000)])
    transfer(outgoing, incoming)
    box = incoming.inbox("m")
    assert window <= box.received <= window + 10_000
    assert outgoing.queued
    while box.messages:
        incoming.pop(box)
    ack = incoming.ack()
    assert ack is not None
    (frame,) = feed(Parser(), ack)
    outgoing.acknowledge(frame.number, limits(frame.payload))
    assert transfer(outgoing, incoming) > 0


def test_what_was_not_acknowledged_is_sent_again() -> None:
    outgoing, incoming = Outgoing(window=1 << 20), Incoming(1 << 20)
    for number in range(5):
        outgoing.add("m", [bytes([number])])
    transfer(outgoing, incoming, limit=3)  # the channel and two messages
    while outgoing.next_frame() is not None:
        pass  # lost on the way
    parser = Parser()
    for buffers in outgoing.again(incoming.number):
        for buffer in buffers:
            for frame in feed(parser, memoryview(buffer)):
                incoming.take(frame)
    box = incoming.inbox("m")
    assert [bytes(incoming.pop(box)) for _ in range(5)] == [bytes([number]) for number in range(5)]
    assert outgoing.again(incoming.number) == []
    assert outgoing.idle


@pytest.mark.parametrize("received", [-1, 99])
def test_a_peer_that_forgot_or_knows_too_much_is_refused(received: int) -> None:
    outgoing = Outgoing(window=1 << 20)
    outgoing.add("m", [b"x"])
    outgoing.next_frame()
    with pytest.raises(FrameError):
        outgoing.again(received)
