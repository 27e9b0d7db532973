"""What each of three parties sees under the malicious protocol, and mutants that these tests must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from malicious_run import PARTIES, engine_of, everything, expected, go

from unseen.core.errors import DeniedError
from unseen.kernels.reference import shares as reference
from unseen.mpc.protocols.replicated3.wires import Piece, Wires
from unseen.mpc.protocols.replicated3_malicious import gates
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires, Digest, Opened
from unseen.party import DisclosurePolicy, Party
from unseen.testing.simulate import Run
from unseen.testing.views import lowest_bytes, objections, secret_arrays

ROWS = 520


def found(run: Run[Any]) -> list[str]:
    """Everything that does not look like noise, in what each party received."""
    return [
        text
        for name in PARTIES
        for text in objections(secret_arrays(run.views[name]) + lowest_bytes(run.views[name]))
    ]


def large(*, waves: bool = True) -> Run[Any]:
    return go(lambda party: everything(party, ROWS, waves=waves))


def test_views_are_uniform_and_the_result_is_right() -> None:
    run = large()
    assert not run.errors
    assert found(run) == []
    np.testing.assert_allclose(run.results["a"], expected(ROWS), rtol=1e-3)


def test_no_digest_comes_twice_but_to_both_others() -> None:
    """A digest of the same thing under the same number would tell that two things are equal."""
    run = go(everything)
    assert not run.errors
    digests = [
        seen.message.digest.tobytes()
        for view in run.views.values()
        for seen in view
        if isinstance(seen.message, Digest)
    ]
    told = {value: digests.count(value) for value in digests}
    assert set(told.values()) <= {2, 6}  # sums that must be zero: one of each party; what all see: the same


def test_two_runs_share_no_bytes() -> None:
    first, second = (
        {
            s.message.values.tobytes()
            for v in go(everything).views.values()
            for s in v
            if isinstance(s.message, Piece)
        }
        for _ in range(2)
    )
    assert not first & second


def test_views_of_different_inputs_have_the_same_shape() -> None:
    """Same messages of the same lengths in the same order whatever the data: only sizes and operations are told."""

    def shapes(fill: float) -> dict[str, list[Any]]:
        def body(party: Party) -> Any:
            engine = engine_of(party)
            x = engine.share(np.full(50, fill) if party.name == "a" else None, owner="a", shape=(50,))
            return engine.reveal("result", np.where(x < 1, x * x, x), to=("a",))

        run = go(body)
        return {
            name: [
                (s.sender, type(s.message).__name__, getattr(s.message, "values", np.zeros(0)).shape)
                for s in run.views[name]
            ]
            for name in PARTIES
        }

    def per_sender(seen: dict[str, list[Any]]) -> dict[Any, list[Any]]:
        return {
            (name, sender): [item for item in view if item[0] == sender]
            for name, view in seen.items()
            for sender in PARTIES
        }

    assert per_sender(shapes(0.0)) == per_sender(shapes(-3.0))


def test_one_party_that_does_not_agree_is_enough() -> None:
    denies = DisclosurePolicy("test-contract", "test-task", ())
    run = go(everything, policies={"c": denies})
    assert isinstance(run.errors["c"], DeniedError)
    assert "a" not in run.results


def test_the_gate_counts_numbers_not_components() -> None:
    run = go(everything)
    (entry,) = run.journals["b"].entries  # type: ignore[attr-defined]
    assert entry.elements == 3


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_a_sort_opens_says_nothing_of_the_keys() -> None:
    """Sorted keys, or all keys equal: how much is opened, and how many comparisons hold, is distributed alike."""

    def told(keys: np.ndarray) -> tuple[int, int]:
        def body(party: Party) -> None:
            np.sort(engine_of(party).share(keys if party.name == "a" else None, owner="a", shape=keys.shape))

        opened = [s.message for s in go(body).views["b"] if isinstance(s.message, Opened)]
        return sum(message.values.size for message in opened), len(opened)

    samples = [np.array([told(keys) for _ in range(60)]) for keys in (np.arange(200.0), np.zeros(200))]
    for one, other in zip(samples[0].T, samples[1].T, strict=True):
        spread = np.sqrt(one.var() / len(one) + other.var() / len(other)) + 1e-9
        assert abs(one.mean() - other.mean()) < 5 * spread


# ---------------------------------------------------------------- mutants


def _bare(left: Any, right: Any, *_: Any) -> Any:
    zero = bytes(16)
    return reference.multiply(left, right, zero, zero, 1)


def _bare_bits(left: Any, right: Any, *_: Any) -> Any:
    zero = bytes(16)
    return reference.conjoin(left, right, zero, zero, 1)


def _without(algebra: gates.Algebra, part: Callable[..., Any]) -> gates.Algebra:
    return gates.Algebra(algebra.xor, algebra.add, algebra.subtract, algebra.times, part)


PAD = Wires.pad
MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "products without zero-shares": (gates.Gates, "NUMBERS", _bare),
    "ANDs without zero-shares": (gates.Gates, "BITS", _bare_bits),
    "matrix products without zero-shares": (
        CheckedWires,
        "nothing",
        lambda self, shape: np.zeros(shape, np.uint64),
    ),
    "pads are zero": (Wires, "pad", lambda self, key, use, shape, dtype=np.uint64: np.zeros(shape, dtype)),
    "pads of 26 bits": (
        Wires,
        "pad",
        lambda self, key, use, shape, dtype=np.uint64: (
            PAD(self, key, use, shape, dtype) & dtype((1 << 26) - 1)
        ),
    ),
    "the same pad every time": (CheckedWires, "use", lambda self: 1),
    "products opened without a mask": (
        CheckedWires,
        "random",
        lambda self, shape: np.zeros((2, *shape), np.uint64),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, method, mutant = MUTANTS[name]
    if place is gates.Gates:
        honest = gates.Gates.__init__
        algebra = getattr(gates, method)

        def start(self: Any, wires: Any, given: Any) -> None:
            honest(self, wires, _without(given, mutant) if given is algebra else given)

        monkeypatch.setattr(gates.Gates, "__init__", start)
    else:
        monkeypatch.setattr(place, method, mutant)
    assert found(large(waves=False))
