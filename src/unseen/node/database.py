"""The node's memory of facts: one SQLite file, its tables, and the way from older formats to this one.

Durable means durable: write-ahead log, `synchronous=FULL`, and every change inside one :meth:`Database.write`.
The scheduler relies on it: a job's new state, the mail that follows from it and the receipt of the letter that
caused it are one transaction. What must happen after it is on disk goes to :meth:`Transaction.afterwards`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError

from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError, VerificationError

Migration = Callable[[sql.Connection], None]

metadata = sql.MetaData()

facts = sql.Table(
    "facts",
    metadata,
    sql.Column("name", sql.String, primary_key=True),
    sql.Column("value", sql.JSON, nullable=False),
)
peers = sql.Table(
    "peers",
    metadata,
    sql.Column("name", sql.String, primary_key=True),
    sql.Column("identity", sql.String, nullable=False, unique=True),
    sql.Column("addresses", sql.JSON, nullable=False),
    sql.Column("accepted_at", sql.Float, nullable=False),
)
assets = sql.Table(
    "assets",
    metadata,
    sql.Column("holder", sql.String, primary_key=True),
    sql.Column("name", sql.String, primary_key=True),
    sql.Column("terms", sql.JSON, nullable=False),
    sql.Column("added_at", sql.Float, nullable=False),
    sql.Column("own", sql.JSON, nullable=True),  # path, options, salt: only for this node's own assets
)
contracts = sql.Table(
    "contracts",
    metadata,
    sql.Column("id", sql.String, primary_key=True),
    sql.Column("body", sql.JSON, nullable=False),
    sql.Column("received_at", sql.Float, nullable=False),
    sql.Column("runs_used", sql.Integer, nullable=False, server_default="0"),
)
signatures = sql.Table(
    "signatures",
    metadata,
    sql.Column("contract", sql.String, sql.ForeignKey("contracts.id"), primary_key=True),
    sql.Column("party", sql.String, primary_key=True),
    sql.Column("state", sql.String, nullable=False),
    sql.Column("at", sql.Float, nullable=False),
    sql.Column("reason", sql.String, nullable=False, server_default=""),
    sql.Column("signature", sql.JSON, nullable=True),
)
early_decisions = (
    sql.Table(  # what parties decided on contracts that have not come yet, in the order in which it came
        "early_decisions",
        metadata,
        sql.Column("id", sql.Integer, primary_key=True),
        sql.Column("contract", sql.String, nullable=False, index=True),
        sql.Column("party", sql.String, nullable=False),
        sql.Column("body", sql.LargeBinary, nullable=False),
    )
)
outbox = sql.Table(
    "outbox",
    metadata,
    sql.Column("peer", sql.String, primary_key=True),
    sql.Column("seq", sql.Integer, primary_key=True),
    sql.Column("kind", sql.String, nullable=False),
    sql.Column("body", sql.LargeBinary, nullable=False),
)
mailboxes = sql.Table(
    "mailboxes",
    metadata,
    sql.Column("peer", sql.String, primary_key=True),
    sql.Column("epoch", sql.String, nullable=False),  # of our outgoing sequence
    sql.Column("sent", sql.Integer, nullable=False),  # highest seq ever given out
    sql.Column("peer_epoch", sql.String, nullable=False),
    sql.Column("received", sql.Integer, nullable=False),  # highest seq of theirs that took effect
)
jobs = sql.Table(
    "jobs",
    metadata,
    sql.Column("id", sql.String, primary_key=True),
    sql.Column("contract", sql.String, sql.ForeignKey("contracts.id"), nullable=False),
    sql.Column("started_by", sql.String, nullable=False),
    sql.Column("started_at", sql.Float, nullable=False),
    sql.Column("ended_at", sql.Float, nullable=True),
    sql.Column("state", sql.String, nullable=False),
    sql.Column("machine", sql.LargeBinary, nullable=False),
    sql.Column("problem", sql.JSON, nullable=True),
    sql.Column(
        "settled", sql.Boolean, nullable=False, server_default=sql.false()
    ),  # nothing left to do for it
)
held = sql.Table(  # what peers said about a job that this node has not decided on yet
    "held",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("job", sql.String, sql.ForeignKey("jobs.id"), nullable=False),
    sql.Column("sender", sql.String, nullable=False),
    sql.Column("body", sql.LargeBinary, nullable=False),
)
events = sql.Table(
    "events",
    metadata,
    sql.Column("job", sql.String, sql.ForeignKey("jobs.id"), primary_key=True),
    sql.Column("seq", sql.Integer, primary_key=True),
    sql.Column("body", sql.JSON, nullable=False),
)
spent = sql.Table(  # what answers told about this node's own assets, by budget; kept when an asset is removed
    "spent",
    metadata,
    sql.Column("budget", sql.String, primary_key=True),
    sql.Column("job", sql.String, primary_key=True),
    sql.Column("contract", sql.String, nullable=False),
    sql.Column("answers", sql.Integer, nullable=False),
    sql.Column("epsilon", sql.Float, nullable=False),
    sql.Column("exact", sql.Integer, nullable=False),
)


def _first(connection: sql.Connection) -> None:
    metadata.create_all(connection)


def _budgets(connection: sql.Connection) -> None:
    spent.create(connection, checkfirst=True)


def _early_decisions(connection: sql.Connection) -> None:
    early_decisions.create(connection, checkfirst=True)


MIGRATIONS: tuple[Migration, ...] = (_first, _budgets, _early_decisions)
"""`MIGRATIONS[n]` brings format n to format n + 1. Never edited once released: a change is a new one."""


class Transaction:
    """An open write. Reads inside it see its own changes."""

    def __init__(self, connection: sql.Connection) -> None:
        self.connection = connection
        self.callbacks: list[Callable[[], None]] = []

    def execute(self, statement: sql.Executable, values: Any = None) -> sql.CursorResult[Any]:
        """Run one statement."""
        result = self.connection.execute(statement, values)
        if not isinstance(result, sql.CursorResult):
            raise LocalProtocolError("The database gave no cursor.")
        return result

    def afterwards(self, callback: Callable[[], None]) -> None:
        """Call this once the transaction is on disk; never if it fails."""
        self.callbacks.append(callback)


class Database:
    """One SQLite file. Safe to use from any thread."""

    def __init__(self, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        """Open or make the file and bring it to the newest format.

        Raises
        ------
        UsageError
            It was written by a newer version of unseen.
        UnavailableError
            Disk full or not writable.
        VerificationError
            It is damaged.
        """
        self.path = path
        path.touch(mode=0o600)
        self._writing = _Turn()
        self._engine = sql.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30.0})
        sql.event.listen(self._engine, "connect", _prepare)
        sql.event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(writes=True)
        with self.write() as transaction:
            _migrate(transaction.connection, migrations, path)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """All changes inside happen together, and are on disk when the block ends, or none of them does.

        One writer at a time; callbacks run before the next one's turn, so they come in the order of the
        changes. They must be short and may not write themselves.

        Raises
        ------
        UnavailableError
            Disk full or not writable: nothing was changed.
        """
        with self._writing:
            with _translated(self.path), self._writer.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
            for callback in transaction.callbacks:
                callback()

    @contextmanager
    def read(self) -> Iterator[sql.Connection]:
        """A consistent view; never waits for a writer."""
        with _translated(self.path), self._engine.begin() as connection:
            yield connection

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy while others may be writing."""
        with _translated(self.path):
            source = sqlite3.connect(self.path)
            copy = sqlite3.connect(target)
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                source.close()
                copy.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _Turn:
    """A lock that says so where a thread would wait for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            raise LocalProtocolError("A write was begun inside a write.", mend="pass the transaction on")
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = 0
        self._lock.release()


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sql.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: sql.Connection, migrations: Sequence[Migration], path: Path) -> None:
    found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if found > len(migrations):
        raise UsageError(
            f"{path} has format {found}; this version of unseen knows up to {len(migrations)}.",
            why="a newer version of unseen wrote it",
            mend="install that version again, or restore a backup made before the upgrade",
        )
    for number in range(found, len(migrations)):
        migrations[number](connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {number + 1}")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        text = str(cause)
        if "malformed" in text or "not a database" in text:
            raise VerificationError(
                f"{path} is damaged.", why=text, mend="restore a backup: `unseen node restore`"
            ) from error
        if isinstance(cause, sqlite3.OperationalError):
            raise UnavailableError(
                "The node's database cannot be written or read.",
                why=text,
                mend=f"free space on the disk of {path.parent}, and check that it is writable",
            ) from error
        raise
