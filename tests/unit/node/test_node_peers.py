"""Invitations and pins: who may be whom."""

import base64
import json

import pytest
import sqlalchemy as sql
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.canonical import canonical_bytes
from unseen.core.errors import UnavailableError, UsageError, VerificationError
from unseen.crypto.sign import fingerprint, public_key, same_fingerprint, verify
from unseen.node.database import Database, contracts, jobs
from unseen.node.identity import Identity
from unseen.node.models import AcceptPeer
from unseen.node.peers import PeerBook, PeerLine, read_invitation, write_invitation


def identity(name):
    return Identity(name, Ed25519PrivateKey.generate())


@pytest.fixture
def lab():
    return identity("laboratory")


@pytest.fixture
def book(tmp_path):
    database = Database(tmp_path / "node.db")
    book = PeerBook(database, identity("hospital"), ("h.example:7710",))
    book.database = database
    book.changes = []
    book.line = PeerLine(connected=True, last_seen=1.0, waiting=3)
    book.listen(
        accepted=lambda name: book.changes.append(("accepted", name)),
        removed=lambda _transaction, name: book.changes.append(("removed", name)),
        line=lambda _name: book.line,
    )
    yield book
    database.close()


def accept(book, other, addresses=("l.example:7710",), fingerprint_=None):
    text = write_invitation(other, addresses)
    return book.accept(AcceptPeer(text=text, fingerprint=fingerprint_ or fingerprint(other.text)))


def tampered(text, **changes):
    lines = text.strip().splitlines()
    body = json.loads(base64.b64decode("".join(lines[1:-1])))
    body.update(changes)
    return "\n".join([lines[0], base64.b64encode(canonical_bytes(body)).decode(), lines[-1]])


def test_invite_and_accept(book, lab):
    view = accept(book, lab)
    assert (view.name, view.identity, view.addresses) == ("laboratory", lab.text, ("l.example:7710",))
    assert (view.connected, view.mail_waiting) == (True, 3)
    assert book.changes == [("accepted", "laboratory")]
    assert book.identities() == {"laboratory": lab.text, "hospital": book.me().identity}
    assert read_invitation(book.invite().text).fingerprint == book.invite().fingerprint


def test_the_text_survives_mail_programs(lab):
    text = write_invitation(lab, ("l.example:7710",))
    mangled = (
        "Dear colleague,\n\n> see below\n" + text.replace("\n", "\r\n  ") + "\n-- \nsent from my telephone"
    )
    assert read_invitation(mangled).name == "laboratory"


def test_the_wrong_fingerprint_pins_nobody(book, lab):
    with pytest.raises(VerificationError, match="fingerprint"):
        accept(book, lab, fingerprint_=fingerprint(identity("laboratory").text))
    assert book.list() == ()
    assert book.changes == []


@pytest.mark.parametrize("other", ["", "3f9c", "0" * 32])
def test_a_partial_fingerprint_is_not_enough(book, lab, other):
    with pytest.raises(VerificationError):
        book.accept(AcceptPeer(text=write_invitation(lab, ()), fingerprint=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "laboratory-two"},
        {"addresses": ["evil.example:1"]},
        {"identity": identity("x").text},
        {"signature": "00" * 64},
        {"signature": ""},
    ],
)
def test_a_changed_invitation_does_not_verify(lab, changes):
    with pytest.raises(VerificationError):
        read_invitation(tampered(write_invitation(lab, ("l.example:7710",)), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"extra": 1},
        {"name": "Not A Name"},
        {"name": 5},
        {"addresses": ["no-port"]},
        {"addresses": 7},
        {"identity": "rsa:00"},
        {"signature": 3},
        {"signature": "zz"},
    ],
)
def test_a_malformed_invitation_is_a_usage_error(lab, changes):
    with pytest.raises(UsageError, match="not an invitation"):
        read_invitation(tampered(write_invitation(lab, ("l.example:7710",)), **changes))


