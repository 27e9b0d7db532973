"""Bound inputs under every protocol: honest owners pass, whoever shares something else does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from protocol_run import each_of, parties_of, seats

from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.mpc import Engine, binding
from unseen.mpc.binding import Commitment
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, simulate

TOLD = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL)
SEVERAL = [seat for seat in seats() if seat[1] > 1]
VALUES = np.array([[1.5, -2.0, 0.25], [0.0, 100.0, -0.001]])


def go(
    seat: tuple[str, int], mine: np.ndarray, committed: Commitment, owner: str = "p0", **kind: Any
) -> Run[Any]:
    names, helper = parties_of(*seat)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0])
        has = party.name == owner
        x = binding.committed_share(
            engine,
            mine if has else None,
            committed.element,
            blind=committed.blind if has else None,
            owner=owner,
            shape=mine.shape,
            **kind,
        )
        return engine.reveal("result", x, to=("p0",))

    return simulate(program, (*names, *((helper,) if helper else ())), disclosures=[TOLD])


@each_of(seats())
def test_an_honest_owner_passes(seat: tuple[str, int]) -> None:
    for place in range(seat[1]):
        run = go(seat, VALUES, binding.commit(VALUES), f"p{place}")
        assert not run.errors
        np.testing.assert_allclose(run.results["p0"], VALUES, atol=2**-20)


@each_of(SEVERAL)
def test_integers(seat: tuple[str, int]) -> None:
    whole = np.array([3, -(2**40), 7])
    run = go(seat, whole, binding.commit(whole, bits=0), dtype=int)
    assert not run.errors
    np.testing.assert_array_equal(run.results["p0"], whole)


@each_of(SEVERAL)
def test_an_honest_program_cannot_pass_with_other_values(seat: tuple[str, int]) -> None:
    """It is told itself, before it has sent anything. One that lies about them: tests/adversary/mpc."""
    other = VALUES.copy()
    other[1, 2] += 2.0**-20
    error = go(seat, other, binding.commit(VALUES)).errors["p0"]
    assert isinstance(error, VerificationError)
    assert "about to share" in error.what


@pytest.mark.parametrize("kind", [{"dtype": bool}, {}])
def test_what_cannot_be_bound(kind: dict[str, Any]) -> None:
    values = VALUES if kind else VALUES[:0]
    assert isinstance(go(SEVERAL[0], values, binding.commit(VALUES), **kind).errors["p0"], LocalProtocolError)


def test_numbers_too_large_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match=r"2\^48"):
        binding.commit(np.full(200, 2.0**21))
    binding.commit(np.full(100, 2.0**21))


def test_a_commitment_shows_no_blind() -> None:
    made = binding.commit(VALUES)
    assert str(made.blind) not in repr(made)
    assert made.element != binding.commit(VALUES).element
