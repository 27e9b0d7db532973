"""What every link keeps, over TLS, bare TCP or in memory: protocols are tested with the one and run on the other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from link_world import World

from unseen.core.errors import (
    DeniedError,
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
)
from unseen.link import memory
from unseen.link.channel import Link, LinkStats
from unseen.testing import plain


def bare() -> tuple[Link, Link]:
    listener = socket.create_server(("127.0.0.1", 0))
    one = socket.create_connection(listener.getsockname())
    other, _ = listener.accept()
    listener.close()
    made: list[Link] = []
    joining = threading.Thread(target=lambda: made.append(plain.join("b", "a", other, transcript=True)))
    joining.start()
    link = plain.join("a", "b", one, transcript=True)
    joining.join()
    return link, made[0]


MADE = {"memory": lambda: memory.pair("a", "b"), "bare": bare, "tls": lambda: World().links()}


@pytest.fixture(params=MADE)
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Link, Link]]:
    monkeypatch.setattr(plain, "_CLOSE_S", 0.5)  # what nobody takes is not waited for
    a, b = MADE[request.param]()
    yield a, b
    for link in (a, b):
        link.abort("unavailable", None)


Ends = tuple[Link, Link]


def test_names_and_secret(ends: Ends) -> None:
    a, b = ends
    assert (a.me, a.peer, b.me, b.peer) == ("a", "b", "b", "a")
    assert a.secret == b.secret
    assert len(a.secret) == 32


def test_once_in_order_and_unaltered(ends: Ends) -> None:
    a, b = ends
    for number in range(100):
        a.channel("m").send([bytes([number]), b"", bytearray(number)])
    for number in range(100):
        assert bytes(b.channel("m").recv(5)) == bytes([number]) + bytes(number)


def test_received_memory_is_the_receivers(ends: Ends) -> None:
    a, b = ends
    sent = bytearray(b"abc")
    a.channel("m").send([sent])
    got = b.channel("m").recv(5)
    assert isinstance(got, memoryview)
    assert (got.format, got.nbytes) == ("B", 3)
    got[0] = 0
    assert sent == b"abc"


@pytest.mark.parametrize("code", ["d", "i", "Q"])
def test_buffers_of_numbers_are_their_bytes(ends: Ends, code: str) -> None:
    numbers = memoryview(bytes(range(32))).cast(code)
    ends[0].channel("m").send([numbers])
    assert bytes(ends[1].channel("m").recv(5)) == bytes(range(32))


def test_channels_are_told_apart_and_wait_until_they_are_asked_for(ends: Ends) -> None:
    a, b = ends
    a.channel("x").send([b"1"])
    a.channel("y/ä").send([b"2"])
    assert bytes(b.channel("y/ä").recv(5)) == b"2"
    assert bytes(b.channel("x").recv(5)) == b"1"
    assert a.channel("x").name == "x"


def test_all_send_before_anybody_receives(ends: Ends) -> None:
    for link in ends:
        for _ in range(8):
            link.channel("m").send([bytes(1 << 20)])
    for link in ends:
        for _ in range(8):
            assert len(link.channel("m").recv(10)) == 1 << 20


PIECES, PIECE_BYTES = 40, 1 << 20  # more than the sockets of a machine hold


def draining(
    ends: Ends, most_bytes: int, timeout_s: float | None = 60.0
) -> tuple[threading.Thread, list[Any]]:
    """A thread that has sent much and waits until little of it is left, and what came of that."""
    for _ in range(PIECES):
        ends[0].channel("m").send([bytes(PIECE_BYTES)])
    told: list[Any] = []

    def wait() -> None:
        try:
            told.append(ends[0].channel("m").drain(most_bytes, timeout_s))
        except UnseenError as error:
            told.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    return waiting, told


def test_draining_waits_until_the_peer_has_taken_enough(ends: Ends) -> None:
    waiting, told = draining(ends, PIECE_BYTES)
    ends[0].channel("another").drain(0, 5)
    ends[1].channel("m").drain(0, 5)
    waiting.join(0.05)
    assert not told
    for _ in range(PIECES):
        ends[1].channel("m").recv(10)
    waiting.join(60)
    assert told == [None]


def test_draining_goes_on_as_long_as_the_peer_takes_something(ends: Ends) -> None:
    patience_s = 2.0
    waiting, told = draining(ends, 0, patience_s)
    for _ in range(PIECES):
        time.sleep(1.2 * patience_s / PIECES)
        ends[1].channel("m").recv(60)
    waiting.join(60)
    assert told == [None]


def test_two_that_drain_at_once_go_on_if_one_takes(ends: Ends) -> None:
    waiting, told = draining(ends, PIECE_BYTES)
    back, told_back = draining((ends[1], ends[0]), PIECE_BYTES)
    for _ in range(PIECES):
        ends[1].channel("m").recv(10)
    waiting.join(60)
    assert told == [None]
    for _ in range(PIECES):
        ends[0].channel("m").recv(10)
    back.join(60)
    assert told_back == [None]


def test_a_peer_that_takes_nothing_is_named(ends: Ends) -> None:
    waiting, told = draining(ends, PIECE_BYTES, 0.05)
    waiting.join(60)
    assert isinstance(told[0], UnavailableError)
    assert told[0].party == "b"


def test_an_abort_ends_draining(ends: Ends) -> None:
    waiting, told = draining(ends, PIECE_BYTES)
    ends[1].abort("denied", "train")
    waiting.join(60)
    assert isinstance(told[0], UnseenError)
    assert told[0].party == "b"


def test_transcripts_agree_when_all_is_taken_and_not_before(ends: Ends) -> None:
    a, b = ends
    empty = a.transcript()
    assert empty == b.transcript()
    a.channel("m").send([b"one"])
    b.channel("m").send([b"two"])
    assert a.transcript() != b.transcript()
    b.channel("m").recv(5)
    a.channel("m").recv(5)
    assert a.transcript() == b.transcript() != empty


def test_stats_count_payload_and_rounds(ends: Ends) -> None:
    a, b = ends
    for _ in range(3):
        a.channel("m").send([bytes(10), bytes(5)])
        b.channel("m").recv(5)
        b.channel("m").send([b"x"])
        a.channel("m").recv(5)
    stats = a.stats()
    assert isinstance(stats, LinkStats)
    assert (stats.bytes_sent, stats.bytes_received) == (45, 3)
    assert (stats.messages_sent, stats.messages_received, stats.rounds) == (3, 3, 3)
    assert b.stats().rounds == 2


def test_silence_is_an_error_that_names_the_peer(ends: Ends) -> None:
    with pytest.raises(UnavailableError) as caught:
        ends[0].channel("m").recv(0.05)
    assert caught.value.party == "b"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("denied", DeniedError),
        ("protocol-remote", RemoteProtocolError),
        ("never heard of", UnseenError),
        ("", UnseenError),
    ],
)
def test_an_abort_wakes_the_peer_with_class_party_and_step(
    ends: Ends, code: str, kind: type[UnseenError]
) -> None:
    a, b = ends
    caught: list[UnseenError] = []

    def wait() -> None:
        try:
            b.channel("m").recv(10)
        except UnseenError as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    a.abort(code, "train")
    waiting.join(60)
    assert isinstance(caught[0], kind)
    assert (caught[0].party, caught[0].step) == ("a", "train")
    with pytest.raises(UnavailableError):
        a.channel("m").send([b"x"])
    with pytest.raises(UnseenError):
        a.channel("m").recv(1)
    a.abort(code, "again")


def test_what_was_sent_before_an_abort_or_close_can_still_be_read(ends: Ends) -> None:
    a, b = ends
    a.channel("m").send([b"last"])
    threading.Thread(target=a.close).start()
    assert bytes(b.channel("m").recv(5)) == b"last"
    with pytest.raises(UnavailableError) as caught:
        b.channel("m").recv(5)
    assert "closed" in caught.value.what
    assert caught.value.party == "a"


def test_closing_twice_is_no_fault(ends: Ends) -> None:
    for _ in range(2):
        for link in ends:
            link.close()


def test_a_message_beyond_the_limit_is_not_sent(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("memory", "stream", "channel"):
        monkeypatch.setattr(f"unseen.link.{module}.MAX_MESSAGE_BYTES", 100)
    with pytest.raises(LocalProtocolError):
        ends[0].channel("m").send([bytes(60), bytes(41)])