@pytest.mark.parametrize(
    "text",
    ["", "hello", "-----BEGIN UNSEEN INVITATION-----", "x" * 100_000]
    + [
        f"-----BEGIN UNSEEN INVITATION-----\n{inner}\n-----END UNSEEN INVITATION-----"
        for inner in ("", "!!!", "W10=", "/w==")
    ],
)
def test_texts_that_are_no_invitation(text):
    with pytest.raises(UsageError, match="not an invitation"):
        read_invitation(text)


def test_a_known_peer_may_move_but_not_change_its_key(book, lab):
    accept(book, lab)
    assert accept(book, lab, ("new.example:1",)).addresses == ("new.example:1",)
    with pytest.raises(VerificationError, match="already pinned"):
        accept(book, identity("laboratory"))
    with pytest.raises(VerificationError, match="already pinned"):
        accept(book, Identity("other-name", lab.key))
    assert [peer.identity for peer in book.list()] == [lab.text]


def test_our_own_invitation_is_refused(book):
    with pytest.raises(UsageError, match="own"):
        book.accept(AcceptPeer(text=book.invite().text, fingerprint=book.me().fingerprint))
    with pytest.raises(UsageError, match="own"):
        accept(book, identity("hospital"))


def test_removing(book, lab):
    accept(book, lab)
    book.remove("laboratory")
    assert book.list() == ()
    assert book.changes[-1] == ("removed", "laboratory")
    with pytest.raises(UsageError, match="no peer"):
        book.remove("laboratory")
    accept(book, identity("laboratory"))


def test_a_peer_at_work_stays(book, lab):
    accept(book, lab)
    with book.database.write() as transaction:
        body = {"parties": [{"name": "laboratory"}]}
        transaction.execute(sql.insert(contracts).values(id="c", body=body, received_at=0))
        transaction.execute(
            sql.insert(jobs).values(
                id="job-1", contract="c", started_by="a", started_at=0, state="running", machine=b""
            )
        )
    with pytest.raises(UsageError, match="running job"):
        book.remove("laboratory")
    assert len(book.list()) == 1


def test_fingerprints_are_compared_as_people_write_them(lab):
    print_ = fingerprint(lab.text)
    assert len(print_.split()) == 8
    assert same_fingerprint(print_, print_.replace(" ", ":").upper())
    assert not same_fingerprint(print_, print_[:-1])
    assert not same_fingerprint("", print_)


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:" + "0" * 63, "ed25519:" + "0" * 65, "ed25519:" + "G" * 64,
                                  "ed25519:" + "A" * 64, "ed25519:" + "z" * 64, "rsa:" + "0" * 64])  # fmt: skip
def test_not_keys(text):
    with pytest.raises(UsageError, match="not an identity key"):
        public_key(text)


def test_signatures(lab):
    signature = lab.sign(b"message")
    verify(lab.text, b"message", signature, who="x")
    for message, forged in ((b"other", signature), (b"message", signature[:-1]), (b"message", bytes(64))):
        with pytest.raises(VerificationError):
            verify(lab.text, message, forged, who="x")


def test_the_key_does_not_show(lab):
    secret = lab.key.private_bytes_raw()
    assert secret.hex() not in repr(lab)
    assert "ed25519:" in repr(lab)


def test_credentials_are_for_one_use(lab):
    credentials = lab.credentials("job-1/task/1")
    assert credentials.use == "job-1/task/1"
    assert lab.key.private_bytes_raw() not in credentials.key


def test_a_peer_that_cannot_be_reached_comes_with_the_reason(book, lab):
    accept(book, lab)
    problem = UnavailableError(
        "No way to it.", why="clocks differ", mend="set both clocks", party="laboratory"
    )
    book.line = PeerLine(connected=False, problem=problem)
    told = book.show("laboratory").problem
    assert (told.what, told.why, told.mend) == ("No way to it.", "clocks differ", "set both clocks")
    book.line = PeerLine(connected=True, problem=problem)
    assert book.show("laboratory").problem is None
