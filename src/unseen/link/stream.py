"""A link over TLS that survives cut connections.

:func:`open_link` joins two parties for one scope (a task attempt, or the mail between nodes). It never dials: it asks
its :class:`SocketSource` for a fresh connected socket whenever it needs one.

Who calls `send` or `recv` does the work itself (encrypting, reading the socket, taking frames apart), so that a round
trip costs no change of threads. One thread in the background, the *pump*, does what is left: it writes what the socket
did not take, reads while nobody else does, says that we are here, and makes a new connection when one is cut.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import msgspec
import structlog

from unseen.core.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    from_dict,
)
from unseen.crypto.certificates import Credentials, PeerCertificate
from unseen.link.channel import MAX_MESSAGE_BYTES, Buffer, Channel, LinkStats, peer_failed, too_slow
from unseen.link.connect import Meeting, SocketSource
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
from unseen.link.greeting import Greeted, link_secret
from unseen.link.incoming import Inbox, Incoming
from unseen.link.outgoing import Outgoing
from unseen.link.pulse import BEAT_S, Pulse
from unseen.link.stream_channel import StreamChannel
from unseen.link.tls import ConnectionLost, TlsConnection
from unseen.link.traffic import Traffic
from unseen.link.transcript import Transcript

__all__ = ["RECONNECT_S", "WINDOW_BYTES", "SocketSource", "StreamLink", "open_link"]

WINDOW_BYTES = 1 << 20
RECONNECT_S = 60.0
CLOSE_S = 30.0
PARTING_S = 2.0
_MAX_NAME_CHARS = 100
_GRACE_S = 0.002
_IDLE_S = 0.05
_UNFLUSHED_BYTES = 1 << 18
_log = structlog.get_logger("unseen.link")


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
    others: Collection[str] = (),
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
    others
        Further parties, whom the peer may name as those that failed before it did.

    Raises
    ------
    UnavailableError
        No connection in `connect_s`.
    RemoteProtocolError, VerificationError
        The other end is not `peer`, or does not agree on what this is.
    """
    if role not in ("dial", "accept"):
        raise LocalProtocolError(f"A link is dialled or accepted, not '{role}'.")
    rest = frozenset(others) - {me, peer}
    meeting = Meeting(me, peer, role == "accept", sockets, credentials, peer_identity, rest)
    link = StreamLink(meeting, window_bytes, reconnect_s)
    link.start(connect_s)
    return link


