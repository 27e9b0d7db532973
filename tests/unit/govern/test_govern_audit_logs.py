"""What the audit makes of logs: what is wrong breaks it, what has only not arrived leaves it incomplete."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unseen.govern.audit import Evidence, audit
from unseen.govern.contract import Contract, PartyTerms

CONTRACT = Contract(
    title="t",
    purpose="p",
    parties=tuple(
        PartyTerms(name=name, identity=f"ed25519:{name * 64}", roles=("computer",)) for name in "ab"
    ),
    assets=(),
    tasks=(),
    disclosures=(),
    security_level="shared",
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
)
WITNESSED = {"a": ["b"], "b": ["a"]}


@pytest.mark.parametrize(
    ("told", "verdict", "mark"),
    [
        ({"findings": [("b", "entry 3 is missing")]}, "broken", "broken"),
        ({"findings": [], "behind": [("b", "a saw 9 entries")]}, "incomplete", "not covered"),
        (
            {"findings": [("a", "changed")], "behind": [("b", "a saw 9 entries")]},
            "broken",
            "not covered",
        ),
    ],
)
def test_what_is_wrong_and_what_is_not_here_yet(told, verdict, mark) -> None:
    report = audit(Evidence(CONTRACT, {"a": [], "b": []}, WITNESSED, **told))
    assert report.verdict == verdict
    (line,) = [line for line in report.lines if line.section == "Logs" and line.by == "b"]
    assert line.mark == mark
    assert not any(line.mark == "proved" and "log of b" in line.what for line in report.lines)
