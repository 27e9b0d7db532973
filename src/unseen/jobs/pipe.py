"""Messages with a length in front, over a Unix socket between a node and its own processes."""

from __future__ import annotations

import socket
import struct
import threading

from unseen.core.errors import UnavailableError

_LENGTH = struct.Struct(">I")
_MOST = 1 << 28


class Pipe:
    """One end. Sending is thread-safe; one thread receives."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.Lock()

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises
        ------
        UnavailableError
            The other process is gone.
        """
        try:
            with self._lock:
                self._socket.sendall(_LENGTH.pack(len(message)) + message)
        except OSError as error:
            raise UnavailableError("The other process is gone.", why=str(error.strerror)) from error

    def recv(self) -> bytes | None:
        """The next message; None when the other end is closed."""
        head = self._exactly(_LENGTH.size)
        if head is None:
            return None
        (size,) = _LENGTH.unpack(head)
        return self._exactly(size) if size <= _MOST else None

    def _exactly(self, count: int) -> bytes | None:
        pieces = bytearray()
        while len(pieces) < count:
            try:
                piece = self._socket.recv(min(count - len(pieces), 1 << 20))
            except OSError:
                return None
            if not piece:
                return None
            pieces += piece
        return bytes(pieces)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
