"""A link over bare TCP: what benchmarks run on when they are held against systems that protect nothing on the wire.

No TLS, no identities, no resuming: whoever can connect is believed. No node can load this module (import-linter
checks it). It keeps the rules of :mod:`unseen.link.channel` and passes the same tests as the real link.

Who sends writes to the socket itself as long as it takes bytes, and who waits reads it itself, so a round trip costs no
change of threads; one thread in the background writes what did not fit.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import select
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UnavailableError, UnseenError
from unseen.link import channel as limits
from unseen.link.channel import Buffer, LinkStats, peer_failed
from unseen.link.transcript import Transcript

_HEAD = struct.Struct(">HQ")  # bytes of the channel's name, bytes of the payload
_END = 0xFFFF  # instead of a name's length: the payload is an abort
_SECRET_BYTES = 32
_CLOSE_S = 30.0
_LOOK_S = 0.02


class PlainChannel:
    """See :class:`unseen.link.channel.Channel`."""

    def __init__(self, link: PlainLink, name: str) -> None:
        self._link = link
        self.name = name

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        self._link.send(self.name, [memoryview(part).cast("B") for part in parts if memoryview(part).nbytes])

    def drain(self, most_bytes: int, timeout_s: float | None = None) -> None:
        """Wait until little is left to write."""
        self._link.drain(self.name, most_bytes, timeout_s)

    def recv(self, timeout_s: float | None = None) -> memoryview:
        """Wait for the next message."""
        return self._link.recv(self.name, timeout_s)


class PlainLink:
    """One end, over a connected socket; see :class:`unseen.link.channel.Link`. Make it with :func:`join`.

    Parameters
    ----------
    transcript
        Whether to hash what goes over the link, as the real one does. Systems that we are held against do not.
    """

    def __init__(self, me: str, peer: str, sock: socket.socket, secret: bytes, *, transcript: bool) -> None:
        self.me = me
        self.peer = peer
        self.secret = secret
        self._sock = sock
        self._transcript = Transcript.of(secret) if transcript else None
        self._out = threading.Condition()
        self._backlog: deque[tuple[str, memoryview]] = deque()
        self._waiting: dict[str, int] = defaultdict(int)
        self._in = threading.Condition()
        self._inbox: dict[str, deque[memoryview]] = defaultdict(deque)
        self._reading = False
        self._over: UnseenError | None = None
        self._closed = False
        self._counts = [0, 0, 0, 0, 0]
        self._turned = False
        self._writer = threading.Thread(target=self._write, name=f"plain-{me}-{peer}", daemon=True)
        self._writer.start()

    def channel(self, name: str) -> PlainChannel:
        """The channel of that name."""
        return PlainChannel(self, name)

    def send(self, name: str, views: Sequence[memoryview]) -> None:
        """Write one message, or as much of it as the socket takes; the rest follows in the background."""
        size = sum(map(len, views))
        if size > limits.MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"A message of {size} bytes is over the limit.")
        label = name.encode()
        with self._out:
            if self._closed:
                raise UnavailableError(f"The link to {self.peer} is closed.", party=self.peer)
            if self._transcript:
                self._transcript.add(name, self.me, views)
            self._counts[0] += size
            self._counts[2] += 1
            self._turned = True
            self._put(name, [memoryview(_HEAD.pack(len(label), size) + label), *views])

    def drain(self, name: str, most_bytes: int, timeout_s: float | None) -> None:
        """Wait until the socket has taken all of that channel but so much; see meanwhile whether the peer gives up."""
        before, since = self._waiting[name], time.monotonic()
        while True:
            with self._out:
                little = self._out.wait_for(
                    lambda: self._closed or self._waiting[name] <= most_bytes, _LOOK_S
                )
                if self._waiting[name] < before:
                    before, since = self._waiting[name], time.monotonic()
                if self._closed:
                    raise UnavailableError(f"The link to {self.peer} is closed.", party=self.peer)
            if little:
                return
            if timeout_s is not None and time.monotonic() > since + timeout_s:
                raise limits.too_slow(self.peer)
            with self._in:
                if self._over:
                    raise self._over
                if not self._reading and select.select([self._sock], [], [], 0)[0]:
                    self._read_or_wait(None, None)

    def recv(self, name: str, timeout_s: float | None) -> memoryview:
        """Wait for the next message of that channel, reading the socket unless another thread does."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._out:
            self._counts[4] += self._turned
            self._turned = False
        with self._in:
            while not self._inbox[name]:
                if self._over:
                    raise self._over
                self._read_or_wait(deadline, timeout_s)
            message = self._inbox[name].popleft()
            self._counts[1] += len(message)
            self._counts[3] += 1
        if self._transcript:
            self._transcript.add(name, self.peer, [message])
        return message

    def transcript(self) -> bytes:
        """Digest of all payloads so far; zeros where none is kept."""
        return self._transcript.head() if self._transcript else bytes(32)

    def stats(self) -> LinkStats:
        """Traffic so far."""
        return LinkStats(*self._counts)

    def abort(self, code: str, step: str | None, *, cause: str = "") -> None:
        """Tell the peer and close."""
        told = json.dumps({"code": code, "step": step, "cause": cause}).encode()
        self._end([memoryview(_HEAD.pack(_END, len(told)) + told)])

    def close(self) -> None:
        """Deliver what is queued, then close."""
        self._end([])

    def _end(self, last: list[memoryview]) -> None:
        with self._out:
            if self._closed:
                return
            self._put("", last)
            self._closed = True
            self._out.notify_all()
        with self._in:
            self._over = self._over or UnavailableError(
                f"The link to {self.peer} is closed.", party=self.peer
            )
            self._in.notify_all()
        self._writer.join(_CLOSE_S)
        self._hang_up(socket.SHUT_WR)

    def _put(self, name: str, views: list[memoryview]) -> None:
        """Send at once what the socket takes. The caller holds `_out`."""
        if not self._backlog:
            with contextlib.suppress(BlockingIOError, OSError):
                while views:
                    sent = self._sock.sendmsg(views[:16], [], socket.MSG_DONTWAIT)
                    while views and sent >= len(views[0]):
                        sent -= len(views.pop(0))
                    if sent:
                        views[0] = views[0][sent:]
        if views:  # else there is nothing for the writer: woken, it would only take turns with this thread
            self._backlog.extend((name, view) for view in views)
            self._waiting[name] += sum(map(len, views))
            self._out.notify_all()

    def _write(self) -> None:
        while True:
            with self._out:
                while not self._backlog and not self._closed:
                    self._out.wait()
                if not self._backlog:
                    return
                name, view = self._backlog[0]
            try:
                self._sock.sendall(view)
            except OSError:
                with self._out:  # the peer is gone: whoever waits for it is told when reading
                    self._backlog.clear()
                    self._closed = True
                    self._out.notify_all()
                return
            with self._out:
                self._backlog.popleft()
                self._waiting[name] -= len(view)
                self._out.notify_all()

    def _read_or_wait(self, deadline: float | None, timeout_s: float | None) -> None:
        """One frame into the inbox, by this thread or by the one that reads already. The caller holds `_in`."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise UnavailableError(
                f"{self.peer} sent nothing for {timeout_s:g} s.",
                mend=f"see whether {self.peer} runs",
                party=self.peer,
            )
        if self._reading:
            self._in.wait(left)
            return
        self._reading = True
        self._in.release()
        try:
            told = self._frame(left)
        finally:
            self._in.acquire()
            self._reading = False
            self._in.notify_all()
        if isinstance(told, UnseenError):
            self._over = self._over or told
        elif told is not None:
            self._inbox[told[0]].append(told[1])

    def _frame(self, left: float | None) -> tuple[str, memoryview] | UnseenError | None:
        """The next frame, the end of the link, or None if nothing came in time."""
        try:
            if not select.select([self._sock], [], [], left)[0]:
                return None
            length, size = _HEAD.unpack(self._exactly(_HEAD.size))
            if size > limits.MAX_MESSAGE_BYTES:
                return RemoteProtocolError(f"{self.peer} sent a message over the limit.", party=self.peer)
            if length == _END:
                told = json.loads(bytes(self._exactly(size)))
                return peer_failed(self.peer, str(told["code"]), told["step"], cause=str(told["cause"]))
            name = bytes(self._exactly(length)).decode()
            return name, self._exactly(size)
        except (OSError, EOFError, ValueError):
            return UnavailableError(f"{self.peer} closed the link.", party=self.peer)

    def _exactly(self, size: int) -> memoryview:
        view = np.empty(size, np.uint8).data
        got = 0
        while got < size:
            count = self._sock.recv_into(view[got:])
            if not count:
                raise EOFError
            got += count
        return view

    def _hang_up(self, how: int) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(how)


def join(me: str, peer: str, sock: socket.socket, *, transcript: bool = False) -> PlainLink:
    """This end of a link over a connected socket; blocks until the other end does the same."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    own = secrets.token_bytes(_SECRET_BYTES)
    sock.sendall(own)
    theirs = b""
    while len(theirs) < _SECRET_BYTES:
        piece = sock.recv(_SECRET_BYTES - len(theirs))
        if not piece:
            raise UnavailableError(f"{peer} closed the link.", party=peer)
        theirs += piece
    secret = bytes(left ^ right for left, right in zip(own, theirs, strict=True))
    return PlainLink(me, peer, sock, secret, transcript=transcript)
