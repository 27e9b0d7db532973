"""What parties see of codes, numbers and answers, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.crypto.prg import Prg
from unseen.mpc import Engine
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.mpc.tally import dealer, open_tally, replicated
from unseen.mpc.tally.dealer import DealerTally
from unseen.party import Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import lowest_bytes, objections, opened, secret_arrays

ROWS = 900


def program(protocol: str, party: Party) -> Any:
    """Codes, numbers and answers that are far from uniform."""
    three = protocol == "replicated3"
    engine = Engine(
        party,
        holders=("a", "b", "helper") if three else ("a", "b"),
        helper=None if three else "helper",
        protocol=protocol,
    )
    mine = np.zeros((1, ROWS), int) if party.name in ("a", "b") else None
    answers = None if mine is None else np.full((2, ROWS), party.name == "a")
    tally = open_tally(engine, mine, {"a": (4,), "b": (4,)}, rows=ROWS)
    numbers = engine.share(
        np.ones((2, ROWS)) if party.name == "a" else None, owner="a", shape=(2, ROWS), dtype=int
    )
    taken = tally.take(numbers)
    taken.sums()
    tally.take(taken.kept(answers)).sums()


def go(protocol: str = "dealer2") -> Run[Any]:
    return simulate(lambda party: program(protocol, party), ("a", "b", "helper"))


def found(run: Run[Any]) -> list[str]:
    assert not run.errors
    a, b = run.views["a"], run.views["b"]
    seen = [
        *secret_arrays(a),
        *secret_arrays(b),
        *lowest_bytes(a),
        *lowest_bytes(b),
        *secret_arrays(run.views["helper"]),
    ]
    return objections(seen) + objections(opened(a, b))


@pytest.mark.parametrize("protocol", ["dealer2", "replicated3"])
def test_views_are_uniform(protocol: str) -> None:
    assert found(go(protocol)) == []


def test_the_helper_sees_nothing() -> None:
    assert not [seen for seen in go().views["helper"] if type(seen.message).__name__ != "SignedHead"]


class _Constant(Prg):
    """A mask of zeros."""

    def u64(self, shape: Any) -> Any:
        return np.zeros(shape, np.uint64)


def _again(tally: DealerTally, vectors: int, real: Any = DealerTally.prepare) -> None:
    """The same masks for all vectors."""
    real(tally, 1)
    tally._ready = tally._ready[:1] * vectors


@pytest.mark.parametrize("protocol", ["dealer2", "replicated3"])
def test_codes_in_clear_are_found(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dealer, replicated):
        monkeypatch.setattr(module, "Prg", _Constant)
    assert found(go(protocol))


def test_a_mask_that_is_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DealerTally, "prepare", _again)
    assert found(go())


def test_answers_in_clear_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Dealing, "private_bits", lambda _dealing, _holder, count: np.zeros(-(-count // 8), np.uint8)
    )
    assert found(go())
