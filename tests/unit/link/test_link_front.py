"""The front looks at the first bytes of strangers: none of them, whatever it sends, stops it from serving the next."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import UsageError
from unseen.link.front import Front, read_server_name, server_name

NAME = server_name("job/task/1", "a", "b")


def hello(name: str = NAME) -> bytes:
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    machine = ssl.create_default_context().wrap_bio(inward, outward, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        machine.do_handshake()
    return outward.read()


HELLO = hello()


@pytest.fixture
def front() -> Iterator[Front]:
    opened = Front(("127.0.0.1", 0))
    opened.start()
    yield opened
    opened.stop()


def call(front: Front) -> socket.socket:
    return socket.create_connection(front.address, timeout=5.0)


def is_closed(caller: socket.socket) -> bool:
    try:
        return caller.recv(1) == b""
    except ConnectionResetError:
        return True


def reaches(front: Front, data: bytes = HELLO) -> bytes:
    arrived: queue.Queue[socket.socket] = queue.Queue()
    front.register(NAME, arrived.put)
    with call(front) as caller:
        caller.sendall(data)
        with arrived.get(timeout=5.0) as handed:
            handed.settimeout(5.0)
            return handed.recv(1 << 16)


def test_the_socket_is_handed_over_untouched(front: Front) -> None:
    assert reaches(front) == HELLO


@pytest.mark.parametrize(
    "sent",
    [b"", HELLO[:1], HELLO[:4], HELLO[:5], HELLO[:100], HELLO[:-1], b"GET / HTTP/1.1\r\n\r\n"],
    ids=lambda sent: f"{len(sent)} bytes",  # a greeting is another one in every process
)
def test_who_hangs_up_in_the_middle_disturbs_nobody(front: Front, sent: bytes) -> None:
    for _ in range(5):
        with call(front) as caller:
            caller.sendall(sent)
        assert reaches(front) == HELLO


def test_a_greeting_in_pieces_arrives(front: Front) -> None:
    arrived: queue.Queue[socket.socket] = queue.Queue()
    front.register(NAME, arrived.put)
    with call(front) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(HELLO), 97):
            caller.sendall(HELLO[place : place + 97])
            time.sleep(0.002)
        with arrived.get(timeout=5.0) as handed:
            assert handed.recv(1 << 16) == HELLO


def test_a_name_nobody_waits_for_is_closed(front: Front) -> None:
    with call(front) as caller:
        caller.sendall(hello("nobody.unseen"))
        assert is_closed(caller)
    front.register(NAME, lambda sock: sock.close())
    front.unregister(NAME)
    with call(front) as caller:
        caller.sendall(HELLO)
        assert is_closed(caller)


def test_a_receiver_that_fails_does_not_end_the_front(front: Front) -> None:
    def fail(_sock: socket.socket) -> None:
        raise RuntimeError("out of order")

    front.register(NAME, fail)
    with call(front) as caller:
        caller.sendall(HELLO)
        assert is_closed(caller)
    assert reaches(front) == HELLO


def test_a_port_in_use_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="can listen") as raised,
    ):
        Front(taken.getsockname()[:2])
    assert "link.listen" in raised.value.mend


def test_the_name_is_read_and_every_beginning_wants_more() -> None:
    assert read_server_name(HELLO) == NAME
    for size in range(len(HELLO)):
        assert read_server_name(HELLO[:size]) is None


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(HELLO) - 1), st.integers(1, 255))
def test_a_changed_greeting_is_a_name_or_a_refusal(place: int, change: int) -> None:
    data = bytearray(HELLO)
    data[place] ^= change
    try:
        name = read_server_name(bytes(data))
    except ValueError:
        return
    assert name is None or isinstance(name, str)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300))
def test_rubbish_is_refused_or_too_short(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_server_name(b"\x16\x03\x01" + len(data).to_bytes(2, "big") + data)
