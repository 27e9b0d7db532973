"""Brings the mail: one lasting connection per peer, made again for ever, over whichever side can dial.

On a connection both ends greet (where their sequences stand, and what each knows of the other's log), then
letters, receipts and notes flow both ways. *Notes* are not durable: progress of a task is worth nothing an hour
later. A peer that is silent for :data:`SILENCE_S` is taken for gone, and the connection is made anew.

Wire form: one msgspec union per message on the channel `mail`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from unseen.core.errors import RemoteProtocolError, UnavailableError, UnseenError
from unseen.link.channel import Channel, Link
from unseen.node.mailroom import Letter, Mailroom

CHANNEL = "mail"
SILENCE_S = 45.0
PING_S = 15.0
FIRST_WAIT_S = 0.2
AGAIN_WAIT_S = 1.0
LONGEST_WAIT_S = 15.0
_BATCH = 64
_log = structlog.get_logger("unseen.mail")


class Greeting(
    msgspec.Struct, frozen=True, tag="mail.greeting/1", array_like=True, forbid_unknown_fields=True
):
    """First message of each end: where its sequences stand, and what it knows of the other's log."""

    epoch: str
    knows_epoch: str
    received: int
    knowledge: bytes


class Delivery(msgspec.Struct, frozen=True, tag="mail.letter/1", array_like=True, forbid_unknown_fields=True):
    """One letter."""

    seq: int
    kind: str
    body: bytes


class Receipt(msgspec.Struct, frozen=True, tag="mail.receipt/1", array_like=True, forbid_unknown_fields=True):
    """Everything up to `seq` took effect here."""

    seq: int


class Note(msgspec.Struct, frozen=True, tag="mail.note/1", array_like=True, forbid_unknown_fields=True):
    """Something that matters only now; lost if the connection is."""

    kind: str
    body: bytes


class Ping(msgspec.Struct, frozen=True, tag="mail.ping/1", array_like=True, forbid_unknown_fields=True):
    """Still here."""


Packet = Greeting | Delivery | Receipt | Note | Ping
_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Packet] = msgspec.msgpack.Decoder(Packet)


class Connector(Protocol):
    """Makes connections; :mod:`unseen.node.post` does it over the link, tests in memory."""

    def fetches(self, peer: str) -> bool:
        """Whether we are the side that dials, which must not do so too often; else we wait for calls."""

    def connect(self, peer: str, stopping: threading.Event) -> Link:
        """A fresh authenticated link to `peer`; waits for the peer to dial where that is its part.

        Raises
        ------
        UnseenError
            There is none now.
        """


class Knowledge(Protocol):
    """What two nodes tell each other about their logs when they meet."""

    def of(self, peer: str) -> bytes:
        """What we know of `peer`'s log."""

    def heard(self, peer: str, knowledge: bytes) -> None:
        """What `peer` knows of ours."""

    def outrun(self, peer: str) -> None:
        """`peer` has letters of ours that we do not remember having sent."""


NoteHandler = Callable[[str, bytes], None]


@dataclass(slots=True)
class Line:
    """The state of the connection to one peer, for status pages."""

    connected: bool = False
    last_seen: float | None = None
    problem: UnseenError | None = None


@dataclass(slots=True)
class _Session:
    link: Link
    channel: Channel
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, packet: Packet) -> None:
        with self.lock:
            self.channel.send([_encode(packet)])


