"""A link over TLS that survives cut connections.

:func:`open_link` joins two parties for one scope (a task attempt, or the mail between nodes). It never dials: it asks
its :class:`SocketSource` for a fresh connected socket whenever it needs one.

Who calls `send` or `recv` does the work itself (encrypting, reading the socket, taking frames apart), so that a round
trip costs no change of threads. One thread in the background, the *pump*, does what is left: it writes what the socket
did not take, reads while nobody else does, and makes a new connection when one is cut.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from unseen.core.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    from_dict,
)
from unseen.crypto.certificates import Credentials, PeerCertificate
from unseen.link.channel import MAX_MESSAGE_BYTES, Buffer, Channel, LinkStats, peer_failed
from unseen.link.frames import (
    NUMBERED,
    WIRE_VERSIONS,
    Abort,
    Frame,
    FrameError,
    Hello,
    Kind,
    Parser,
    limits,
    pack,
    unpack_abort,
)
from unseen.link.front import server_name
from unseen.link.greeting import Greeted, greet, link_secret
from unseen.link.incoming import Inbox, Incoming
from unseen.link.outgoing import Outgoing
from unseen.link.tls import ConnectionLost, TlsConnection
from unseen.link.transcript import Transcript

WINDOW_BYTES = 1 << 20
RECONNECT_S = 60.0
HANDSHAKE_S = 15.0
CLOSE_S = 30.0
_MAX_NAME_CHARS = 100
_GRACE_S = 0.002
_IDLE_S = 0.05
_UNFLUSHED_BYTES = 1 << 18


class SocketSource(Protocol):
    """Where connected sockets come from."""

    def next(self, timeout_s: float) -> socket.socket:
        """A fresh socket, connected to the peer's front.

        Raises
        ------
        UnavailableError
            There was none in that time.
        """


def open_link(
    *,
    me: str,
    peer: str,
    role: str,
    sockets: SocketSource,
    credentials: Credentials,
    peer_identity: bytes,
    window_bytes: int = WINDOW_BYTES,
    reconnect_s: float = RECONNECT_S,
    connect_s: float = RECONNECT_S,
) -> StreamLink:
    """Join `me` and `peer` for the use of the credentials (their scope).

    Parameters
    ----------
    role
        "dial" at the party whose sockets were dialled, "accept" at the other.
    peer_identity
        The 32 bytes that this party pinned.
    window_bytes
        How much of a channel may lie unread at the receiver.
    reconnect_s
        How long a cut connection may take to come back; 0: the link ends with its connection.

    Raises
    ------
    UnavailableError
        No connection in `connect_s`.
    RemoteProtocolError, VerificationError
        The other end is not `peer`, or does not agree on what this is.
    """
    if role not in ("dial", "accept"):
        raise LocalProtocolError(f"A link is dialled or accepted, not '{role}'.")
    link = StreamLink(me, peer, role, sockets, credentials, peer_identity, window_bytes, reconnect_s)
    link.start(connect_s)
    return link


class StreamChannel:
    """See :class:`unseen.link.channel.Channel`."""

    def __init__(self, link: StreamLink, name: str) -> None:
        self._link = link
        self.name = name
        self._order = threading.Lock()

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        with self._order:
            self._link.transcribe(self.name, self._link.me, parts)
            self._link.send(self.name, parts)

    def recv(self, timeout_s: float | None = None) -> memoryview:
        """The next message."""
        message = self._link.recv(self.name, timeout_s)
        self._link.transcribe(self.name, self._link.peer, [message])
        return memoryview(message)


class StreamLink:
    """See the module."""

    def __init__(
        self,
        me: str,
        peer: str,
        role: str,
        sockets: SocketSource,
        credentials: Credentials,
        peer_identity: bytes,
        window_bytes: int,
        reconnect_s: float,
    ) -> None:
        self.me, self.peer = me, peer
        self._role = role
        self._sockets = sockets
        self._credentials = credentials
        self._identity = peer_identity
        self._reconnect_s = reconnect_s
        self._session = secrets.token_bytes(32)
        self._their_session = b""
        self._change = threading.Condition(threading.Lock())
        self._outgoing = Outgoing(window_bytes)
        self._incoming = Incoming(window_bytes)
        self._parser = Parser()
        self._connection: TlsConnection | None = None
        self._ended: UnseenError | None = None
        self._closing = False
        self._reader: int | None = None
        self._claims = 0
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_out, False)
        os.set_blocking(self._wake_in, False)
        self._channels: dict[str, StreamChannel] = {}
        self._counts = [0, 0, 0, 0]
        self._wire = [0, 0]
        self._rounds = 0
        self._sent_since_wait = False
        self.secret = b""
        self.peer_certificate: PeerCertificate | None = None
        self._pump = threading.Thread(target=self._run, name=f"link-{me}-{peer}", daemon=True)

    # ------------------------------------------------------------------ Link

    def channel(self, name: str) -> Channel:
        """The channel of that name."""
        if not 0 < len(name) <= _MAX_NAME_CHARS:
            raise LocalProtocolError(
                f"A channel's name has 1 to {_MAX_NAME_CHARS} characters, not {len(name)}."
            )
        with self._change:
            return self._channels.setdefault(name, StreamChannel(self, name))

    def transcript(self) -> bytes:
        """Digest of all that was said."""
        return self._transcript.head()

    def transcribe(self, channel: str, sender: str, parts: Sequence[Buffer]) -> None:
        """Add a message to the transcript."""
        self._transcript.add(channel, sender, parts)

    def stats(self) -> LinkStats:
        """Traffic so far."""
        with self._change:
            wire = list(self._wire)
            if self._connection is not None:
                wire[0] += self._connection.bytes_sent
                wire[1] += self._connection.bytes_received
            sent, received, messages_sent, messages_received = self._counts
            return LinkStats(sent, received, messages_sent, messages_received, self._rounds, wire[0], wire[1])

    def abort(self, code: str, step: str | None) -> None:
        """Tell the peer that this party failed, and close."""
        with self._change:
            if self._ended is not None:
                return
            self._end(UnavailableError(f"The link to {self.peer} is closed.", party=self.peer), keep=True)
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(ConnectionLost, OSError):
                connection.write(pack(Kind.ABORT, msgspec.msgpack.encode(Abort(code, step))))
                deadline = time.monotonic() + 2.0
                while not connection.flush() and time.monotonic() < deadline:
                    connection.wait(0.1, reading=False)
                connection.socket.shutdown(socket.SHUT_WR)
            connection.close()

    def close(self) -> None:
        """Deliver what is queued, then close."""
        deadline = time.monotonic() + CLOSE_S
        with self._change:
            self._closing = True
            self._wait_until(lambda: not self._outgoing.queued, deadline)
            if self._ended is None:
                self._outgoing.close()
                self._push()
                self._wait_until(lambda: self._outgoing.idle, deadline)
            self._end(UnavailableError(f"The link to {self.peer} is closed.", party=self.peer))

    # ------------------------------------------------------------------ sending

    def send(self, name: str, parts: Sequence[Buffer]) -> None:
        """Queue a message and send as much as goes at once."""
        if sum(memoryview(part).nbytes for part in parts) > MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"A message is longer than {MAX_MESSAGE_BYTES} bytes.")
        with self._change:
            if self._ended is not None:
                raise self._again(self._ended)
            if self._closing:
                raise LocalProtocolError("A message is sent on a link that is being closed.")
            self._counts[0] += self._outgoing.add(name, parts)
            self._counts[2] += 1
            self._sent_since_wait = True
            self._push()

    def _push(self) -> None:
        """Send what may be sent now; what the socket does not take is left to whoever waits on it."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.clogged and not connection.flush():
                return
            if self._incoming.owes and (ack := self._incoming.ack(force=True)):
                connection.write(ack)
            while True:
                written = 0
                while written < _UNFLUSHED_BYTES and (frame := self._outgoing.next_frame()):
                    for buffer in frame:
                        connection.write(buffer)
                        written += len(buffer)
                if not connection.flush() or written < _UNFLUSHED_BYTES:
                    break
            if connection.clogged:
                self._rouse()
        except ConnectionLost as error:
            self._lost(connection, error)

    # ------------------------------------------------------------------ receiving

    def recv(self, name: str, timeout_s: float | None) -> bytearray:
        """The next message of a channel."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._change:
            box = self._incoming.inbox(name)
            if not box.messages:
                if self._sent_since_wait:
                    self._rounds += 1
                    self._sent_since_wait = False
                box.waiting += 1
                try:
                    self._acknowledge()
                    self._await(box, deadline)
                finally:
                    box.waiting -= 1
            message = self._incoming.pop(box)
            self._counts[1] += len(message)
            self._counts[3] += 1
            self._acknowledge()
            return message

    def _await(self, box: Inbox, deadline: float | None) -> None:
        """Wait for a message of a channel, reading the socket ourselves if nobody else does."""
        while not box.messages:
            if self._ended is not None:
                raise self._again(self._ended)
            if self._incoming.closed:
                raise UnavailableError(f"{self.peer} has closed the link.", party=self.peer)
            left = _IDLE_S * 20 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise UnavailableError(
                    f"{self.peer} was silent for too long.",
                    why=f"nothing came on '{box.name}'",
                    mend=f"see whether the node of {self.peer} runs and is not overloaded",
                    party=self.peer,
                )
            if self._reader is None and self._connection is not None:
                self._read(min(left, 1.0))
            else:
                self._claims += 1
                self._rouse()
                self._change.wait(min(left, 1.0))
                self._claims -= 1

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Be the reader, without the lock."""
        self._reader = threading.get_ident()
        self._change.release()
        try:
            yield
        finally:
            self._change.acquire()
            self._reader = None
            if self._claims:
                self._change.notify_all()

    def _read(self, timeout_s: float, wake: int = -1) -> None:
        """Wait for the socket once, and take in what has come. Holds the lock but while waiting."""
        connection = self._connection
        if connection is None:
            return
        cipher = None
        try:
            with self._reading():
                if connection.wait(timeout_s, reading=True, wake=wake):
                    cipher = connection.receive()
            if self._connection is not connection:
                return
            if cipher:
                connection.feed(cipher)
                while self._connection is connection and connection.more:
                    self._take(connection.read())
            if connection.clogged or self._outgoing.queued:
                self._push()
        except ConnectionLost as error:
            self._lost(connection, error)
        except (FrameError, UnicodeDecodeError) as error:
            self._refuse(error)

    def _take(self, plain: memoryview) -> None:
        for frame in self._parser.feed(plain):
            self._take_frame(frame)
        self._acknowledge()

    def _take_frame(self, frame: Frame) -> None:
        if frame.kind in NUMBERED:
            self._incoming.take(frame)
        elif frame.kind == Kind.ACK:
            self._outgoing.acknowledge(frame.number, limits(frame.payload))
        elif frame.kind == Kind.ABORT:
            failed = unpack_abort(frame)
            self._end(peer_failed(self.peer, failed.code, failed.step))
        else:
            raise FrameError("a second greeting")

    def _acknowledge(self) -> None:
        connection = self._connection
        ack = self._incoming.ack(force=self._incoming.closed and self._incoming.owes)
        if ack and connection is not None:
            connection.write(ack)
            try:
                connection.flush()
            except ConnectionLost as error:
                self._lost(connection, error)

    def _refuse(self, error: Exception) -> None:
        """The peer broke the rules: tell it, and end."""
        problem = RemoteProtocolError(
            f"{self.peer} broke the rules of the link.",
            why=str(error),
            mend=f"both parties need the same version of unseen; compare with {self.peer}",
            party=self.peer,
        )
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(ConnectionLost):
                connection.write(pack(Kind.ABORT, msgspec.msgpack.encode(Abort(problem.code, None))))
                connection.flush()
        self._end(problem)

    # ------------------------------------------------------------------ the pump

    def _run(self) -> None:
        with self._change:
            while self._ended is None:
                if self._connection is None:
                    self._reconnect()
                elif self._reader is None and not self._claims:
                    self._change.wait(_GRACE_S)
                    if self._reader is None and not self._claims and self._ended is None:
                        self._read(1.0, wake=self._wake_out)
                        with contextlib.suppress(BlockingIOError):
                            os.read(self._wake_out, 4096)
                else:
                    self._change.wait(_IDLE_S)
            self._change.notify_all()
            os.close(self._wake_out)
            os.close(self._wake_in)
            self._wake_in = -1

    def _rouse(self) -> None:
        """Make the pump look up if it is the reader."""
        if self._reader == self._pump.ident and self._wake_in >= 0:
            with contextlib.suppress(OSError):
                os.write(self._wake_in, b"!")

    # ------------------------------------------------------------------ connections

    def start(self, connect_s: float) -> None:
        """Make the first connection and start the pump."""
        connection, greeted = self._connect(time.monotonic() + connect_s)
        self._their_session = greeted.hello.session
        self.secret = link_secret(self._hello(), greeted.hello)
        self.peer_certificate = connection.peer_certificate
        self._transcript = Transcript.of(self.secret)
        with self._change:
            self._adopt(connection, greeted)
        self._pump.start()

    def _hello(self) -> Hello:
        return Hello(
            WIRE_VERSIONS,
            self.me,
            self.peer,
            self._credentials.use,
            time.time(),
            self._session,
            self._their_session,
            self._incoming.number,
        )

    def _connect(self, deadline: float) -> tuple[TlsConnection, Greeted]:
        """A new connection, greeted; tries again until `deadline` when one is lost on the way."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise UnavailableError(
                    f"There is no connection with {self.peer}.",
                    why="none came about in time",
                    mend=f"see whether the node of {self.peer} runs, and its address and firewall",
                    party=self.peer,
                )
            sock = self._sockets.next(left)
            _keep_alive(sock)
            until = min(deadline, time.monotonic() + HANDSHAKE_S)
            try:
                connection = TlsConnection.shake_hands(
                    sock,
                    self._credentials,
                    server=self._role == "accept",
                    server_name=server_name(self._credentials.use, self.me, self.peer),
                    peer=self.peer,
                    peer_identity=self._identity,
                    deadline=until,
                )
                return connection, greet(connection, self._hello(), deadline=until)
            except ConnectionLost:
                sock.close()
                time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
            except BaseException:
                sock.close()
                raise

    def _adopt(self, connection: TlsConnection, greeted: Greeted) -> None:
        """Go on with a new connection: say where we are, and what the peer did not get."""
        self._connection, self._parser = connection, greeted.parser
        try:
            connection.write(self._incoming.standing())
            for unheard in self._outgoing.again(greeted.hello.received):
                for buffer in unheard:
                    connection.write(buffer)
            for frame in greeted.early:
                self._take_frame(frame)
            self._push()
        except ConnectionLost as error:
            self._lost(connection, error)
        except (FrameError, UnicodeDecodeError) as error:
            self._refuse(error)
        self._change.notify_all()

    def _reconnect(self) -> None:
        """Called by the pump with the lock held; lets go of it while it connects."""
        self._change.release()
        connection = None
        problem: UnseenError | None = None
        try:
            connection, greeted = self._connect(time.monotonic() + self._reconnect_s)
        except UnseenError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - whatever a socket source raises ends this link only
            problem = UnavailableError(
                f"The link to {self.peer} cannot be made again.", why=str(error), party=self.peer
            )
        finally:
            self._change.acquire()
        if connection is None or problem is not None:
            self._end(problem or UnavailableError(f"The link to {self.peer} is lost.", party=self.peer))
        elif self._ended is not None:
            connection.close()
        else:
            self._adopt(connection, greeted)

    def _lost(self, connection: TlsConnection, reason: ConnectionLost) -> None:
        if self._connection is not connection:
            return
        self._forget(connection)
        if self._incoming.closed or self._reconnect_s <= 0:
            self._end(
                UnavailableError(f"The connection with {self.peer} ended.", why=str(reason), party=self.peer)
            )
        self._change.notify_all()

    def _forget(self, connection: TlsConnection) -> None:
        self._wire[0] += connection.bytes_sent
        self._wire[1] += connection.bytes_received
        connection.close()
        self._connection = None

    def _end(self, error: UnseenError, *, keep: bool = False) -> None:
        """The link is over; the first reason counts."""
        if self._ended is None:
            self._ended = error
        if self._connection is not None and not keep:
            self._forget(self._connection)
        self._rouse()
        self._change.notify_all()

    def _wait_until(self, condition: Callable[[], bool], deadline: float) -> None:
        while self._ended is None and not condition() and time.monotonic() < deadline:
            if self._reader is None and self._connection is not None:
                self._read(0.05)
            else:
                self._claims += 1
                self._rouse()
                self._change.wait(0.05)
                self._claims -= 1

    @staticmethod
    def _again(error: UnseenError) -> UnseenError:
        """The same error, fresh, so that every thread raises its own."""
        return from_dict(error.to_dict())


def _keep_alive(sock: socket.socket) -> None:
    """Notice within half a minute that the other side is gone without a word. Sockets that are not TCP have no such."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", 10),
            ("TCP_KEEPINTVL", 5),
            ("TCP_KEEPCNT", 4),
            ("TCP_USER_TIMEOUT", 30_000),
        ):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
