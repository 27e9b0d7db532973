"""Mail takes effect once and in order, whatever is cut, restarted or restored."""

import queue
import socket
import threading
import time

import pytest
import sqlalchemy as sql

from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError
from unseen.link import memory
from unseen.node import post
from unseen.node.courier import Courier
from unseen.node.database import Database, facts
from unseen.node.mailroom import MAX_BODY_BYTES, Letter, Mailroom, begin_epochs

WAIT_S = 20.0


class Ignorance:
    """Knows nothing of logs, remembers what it heard."""

    def __init__(self):
        self.heads = {}
        self.outrun_by = []

    def of(self, peer):
        return f"about {peer}".encode()

    def heard(self, peer, knowledge):
        self.heads[peer] = knowledge

    def outrun(self, peer):
        self.outrun_by.append(peer)


class Exchange:
    """Gives both ends of a fresh memory link once both ask."""

    def __init__(self, wire=memory.faithful):
        self.wire = wire
        self.waiting = queue.Queue()
        self.lock = threading.Lock()
        self.links = []
        self.open = True

    def connector(self, me):
        exchange = self

        class End:
            def fetches(self, peer):
                return True

            def connect(self, peer, stopping):
                with exchange.lock:
                    if not exchange.open:
                        raise UnavailableError("no way")
                    try:
                        _name, box = exchange.waiting.get_nowait()
                    except queue.Empty:
                        box = queue.Queue()
                        exchange.waiting.put((me, box))
                    else:
                        ours, theirs = memory.pair(me, peer, wire=exchange.wire)
                        exchange.links.append((ours, theirs))
                        box.put(theirs)
                        return ours
                while not stopping.is_set():
                    try:
                        return box.get(timeout=0.05)
                    except queue.Empty:
                        continue
                raise UnavailableError("stopping")

        return End()

    def cut(self):
        for ours, theirs in self.links:
            ours.close()
            theirs.close()
        self.links.clear()


class Station:
    """One node's mail, with a log of what took effect."""

    def __init__(self, me, peer, folder, exchange):
        self.me, self.peer = me, peer
        self.database = Database(folder / f"{me}.db")
        self.room = Mailroom(self.database)
        self.room.handle("text", self.take)
        self.room.handle("bad", self.refuse)
        self.knowledge = Ignorance()
        self.notes = queue.Queue()
        self.fail_next = 0
        self.courier = Courier(
            peer, mailroom=self.room, connector=exchange.connector(me), knowledge=self.knowledge
        )
        self.courier.take_notes({"p": lambda sender, body: self.notes.put((sender, body))})

    def take(self, transaction, sender, body):
        if self.fail_next:
            self.fail_next -= 1
            raise UnavailableError("disk full")
        count = transaction.execute(sql.select(sql.func.count()).select_from(facts)).scalar_one()
        transaction.execute(sql.insert(facts).values(name=f"{count:06}", value=body.decode()))

    def refuse(self, transaction, sender, body):
        transaction.execute(sql.insert(facts).values(name="half", value="done"))
        raise UsageError("nonsense")

    def post(self, *texts, kind="text"):
        with self.database.write() as transaction:
            for text in texts:
                self.room.post(transaction, self.peer, kind, text.encode())

    def read(self):
        with self.database.read() as view:
            return list(view.execute(sql.select(facts.c.value).order_by(facts.c.name)).scalars())

    def until(self, texts):
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if self.read() == list(texts):
                return
            time.sleep(0.01)
        assert self.read() == list(texts)

    def close(self):
        self.courier.stop()
        self.database.close()


@pytest.fixture
def stations(tmp_path):
    exchange = Exchange()
    made = [Station("a", "b", tmp_path, exchange), Station("b", "a", tmp_path, exchange)]
    yield (*made, exchange)
    for station in made:
        station.close()


def test_letters_arrive_in_order_both_ways(stations):
    a, b, _ = stations
    a.courier.start()
    b.courier.start()
    a.post(*[f"a{n}" for n in range(150)])
    b.post("b0")
    a.post("last")
    b.until([*[f"a{n}" for n in range(150)], "last"])
    a.until(["b0"])
    assert a.knowledge.heads == {"b": b"about a"}
    deadline = time.monotonic() + WAIT_S
    while a.room.counts() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert a.room.counts() == {}


def test_a_peer_that_comes_up_later_gets_its_mail(stations):
    a, b, _ = stations
    a.courier.start()
    a.post("early", "mail")
    assert a.room.counts() == {"b": 2}
    b.courier.start()
    b.until(["early", "mail"])


def test_cut_connections_lose_and_double_nothing(stations):
    a, b, exchange = stations
    a.courier.start()
    b.courier.start()
    expected = []
    for round_ in range(6):
        texts = [f"{round_}-{n}" for n in range(20)]
        a.post(*texts)
        expected += texts
        exchange.cut()
    b.until(expected)


