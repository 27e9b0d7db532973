"""Ways to a peer: the front by server name, an HTTP CONNECT proxy, a relay; sockets handed to another process."""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from link_world import USE, World

from unseen.core.errors import RemoteProtocolError, UnavailableError, UsageError
from unseen.crypto.certificates import issue
from unseen.crypto.sign import raw_public_key
from unseen.link.dial import dial, who_dials
from unseen.link.front import Front, read_server_name, send_socket, server_name
from unseen.link.relay import Relay, dial_relay
from unseen.link.stream import open_link


def client_hello(name: str | None) -> bytes:
    machine_out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    machine = context.wrap_bio(ssl.MemoryBIO(), machine_out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        machine.do_handshake()
    return machine_out.read()


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front(("127.0.0.1", 0))
    made.start()
    yield made
    made.stop()


def waits_for(sock: socket.socket) -> bool:
    """Whether the other side hung up."""
    sock.settimeout(5)
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def test_the_server_name_is_read_from_every_beginning() -> None:
    hello = client_hello("abc.unseen")
    assert read_server_name(hello) == "abc.unseen"
    assert all(read_server_name(hello[:length]) is None for length in range(len(hello)))


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x01\x02", b"\x16\x03\x01\x00\x00"]
)
def test_what_is_no_greeting_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_server_name(data)


def test_no_server_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no server name"):
        read_server_name(client_hello(None))


def test_flipping_any_byte_of_a_greeting_never_breaks_the_reader() -> None:
    hello = client_hello("abc.unseen")
    for place in range(len(hello)):
        bad = bytearray(hello)
        bad[place] ^= 0xFF
        try:
            read_server_name(bytes(bad))
        except ValueError:
            continue


def test_the_front_hands_over_untouched_sockets_by_name(front: Front) -> None:
    got: queue.Queue[socket.socket] = queue.Queue()
    front.register("abc.unseen", got.put)
    hello = client_hello("abc.unseen")
    sock = socket.create_connection(front.address)
    sock.sendall(hello[:50])
    time.sleep(0.05)
    sock.sendall(hello[50:])
    handed = got.get(timeout=60)
    handed.settimeout(60)
    assert handed.recv(len(hello), socket.MSG_WAITALL) == hello
    front.unregister("abc.unseen")
    late = socket.create_connection(front.address)
    late.sendall(hello)
    assert waits_for(late)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x01\x02"])
def test_the_front_turns_strangers_away(front: Front, data: bytes) -> None:
    sock = socket.create_connection(front.address)
    sock.sendall(data)
    assert waits_for(sock)


def test_a_sink_that_fails_does_not_end_the_front(front: Front) -> None:
    def broken(_sock: socket.socket) -> None:
        raise OSError("no room")

    front.register("abc.unseen", broken)
    sock = socket.create_connection(front.address)
    sock.sendall(client_hello("abc.unseen"))
    assert waits_for(sock)
    got: queue.Queue[socket.socket] = queue.Queue()
    front.register("abc.unseen", got.put)
    again = socket.create_connection(front.address)
    again.sendall(client_hello("abc.unseen"))
    assert got.get(timeout=60)


def test_a_port_in_use_is_said(front: Front) -> None:
    with pytest.raises(UsageError, match="can listen"):
        Front(front.address)


def test_server_names_tell_scopes_and_pairs_apart() -> None:
    names = {
        server_name(scope, a, b) for scope in ("x", "y") for a, b in (("a", "b"), ("a", "c"), ("b", "c"))
    }
    assert len(names) == 6
    assert server_name("x", "a", "b") == server_name("x", "b", "a")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(True, True, "a"), (True, False, "b"), (False, True, "a"), (False, False, "a")],
)
def test_both_agree_who_dials(one: bool, other: bool, expected: str) -> None:
    assert who_dials("a", "b", one_listens=one, other_listens=other) == expected
    assert who_dials("b", "a", one_listens=other, other_listens=one) == expected


