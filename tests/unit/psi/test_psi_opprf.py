"""Programmed values arrive at common ids, noise elsewhere; the OPRF under it has one key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.psi import Mode, opprf, vole_oprf
from unseen.testing.simulate import Run, run
from unseen.testing.views import objections, secret_arrays

RNG = np.random.default_rng(3)
UNIVERSE = RNG.integers(0, 256, (900, 32), np.uint8)


def program(left: np.ndarray, right: np.ndarray, values: np.ndarray, mode: Mode = Mode()) -> Run[Any]:  # noqa: B008
    def body(party: Any) -> Any:
        sizes = {"size": max(1, len(left)), "programmed": max(1, len(right)), "mode": mode}
        if party.name == "a":
            return opprf.receive(party, "b", left, **sizes)
        return opprf.send(party, "a", right, values, **sizes)

    return run(body, ("a", "b"))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (0, 5), (5, 0), (40, 300), (700, 600), (513, 64)])
@pytest.mark.parametrize("compact", [False, True])
def test_values_arrive_where_they_were_programmed(n: int, m: int, *, compact: bool) -> None:
    left, right = UNIVERSE[:n], UNIVERSE[max(0, n - m // 2) :][:m]
    values = RNG.integers(0, 256, (len(right), 16), np.uint8)
    outcome = program(left, right, values, Mode(compact=compact))
    got, wanted = (
        outcome.results["a"],
        {row.tobytes(): value for row, value in zip(right, values, strict=True)},
    )
    programmed = {value.tobytes() for value in values}
    for row, value in zip(left, got, strict=True):
        if row.tobytes() in wanted:
            assert value.tobytes() == wanted[row.tobytes()].tobytes()
        else:
            assert value.tobytes() not in programmed


def test_the_receiver_cannot_tell_which_values_were_programmed() -> None:
    values = RNG.integers(0, 256, (600, 16), np.uint8)
    outcome = program(UNIVERSE[:600], UNIVERSE[300:], values)
    for view in outcome.views.values():
        assert objections(secret_arrays(view)) == []
    inside, outside = outcome.results["a"][300:], outcome.results["a"][:300]
    assert objections([("inside", inside.reshape(-1)), ("outside", outside.reshape(-1))]) == []


def test_only_against_semi_honest_parties() -> None:
    with pytest.raises(UsageError, match="semi-honest"):
        program(UNIVERSE[:3], UNIVERSE[:3], np.zeros((3, 16), np.uint8), Mode(security="malicious"))


def test_a_key_evaluates_any_id_as_its_owner_does() -> None:
    def body(party: Any) -> Any:
        if party.name == "a":
            return vole_oprf.evaluate(party, "b", UNIVERSE[:300], size=400, mode=Mode())
        key = vole_oprf.hold_key(party, "a", size=400, mode=Mode())
        assert "secret" in repr(key)
        return key.evaluate(UNIVERSE, party.pool)

    outcome = run(body, ("a", "b"))
    np.testing.assert_array_equal(outcome.results["a"], outcome.results["b"][:300])
    assert objections([("rest", outcome.results["b"][300:].reshape(-1))]) == []
