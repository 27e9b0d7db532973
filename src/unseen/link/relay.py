"""A relay for two parties that can only dial out: it joins two sockets by server name and sees only ciphertext.

Both dial the relay's front. Each first writes one line that says for which server name it comes and whether it will
open the TLS greeting ("dial") or wait for it ("accept"); the relay joins the two and copies bytes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field

import structlog

from unseen.core.errors import UnavailableError, UsageError
from unseen.link.dial import dial

_GREETING = b"UNSEEN-RELAY/1 "
_MOST_LINE = 200
_COPY_BYTES = 1 << 16
_MOST_CALLERS = 256
PATIENCE_S = 60.0
_log = structlog.get_logger("unseen.relay")


def dial_relay(
    address: tuple[str, int],
    name: str,
    role: str,
    *,
    proxy: tuple[str, int] | None = None,
    timeout_s: float = PATIENCE_S,
) -> socket.socket:
    """A socket that leads to the other party once it has come, too.

    Raises
    ------
    UnavailableError
        The relay does not answer, or the other party did not come.
    """
    deadline = time.monotonic() + timeout_s
    sock = dial(address, proxy=proxy, timeout_s=timeout_s)
    answer = b""
    try:
        sock.sendall(_GREETING + f"{name} {role}\n".encode("ascii"))
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        answer = sock.recv(1)
    except OSError as error:
        sock.close()
        raise UnavailableError(
            "The other party did not come to the relay in time.", why=str(error.strerror or error)
        ) from error
    if answer != b"+":
        sock.close()
        raise UnavailableError("The relay did not bring us together with the other party.")
    sock.settimeout(None)
    return sock


class Relay:
    """Listens and joins. Thread-safe; one thread per waiting caller and two per joined pair.

    It believes nobody: a stranger who knows a server name can take a party's place for one meeting, finds that the TLS
    greeting fails, and the party comes again.
    """

    def __init__(self, address: tuple[str, int], *, patience_s: float = PATIENCE_S) -> None:
        try:
            self._listener = socket.create_server(address, backlog=64)
        except OSError as error:
            raise UsageError(
                f"The relay cannot listen on {address[0]}:{address[1]}.", why=str(error.strerror)
            ) from error
        self._patience_s = patience_s
        self._waiting: dict[tuple[str, str], _Caller] = {}
        self._callers = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port; joined pairs go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                full = self._callers >= _MOST_CALLERS
                self._callers += not full
            if full:
                sock.close()
            else:
                threading.Thread(target=self._serve, args=(sock,), name="relay-caller", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            self._meet(_Caller(sock), time.monotonic() + self._patience_s)
        except (OSError, ValueError) as error:
            _log.info("a caller was turned away", problem=str(error))
            sock.close()
        finally:
            with self._lock:
                self._callers -= 1

    def _meet(self, caller: _Caller, deadline: float) -> None:
        name, role = _read_line(caller.socket, deadline)
        other = (name, "accept" if role == "dial" else "dial")
        with self._lock:
            partner = self._waiting.pop(other, None)
            if partner is None:
                stale = self._waiting.get((name, role))
                self._waiting[name, role] = caller
        if partner is not None:
            partner.met.set()
            _join(caller.socket, partner.socket)
            return
        if stale is not None:
            stale.met.set()
            stale.socket.close()
        caller.met.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            if self._waiting.get((name, role)) is not caller:
                return  # joined, or another took its place
            del self._waiting[name, role]
        raise ValueError("nobody came to meet it")


@dataclass(frozen=True, slots=True)
class _Caller:
    socket: socket.socket
    met: threading.Event = field(default_factory=threading.Event)


def _read_line(sock: socket.socket, deadline: float) -> tuple[str, str]:
    line = b""
    while not line.endswith(b"\n"):
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        piece = sock.recv(1)
        line += piece
        if not piece or len(line) > _MOST_LINE:
            raise ValueError("no relay greeting")
    words = line.removeprefix(_GREETING).decode("ascii").split()
    if not line.startswith(_GREETING) or len(words) != 2 or words[1] not in ("dial", "accept"):  # noqa: PLR2004
        raise ValueError("no relay greeting")
    return words[0], words[1]


def _join(one: socket.socket, other: socket.socket) -> None:
    try:
        for end in (one, other):
            end.settimeout(None)
            end.sendall(b"+")
    except OSError:
        one.close()
        other.close()
        return
    for source, target in ((one, other), (other, one)):
        threading.Thread(target=_copy, args=(source, target), name="relay-copy", daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_COPY_BYTES):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
