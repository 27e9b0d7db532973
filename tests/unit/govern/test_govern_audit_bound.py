"""The audit of bound inputs: what the others checked must be what the holder's own log had said before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from govern_world import KEYS, asset, contract, entry, evidence, finished

from unseen.govern.audit import AuditReport, Evidence, audit
from unseen.govern.contract import Contract, TaskTerms

ELEMENTS = {"bank": "1a" * 32, "clinic": "2b" * 32}


def terms() -> Contract:
    first = contract().tasks[0]
    train = TaskTerms(
        name="train",
        step="train-linear",
        version=1,
        fingerprint="e" * 64,
        params={"bound": True},
        roles={"holders": ("bank", "clinic")},
        inputs={"table": {"bank": "align.table", "clinic": "align.table"}},
    )
    allowed = {"steps": ("psi", "train-linear")}
    own = (asset(**allowed), asset(name="patients", holder="clinic", **allowed))
    return contract(tasks=(first, train), assets=own)


def world(*, committed: dict[str, str] = ELEMENTS, seen: dict[str, dict[str, str]] | None = None) -> Evidence:
    """Both finished both tasks; `seen` is what each says it checked."""
    agreed = terms()
    given = evidence(agreed)
    logs = {}
    for name, peer in (("bank", "clinic"), ("clinic", "bank")):
        signed, started, align, ended = given.logs[name]
        told = {"committed": {"table": committed[name]}} if name in committed else {}
        trained: dict[str, Any] = finished(
            name, peer, step="train-linear", fingerprint="e" * 64, disclosures=[]
        )
        trained["bound"] = (seen or dict.fromkeys(KEYS, ELEMENTS))[name]
        logs[name] = [
            signed,
            started,
            replace(align, body={**align.body, **told}),
            entry(3, "task-finished", trained, task="train"),
            replace(ended, index=4),
        ]
    return replace(given, logs=logs, trust={**given.trust, "train-linear": "Semi-honest parties."})


def lines(report: AuditReport, mark: str) -> str:
    words = ("passed the check", "had not committed", "did not check")
    return " | ".join(
        f"{line.what} by {line.by}"
        for line in report.lines
        if line.mark == mark and any(w in line.what for w in words)
    )


def test_what_both_say_is_proved() -> None:
    told = lines(audit(world()), "proved")
    for name in KEYS:
        assert f"the input of {name} passed the check" in told
    assert lines(audit(world()), "broken") == ""


@pytest.mark.parametrize("changed", ["3c" * 32, None])
def test_another_commitment_than_the_one_in_the_log(changed: str | None) -> None:
    seen = {name: dict(ELEMENTS) for name in KEYS}
    if changed:
        seen["clinic"]["bank"] = changed
    else:
        del seen["clinic"]["bank"]
    report = audit(world(seen=seen))
    assert report.verdict == "broken"
    assert "clinic did not check the input of bank" in lines(report, "broken")
    assert "the input of bank passed" not in lines(report, "proved")
    assert "the input of clinic passed" in lines(report, "proved")


def test_no_commitment_at_all() -> None:
    report = audit(world(committed={"clinic": ELEMENTS["clinic"]}))
    assert "bank had not committed to its input" in lines(report, "broken")


def test_a_commitment_that_came_afterwards() -> None:
    given = world()
    signed, started, align, train, ended = given.logs["bank"]
    late = [signed, started, replace(train, index=2), replace(align, index=3), ended]
    report = audit(replace(given, logs={**given.logs, "bank": late}))
    assert "bank had not committed to its input" in lines(report, "broken")


def test_nothing_is_said_where_the_contract_does_not_want_it() -> None:
    report = audit(evidence())
    assert lines(report, "proved") == lines(report, "broken") == ""
