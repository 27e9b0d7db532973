"""Two parties with keys, a contract of one task, and the honest evidence of one run of it."""

from __future__ import annotations

import base64
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.crypto.certificates import Credentials, issue
from unseen.crypto.sign import raw_public_key, written
from unseen.govern.audit import Evidence, LogEntry
from unseen.govern.contract import AssetTerms, ColumnTerms, Contract, DisclosureTerms, PartyTerms, TaskTerms
from unseen.govern.signatures import sign

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS = {name: Ed25519PrivateKey.generate() for name in ("bank", "clinic")}
JOB = "job-1"
USE = f"{JOB}/align/1"


def asset(**changes: Any) -> AssetTerms:
    given: dict[str, Any] = {
        "name": "loans",
        "holder": "bank",
        "columns": (
            ColumnTerms(name="client", type="text", role="id"),
            ColumnTerms(name="default", type="integer", role="label"),
            ColumnTerms(name="income", type="numeric"),
        ),
        "rows": 100,
        "steps": ("psi",),
        "purposes": ("screening",),
        "commitment": "ab" * 32,
    }
    return AssetTerms(**{**given, **changes})


def contract(**changes: Any) -> Contract:
    given: dict[str, Any] = {
        "title": "Loans and patients",
        "purpose": "screening",
        "parties": tuple(
            PartyTerms(name=name, identity=written(raw_public_key(key)), roles=("holder",))
            for name, key in KEYS.items()
        ),
        "assets": (asset(), asset(name="patients", holder="clinic")),
        "tasks": (
            TaskTerms(
                name="align",
                step="psi",
                version=1,
                fingerprint="f" * 64,
                roles={"holders": ("bank", "clinic")},
                inputs={"table": {"bank": "asset:loans", "clinic": "asset:patients"}},
            ),
        ),
        "disclosures": (
            DisclosureTerms(
                task="align", name="intersection", what="common rows", to=("bank", "clinic"), door="release"
            ),
        ),
        "security_level": "shared",
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + timedelta(days=1),
        "nonce": "n",
    }
    return Contract(**{**given, **changes})


def signatures(terms: Contract) -> dict[str, bytes]:
    return {name: sign(terms, key) for name, key in KEYS.items()}


def credentials(name: str, *, use: str = USE) -> Credentials:
    return issue(KEYS[name], name, use=use, now=NOW)


def transcript(name: str, peer: str, *, statement: str = "", use: str = USE) -> dict[str, str]:
    """What `name` keeps of what it and `peer` signed."""
    mine = credentials(name, use=use)
    said = (statement or f"unseen/transcript-statement/v1\nbank clinic\n{USE}\n00ff").encode()
    return {
        "peer": peer,
        "statement": base64.b64encode(said).decode(),
        "ours": base64.b64encode(mine.sign(said)).decode(),
        "theirs": "",
        "our_certificate": base64.b64encode(ssl.PEM_cert_to_DER_cert(mine.certificate.decode())).decode(),
        "their_certificate": "",
    }


def finished(name: str, peer: str, **changes: Any) -> dict[str, Any]:
    body = {
        "step": "psi",
        "version": 1,
        "fingerprint": "f" * 64,
        "attempt": 1,
        "inputs": {"table": "ab" * 32},
        "outputs": {"table": "cd" * 32},
        "disclosures": [
            {"name": "intersection", "index": 0, "door": "release", "to": [peer], "elements": 10}
        ],
        "transcripts": [transcript(name, peer)],
        "measured": {},
    }
    return {**body, **changes}


def entry(index: int, kind: str, body: dict[str, Any], **place: Any) -> LogEntry:
    given = {"job": JOB, "task": None, "at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", **place}
    return LogEntry(index, kind, given["at"], given["job"], given["task"], body)


def log_of(name: str, peer: str, terms: Contract) -> list[LogEntry]:
    signature = base64.b64encode(sign(terms, KEYS[name])).decode()
    return [
        entry(0, "contract-signed", {"identity": "", "signature": signature}, job=None),
        entry(1, "run-started", {"number": 1, "started_by": "bank"}),
        entry(2, "task-finished", finished(name, peer), task="align"),
        entry(3, "run-ended", {"state": "finished", "problem": None}),
    ]


def evidence(terms: Contract | None = None) -> Evidence:
    terms = terms or contract()
    return Evidence(
        contract=terms,
        logs={"bank": log_of("bank", "clinic", terms), "clinic": log_of("clinic", "bank", terms)},
        witnesses={"bank": ["clinic"], "clinic": ["bank"]},
        findings=[],
        trust={"psi": "Semi-honest holders."},
    )


def with_entry(given: Evidence, party: str, index: int, **changes: Any) -> Evidence:
    """The evidence with one entry of one log changed."""
    entries = list(given.logs[party])
    entries[index] = replace(entries[index], **changes)
    return replace(given, logs={**given.logs, party: entries})
