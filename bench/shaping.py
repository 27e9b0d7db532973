"""A slow network between two processes of this machine: a relay that holds back what goes through it.

    with Shaper(bytes_per_s=12.5e6, latency_s=0.01) as shaper:
        port = shaper.way(to=server_port)        # connections to `port` reach server_port, shaped
        back = shaper.way(to=other_port, backward=True)

Both directions of the network have the stated rate each, shared by all connections, and the stated latency one way. `way(...,
backward=True)` is for connections that the second party opens, so that what it sends counts in its direction. The same
relay serves us and a rival. Rates are of TCP payload. A shaper without a rate only counts.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

_PIECE = 1 << 14
_HELD_S = (
    0.02  # beyond the latency, as much as the rate carries in that time waits in the relay, as in a router
)


@dataclass(slots=True)
class _Lane:
    """One direction of the network: when it is free again, and what it has carried."""

    bytes_per_s: float
    latency_s: float
    free_at: float = 0.0
    carried: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrival(self, size: int) -> tuple[float, float]:
        """When a piece that comes now arrives, and when the next one may come."""
        with self.lock:
            now = time.monotonic()
            self.carried += size
            self.free_at = max(self.free_at, now) + (size / self.bytes_per_s if self.bytes_per_s else 0.0)
            return self.free_at + self.latency_s, self.free_at - _HELD_S


def _carry(source: socket.socket, target: socket.socket, lane: _Lane) -> None:
    """One direction of one connection, until its end: this thread reads, another one delivers when it is time."""
    held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_deliver, args=(held, target), daemon=True).start()
    piece = b"begin"
    while piece:
        try:
            piece = source.recv(_PIECE)
        except OSError:
            piece = b""
        at, next_at = lane.arrival(len(piece))
        held.put((at, piece))
        time.sleep(max(0.0, next_at - time.monotonic()))


def _deliver(held: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            at, piece = held.get()
            time.sleep(max(0.0, at - time.monotonic()))
            if not piece:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(piece)


def _accept(listener: socket.socket, target: int, lanes: tuple[_Lane, _Lane]) -> None:
    while True:
        near, _ = listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", target))
        except OSError:  # nobody there yet: the caller tries again
            near.close()
            continue
        for source, sink, lane in ((near, far, lanes[0]), (far, near, lanes[1])):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_carry, args=(source, sink, lane), daemon=True).start()


def _serve(bytes_per_s: float, latency_s: float, orders: Connection) -> None:
    forth, back = _Lane(bytes_per_s, latency_s), _Lane(bytes_per_s, latency_s)
    while (order := orders.recv()) != "end":
        if order == "carried":
            orders.send((forth.carried, back.carried))
            continue
        target, backward = order
        listener = socket.create_server(("127.0.0.1", 0))
        lanes = (back, forth) if backward else (forth, back)
        threading.Thread(target=_accept, args=(listener, target, lanes), daemon=True).start()
        orders.send(listener.getsockname()[1])


class Shaper:
    """See the module.

    Parameters
    ----------
    bytes_per_s
        In each direction; 0: as fast as it goes.
    latency_s
        One way.
    """

    def __init__(self, *, bytes_per_s: float = 0.0, latency_s: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(bytes_per_s, latency_s, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._orders.send("end")
        self._process.join()

    def way(self, *, to: int, backward: bool = False) -> int:
        """A port of this machine that leads to port `to`."""
        port: int = self._ask((to, backward))
        return port

    def carried(self) -> tuple[int, int]:
        """Bytes so far: forth and back."""
        both: tuple[int, int] = self._ask("carried")
        return both

    def _ask(self, order: Any) -> Any:
        self._orders.send(order)
        return self._orders.recv()
