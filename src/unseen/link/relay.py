"""A relay for two parties that can only dial out: it joins two sockets by server name and sees only ciphertext.

Both dial the relay's front. Each first writes one line that says for which server name it comes and whether it will
open the TLS greeting ("dial") or wait for it ("accept"); the relay joins the two and copies bytes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import structlog

from unseen.core.errors import UnavailableError, UsageError
from unseen.link.dial import dial

_GREETING = b"UNSEEN-RELAY/1 "
_MOST_LINE = 200
_COPY_BYTES = 1 << 16
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
    """Listens and joins. Thread-safe; one thread per waiting caller and two per joined pair."""

    def __init__(self, address: tuple[str, int]) -> None:
        try:
            self._listener = socket.create_server(address, backlog=64)
        except OSError as error:
            raise UsageError(
                f"The relay cannot listen on {address[0]}:{address[1]}.", why=str(error.strerror)
            ) from error
        self._waiting: dict[tuple[str, str], socket.socket] = {}
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
            threading.Thread(target=self._meet, args=(sock,), name="relay-caller", daemon=True).start()

    def _meet(self, sock: socket.socket) -> None:
        try:
            name, role = self._read_line(sock)
        except (OSError, ValueError) as error:
            _log.info("a caller was turned away", problem=str(error))
            sock.close()
            return
        other = (name, "accept" if role == "dial" else "dial")
        with self._lock:
            partner = self._waiting.pop(other, None)
            if partner is None:
                stale = self._waiting.pop((name, role), None)
                self._waiting[name, role] = sock
        if partner is None:
            if stale is not None:
                stale.close()
            return
        try:
            for end in (sock, partner):
                end.settimeout(None)
                end.sendall(b"+")
        except OSError:
            sock.close()
            partner.close()
            return
        for source, target in ((sock, partner), (partner, sock)):
            threading.Thread(target=_copy, args=(source, target), name="relay-copy", daemon=True).start()

    @staticmethod
    def _read_line(sock: socket.socket) -> tuple[str, str]:
        sock.settimeout(PATIENCE_S)
        line = b""
        while not line.endswith(b"\n"):
            piece = sock.recv(1)
            line += piece
            if not piece or len(line) > _MOST_LINE:
                raise ValueError("no relay greeting")
        words = line.removeprefix(_GREETING).decode("ascii").split()
        if not line.startswith(_GREETING) or len(words) != 2 or words[1] not in ("dial", "accept"):  # noqa: PLR2004
            raise ValueError("no relay greeting")
        return words[0], words[1]


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_COPY_BYTES):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
