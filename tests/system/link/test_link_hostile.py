"""A link among strangers, broken lines and lying peers: an error or no change, never a hang."""

from __future__ import annotations

import contextlib
import gc
import math
import queue
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from link_world import World

from unseen.core.errors import (
    DeniedError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    VerificationError,
)
from unseen.link import connect, greeting
from unseen.link.frames import Hello, Kind, pack
from unseen.link.greeting import Greeted


@pytest.fixture
def world() -> World:
    return World()


# ---------------------------------------------------------------- strangers


def test_a_stranger_at_the_door_does_not_end_a_link(world: World) -> None:
    a, b = world.links()
    for knock in (speak_rubbish, greet_without_certificate, hang_up, greet_with_a_strange_certificate):
        one, other = socket.socketpair()
        threading.Thread(target=knock, args=(one,), daemon=True).start()
        world.cable._waiting["b"].put(other)
    world.cable.cut()
    a.channel("m").send([b"still here"])
    assert bytes(b.channel("m").recv(10)) == b"still here"
    world.both(a.close, b.close)


def test_a_stranger_who_comes_first_does_not_end_the_first_meeting(world: World) -> None:
    one, other = socket.socketpair()
    threading.Thread(target=greet_without_certificate, args=(one,), daemon=True).start()
    world.cable._waiting["b"].put(other)
    a, b = world.links()
    world.both(a.close, b.close)