class Proxy:
    """A small HTTP CONNECT proxy."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self.asked: list[str] = []
        self._answer = answer
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            request = b""
            while b"\r\n\r\n" not in request:
                request += sock.recv(1000)
            target = request.split()[1].decode()
            self.asked.append(target)
            sock.sendall(self._answer)
            if b" 200 " not in self._answer:
                sock.close()
                continue
            host, port = target.rsplit(":", 1)
            other = socket.create_connection((host, int(port)))
            for source, sink in ((sock, other), (other, sock)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # one hung up, which the other is told
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def talk(world: World, source_a: Any, source_b: Any) -> None:
    def end(name: str, source: Any) -> bytes:
        peer = "b" if name == "a" else "a"
        link = open_link(
            me=name,
            peer=peer,
            role="dial" if name == "a" else "accept",
            sockets=source,
            credentials=issue(world.keys[name], name, use=USE, now=dt.datetime.now(dt.UTC)),
            peer_identity=raw_public_key(world.keys[peer]),
            connect_s=10,
        )
        link.channel("main").send([name.encode()])
        got = bytes(link.channel("main").recv(5))
        link.close()
        return got

    assert world.both(lambda: end("a", source_a), lambda: end("b", source_b)) == (b"b", b"a")


class Dialled:
    def __init__(self, make: Any) -> None:
        self._make = make

    def next(self, timeout_s: float) -> socket.socket:
        return self._make()


class Handed:
    def __init__(self) -> None:
        self.queue: queue.Queue[socket.socket] = queue.Queue()

    def next(self, timeout_s: float) -> socket.socket:
        return self.queue.get(timeout=timeout_s)


def test_an_outbound_only_party_behind_a_proxy(front: Front) -> None:
    proxy, handed = Proxy(), Handed()
    front.register(server_name(USE, "a", "b"), handed.queue.put)
    talk(World(), Dialled(lambda: dial(front.address, proxy=proxy.address)), handed)
    assert proxy.asked == [f"127.0.0.1:{front.address[1]}"]


def test_a_proxy_that_says_no_is_named(front: Front) -> None:
    proxy = Proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with pytest.raises(UnavailableError, match="does not connect us") as caught:
        dial(front.address, proxy=proxy.address, timeout_s=3)
    assert "403" in caught.value.why


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(UnavailableError, match="No connection to"):
        dial(address, timeout_s=1)


def test_two_outbound_only_parties_meet_at_a_relay_that_sees_ciphertext() -> None:
    relay = Relay(("127.0.0.1", 0))
    relay.start()
    name = server_name(USE, "a", "b")
    talk(
        World(),
        Dialled(lambda: dial_relay(relay.address, name, "dial")),
        Dialled(lambda: dial_relay(relay.address, name, "accept")),
    )
    relay.stop()


def test_nobody_comes_to_the_relay() -> None:
    relay = Relay(("127.0.0.1", 0))
    relay.start()
    with pytest.raises(UnavailableError, match="did not come"):
        dial_relay(relay.address, "x.unseen", "dial", timeout_s=0.3)
    relay.stop()


def test_something_else_answers() -> None:
    """A server that speaks TLS but is not the peer."""
    world = World()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        sock.recv(5000)
        sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        sock.close()

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises((RemoteProtocolError, UnavailableError)):
        open_link(
            me="a",
            peer="b",
            role="dial",
            sockets=Dialled(lambda: dial(listener.getsockname())),
            credentials=issue(world.keys["a"], "a", use=USE, now=dt.datetime.now(dt.UTC)),
            peer_identity=raw_public_key(world.keys["b"]),
            connect_s=2,
        )


def test_a_socket_goes_to_another_process_with_its_label() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one, other = socket.socketpair()
    send_socket(ours, b"from-b", other)
    label, handles, _, _ = socket.recv_fds(theirs, 100, 1)
    assert label == b"from-b"
    with socket.socket(fileno=handles[0]) as received:
        one.sendall(b"hello")
        assert received.recv(10) == b"hello"
