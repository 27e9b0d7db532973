"""The audit: an honest run holds, and each way to be dishonest is found and pinned on a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from govern_world import (
    JOB,
    NOW,
    asset,
    contract,
    entry,
    evidence,
    finished,
    log_of,
    transcript,
    with_entry,
)

from unseen.govern.audit import Evidence, audit, compare_disclosures

SIGNED, STARTED, TASK, ENDED = range(4)
RESUMED = {"unit": "epoch", "done": "7", "total": "10", "attempt": 1}


def broken(given: Evidence) -> list[tuple[str, str]]:
    return [(line.what, line.by) for line in audit(given).lines if line.mark == "broken"]


def test_an_honest_run_holds_in_three_marks() -> None:
    report = audit(evidence())
    assert report.verdict == "holds", report.to_text()
    marks = {line.mark for line in report.lines}
    assert marks == {"proved", "stated", "not covered"}
    proved = " ".join(line.what for line in report.lines if line.mark == "proved")
    for words in (
        "bank signed this contract",
        "complete and unchanged",
        "bank and clinic signed the same record of all they said",
        "no party counted more than the 1 run",
    ):
        assert words in proved
    stated = {line.by for line in report.lines if line.mark == "stated"}
    assert {"bank", "clinic"} <= stated
    assert all(line.by for line in report.lines if line.mark == "stated")
    assert report.to_json()["verdict"] == "holds"
    assert "Semi-honest holders." in report.to_text()


def test_the_four_privacies_are_answered() -> None:
    told = [line.what for line in audit(evidence()).lines if line.section == "The four privacies"]
    assert [what.partition(":")[0] for what in told] == [
        "Input privacy",
        "Training-data privacy",
        "Model privacy",
        "Output privacy",
    ]


def task_changed(**changes: Any) -> Callable[[], Evidence]:
    return lambda: with_entry(evidence(), "bank", TASK, body=finished("bank", "clinic", **changes))


def disclosed(**changes: Any) -> Callable[[], Evidence]:
    told = {"name": "intersection", "index": 0, "door": "release", "to": ["clinic"], "elements": 10}
    return task_changed(disclosures=[{**told, **changes}])


def bounded() -> Evidence:
    (only,) = contract().disclosures
    return evidence(contract(disclosures=(only.model_copy(update={"max_elements": 5}),)))


def started_twice() -> Evidence:
    given = evidence()
    again = [
        entry(4, "run-started", {"number": 2}, job="job-2"),
        entry(5, "run-ended", {"state": "failed"}, job="job-2"),
    ]
    return replace(given, logs={**given.logs, "bank": [*given.logs["bank"], *again]})


def recorded_twice() -> Evidence:
    given = evidence()
    twice = entry(4, "task-finished", finished("bank", "clinic"), task="align")
    return replace(given, logs={**given.logs, "bank": [*given.logs["bank"], twice]})


def test_where_a_task_went_on_from_is_told() -> None:
    given = evidence()
    for name, peer in (("bank", "clinic"), ("clinic", "bank")):
        given = with_entry(given, name, TASK, body=finished(name, peer, resumed=RESUMED))
    report = audit(given)
    assert report.verdict == "holds"
    (line,) = [line for line in report.lines if "checkpoint:" in line.what]
    assert (line.mark, line.by) == ("stated", "bank, clinic")
    assert "epoch 7 of 10, stored in attempt 1" in line.what


def without(party: str, index: int) -> Callable[[], Evidence]:
    def make() -> Evidence:
        given = evidence()
        kept = [item for place, item in enumerate(given.logs[party]) if place != index]
        return replace(given, logs={**given.logs, party: kept})

    return make


def unrecorded() -> Evidence:
    given = evidence()
    logs = {name: [item for item in log if item.kind != "task-finished"] for name, log in given.logs.items()}
    return replace(given, logs=logs)


def signed_something_else() -> Evidence:
    other = contract(purpose="screening", nonce="another")
    return with_entry(evidence(), "bank", SIGNED, body=log_of("bank", "clinic", other)[SIGNED].body)


DISHONEST: dict[str, tuple[Callable[[], Evidence], str, str]] = {
    "another contract was signed": (
        signed_something_else,
        "signature of bank is not on this contract",
        "bank",
    ),
    "another step": (task_changed(step="teleport"), "ran another step in 'align'", "bank"),
    "another version": (task_changed(version=2), "ran another step in 'align'", "bank"),
    "another source": (task_changed(fingerprint="0" * 64), "ran another step in 'align'", "bank"),
    "a disclosure that is not listed": (
        disclosed(name="all rows"),
        "'all rows', which the contract does not",
        "bank",
    ),
    "by another door": (disclosed(door="reveal"), "by the door reveal instead of release", "bank"),
    "to somebody else": (disclosed(to=["clinic", "helper"]), "'intersection' to helper", "bank"),
    "too often": (disclosed(index=1), "more than 1 time", "bank"),
    "too much": (bounded, "10 elements of 'intersection', 5 are allowed", "bank"),
    "more runs than allowed": (started_twice, "took part in 2 runs, 1 are allowed", "bank"),
    "a task recorded twice": (recorded_twice, "recorded 'align' 2 times", "bank"),
    "a run that was not counted": (without("bank", STARTED), "a run that it never counted", "bank"),
    "a task that one left out": (
        without("clinic", TASK),
        "no record of 'align' though its run finished",
        "clinic",
    ),
    "a task that all left out": (unrecorded, "not recorded though the run finished", "bank"),
    "outside the contract's time": (
        lambda: with_entry(evidence(), "bank", STARTED, at="2030-01-01T00:00:00Z"),
        "outside the contract's time",
        "bank",
    ),
    "another record of what was said": (
        task_changed(transcripts=[transcript("bank", "clinic", statement=f"x\n{JOB}/align/1\ny")]),
        "signed different records",
        "bank, clinic",
    ),
    "no record of what was said": (task_changed(transcripts=[]), "did not both keep", "bank, clinic"),
    "signed for another task": (
        task_changed(transcripts=[transcript("bank", "clinic", use=f"{JOB}/other/1")]),
        "does not verify",
        "bank, clinic",
    ),
    "a signature that is none": (
        task_changed(transcripts=[{**transcript("bank", "clinic"), "ours": "AAAA"}]),
        "does not verify",
        "bank, clinic",
    ),
    "another checkpoint than the others": (
        task_changed(resumed=RESUMED),
        "do not agree which checkpoint",
        "bank, clinic",
    ),
    "another attempt than the signature's": (task_changed(attempt=2), "does not verify", "bank, clinic"),
}


@pytest.mark.parametrize("name", DISHONEST)
def test_dishonesty_is_found_and_pinned(name: str) -> None:
    make, what, by = DISHONEST[name]
    given = make()
    assert audit(given).verdict == "broken"
    assert any(what in told and by == pinned for told, pinned in broken(given)), broken(given)


def test_what_is_not_there_yet_leaves_it_incomplete() -> None:
    for given in (
        without("bank", SIGNED)(),
        without("clinic", ENDED)(),
        replace(evidence(), witnesses={"bank": [], "clinic": ["bank"]}),
    ):
        assert audit(given).verdict == "incomplete"
        assert broken(given) == []


def test_a_signature_taken_back_is_told() -> None:
    given = evidence()
    back = entry(4, "contract-withdrawn", {"reason": "", "signature": ""}, job=None)
    told = replace(given, logs={**given.logs, "bank": [*given.logs["bank"], back]})
    assert any(f"took its signature back on {back.at}" in line.what for line in audit(told).lines)
    assert NOW.strftime("%Y-%m-%d") in back.at


def test_disclosures_within_the_contract_are_no_problem() -> None:
    terms = contract(assets=(asset(), asset(name="patients", holder="clinic")))
    told = [{"name": "intersection", "index": 0, "door": "release", "to": ["bank"], "elements": 10**6}]
    assert compare_disclosures(terms, "align", told) == []
