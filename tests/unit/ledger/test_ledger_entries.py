"""Entries are taken only in exactly the form in which they are written."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from unseen.core.errors import VerificationError
from unseen.crypto.sign import fingerprint
from unseen.govern.contract import TaskTerms
from unseen.jobs.evidence import task_body
from unseen.jobs.execute import ResumedFrom, TaskRecord
from unseen.ledger import keys
from unseen.ledger.bodies import KeyRotated
from unseen.ledger.entries import BODIES, Entry, Head, timestamp

AT = "2026-11-24T09:30:00Z"
IDENTITY = "ed25519:" + "ab" * 32
TASK: dict[str, Any] = {
    "attempt": 1,
    "step": "psi",
    "version": 1,
    "fingerprint": "0" * 64,
    "inputs": {"asset:patients": "11" * 32},
    "outputs": {"aligned": "22" * 32},
    "disclosures": [
        {"name": "intersection-size", "index": 0, "door": "release", "to": ["lab"], "elements": "1"}
    ],
    "transcripts": [
        {
            "peer": "lab",
            "statement": "AAAA",
            "ours": "AAAA",
            "theirs": "AAAA",
            "our_certificate": "",
            "their_certificate": "",
        }
    ],
    "measured": {
        "milliseconds": "12",
        "bytes_sent": str(2**60),
        "bytes_received": "0",
        "rounds": "3",
        "memory_bytes": "1",
    },
}
_OLD, _NEW = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2))
EXAMPLES: dict[str, dict[str, Any]] = {
    "contract-proposed": {"contract": {"title": "t"}},
    "contract-signed": {"identity": IDENTITY, "signature": "AAAA"},
    "contract-refused": {"reason": "no"},
    "contract-withdrawn": {"reason": "", "signature": "AAAA"},
    "run-started": {"number": 1, "started_by": "lab"},
    "stock-taken": {"stock": "ab12", "run": "1", "runs_left": "0", "attempt": 2},
    "task-finished": TASK,
    "run-ended": {"state": "failed", "problem": {"code": "denied", "party": "lab", "step": None}},
    "key-rotated": keys.rotation("clinic", _OLD, _NEW).model_dump(),
    "key-revoked": keys.revocation("clinic", _OLD, "lost").model_dump(),
    "peer-accepted": {"peer": "lab", "identity": IDENTITY, "fingerprint": fingerprint(IDENTITY)},
}


def place(kind: str) -> dict[str, Any]:
    return {
        "contract": "" if kind.startswith(("key-", "peer-")) else "contract-1",
        "job": "job-1" if kind.startswith(("run-", "task-", "stock-")) else None,
        "task": "align" if kind.startswith(("task-", "stock-")) else None,
    }


def entry(kind: str, **changes: Any) -> Entry:
    fields = {"kind": kind, "party": "clinic", "at": AT, "body": EXAMPLES[kind], **place(kind), **changes}
    return Entry.model_validate(fields)


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(BODIES)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_comes_back_as_it_was_written(kind: str) -> None:
    made = entry(kind, depends_on={"lab": Head(size=3, root="00" * 32, signature="AAAA")})
    assert Entry.from_bytes(made.to_bytes()) == made


@pytest.mark.parametrize("kind", EXAMPLES)
def test_bodies_have_exactly_their_fields(kind: str) -> None:
    body = EXAMPLES[kind]
    for name in body:
        with pytest.raises(ValidationError, match=f"the body of {kind}"):
            entry(kind, body={key: value for key, value in body.items() if key != name})
        with pytest.raises(ValidationError, match=f"the body of {kind}"):
            entry(kind, body={**body, name: object()})
    with pytest.raises(ValidationError, match="Extra"):
        entry(kind, body={**body, "patient": "Ada"})


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_entry_belongs_where_its_kind_belongs(kind: str) -> None:
    for name, value in place(kind).items():
        other = None if value and name != "contract" else ("" if value else "other")
        with pytest.raises(ValidationError):
            entry(kind, **{name: other})


@pytest.mark.parametrize(
    "changes",
    [
        {"disclosures": [{**TASK["disclosures"][0], "elements": 1}]},
        {"disclosures": [{**TASK["disclosures"][0], "elements": "-1"}]},
        {"disclosures": [{**TASK["disclosures"][0], "elements": "01"}]},
        {"disclosures": [{**TASK["disclosures"][0], "elements": "1\n"}]},
        {"disclosures": [{**TASK["disclosures"][0], "to": "lab"}]},
        {"disclosures": {}},
        {"transcripts": [{"peer": "lab"}]},
        {"transcripts": [{**TASK["transcripts"][0], "ours": "not base64!"}]},
        {"measured": {**TASK["measured"], "rounds": 3}},
        {"attempt": "1"},
        {"attempt": True},
        {"estimate": {"milliseconds": 3}},
        {"committed": {"train": "0A" * 32}},
        {"bound": {"lab": "0a"}},
        {"resumed": {"unit": "epoch", "done": 7, "total": "10", "attempt": 1}},
        {"resumed": "epoch 7"},
    ],
)
def test_a_task_that_an_audit_could_stumble_over_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry("task-finished", body={**TASK, **changes})


def test_an_estimate_may_be_given() -> None:
    made = entry("task-finished", body={**TASK, "estimate": {"milliseconds": "9", "rounds": "3"}})
    assert Entry.from_bytes(made.to_bytes()).body["estimate"]["rounds"] == "3"


def test_a_checkpoint_may_be_given() -> None:
    record = TaskRecord(0.0, 0, 0, 0, 0, (), (), resumed=ResumedFrom("epoch", 7, 10, 1))
    terms = TaskTerms(name="train", step="train-linear", version=1, fingerprint="0" * 64, roles={})
    body = task_body(terms, 2, record, inputs={}, outputs={})
    made = Entry.from_bytes(entry("task-finished", body=body).to_bytes())
    assert made.body["resumed"] == {"unit": "epoch", "done": "7", "total": "10", "attempt": 1}


def test_commitments_to_numbers_may_be_given() -> None:
    told = {"committed": {"train": "0a" * 32}, "bound": {"lab": "0b" * 32}}
    made = entry("task-finished", body={**TASK, **told})
    assert Entry.from_bytes(made.to_bytes()).body["bound"] == told["bound"]


@pytest.mark.parametrize(
    "at", ["2026-11-24 09:30:00Z", "2026-11-24T09:30:00+00:00", "2026-02-30T00:00:00Z", "2026-1-2T3:4:5Z", ""]
)
def test_a_time_has_one_written_form(at: str) -> None:
    with pytest.raises(ValidationError):
        entry("contract-refused", at=at)


def test_time_is_utc() -> None:
    assert entry("contract-refused").time == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert timestamp(datetime.fromisoformat("2026-11-24T10:30:00.9+01:00")) == AT


@pytest.mark.parametrize(
    "head",
    [
        {"size": -1, "root": "00" * 32},
        {"size": 2**53, "root": "00" * 32},
        {"size": "1", "root": "00" * 32},
        {"size": 1, "root": "00" * 31},
        {"size": 1, "root": "AA" * 32},
        {"size": 1, "root": "00" * 32 + "\n"},
        {"size": 1, "root": "00" * 32, "signature": "%"},
    ],
)
def test_heads_have_one_form(head: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry("contract-refused", depends_on={"lab": head})


def test_an_entry_does_not_depend_on_its_own_log() -> None:
    with pytest.raises(ValidationError, match="own log"):
        entry("contract-refused", depends_on={"clinic": Head(size=0, root="00" * 32)})


def test_only_canonical_bytes_are_an_entry() -> None:
    data = entry("run-started").to_bytes()
    told = json.loads(data)
    for bad in (
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b"[" * 100_000,
        data + b" ",
        data[:-1],
        json.dumps(told).encode(),
        json.dumps(told, separators=(",", ":")).encode("utf-16"),
        data.replace(b'"number":1', b'"number":1,"number":1'),
        data.replace(b'"number":1', b'"number":1.0'),
        data.replace(b'"number":1', b'"number":NaN'),
        data.replace(b'"number":1', b'"number":99999999999999999999'),
        data.replace(b'"format":1', b'"format":2'),
        data.replace(b'"job":"job-1",', b""),
    ):
        assert bad != data
        with pytest.raises(VerificationError):
            Entry.from_bytes(bad)


def test_golden_bytes() -> None:
    made = entry("run-started", depends_on={"lab": Head(size=2, root="0f" * 32)}, previous=4)
    assert made.to_bytes() == (
        b'{"at":"2026-11-24T09:30:00Z","body":{"number":1,"started_by":"lab"},"contract":"contract-1",'
        b'"depends_on":{"lab":{"root":"' + b"0f" * 32 + b'","size":2}},"format":1,"job":"job-1",'
        b'"kind":"run-started","party":"clinic","previous":4,"task":null}'
    )


def test_a_changed_key_is_signed_by_both_keys() -> None:
    told = keys.rotation("clinic", _OLD, _NEW)
    keys.check_rotation("clinic", told)
    wrong = base64.b64encode(b"\x00" * 64).decode()
    for name, bad in (
        ("lab", told),
        ("clinic", told.model_copy(update={"signature_old": wrong})),
        ("clinic", told.model_copy(update={"signature_new": wrong})),
        ("clinic", told.model_copy(update={"signature_new": told.signature_old})),
        ("clinic", told.model_copy(update={"signature_new": "="})),
        ("clinic", told.model_copy(update={"old": told.new, "new": told.old})),
        ("clinic", keys.rotation("clinic", _OLD, _OLD)),
    ):
        assert isinstance(bad, KeyRotated)
        with pytest.raises(VerificationError):
            keys.check_rotation(name, bad)


def test_a_revocation_is_signed_by_the_revoked_key() -> None:
    told = keys.revocation("clinic", _OLD, "lost")
    keys.check_revocation("clinic", told)
    for name, changes in (
        ("lab", {}),
        ("clinic", {"reason": "found"}),
        ("clinic", {"identity": IDENTITY}),
        ("clinic", {"signature": "AAAA"}),
    ):
        with pytest.raises(VerificationError):
            keys.check_revocation(name, told.model_copy(update=changes))
