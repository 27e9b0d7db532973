"""What lies between nodes: cables that can be cut, and an HTTP CONNECT proxy. Both are plain TCP, and see ciphertext."""

from __future__ import annotations

import contextlib
import socket
import threading

COPY_BYTES = 1 << 16


def _copy(source: socket.socket, sink: socket.socket, heard: bytearray | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(COPY_BYTES):
            if heard is not None:
                heard += data
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def join(one: socket.socket, other: socket.socket, heard: bytearray | None = None) -> None:
    """Copy in both directions until one hangs up."""
    for source, sink in ((one, other), (other, one)):
        threading.Thread(target=_copy, args=(source, sink, heard), daemon=True).start()


class _Server:
    """Accepts until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(sock,), daemon=True).start()

    def _guarded(self, sock: socket.socket) -> None:
        try:
            self._take(sock)
        except (OSError, ValueError):
            sock.close()

    def _take(self, sock: socket.socket) -> None:
        raise NotImplementedError


class Cable(_Server):
    """Stands in front of a node's port; `cut` breaks every connection that runs through it."""

    def __init__(self) -> None:
        self.target: tuple[str, int] | None = None
        self.heard = bytearray()
        self._live: list[socket.socket] = []
        super().__init__()

    def cut(self) -> bool:
        """Break every connection; whether there was one."""
        with self._lock:
            live, self._live = self._live, []
        found = any(sock.fileno() >= 0 for sock in live)
        for sock in live:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        return found

    def _take(self, sock: socket.socket) -> None:
        if self.target is None:
            raise ConnectionError("nobody there yet")
        other = socket.create_connection(self.target)
        with self._lock:
            self._live = [known for known in self._live if known.fileno() >= 0] + [sock, other]
        join(sock, other, self.heard)


class Proxy(_Server):
    """An HTTP CONNECT proxy; `asked` are the addresses that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__()

    def _take(self, sock: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = sock.recv(1000)
            if not piece:
                raise ConnectionError("hung up")
            request += piece
        method, target, _ = request.split(b" ", 2)
        if method != b"CONNECT":
            raise ValueError("only CONNECT")
        self.asked.append(target.decode())
        host, port = target.decode().rsplit(":", 1)
        other = socket.create_connection((host, int(port)))
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        join(sock, other)
