"""The front: the one port that faces other organisations.

It accepts TCP connections, looks at (but does not consume) the TLS ClientHello, and hands the untouched socket to
whoever registered for the server name in it: a worker, the mail, a relay. It holds no key and speaks no TLS itself.
What does not begin like a TLS greeting, or asks for a name nobody waits for, is closed.
"""

from __future__ import annotations

import contextlib
import hashlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from unseen.core.errors import UnavailableError, UsageError

Sink = Callable[[socket.socket], None]

PATIENCE_S = 10.0
_MOST_BYTES = 1 << 14
_MOST_WAITING = 512
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME = 22, 1, 0
_log = structlog.get_logger("unseen.front")


def server_name(scope: str, one: str, other: str) -> str:
    """The name under which two parties meet for one scope: it tells an onlooker nothing."""
    first, second = sorted([one, other])
    digest = hashlib.sha256(f"unseen/server-name/v1\n{scope}\n{first}\n{second}".encode()).hexdigest()
    return f"{digest[:48]}.unseen"


def read_server_name(data: bytes) -> str | None:
    """The server name in the beginning of a TLS connection (RFC 8446 section 4.1.2, RFC 6066 section 3).

    Returns None if more bytes are needed.

    Raises
    ------
    ValueError
        This is no ClientHello with a server name.
    """
    if len(data) < 5:  # noqa: PLR2004 - a record's head
        return None
    if data[0] != _HANDSHAKE:
        raise ValueError("no TLS handshake")
    size = struct.unpack_from(">H", data, 3)[0]
    record = data[5 : 5 + size]
    if len(record) < size:
        return None
    return _Reader(record).server_name()


class _Reader:
    """Walks through a ClientHello."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise ValueError("the greeting is cut off")
        self._at += count
        return piece

    def _number(self, count: int) -> int:
        return int.from_bytes(self._take(count), "big")

    def server_name(self) -> str:
        if self._number(1) != _CLIENT_HELLO:
            raise ValueError("no ClientHello")
        self._take(3 + 2 + 32)
        self._take(self._number(1))
        self._take(self._number(2))
        self._take(self._number(1))
        extensions = _Reader(self._take(self._number(2)))
        while extensions._at < len(extensions._data):
            kind, body = extensions._number(2), extensions._take(extensions._number(2))
            if kind == _SERVER_NAME:
                names = _Reader(body)
                names._take(2)
                if names._number(1) != 0:
                    raise ValueError("no host name")
                return names._take(names._number(2)).decode("ascii")
        raise ValueError("no server name")


@dataclass(slots=True)
class _Caller:
    socket: socket.socket
    deadline: float
    seen: int = 0


class Front:
    """See the module. Thread-safe.

    Parameters
    ----------
    address
        (host, port) to listen on; port 0 takes a free one, see :attr:`address`.

    Raises
    ------
    UsageError
        The port is in use or not ours to take.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        try:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self._listener = socket.create_server(address, family=family, backlog=128)
        except OSError as error:
            raise UsageError(
                f"Nothing can listen on {address[0]}:{address[1]}.",
                why=str(error.strerror),
                mend="stop what uses that port, or set another one: link.listen in node.toml",
            ) from error
        self._listener.setblocking(False)
        self._sinks: dict[str, Sink] = {}
        self._lock = threading.Lock()
        self._callers: dict[int, _Caller] = {}
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = socket.socketpair()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Begin to accept."""
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and all sockets that are not handed over yet."""
        self._stopping = True
        self._rope.send(b"!")
        if self._thread.is_alive():
            self._thread.join(5.0)

    def register(self, name: str, sink: Sink) -> None:
        """Hand connections for `name` to `sink`, which must not block."""
        with self._lock:
            self._sinks[name] = sink

    def unregister(self, name: str) -> None:
        """Nobody waits for `name` any more."""
        with self._lock:
            self._sinks.pop(name, None)

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(1.0 if self._callers else None):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd in self._callers:
                    self._look_safely(self._callers[key.fd])
            self._expire()
        for caller in list(self._callers.values()):
            self._dismiss(caller)
        for item in (self._listener, self._bell, self._rope):
            item.close()
        self._selector.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:
            _log.warning("a connection could not be accepted", problem=str(error))
            time.sleep(0.05)
            return
        if len(self._callers) >= _MOST_WAITING:  # who means it speaks at once: the oldest goes
            self._dismiss(next(iter(self._callers.values())))
        sock.setblocking(False)
        self._callers[sock.fileno()] = _Caller(sock, time.monotonic() + PATIENCE_S)
        self._selector.register(sock, selectors.EVENT_READ)

    def _look_safely(self, caller: _Caller) -> None:
        """No caller, whatever it does, may end the front for the others."""
        handle = caller.socket.fileno()
        try:
            self._look(caller)
        except Exception:  # noqa: BLE001 - said in the log
            _log.exception("a caller could not be looked at")
            if handle in self._callers:
                self._dismiss(caller)

    def _look(self, caller: _Caller) -> None:
        try:
            data = caller.socket.recv(_MOST_BYTES, socket.MSG_PEEK)
            name = read_server_name(data)
        except (BlockingIOError, InterruptedError):
            return
        except (OSError, ValueError, UnicodeDecodeError) as error:
            _log.info("a caller was turned away", problem=str(error))
            self._dismiss(caller)
            return
        if name is None:
            if len(data) in (caller.seen, _MOST_BYTES) or not data:
                self._dismiss(caller)  # it hung up in the middle, or will never get to the point
                return
            caller.seen = len(data)
            more = len(data) + 1
            caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, more)
            return
        with self._lock:
            sink = self._sinks.get(name)
        if sink is None:
            _log.info("a caller asked for a name that nobody waits for", name=name)
            self._dismiss(caller)
            return
        self._selector.unregister(caller.socket)
        del self._callers[caller.socket.fileno()]
        try:
            caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            sink(caller.socket)
        except Exception:  # noqa: BLE001 - the front serves all; said in the log
            _log.exception("a connection could not be handed over", name=name)
            caller.socket.close()

    def _expire(self) -> None:
        now = time.monotonic()
        for caller in [caller for caller in self._callers.values() if caller.deadline < now]:
            self._dismiss(caller)

    def _dismiss(self, caller: _Caller) -> None:
        self._selector.unregister(caller.socket)
        del self._callers[caller.socket.fileno()]
        caller.socket.close()


def send_socket(control: socket.socket, label: bytes, passed: socket.socket) -> None:
    """Hand a socket to another process over a Unix socket pair, with a few bytes that say what it is.

    Raises
    ------
    UnavailableError
        The other process is gone.
    """
    try:
        socket.send_fds(control, [label], [passed.fileno()])
    except OSError as error:
        raise UnavailableError("A socket could not be handed over.", why=str(error.strerror)) from error
    finally:
        with contextlib.suppress(OSError):
            passed.close()
