"""What a peer says it knows of our log: believed with our own signature on it, and not without."""

from __future__ import annotations

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.errors import RemoteProtocolError
from unseen.ledger.bodies import PeerAccepted
from unseen.ledger.entries import Entry, timestamp
from unseen.ledger.log import Log
from unseen.node.database import Database
from unseen.node.evidence import Ledger
from unseen.node.home import Home
from unseen.node.identity import Identity
from unseen.node.mailroom import Mailroom
from unseen.node.peers import PeerBook

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([8] * 32))
ENTRY = PeerAccepted(peer="b", identity="ed25519:" + "ab" * 32, fingerprint=" ".join(["abab"] * 8))


@pytest.fixture
def ledger(tmp_path):
    home = Home(tmp_path)
    home.make()
    database = Database(home.database)
    identity = Identity("a", KEY)
    made = Ledger(
        identity,
        home,
        database=database,
        mailroom=Mailroom(database),
        peers=PeerBook(database, identity, ()),
    )
    made.append("peer-accepted", "", ENTRY.model_dump())
    yield made
    made.close()
    database.close()


def knowledge(folder, entries, key=KEY, **changes):
    """What a peer has that saw so many entries of this log."""
    folder.mkdir()
    log = Log(folder, "a", key)
    for entry in entries:
        log.append(entry)
    note = log.checkpoint()
    told = [log.leaves.size, log.leaves.root().hex(), note.signatures[0].line().split()[-1]]
    log.close()
    told[2] = base64.b64encode(base64.b64decode(told[2])[4:]).decode()
    for place, value in changes.items():
        told[int(place[1:])] = value
    return msgspec.msgpack.encode(told)


def log_of(folder, author, key, *runs):
    """A log that says of stocks which of their runs were taken."""
    folder.mkdir(exist_ok=True)
    log = Log(folder, author, key)
    for stock, run in runs:
        log.append(
            Entry.model_validate(
                {
                    "kind": "stock-taken",
                    "party": author,
                    "at": timestamp(),
                    "contract": "c",
                    "job": "j",
                    "task": "t",
                    "depends_on": {},
                    "body": {"stock": stock, "run": run, "runs_left": "0", "attempt": 1},
                }
            )
        )
    return log


def test_what_was_taken_of_a_stock_is_the_word_of_the_two_it_lies_between(ledger, tmp_path, monkeypatch):
    """Of a third's it is nothing: it could make the two throw it away. And no number stops the tasks."""
    taken = {"stock": "x", "run": "2", "runs_left": "1", "attempt": 1}
    ledger.append("stock-taken", "c", taken, job="j", task="t")
    logs = {
        "b": log_of(tmp_path / "b", "b", OTHER, ("x", "1"), ("y", "3")),
        "liar": log_of(tmp_path / "liar", "liar", OTHER, ("x", "9" * 30), ("y", "5"), ("z", "7")),
    }
    monkeypatch.setattr(ledger._peers, "identities", lambda: dict.fromkeys(["a", *logs], ""))
    monkeypatch.setattr(ledger, "mirror", logs.__getitem__)
    said = ledger.stocks_taken()
    for log in logs.values():
        log.close()
    assert said["b"] == {"x": 2, "y": 3}
    assert said["liar"]["z"] == 7
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(said)) == said


def entries_of(ledger):
    return list(ledger._log.leaves.entries.values())


def test_a_peer_that_knows_what_we_know_changes_nothing(ledger, tmp_path):
    ledger.heard("b", knowledge(tmp_path / "x", entries_of(ledger)))
    ledger.heard("b", msgspec.msgpack.encode([0, "", ""]))
    assert ledger.behind == ""


def test_a_peer_with_our_signature_on_more_stops_the_work(ledger, tmp_path):
    ledger.heard("b", knowledge(tmp_path / "x", entries_of(ledger) * 2))
    assert "b knows 2 entries" in ledger.behind


def test_a_peer_with_our_signature_on_something_else_stops_the_work(ledger, tmp_path):
    (entry,) = entries_of(ledger)
    ledger.heard("b", knowledge(tmp_path / "x", [entry.model_copy(update={"at": "2020-01-01T00:00:00Z"})]))
    assert ledger.behind


@pytest.mark.parametrize(
    "lie",
    [
        {"_0": 10**9},
        {"_1": "00" * 32},
        {"_1": "short"},
        {"_2": ""},
        {"_2": "AAAA"},
        {"key": OTHER},
    ],
)
def test_a_peer_that_makes_it_up_is_refused_and_the_work_goes_on(ledger, tmp_path, lie):
    entries = entries_of(ledger) * (2 if "key" in lie else 1)
    with pytest.raises(RemoteProtocolError, match="has not signed"):
        ledger.heard("b", knowledge(tmp_path / "x", entries, **lie))
    assert ledger.behind == ""


@pytest.mark.parametrize("data", [b"", b"\x90", b"\x93\x01\x02\x03", b"\xc0"])
def test_rubbish_is_refused(ledger, data):
    with pytest.raises(RemoteProtocolError):
        ledger.heard("b", data)
    assert ledger.behind == ""
