"""What is common does not show in the time that a run takes: two inputs with the same sizes and the same declared output.

Time is processor time of all parties together, in pairs of runs whose order is drawn, so that other load on the machine meets both alike. A
difference counts if it is certain (signed ranks, p < 10^-4) and of a size that shows (over 5 % of a run): fresh noise and caches
make differences of a per cent come and go.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from psi_run import NAMES, among, holders_of, told
from scipy.stats import wilcoxon

from unseen.party import Disclosure, Door
from unseen.psi import Mode
from unseen.psi.protocol import protocol
from unseen.psi.protocols import circuit

ROWS = 500
PAIRS, CERTAIN, SHOWS = 24, 1e-4, 0.05
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def inputs_of(name: str) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """In secret: nothing in common, and everything. Open: as many in common, other ids at other places."""
    first = list(range(ROWS))
    if protocol(name).OUTPUT == "rows":
        one, other = list(range(ROWS // 2, ROWS + ROWS // 2)), list(range(ROWS // 2 - 1, -1, -1))
        other += list(range(ROWS, ROWS + ROWS // 2))
    else:
        one, other = list(range(ROWS, 2 * ROWS)), first[::-1]
    further = holders_of(name)[2:]
    return (
        {"a": first, "b": one, **dict.fromkeys(further, first)},
        {"a": first, "b": other, **dict.fromkeys(further, first)},
    )


def shows(one: Callable[[], Any], other: Callable[[], Any]) -> bool:
    """Whether the time tells which of the two was run."""
    rng = np.random.default_rng(0)
    for program in (one, other):  # what is made once is made now
        program()
    taken = np.zeros((PAIRS, 2))
    for pair in taken:
        for which in rng.permutation(2):
            begin = time.process_time()
            (one, other)[which]()
            pair[which] = time.process_time() - begin
    apart = taken[:, 1] - taken[:, 0]
    size = abs(float(np.median(apart))) / float(np.median(taken))
    return bool(size > SHOWS and wilcoxon(apart).pvalue < CERTAIN)


def runs_of(name: str, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    if protocol(name).OUTPUT == "answers":
        options |= {"at_least": 2 * ROWS}

    def run(held: dict[str, list[int]]) -> None:
        outcome = among(held, name, Mode(), **options)
        assert not outcome.errors, outcome.errors

    one, other = inputs_of(name)
    return (lambda: run(one)), (lambda: run(other))


@pytest.mark.parametrize("name", NAMES)
def test_time_does_not_tell_what_is_common(name: str) -> None:
    assert not shows(*runs_of(name))


def test_mutant_work_on_common_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that learns of members, and goes on with these alone, takes longer the more there are."""
    honest = circuit._none_differs

    def eager(engine: Any, targets: Any, plan: Any) -> Any:
        met = honest(engine, targets, plan)
        members = engine.reveal("spied", met[0], to=("a",))
        if members is not None:
            for _ in range(int(members.sum())):
                hashlib.sha256(bytes(1 << 15)).digest()
        return met

    monkeypatch.setattr(circuit, "_none_differs", eager)
    spied = Disclosure("spied", "a mutant", ("a",), Door.REVEAL)
    assert shows(*runs_of("circuit", disclosures=[told("circuit", ("a", "b")), spied]))
