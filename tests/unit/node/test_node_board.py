"""Events: on disk, in order, to everyone who watches, from any point on."""

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sql

from unseen.node.board import Board
from unseen.node.database import Database, contracts, jobs
from unseen.node.models import JobEvent, TaskProgress


@pytest.fixture
def board(tmp_path):
    database = Database(tmp_path / "node.db")
    with database.write() as transaction:
        transaction.execute(sql.insert(contracts).values(id="c", body={}, received_at=0))
        transaction.execute(
            sql.insert(jobs).values(
                id="j", contract="c", started_by="a", started_at=0, state="running", machine=b""
            )
        )
    board = Board(database)
    board.database = database
    yield board
    database.close()


def post(board, state, kind="job"):
    with board.database.write() as transaction:
        board.post(transaction, JobEvent(seq=0, at=datetime.now(UTC), job="j", kind=kind, state=state))


def progress(done):
    return TaskProgress(party="a", task="t", state="running", attempt=1, done=done, total=10)


def test_numbers_count_up_from_one(board):
    for state in ("starting", "running", "finished"):
        post(board, state)
    assert [(event.seq, event.state) for event in board.since("j", 0)] == [
        (1, "starting"),
        (2, "running"),
        (3, "finished"),
    ]
    assert [event.seq for event in board.since("j", 2)] == [3]


def test_watching_sees_everything_and_ends(board):
    over = threading.Event()
    seen = []
    post(board, "starting")
    watcher = threading.Thread(
        target=lambda: seen.extend(board.watch("j", after=0, over=over.is_set, timeout_s=None))
    )
    watcher.start()
    for number in range(20):
        post(board, f"s{number}")
    over.set()
    board.ring()
    watcher.join(10)
    assert not watcher.is_alive()
    assert [event.state for event in seen] == ["starting", *[f"s{number}" for number in range(20)]]


def test_watching_a_finished_job_gives_its_events_and_ends(board):
    post(board, "finished")
    assert [event.state for event in board.watch("j", after=0, over=lambda: True, timeout_s=None)] == [
        "finished"
    ]
    assert list(board.watch("j", after=1, over=lambda: True, timeout_s=None)) == []


def test_progress_passes_without_being_kept(board):
    post(board, "running")
    board.progress("j", progress(1))
    board.progress("j", progress(2))
    first, second = board.watch("j", after=0, over=lambda: True, timeout_s=None)
    assert first.seq == second.seq == 1
    assert second.kind == "progress"
    assert second.progress.done == 2
    assert len(board.since("j", 0)) == 1
    assert board.latest("j")["a", "t"].done == 2
    board.forget("j")
    assert board.latest("j") == {}


def test_a_silent_job_ends_the_watch_after_the_timeout(board):
    assert list(board.watch("j", after=0, over=lambda: False, timeout_s=0.05)) == []


def test_closing_ends_all_watches(board):
    done = threading.Event()

    def watch():
        list(board.watch("j", after=0, over=lambda: False, timeout_s=None))
        done.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    board.close()
    assert done.wait(10)