def test_notes_pass_by_and_are_not_kept(stations):
    a, b, _ = stations
    a.courier.note("p", b"nobody listens")
    a.courier.start()
    b.courier.start()
    a.post("x")
    b.until(["x"])
    a.courier.note("p", b"50%")
    a.courier.note("unknown", b"?")
    assert b.notes.get(timeout=WAIT_S) == ("a", b"50%")
    assert b.notes.empty()


def test_a_letter_that_cannot_be_taken_does_not_stop_the_next(stations):
    a, b, _ = stations
    a.courier.start()
    b.courier.start()
    a.post("x", kind="bad")
    a.post("y", kind="nobody-knows-this")
    a.post("after")
    b.until(["after"])  # and nothing of the refused one


def test_a_full_disk_delays_a_letter(stations):
    a, b, _ = stations
    b.fail_next = 2
    a.courier.start()
    b.courier.start()
    a.post("one", "two")
    b.until(["one", "two"])


def test_the_same_letter_twice_takes_effect_once(stations):
    _, b, _ = stations
    b.room.meet("a", epoch="e", knows_epoch="", received=0)
    for _ in range(2):
        b.room.take("a", Letter(1, "text", b"once"))
    b.room.take("a", Letter(2, "text", b"then"))
    b.room.take("a", Letter(1, "text", b"again"))
    assert b.read() == ["once", "then"]


def test_a_failed_transaction_posts_nothing(stations):
    a, _, _ = stations

    def post_and_fail():
        with a.database.write() as transaction:
            a.room.post(transaction, "b", "text", b"never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        post_and_fail()
    assert a.room.counts() == {}
    assert a.room.standing("b").sent == 0


def test_a_letter_has_a_largest_size(stations):
    a, _, _ = stations
    with pytest.raises(LocalProtocolError, match="over the limit"), a.database.write() as transaction:
        a.room.post(transaction, "b", "text", bytes(MAX_BODY_BYTES + 1))


def test_restored_node_is_recognised_and_its_new_letters_are_not_taken_for_old_ones(stations, tmp_path):
    a, b, exchange = stations
    a.post("one")
    a.database.copy_to(tmp_path / "backup.db")
    a.post("two", "three")
    a.courier.start()
    b.courier.start()
    b.until(["one", "two", "three"])
    a.close()
    (tmp_path / "a.db").unlink()
    for tail in ("-wal", "-shm"):
        (tmp_path / f"a.db{tail}").unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(tmp_path / "a.db")
    again = Station("a", "b", tmp_path, exchange)
    again.post("fresh")
    again.courier.start()
    # "one" was still waiting in the backup: at least once, and here once more, in a new epoch
    b.until(["one", "two", "three", "one", "fresh"])
    assert again.knowledge.outrun_by == ["b"]
    again.close()


def test_new_epochs_renumber_what_waits(stations):
    a, _, _ = stations
    a.post("one", "two")
    a.room.acknowledged("b", 1)
    before = a.room.standing("b")
    with a.database.write() as transaction:
        begin_epochs(transaction)
    after = a.room.standing("b")
    assert after.epoch != before.epoch
    assert after.sent == 1
    assert [(letter.seq, letter.body) for letter in a.room.pending("b", after=0)] == [(1, b"two")]


def test_rubbish_ends_the_connection_not_the_courier(stations):
    a, b, exchange = stations
    rubbish = iter([b"\xff\xff not msgpack"])
    exchange.wire = lambda parcel: next(rubbish, parcel.payload)
    a.courier.start()
    b.courier.start()
    a.post("in spite of all")
    b.until(["in spite of all"])


def test_forgetting_a_peer_drops_its_mail(stations):
    a, _, _ = stations
    a.post("x")
    with a.database.write() as transaction:
        a.room.forget(transaction, "b")
    assert a.room.counts() == {}
    assert a.room.standing("b").sent == 0


class Called:
    """A post whose peer has called several times while nobody looked."""

    def __init__(self, times):
        self.pairs = [socket.socketpair() for _ in range(times)]
        self.queue = queue.Queue()
        for ours, _ in self.pairs:
            self.queue.put(ours)

    def fetches(self, peer):
        return False

    def arrivals(self, peer):
        return self.queue


def test_of_several_calls_the_last_is_answered():
    """The peer has given up the others; answering them in turn could go on for ever."""
    called = Called(3)
    answered = post._MailSockets(called, "lab", threading.Event()).next(1.0)
    assert answered is called.pairs[-1][0]
    for ours, theirs in called.pairs[:-1]:
        assert ours.fileno() == -1
        assert theirs.recv(1) == b""
        theirs.close()
    called.pairs[-1][1].close()
    answered.close()