def speak_rubbish(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.sendall(b"\x16\x03\x01\x02\x00" + bytes(700))
        sock.recv(1)


def hang_up(sock: socket.socket) -> None:
    sock.close()


def greet_without_certificate(sock: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError):
        context.wrap_socket(sock, server_hostname="x").recv(1)


def greet_with_a_strange_certificate(sock: socket.socket) -> None:
    """Another organisation's true certificate, for another party."""

    class Once:
        def next(self, timeout_s: float) -> socket.socket:
            return sock

    stranger = World()
    stranger.cable.source = lambda _name: Once()  # type: ignore[method-assign]
    with contextlib.suppress(UnseenError):
        stranger.open("a", connect_s=2.0)


def test_a_party_that_is_refused_hears_so(world: World) -> None:
    stranger = World()
    stranger.cable = world.cable
    stranger.keys["b"] = world.keys["b"]
    one, other = world.both(lambda: stranger.open("a", connect_s=5.0), lambda: world.open("b", connect_s=1.0))
    assert isinstance(one, RemoteProtocolError)
    assert "does not take us for a" in one.what
    assert isinstance(other, RemoteProtocolError)
    assert "cannot prove to be a" in other.what


def test_nobody_comes(world: World) -> None:
    start = time.monotonic()
    with pytest.raises(UnavailableError):
        world.open("b", connect_s=0.3)
    assert time.monotonic() - start < 3


def test_somebody_who_says_nothing_costs_no_more_than_the_time_given(world: World) -> None:
    _, other = socket.socketpair()
    world.cable._waiting["b"].put(other)
    start = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        world.open("b", connect_s=0.5)
    assert time.monotonic() - start < 3
    assert "no answer" in caught.value.why


def test_failed_meetings_leave_no_handles(world: World) -> None:
    def handles() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    gc.collect()
    before = handles()
    for _ in range(5):
        with pytest.raises(UnavailableError):
            world.open("b", connect_s=0.02)
    assert handles() <= before


def test_ended_links_leave_no_handles_and_no_threads(world: World) -> None:
    world.both(*(link.close for link in world.links()))
    world.cable.cut()
    handles, threads = len(list(Path("/dev/fd").iterdir())), threading.active_count()
    for _ in range(3):
        a, b = world.links()
        world.both(a.close, b.close)
        world.cable.cut()

    def left() -> tuple[int, int]:
        return len(list(Path("/dev/fd").iterdir())), threading.active_count()

    deadline = time.monotonic() + 60
    while (left()[0] > handles or left()[1] > threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left()[0] <= handles
    assert left()[1] <= threads


# ---------------------------------------------------------------- the greeting


def changed(**fields: Any):
    def change(hello: Hello) -> Hello:
        return Hello(**{**{name: getattr(hello, name) for name in hello.__struct_fields__}, **fields})

    return change


LIES = {
    "no common version": (changed(versions=(99,)), RemoteProtocolError, "no version"),
    "no version at all": (changed(versions=()), RemoteProtocolError, "no version"),
    "another party": (changed(party="c"), RemoteProtocolError, "something else"),
    "looks for another": (changed(peer="c"), RemoteProtocolError, "something else"),
    "another scope": (changed(scope="job-1/train/2"), RemoteProtocolError, "something else"),
    "clock ahead": (changed(clock=time.time() + 1e6), VerificationError, "clocks"),
    "clock behind": (changed(clock=0.0), VerificationError, "clocks"),
    "clock that is no number": (changed(clock=math.nan), VerificationError, "clocks"),
    "clock infinite": (changed(clock=math.inf), VerificationError, "clocks"),
    "short session": (changed(session=b"short"), RemoteProtocolError, "another beginning"),
    "knows another link": (changed(knows=bytes(32)), RemoteProtocolError, "another beginning"),
    "no window": (changed(window=0), RemoteProtocolError, "cannot be read"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_greeting_that_does_not_fit_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    change, kind, text = LIES[lie]

    def greet(connection: Any, ours: Hello, *, deadline: float) -> Greeted:
        if ours.party == "b":
            return greeting.greet(connection, ours, deadline=deadline)
        connection.write(pack(Kind.HELLO, msgspec.msgpack.encode(change(ours))))
        connection.flush()
        raise UnavailableError("the liar goes")

    monkeypatch.setattr(connect, "greet", greet)
    _, other = world.both(lambda: world.open("a", connect_s=1.0), lambda: world.open("b", connect_s=1.0))
    assert isinstance(other, kind), other
    assert text in other.what
    assert other.party == "a"


@pytest.mark.parametrize(
    "data", [b"\x01" + bytes(15), b"\xff" * 40, b"\x03" + bytes(15), b"\x01\0\0\0\xff" + bytes(90)]
)
def test_rubbish_inside_tls_instead_of_a_greeting(
    world: World, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    def greet(connection: Any, ours: Hello, *, deadline: float) -> Greeted:
        if ours.party == "b":
            return greeting.greet(connection, ours, deadline=deadline)
        connection.write(data)
        connection.flush()
        raise UnavailableError("the liar goes")

    monkeypatch.setattr(connect, "greet", greet)
    _, other = world.both(lambda: world.open("a", connect_s=1.0), lambda: world.open("b", connect_s=1.0))
    assert isinstance(other, RemoteProtocolError)
    assert "greets in a way" in other.what


def test_the_secret_is_fresh_and_the_same_at_both_ends(world: World) -> None:
    secrets = set()
    for _ in range(3):
        a, b = world.links()
        assert a.secret == b.secret
        secrets.add(a.secret)
        world.both(a.close, b.close)
    assert len(secrets) == 3


def test_ends_with_different_windows_understand_each_other(world: World) -> None:
    a, b = world.both(
        lambda: world.open("a", window_bytes=1 << 14), lambda: world.open("b", window_bytes=1 << 21)
    )
    for link in (a, b):
        for _ in range(10):
            link.channel("m").send([bytes(300_000)])
    for link in (b, a):
        for _ in range(10):
            assert len(link.channel("m").recv(10)) == 300_000
    world.both(a.close, b.close)


# ---------------------------------------------------------------- the line


class Line:
    """Between a and b: changes or cuts the bytes of a's n-th connection at a place, then is faithful."""

    def __init__(self, world: World, place: int, *, flip: bool) -> None:
        self._direct = world.cable
        self._place = place
        self._flip = flip
        self.struck = threading.Event()
        self._queue: queue.Queue[socket.socket] = queue.Queue()

    def source(self, name: str) -> Any:
        line = self

        class Source:
            def next(self, timeout_s: float) -> socket.socket:
                return line._next(name, timeout_s)

        return Source()

    def _next(self, name: str, timeout_s: float) -> socket.socket:
        if name == "b":
            try:
                return self._queue.get(timeout=timeout_s)
            except queue.Empty:
                raise UnavailableError("nobody came") from None
        a_end, a_line = socket.socketpair()
        b_line, b_end = socket.socketpair()
        for source, target, strikes in ((a_line, b_line, True), (b_line, a_line, False)):
            threading.Thread(target=self._copy, args=(source, target, strikes), daemon=True).start()
        self._queue.put(b_end)
        return a_end

    def _copy(self, source: socket.socket, target: socket.socket, strikes: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(5000):
                if strikes and not self.struck.is_set() and passed + len(data) > self._place:
                    self.struck.set()
                    at = self._place - passed
                    if not self._flip:
                        target.sendall(data[:at])
                        break
                    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                passed += len(data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


CONNECTING = [0, 3, 200, 600, 1500, 2000]
TALKING = [2500, 3000, 4000, 10_000, 100_000, 400_000]


def conversation(world: World) -> None:
    def end(link: Any) -> bytes:
        for number in range(20):
            link.channel("m").send([bytes([number]) * 30_000])
            assert bytes(link.channel("m").recv(10)) == bytes([number]) * 30_000
        return link.transcript()

    a, b = world.links()
    one, other = world.both(lambda: end(a), lambda: end(b))
    assert isinstance(one, bytes), one
    assert one == other
    world.both(a.close, b.close)


@pytest.mark.parametrize("place", CONNECTING + TALKING)
def test_a_cut_at_any_place_changes_nothing(world: World, place: int) -> None:
    line = world.cable = Line(world, place, flip=False)  # type: ignore[assignment]
    conversation(world)
    assert line.struck.is_set()


@pytest.mark.parametrize("place", TALKING)
def test_a_bit_changed_on_the_line_is_noticed_and_changes_nothing(world: World, place: int) -> None:
    line = world.cable = Line(world, place, flip=True)  # type: ignore[assignment]
    conversation(world)
    assert line.struck.is_set()


def test_an_abort_is_heard_through_a_flood(world: World) -> None:
    a, b = world.links(reconnect_s=20.0)
    for number in range(60):
        b.channel(f"c{number}").send([bytes(3 << 20)])
    start = time.monotonic()
    a.abort("denied", "train")
    with pytest.raises(DeniedError):
        b.channel("m").recv(10)
    assert time.monotonic() - start < 10


def test_an_abort_does_not_wait_for_a_peer_that_reads_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = world.links(window_bytes=1 << 26)
    monkeypatch.setattr("unseen.link.stream.PARTING_S", 0.3)
    with b._change:  # the peer stands still
        a.channel("m").send([bytes(1 << 25)])
        start = time.monotonic()
        a.abort("denied", None)
        assert time.monotonic() - start < 20


def test_many_threads_abort_at_once(world: World) -> None:
    a, b = world.links()
    reader = threading.Thread(target=_swallow, args=(b,), daemon=True)
    reader.start()
    threads = [
        threading.Thread(target=link.abort, args=("denied", None)) for link in (a, b) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in [*threads, reader]:
        thread.join(60)
        assert not thread.is_alive()


def test_many_threads_close_at_once(world: World) -> None:
    a, b = world.links()
    a.channel("m").send([bytes(3 << 20)])
    threads = [threading.Thread(target=a.close) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert len(b.channel("m").recv(60)) == 3 << 20
    with pytest.raises(UnavailableError, match="closed"):
        b.channel("m").recv(10)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    b.close()


def _swallow(link: Any) -> None:
    with contextlib.suppress(UnseenError):
        link.channel("m").recv(60)


def test_a_large_message_leaves_while_another_thread_waits(world: World) -> None:
    """The one who waits on the socket is woken to write what did not fit."""
    a, b = world.links(window_bytes=1 << 25)
    waiting = threading.Thread(target=_swallow, args=(_Timed(a, 60.0),), daemon=True)
    waiting.start()
    start = time.monotonic()
    for _ in range(4):
        a.channel("m").send([bytes(1 << 23)])
    for _ in range(4):
        assert len(b.channel("m").recv(60)) == 1 << 23
    assert time.monotonic() - start < 40
    world.both(a.close, b.close)
    waiting.join(60)
    assert not waiting.is_alive()


class _Timed:
    """A link whose channels are waited for no longer than given."""

    def __init__(self, link: Any, timeout_s: float) -> None:
        self._link, self._timeout_s = link, timeout_s

    def channel(self, _name: str) -> Any:
        return self

    def recv(self, _timeout_s: float) -> memoryview:
        return self._link.channel("quiet").recv(self._timeout_s)


def test_a_fault_in_the_pump_is_an_error_not_a_hang(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = world.links()

    def broken(*_args: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(a, "_take_frame", broken)
    b.channel("m").send([b"x"])
    time.sleep(0.1)
    with pytest.raises(UnseenError, match="failed here"):
        a.channel("m").recv(5)