class StreamLink:
    """See the module."""

    def __init__(self, meeting: Meeting, window_bytes: int, reconnect_s: float) -> None:
        self.me, self.peer = meeting.me, meeting.peer
        self._meeting = meeting
        self._reconnect_s = reconnect_s
        self._session = secrets.token_bytes(32)
        self._their_session = b""
        self._change = threading.Condition(threading.Lock())
        self._window_bytes = window_bytes
        self._outgoing = Outgoing()
        self._incoming = Incoming(window_bytes)
        self._parser = Parser()
        self._connection: TlsConnection | None = None
        self._ended: UnseenError | None = None
        self._closing = False
        self._reader: int | None = None
        self._claims = 0
        self._bell: socket.socket | None = None
        self._rope: socket.socket | None = None
        self._channels: dict[str, StreamChannel] = {}
        self._traffic = Traffic()
        self._pulse = Pulse()
        self.secret = b""
        self.peer_certificate: PeerCertificate | None = None
        self._pump = threading.Thread(target=self._run, name=f"link-{self.me}-{self.peer}", daemon=True)

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
            return self._traffic.stats(self._connection)

    def silent_s(self) -> float:
        """For how long nothing at all, not even a sign of life, has come of the peer."""
        with self._change:
            return self._pulse.silent_s

    def abort(self, code: str, step: str | None, *, cause: str = "") -> None:
        """Tell the peer that this party failed, and close."""
        with self._change:
            if self._ended is None:
                self._part(self._closed(), Abort(code[:200], step and step[:200], cause[:200]))

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
            self._end(self._closed())

    # ------------------------------------------------------------------ sending

    def send(self, name: str, parts: Sequence[memoryview]) -> None:
        """Queue a message and send as much as goes at once."""
        if sum(map(len, parts)) > MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"A message is longer than {MAX_MESSAGE_BYTES} bytes.")
        with self._change:
            if self._ended is not None:
                raise self._again(self._ended)
            if self._closing:
                raise LocalProtocolError("A message is sent on a link that is being closed.")
            self._traffic.sent(self._outgoing.add(name, parts))
            self._push()

    def drain(self, name: str, most_bytes: int, timeout_s: float | None) -> None:
        """Wait until at most so much of a channel waits for the peer, reading the socket meanwhile: credit comes there."""
        with self._change:
            while (left := self._outgoing.waiting(name)) > most_bytes:
                deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
                self._wait_until(partial(self._less, name, left), deadline)
                if self._ended is not None:
                    raise self._again(self._ended)
                if self._outgoing.waiting(name) == left:
                    raise too_slow(self.peer)

    def _less(self, name: str, before: int) -> bool:
        return self._outgoing.waiting(name) < before

    def _push(self) -> None:
        """Send what may be sent now; what the socket does not take is left to whoever waits on it."""
        connection = self._connection
        if connection is None or (connection.clogged and not connection.flush()):
            return
        if self._incoming.owes and (ack := self._incoming.ack(force=True)):
            connection.write(ack)
        while not connection.over:
            written = 0
            while written < _UNFLUSHED_BYTES and (frame := self._outgoing.next_frame()):
                for buffer in frame:
                    connection.write(buffer)
                    written += len(buffer)
            if not connection.flush() or written < _UNFLUSHED_BYTES:
                break
        if connection.clogged:
            self._rouse(anybody=True)

    # ------------------------------------------------------------------ receiving

    def recv(self, name: str, timeout_s: float | None) -> bytearray:
        """The next message of a channel."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._change:
            box = self._incoming.inbox(name)
            self._traffic.waits()
            if not box.messages:
                box.waiting += 1
                try:
                    self._acknowledge()
                    self._await(box, deadline)
                finally:
                    box.waiting -= 1
            message = self._incoming.pop(box)
            self._traffic.received(len(message))
            self._acknowledge()
            return message

    def _await(self, box: Inbox, deadline: float | None) -> None:
        """Wait for a message of a channel, reading the socket ourselves if nobody else does."""
        while not box.messages:
            if self._ended is not None:
                raise self._again(self._ended)
            if self._incoming.closed:
                raise self._hung_up()
            left = 1.0 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise UnavailableError(
                    f"{self.peer} was silent for too long.",
                    why=f"nothing came on '{box.name}'",
                    mend=f"see whether the node of {self.peer} runs and is not overloaded",
                    party=self.peer,
                )
            self._progress(min(left, 1.0))

    def _progress(self, timeout_s: float) -> None:
        """Read once; or wait, if there is nothing to read from or somebody else reads."""
        if self._reader is None and self._connection is not None:
            self._read(timeout_s)
        else:
            self._claims += 1
            self._rouse()
            self._change.wait(timeout_s)
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

    def _read(self, timeout_s: float) -> None:
        """Wait for the socket once, and take in what has come. Holds the lock but while waiting."""
        connection = self._connection
        if connection is None:
            return
        cipher = None
        try:
            with self._reading():
                if connection.wait(timeout_s):
                    cipher = connection.receive()
            if self._connection is not connection:
                return
            if cipher:
                self._pulse.hear()
                connection.feed(cipher)
                while self._connection is connection and connection.more:
                    self._take(connection)
            if connection.clogged or self._outgoing.queued:
                self._push()
        except ConnectionLost as error:
            self._lost(connection, error)
        except (FrameError, UnicodeDecodeError) as error:
            self._refuse(error)

    def _take(self, connection: TlsConnection) -> None:
        for frame in self._parser.frames(connection.read(self._parser.room())):
            self._take_frame(frame)
        self._acknowledge()

    def _take_frame(self, frame: Frame) -> None:
        if frame.kind in NUMBERED:
            self._incoming.take(frame)
        elif frame.kind == Kind.ACK:
            self._outgoing.acknowledge(frame.number, limits(frame.payload))
        elif frame.kind == Kind.ABORT:
            failed = unpack_abort(frame)
            cause = failed.cause if failed.cause in self._meeting.others else ""
            self._end(peer_failed(self.peer, failed.code, failed.step, cause=cause))
        else:
            raise FrameError("a second greeting")

    def _acknowledge(self) -> None:
        connection = self._connection
        ack = self._incoming.ack(force=self._incoming.closed and self._incoming.owes)
        if ack and connection is not None:
            connection.write(ack)
            connection.flush()

    def _refuse(self, error: Exception) -> None:
        """The peer broke the rules: tell it, and end."""
        problem = RemoteProtocolError(
            f"{self.peer} broke the rules of the link.",
            why=str(error),
            mend=f"both parties need the same version of unseen; compare with {self.peer}",
            party=self.peer,
        )
        self._part(problem, Abort(problem.code, None))

    # ------------------------------------------------------------------ the pump

    def _run(self) -> None:
        with self._change:
            try:
                while self._ended is None:
                    self._pump_once()
            except Exception as error:  # noqa: BLE001 - a thread that dies silently would be a hang
                _log.exception("a link failed", peer=self.peer)
                self._end(UnseenError(f"The link to {self.peer} failed here.", why=repr(error)))
            self._change.notify_all()
            for end in (self._bell, self._rope):
                if end is not None:
                    end.close()

    def _pump_once(self) -> None:
        if self._connection is None:
            self._reconnect()
            return
        self._beat(self._connection)
        if self._reader is None and not self._claims:
            self._change.wait(_GRACE_S)
            if self._reader is None and not self._claims and self._ended is None:
                self._read(BEAT_S)
        else:
            self._change.wait(_IDLE_S)

    def _beat(self, connection: TlsConnection) -> None:
        """Say that we are here, if that is due: an acknowledgement that acknowledges nothing new."""
        if not connection.clogged and not connection.over and self._pulse.due():
            connection.write(self._incoming.ack(force=True) or b"")
            connection.flush()

    def _rouse(self, *, anybody: bool = False) -> None:
        """Make the pump (or anybody) look up if it waits for the socket."""
        if self._rope is None or self._reader is None or self._reader == threading.get_ident():
            return
        if anybody or self._reader == self._pump.ident:
            with contextlib.suppress(OSError):
                self._rope.send(b"!")

    # ------------------------------------------------------------------ connections

    def start(self, connect_s: float) -> None:
        """Make the first connection and start the pump."""
        connection, greeted = self._meeting.connect(self._hello, time.monotonic() + connect_s)
        self._their_session = greeted.hello.session
        self.secret = link_secret(self._hello(), greeted.hello)
        self.peer_certificate = connection.peer_certificate
        self._transcript = Transcript.of(self.secret)
        self._outgoing.window = greeted.hello.window
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        with self._change:
            self._adopt(connection, greeted)
        self._pump.start()

    def _hello(self) -> Hello:
        return Hello(
            WIRE_VERSIONS,
            self.me,
            self.peer,
            self._meeting.credentials.use,
            time.time(),
            self._session,
            self._their_session,
            self._incoming.number,
            self._window_bytes,
        )

    def _adopt(self, connection: TlsConnection, greeted: Greeted) -> None:
        """Go on with a new connection: say where we are, and what the peer did not get."""
        self._connection, self._parser = connection, greeted.parser
        self._pulse.hear()
        if self._bell is not None:
            connection.heed(self._bell)
        try:
            connection.write(self._incoming.standing())
            for unheard in self._outgoing.again(greeted.hello.received):
                for buffer in unheard:
                    connection.write(buffer)
            for frame in greeted.early:
                self._take_frame(frame)
            self._push()
        except (FrameError, UnicodeDecodeError) as error:
            self._refuse(error)
        self._change.notify_all()

    def _reconnect(self) -> None:
        """Called by the pump with the lock held; lets go of it while it connects."""
        self._change.release()
        connection = None
        problem: UnseenError | None = None
        try:
            connection, greeted = self._meeting.connect(self._hello, time.monotonic() + self._reconnect_s)
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
        if self._incoming.closed:
            self._end(self._hung_up())
        elif self._reconnect_s <= 0:
            self._end(
                UnavailableError(f"The connection with {self.peer} ended.", why=str(reason), party=self.peer)
            )
        self._change.notify_all()

    def _forget(self, connection: TlsConnection) -> None:
        self._traffic.over(connection)
        connection.close()
        self._connection = None

    def _end(self, error: UnseenError) -> None:
        """The link is over; the first reason counts."""
        if self._ended is None:
            self._ended = error
        if self._connection is not None:
            self._forget(self._connection)
        self._rouse()
        self._change.notify_all()

    def _part(self, error: UnseenError, last_words: Abort) -> None:
        """The link is over, and the peer shall hear why."""
        connection = self._connection
        if connection is not None:
            connection.write(pack(Kind.ABORT, msgspec.msgpack.encode(last_words)))
            connection.leave(PARTING_S)
        self._end(error)

    def _closed(self) -> UnseenError:
        return UnavailableError(f"The link to {self.peer} is closed.", party=self.peer)

    def _hung_up(self) -> UnseenError:
        return UnavailableError(f"{self.peer} has closed the link.", party=self.peer)

    def _wait_until(self, condition: Callable[[], bool], deadline: float) -> None:
        while self._ended is None and not condition() and time.monotonic() < deadline:
            self._progress(_IDLE_S)

    @staticmethod
    def _again(error: UnseenError) -> UnseenError:
        """The same error, fresh, so that every thread raises its own."""
        return from_dict(error.to_dict())
