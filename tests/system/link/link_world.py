"""Two parties, their keys, and sockets that can be cut."""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import socket
import threading
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.errors import UnavailableError
from unseen.crypto.certificates import issue
from unseen.crypto.sign import raw_public_key
from unseen.link.channel import Link
from unseen.link.stream import open_link

USE = "job-1/train/1"


class Cable:
    """Pairs of connected TCP sockets, one end for each party; can be cut at any time."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._waiting: dict[str, queue.Queue[socket.socket]] = {"a": queue.Queue(), "b": queue.Queue()}
        self._lock = threading.Lock()
        self._live: list[socket.socket] = []
        self.made = 0

    def source(self, name: str) -> Any:
        cable = self

        class Source:
            def next(self, timeout_s: float) -> socket.socket:
                return cable._next(name, timeout_s)

        return Source()

    def _next(self, name: str, timeout_s: float) -> socket.socket:
        if name == "a":
            one = socket.create_connection(self._listener.getsockname())
            with self._lock:
                other, _ = self._listener.accept()
                self._live += [one.dup(), other.dup()]
                self.made += 1
            self._waiting["b"].put(other)
            return one
        try:
            return self._waiting[name].get(timeout=timeout_s)
        except queue.Empty:
            raise UnavailableError("no socket came") from None

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            live, self._live = self._live, []
        for sock in live:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class World:
    """Keys of a and b, and links between them."""

    def __init__(self) -> None:
        self.keys = {name: Ed25519PrivateKey.generate() for name in "ab"}
        self.cable = Cable()

    def open(
        self, name: str, *, use: str = USE, key: Ed25519PrivateKey | None = None, **options: Any
    ) -> Link:
        peer = "b" if name == "a" else "a"
        return open_link(
            me=name,
            peer=peer,
            role="dial" if name == "a" else "accept",
            sockets=self.cable.source(name),
            credentials=issue(key or self.keys[name], name, use=use, now=dt.datetime.now(dt.UTC)),
            peer_identity=raw_public_key(self.keys[peer]),
            **{"connect_s": 5.0, "reconnect_s": 5.0, **options},
        )

    def both(self, one: Any, other: Any, timeout_s: float = 60.0) -> tuple[Any, Any]:
        """Run two functions at once; returns results or errors."""
        results: list[Any] = [None, None]

        def body(place: int, function: Any) -> None:
            try:
                results[place] = function()
            except BaseException as error:  # noqa: BLE001 - handed to the test
                results[place] = error

        threads = [
            threading.Thread(target=body, args=(place, function), daemon=True)
            for place, function in enumerate((one, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout_s)
            assert not thread.is_alive(), "hangs"
        return results[0], results[1]

    def links(self, **options: Any) -> tuple[Link, Link]:
        one, other = self.both(lambda: self.open("a", **options), lambda: self.open("b", **options))
        for link in (one, other):
            if isinstance(link, BaseException):
                raise link
        return one, other
