"""Durable mail between nodes: what was posted arrives once, in order, whatever crashes in between.

Each pair of nodes has one sequence per direction. A letter is posted inside the database transaction of what it
tells about, waits in the outbox until the peer says that it took effect there, and takes effect inside one
transaction with its receipt. So both may crash at any point: a letter sent twice is dropped by its number.

A sequence belongs to an *epoch*. A node that was restored from a backup begins a new one, for it may have
forgotten letters it had already sent; a peer that meets a new epoch counts from the beginning.

This module is storage and dispatch; the connections are in `courier`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sql
import structlog

from unseen.core.errors import LocalProtocolError, UnavailableError, UnseenError
from unseen.node.database import Database, Transaction, mailboxes, outbox

Handler = Callable[[Transaction, str, bytes], None]
"""Takes (transaction, sender, body). Raising an UnseenError refuses the letter for good, except
UnavailableError: then it comes again later."""

MAX_BODY_BYTES = 8 << 20
_log = structlog.get_logger("unseen.mail")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter on its way."""

    seq: int
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the two sequences between us and one peer stand."""

    epoch: str
    sent: int
    peer_epoch: str
    received: int


class Mailroom:
    """Outbox and inbox of one node. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._handlers: dict[str, Handler] = {}
        self._posted = threading.Condition()
        self._post_count = 0

    def handle(self, kind: str, handler: Handler) -> None:
        """Register who takes letters of that kind; once each, before the couriers start."""
        if kind in self._handlers:
            raise LocalProtocolError(f"Mail of kind '{kind}' has two handlers.")
        self._handlers[kind] = handler

    # ------------------------------------------------------------------ outgoing

    def post(self, transaction: Transaction, peer: str, kind: str, body: bytes) -> None:
        """Put a letter into the outbox as part of `transaction`.

        Raises
        ------
        LocalProtocolError
            It is too long to be sent.
        """
        if len(body) > MAX_BODY_BYTES:
            raise LocalProtocolError(f"A letter '{kind}' of {len(body)} bytes is over the limit.")
        seq = _standing(transaction, peer).sent + 1
        transaction.execute(sql.insert(outbox).values(peer=peer, seq=seq, kind=kind, body=body))
        transaction.execute(sql.update(mailboxes).where(mailboxes.c.peer == peer).values(sent=seq))
        transaction.afterwards(self._notify)

    def _notify(self) -> None:
        with self._posted:
            self._post_count += 1
            self._posted.notify_all()

    def wake(self) -> None:
        """Make all who wait in :meth:`waiting` look again."""
        self._notify()

    def pending(self, peer: str, *, after: int, limit: int = 64) -> list[Letter]:
        """Letters to `peer` with numbers over `after`, in order."""
        query = (
            sql.select(outbox.c.seq, outbox.c.kind, outbox.c.body)
            .where(outbox.c.peer == peer, outbox.c.seq > after)
            .order_by(outbox.c.seq)
            .limit(limit)
        )
        with self._database.read() as view:
            return [Letter(row.seq, row.kind, row.body) for row in view.execute(query)]

    def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until something was posted since `seen` (an earlier answer; begin with 0), or the time is over."""
        with self._posted:
            self._posted.wait_for(lambda: self._post_count != seen, timeout_s)
            return self._post_count

    def acknowledged(self, peer: str, seq: int) -> None:
        """The peer says that everything up to `seq` took effect there: drop it here."""
        with self._database.write() as transaction:
            transaction.execute(sql.delete(outbox).where(outbox.c.peer == peer, outbox.c.seq <= seq))

    def counts(self) -> dict[str, int]:
        """How many letters wait, by peer."""
        query = sql.select(outbox.c.peer, sql.func.count()).group_by(outbox.c.peer)
        with self._database.read() as view:
            return {peer: int(count) for peer, count in view.execute(query)}

    def forget(self, transaction: Transaction, peer: str) -> None:
        """Drop all mail to and from a peer that is removed."""
        transaction.execute(sql.delete(outbox).where(outbox.c.peer == peer))
        transaction.execute(sql.delete(mailboxes).where(mailboxes.c.peer == peer))

    # ------------------------------------------------------------------ meeting

    def standing(self, peer: str) -> Standing:
        """Where we stand with `peer`."""
        with self._database.write() as transaction:
            return _standing(transaction, peer)

    def meet(self, peer: str, *, epoch: str, knows_epoch: str, received: int) -> tuple[int, bool]:
        """Settle both sequences with what the peer's greeting says.

        Parameters
        ----------
        epoch
            The peer's own epoch.
        knows_epoch, received
            The epoch of ours that the peer knows, and how far in it letters took effect there.

        Returns
        -------
        The number after which to send, and whether the peer remembers more of us than we do ourselves.
        """
        with self._database.write() as transaction:
            standing = _standing(transaction, peer)
            if epoch != standing.peer_epoch:
                transaction.execute(
                    sql.update(mailboxes).where(mailboxes.c.peer == peer).values(peer_epoch=epoch, received=0)
                )
            if knows_epoch != standing.epoch:
                return 0, False
            if received > standing.sent:
                begin_epoch(transaction, peer)
                return 0, True
            transaction.execute(sql.delete(outbox).where(outbox.c.peer == peer, outbox.c.seq <= received))
            return received, False

    # ------------------------------------------------------------------ incoming

    def take(self, peer: str, letter: Letter) -> None:
        """Let a letter take effect, once. Returns when that is on disk: now it may be acknowledged.

        Raises
        ------
        UnavailableError
            Not possible now (disk full); the letter was not taken.
        """
        try:
            with self._database.write() as transaction:
                if letter.seq <= _standing(transaction, peer).received:
                    return
                self._dispatch(transaction, peer, letter)
                _received(transaction, peer, letter.seq)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a letter that cannot be taken must not hold up those behind it
            fields = error.to_dict() if isinstance(error, UnseenError) else {"what": repr(error)}
            _log.warning("letter refused", peer=peer, letter=letter.kind, seq=letter.seq, problem=fields)
            with self._database.write() as transaction:
                _received(transaction, peer, letter.seq)

    def _dispatch(self, transaction: Transaction, peer: str, letter: Letter) -> None:
        handler = self._handlers.get(letter.kind)
        if handler is None:
            _log.warning("letter of unknown kind", peer=peer, letter=letter.kind)
            return
        handler(transaction, peer, letter.body)


def begin_epoch(transaction: Transaction, peer: str) -> None:
    """Number the letters to `peer` from 1 again, in a new epoch."""
    waiting = transaction.execute(
        sql.select(outbox.c.seq, outbox.c.kind, outbox.c.body)
        .where(outbox.c.peer == peer)
        .order_by(outbox.c.seq)
    ).all()
    transaction.execute(sql.delete(outbox).where(outbox.c.peer == peer))
    for number, row in enumerate(waiting, start=1):
        transaction.execute(sql.insert(outbox).values(peer=peer, seq=number, kind=row.kind, body=row.body))
    transaction.execute(
        sql.update(mailboxes)
        .where(mailboxes.c.peer == peer)
        .values(epoch=secrets.token_hex(16), sent=len(waiting))
    )


def begin_epochs(transaction: Transaction) -> None:
    """After a restore: new epochs with all peers."""
    for (peer,) in transaction.execute(sql.select(mailboxes.c.peer)).all():
        begin_epoch(transaction, peer)


def _standing(transaction: Transaction, peer: str) -> Standing:
    columns = mailboxes.c
    query = sql.select(columns.epoch, columns.sent, columns.peer_epoch, columns.received)
    row = transaction.execute(query.where(columns.peer == peer)).one_or_none()
    if row is not None:
        return Standing(row.epoch, row.sent, row.peer_epoch, row.received)
    fresh = Standing(secrets.token_hex(16), 0, "", 0)
    transaction.execute(
        sql.insert(mailboxes).values(peer=peer, epoch=fresh.epoch, sent=0, peer_epoch="", received=0)
    )
    return fresh


def _received(transaction: Transaction, peer: str, seq: int) -> None:
    transaction.execute(
        sql.update(mailboxes).where(mailboxes.c.peer == peer, mailboxes.c.received < seq).values(received=seq)
    )
