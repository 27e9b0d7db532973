"""The database: all or nothing, durable, one format at a time."""

import sqlite3
import threading

import pytest
import sqlalchemy as sql

from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError, VerificationError
from unseen.node.database import MIGRATIONS, Database, facts, metadata


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "node.db")
    yield database
    database.close()


def put(transaction, name, value):
    transaction.execute(sql.insert(facts).values(name=name, value=value))


def write_and_fail(database, callback):
    with database.write() as transaction:
        put(transaction, "a", 1)
        transaction.afterwards(callback)
        raise RuntimeError


def fill(database, pages):
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        put(transaction, "big", "x" * 1_000_000)


def names(database):
    with database.read() as view:
        return set(view.execute(sql.select(facts.c.name)).scalars())


def test_durable_settings(database):
    with database.read() as view:
        assert view.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert view.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert view.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_a_failed_write_changes_nothing_and_calls_nobody(database):
    called = []
    with pytest.raises(RuntimeError):
        write_and_fail(database, lambda: called.append("x"))
    assert names(database) == set()
    assert called == []


def test_callbacks_run_after_the_commit(database):
    seen = []
    with database.write() as transaction:
        put(transaction, "a", 1)
        transaction.afterwards(lambda: seen.append(names(database)))
        assert seen == []
    assert seen == [{"a"}]


def test_readers_do_not_wait_for_a_writer(database):
    with database.write() as transaction:
        put(transaction, "a", 1)
        result = []
        reader = threading.Thread(target=lambda: result.append(names(database)))
        reader.start()
        reader.join(5)
        assert result == [set()]


def test_writers_take_turns(database):
    def add(number):
        with database.write() as transaction:
            put(transaction, f"n{number}", number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(database)) == 8


def test_a_newer_format_is_refused(tmp_path):
    Database(tmp_path / "node.db").close()
    with sqlite3.connect(tmp_path / "node.db") as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="format 99"):
        Database(tmp_path / "node.db")


def test_migrations_run_once_each_and_in_order(tmp_path):
    database = Database(tmp_path / "node.db")
    with database.write() as transaction:
        put(transaction, "kept", {"deep": [1]})
    database.close()
    ran = []

    def second(connection):
        ran.append(2)
        connection.exec_driver_sql("ALTER TABLE facts ADD COLUMN extra TEXT NOT NULL DEFAULT 'none'")

    def third(connection):
        ran.append(3)
        connection.exec_driver_sql("UPDATE facts SET extra = 'third'")

    for _ in range(2):
        newer = Database(tmp_path / "node.db", migrations=(*MIGRATIONS, second, third))
        with newer.read() as view:
            assert view.exec_driver_sql("SELECT name, extra FROM facts").all() == [("kept", "third")]
        newer.close()
    assert ran == [2, 3]


def test_a_failing_migration_leaves_the_old_format(tmp_path):
    Database(tmp_path / "node.db").close()

    def half(connection):
        connection.exec_driver_sql("ALTER TABLE facts ADD COLUMN extra TEXT")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        Database(tmp_path / "node.db", migrations=(*MIGRATIONS, half))
    database = Database(tmp_path / "node.db")
    with database.read() as view:
        columns = [row[1] for row in view.exec_driver_sql("PRAGMA table_info(facts)")]
    database.close()
    assert columns == ["name", "value"]


def test_the_tables_are_those_of_the_first_format(database):
    with database.read() as view:
        assert set(sql.inspect(view).get_table_names()) == set(metadata.tables)


def test_disk_full_is_said_and_changes_nothing(database):
    with database.write() as transaction:
        put(transaction, "before", "x")
        pages = transaction.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with pytest.raises(UnavailableError, match="cannot be written"):
        fill(database, pages)
    assert names(database) == {"before"}


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "node.db").write_bytes(b"this is no database, and long enough to be read as one" * 100)
    with pytest.raises(VerificationError, match="damaged"):
        Database(tmp_path / "node.db")


def test_the_copy_is_consistent_and_complete(database, tmp_path):
    with database.write() as transaction:
        put(transaction, "a", 1)
    with database.write() as transaction:
        put(transaction, "b", 2)
        database.copy_to(tmp_path / "copy.db")
    copy = Database(tmp_path / "copy.db")
    assert names(copy) == {"a"}
    copy.close()


def test_a_write_inside_a_write_is_a_bug_and_said_so(database):
    def nest():
        with database.write(), database.write():
            pass

    with pytest.raises(LocalProtocolError, match="inside a write"):
        nest()
    with database.write() as transaction:
        put(transaction, "still", "works")


def test_callbacks_come_in_the_order_of_the_changes(database):
    order, committed = [], []

    def add(number):
        with database.write() as transaction:
            put(transaction, f"n{number}", number)
            committed.append(number)
            transaction.afterwards(lambda: order.append(number))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == committed
