"""Diffie-Hellman intersection finds exactly the common ids, in one order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import DeniedError, LocalProtocolError, UsageError
from unseen.party import Disclosure, Door, Party
from unseen.psi import intersect
from unseen.testing.simulate import Run, run, simulate

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]


def ids(numbers: list[int]) -> np.ndarray:
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(numbers, np.uint64).reshape(-1, 1).view(np.uint8)
    return out


def go(
    left: np.ndarray, right: np.ndarray, *, parties: tuple[str, ...] = ("a", "b"), **options: Any
) -> Run[Any]:
    sets = {"a": left, "b": right}
    options.setdefault("disclosures", TOLD)
    return simulate(
        lambda party: intersect(party, sets.get(party.name), holders=("a", "b"), to=("a", "b"), method="dh"),
        parties,
        **options,
    )


@settings(max_examples=20, deadline=None)
@given(
    st.sets(st.integers(0, 60), min_size=1, max_size=40), st.sets(st.integers(0, 60), min_size=1, max_size=40)
)
def test_same_as_plain_sets(left: set[int], right: set[int]) -> None:
    x, y = ids(sorted(left)), ids(sorted(right, reverse=True))
    outcome = go(x, y)
    if not left & right:
        assert all(
            isinstance(error, UsageError) and "in common" in error.what for error in outcome.errors.values()
        )
        return
    assert not outcome.errors
    mine, theirs = x[outcome.results["a"].rows], y[outcome.results["b"].rows]
    np.testing.assert_array_equal(mine, theirs)
    assert {int(row[:8].view(np.uint64)[0]) for row in mine} == left & right


def test_several_thousand_and_a_bystander() -> None:
    left, right = list(range(3000)), list(range(1500, 4100))
    outcome = go(ids(left), ids(right), parties=("a", "b", "c"))
    assert not outcome.errors
    assert outcome.results["c"] is None
    assert outcome.results["a"].size == outcome.results["b"].size == 1500
    assert outcome.rounds("a") == 3  # the first tells the sizes


def test_repeated_ids_are_refused_before_anything_is_sent() -> None:
    outcome = go(ids([1, 2, 2]), ids([1, 2]))
    assert isinstance(outcome.errors["a"], UsageError)
    assert not outcome.views["b"]


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        run(
            lambda party: intersect(
                party, np.zeros((3, 8), np.uint8), holders=("a", "b"), to=("a", "b"), method="dh"
            ),
            ("a", "b"),
            disclosures=TOLD,
        )


def test_without_the_disclosure_nothing_is_told() -> None:
    outcome = go(ids([1, 2]), ids([2, 3]), disclosures=[])
    assert isinstance(outcome.errors["a"], DeniedError)
    assert isinstance(outcome.errors["b"], DeniedError)
    seen = {type(item.message).__name__ for view in outcome.views.values() for item in view}
    assert seen == {"SetSize", "MaskedIds"}


def test_three_holders_are_refused() -> None:
    def program(party: Party) -> Any:
        return intersect(party, ids([1]), holders=("a", "b", "c"), to=("a", "b", "c"), method="dh")

    with pytest.raises(UsageError, match="for two holders"):
        run(program, ("a", "b", "c"), disclosures=TOLD)
