"""What the parties of a secret-shared computation see, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, UnseenError
from unseen.link.memory import Parcel
from unseen.mpc import Engine
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.protocols.dealer.dealing import Correction
from unseen.party import Disclosure, DisclosurePolicy, Door, Party
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, opened, secret_arrays

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)
ROWS = 700


def program(party: Party) -> Any:
    """Products, a fixed operand used twice, truncation, comparison and sigmoid of values that are far from uniform."""
    engine = Engine(party, holders=("a", "b"), helper="helper")
    me = party.name
    x = engine.share(np.ones((ROWS, 3)) if me == "a" else None, owner="a", shape=(ROWS, 3))
    w = engine.share(np.zeros(3) if me == "b" else None, owner="b", shape=(3,))
    fixed = engine.fix(x)
    z = fixed @ w + fixed @ w
    p = sigmoid(z)
    q = p * p + (x[:, 0] * x[:, 1])
    g = fixed.T @ q
    return engine.reveal("result", g, to=("a",))


def go(**options: Any) -> Run[Any]:
    return simulate(program, ("a", "b", "helper"), disclosures=[TOLD], **options)


def found(run: Run[Any]) -> list[str]:
    """Everything that does not look like noise: in what a received, in what b received, in what they opened."""
    a, b = run.views["a"], run.views["b"]
    return [*objections(secret_arrays(a)), *objections(secret_arrays(b)), *objections(opened(a, b))]


def test_views_are_uniform_and_the_helper_sees_nothing() -> None:
    run = go()
    assert not run.errors
    assert not [seen for seen in run.views["helper"] if type(seen.message).__name__ != "SignedHead"]
    assert found(run) == []


def test_only_the_receiver_gets_parts_of_the_result() -> None:
    run = go()
    assert [s.receiver for v in run.views.values() for s in v if type(s.message).__name__ == "Part"] == ["a"]


def test_two_runs_share_no_bytes() -> None:
    one, other = go(), go()
    first = {s.message.values.tobytes() for s in one.views["b"] if isinstance(s.message, Correction)}
    second = {s.message.values.tobytes() for s in other.views["b"] if isinstance(s.message, Correction)}
    assert not first & second


@pytest.mark.parametrize(
    "mutant",
    [item for item in mutants("mpc-dealer") if item.flaw != "missing zero-share"],
    ids=lambda mutant: mutant.name,
)
def test_mutants_are_found(mutant: Mutant) -> None:
    honest = go().results["a"]
    with mutant.applied():
        run = go()
    assert found(run)
    np.testing.assert_allclose(run.results["a"], honest, atol=1e-2)  # and nobody would have noticed


def multiplied(party: Party) -> Any:
    """A result that no truncation has shared anew: 256 times a shared value, of which bare shares end in a zero byte."""
    engine = Engine(party, holders=("a", "b"), helper="helper")
    x = engine.share(np.ones(ROWS) if party.name == "a" else None, owner="a", shape=(ROWS,))
    return engine.reveal("result", x * 256, to=("a",))


@pytest.mark.parametrize(
    "mutant",
    [item for item in mutants("mpc-dealer") if item.flaw == "missing zero-share"],
    ids=lambda mutant: mutant.name,
)
def test_parts_of_a_result_are_shared_anew(mutant: Mutant) -> None:
    honest = simulate(multiplied, ("a", "b", "helper"), disclosures=[TOLD])
    assert found(honest) == []
    with mutant.applied():
        run = simulate(multiplied, ("a", "b", "helper"), disclosures=[TOLD])
    assert found(run)
    np.testing.assert_array_equal(run.results["a"], honest.results["a"])


def test_a_contract_without_the_reveal_stops_it_before_anything_is_sent() -> None:
    run = simulate(program, ("a", "b", "helper"), disclosures=[])
    assert any(isinstance(error, DeniedError) for error in run.errors.values())
    assert not [seen for seen in run.views["a"] if type(seen.message).__name__ == "Part"]


def test_one_giver_that_does_not_agree_is_enough() -> None:
    denies = DisclosurePolicy("test-contract", "test-task", ())
    run = go(policies={"b": denies})
    assert isinstance(run.errors["b"], DeniedError)
    assert "a" not in run.results


@pytest.mark.parametrize("nth", [3, 20, 45])
def test_a_flipped_bit_never_hangs(nth: int) -> None:
    """This protocol is for semi-honest parties: a flipped bit may change the result, but ends in order."""
    seen = {"count": 0}

    def wire(parcel: Parcel) -> bytes | None:
        seen["count"] += 1
        if seen["count"] != nth:
            return parcel.payload
        data = bytearray(parcel.payload)
        data[len(data) // 2] ^= 1
        return bytes(data)

    run = go(wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())