class Courier:
    """The connection to one peer and its two threads."""

    def __init__(self, peer: str, *, mailroom: Mailroom, connector: Connector, knowledge: Knowledge) -> None:
        self.peer = peer
        self.line = Line()
        self._mailroom = mailroom
        self._connector = connector
        self._knowledge = knowledge
        self._notes: dict[str, NoteHandler] = {}
        self._stopping = threading.Event()
        self._session: _Session | None = None
        self._connected_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"courier-{peer}", daemon=True)

    def take_notes(self, handlers: dict[str, NoteHandler]) -> None:
        """Who takes notes, by kind. Before :meth:`start`."""
        self._notes = handlers

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close the connection and end the threads."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.over.set()
            session.link.close()
        self._mailroom.wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def note(self, kind: str, body: bytes) -> None:
        """Tell the peer something if it is connected. Never raises, never waits for the peer."""
        session = self._session
        if session is None:
            return
        try:
            session.send(Note(kind, body))
        except UnseenError:
            session.over.set()

    # ------------------------------------------------------------------ connection

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            self._connected_at = None
            try:
                self._serve(self._connector.connect(self.peer, self._stopping))
            except UnseenError as error:
                self._note_problem(error)
            except Exception as error:  # noqa: BLE001 - a bug of ours must not end the mail for ever
                _log.exception("courier failed", peer=self.peer)
                self._note_problem(UnseenError("The mail failed in a way nobody foresaw.", why=repr(error)))
            self.line.connected = False
            if (at := self._connected_at) is not None:  # a cut cable: the peer is there
                wait_s = FIRST_WAIT_S if time.monotonic() - at > wait_s else min(wait_s, AGAIN_WAIT_S)
            self._stopping.wait(wait_s)
            # Who is called must be there when the other calls, or two that wait in turn miss one another.
            wait_s = min(wait_s * 2, LONGEST_WAIT_S) if self._connector.fetches(self.peer) else FIRST_WAIT_S

    def _note_problem(self, problem: UnseenError) -> None:
        known = self.line.problem
        if (known is None or known.what != problem.what) and not self._stopping.is_set():
            _log.info("no connection", peer=self.peer, problem=problem.what)
        self.line.problem = problem

    def _serve(self, link: Link) -> None:
        session = _Session(link, link.channel(CHANNEL))
        writer: threading.Thread | None = None
        try:
            after = self._greet(session)
            self._session, self._connected_at = session, time.monotonic()
            self.line.connected, self.line.last_seen, self.line.problem = True, time.time(), None
            _log.info("connected", peer=self.peer)
            writer = threading.Thread(
                target=self._write, args=(session, after), name=f"courier-{self.peer}-out", daemon=True
            )
            writer.start()
            self._read(session)
        finally:
            self._session = None
            session.over.set()
            link.close()
            self._mailroom.wake()
            if writer is not None:
                writer.join(PING_S)

    def _greet(self, session: _Session) -> int:
        ours = self._mailroom.standing(self.peer)
        session.send(Greeting(ours.epoch, ours.peer_epoch, ours.received, self._knowledge.of(self.peer)))
        theirs = self._recv(session, SILENCE_S)
        if not isinstance(theirs, Greeting):
            raise RemoteProtocolError(f"{self.peer} does not greet before it speaks.", party=self.peer)
        after, outrun = self._mailroom.meet(
            self.peer, epoch=theirs.epoch, knows_epoch=theirs.knows_epoch, received=theirs.received
        )
        self._knowledge.heard(self.peer, theirs.knowledge)
        if outrun:
            self._knowledge.outrun(self.peer)
            raise UnavailableError(f"The mail with {self.peer} begins anew.", party=self.peer)
        return after

    def _recv(self, session: _Session, timeout_s: float) -> Packet:
        payload = session.channel.recv(timeout_s)
        try:
            packet = _decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise RemoteProtocolError(
                f"{self.peer} sent mail that cannot be read.",
                why=str(error),
                mend=f"both nodes need the same version of unseen; compare with {self.peer}",
                party=self.peer,
            ) from error
        self.line.last_seen = time.time()
        return packet

    def _read(self, session: _Session) -> None:
        while not (self._stopping.is_set() or session.over.is_set()):
            packet = self._recv(session, SILENCE_S)
            if isinstance(packet, Delivery):
                self._mailroom.take(self.peer, Letter(packet.seq, packet.kind, packet.body))
                session.send(Receipt(packet.seq))
            elif isinstance(packet, Receipt):
                self._mailroom.acknowledged(self.peer, packet.seq)
            elif isinstance(packet, Note):
                self._take_note(packet)
            elif isinstance(packet, Greeting):
                raise RemoteProtocolError(f"{self.peer} greets twice.", party=self.peer)

    def _take_note(self, note: Note) -> None:
        handler = self._notes.get(note.kind)
        if handler is None:
            return
        try:
            handler(self.peer, note.body)
        except UnseenError as error:
            _log.warning("note refused", peer=self.peer, note=note.kind, problem=error.to_dict())

    def _write(self, session: _Session, after: int) -> None:
        seen, last = 0, time.monotonic()
        try:
            while not (self._stopping.is_set() or session.over.is_set()):
                letters = self._mailroom.pending(self.peer, after=after, limit=_BATCH)
                for letter in letters:
                    session.send(Delivery(letter.seq, letter.kind, letter.body))
                    after, last = letter.seq, time.monotonic()
                if not letters:
                    seen = self._mailroom.wait(seen, PING_S)
                    if time.monotonic() - last >= PING_S:
                        session.send(Ping())
                        last = time.monotonic()
        except UnseenError as error:
            self._note_problem(error)
        finally:
            session.over.set()
            session.link.close()
