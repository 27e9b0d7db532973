"""Diffie-Hellman intersection finds exactly the common ids, in one order, for whoever is to know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.cost import Network
from unseen.core.errors import DeniedError, LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import curve
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode, intersect, tags
from unseen.psi.protocols import dh
from unseen.testing.simulate import Run, run, simulate

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
BOTH = ("a", "b")
MANY = 3000 if curve.is_native() else 500  # the reference takes milliseconds for each


def ids(numbers: Any) -> np.ndarray:
    numbers = list(numbers)
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(numbers, np.uint64).reshape(-1, 1).view(np.uint8)
    return out


def go(
    left: np.ndarray,
    right: np.ndarray,
    *,
    parties: tuple[str, ...] = BOTH,
    to: tuple[str, ...] = BOTH,
    arguments: dict[str, Any] | None = None,
    **options: Any,
) -> Run[Any]:
    sets = {"a": left, "b": right}
    options.setdefault("disclosures", TOLD)
    more = {"allow_empty": True, **(arguments or {})}
    return simulate(
        lambda party: intersect(party, sets.get(party.name), holders=BOTH, to=to, method="dh", **more),
        parties,
        **options,
    )


def check(outcome: Run[Any], x: np.ndarray, y: np.ndarray) -> None:
    assert not outcome.errors
    mine, theirs = x[outcome.results["a"].rows], y[outcome.results["b"].rows]
    np.testing.assert_array_equal(mine, theirs)
    expected = {row.tobytes() for row in x} & {row.tobytes() for row in y}
    assert len(mine) == len(expected)
    assert {row.tobytes() for row in mine} == expected


@settings(max_examples=20, deadline=None)
@given(
    st.sets(st.integers(0, 60), max_size=40),
    st.sets(st.integers(0, 60), max_size=40),
    st.booleans(),
)
def test_same_as_plain_sets(left: set[int], right: set[int], compact: bool) -> None:
    x, y = ids(sorted(left)), ids(sorted(right, reverse=True))
    check(go(x, y, arguments={"mode": Mode(compact=compact)}), x, y)


@pytest.mark.parametrize(
    "sizes", [(0, 0), (0, 5), (5, 0), (1, 1), (63, 200), (64, 64), (65, 300), (300, 129)]
)
@pytest.mark.parametrize("workers", [1, 3])
def test_pieces_and_workers(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], workers: int) -> None:
    monkeypatch.setattr(dh, "_PIECE", 64)
    x, y = ids(range(sizes[0])), ids(range(sizes[0] // 2, sizes[0] // 2 + sizes[1]))
    check(go(x, y, pool_workers=workers), x, y)


@pytest.mark.parametrize("to", [("a",), ("b",), ("b", "a")])
@pytest.mark.parametrize("right", [range(20, 80), range(45, 60)])
def test_the_result_goes_to_whom_it_is_due(to: tuple[str, ...], right: range) -> None:
    x, y = ids(range(50)), ids(right)
    told = [Disclosure("intersection", "common rows", to, Door.RELEASE)]
    outcome = go(x, y, to=to, disclosures=told)
    assert not outcome.errors
    common = {row.tobytes() for row in x} & {row.tobytes() for row in y}
    for name, rows in (("a", x), ("b", y)):
        if name in to:
            assert {row.tobytes() for row in rows[outcome.results[name].rows]} == common
        else:
            assert outcome.results[name] is None


@pytest.mark.parametrize("sizes", [{"a": 100, "b": 100}, {"a": 41, "b": 1000}, {"a": 40, "b": 30}])
def test_a_bound_hides_how_many_there_are(sizes: dict[str, int]) -> None:
    x, y = ids(range(40)), ids(range(20, 50))
    outcome = go(x, y, arguments={"sizes": sizes})
    check(outcome, x, y)
    for receiver, sender in (("a", "b"), ("b", "a")):
        seen = [item.message for item in outcome.views[receiver]]
        assert sum(len(m.points) for m in seen if isinstance(m, dh.MaskedIds)) == sizes[sender]


def test_several_thousand_and_a_bystander() -> None:
    x, y = ids(range(MANY)), ids(range(MANY // 2, 2 * MANY - 400))
    outcome = go(x, y, parties=("a", "b", "c"))
    check(outcome, x, y)
    assert outcome.results["c"] is None
    assert outcome.rounds("a") <= 4  # the first tells the sizes


def test_few_bytes() -> None:
    x, y = ids(range(MANY)), ids(range(MANY // 2, MANY // 2 + MANY))
    sent = go(x, y, arguments={"mode": Mode(compact=True)}).bytes_sent
    expected = dh.estimate((MANY, MANY), Mode(compact=True), Network()).bytes
    width = tags.length((MANY, MANY), compact=True)
    assert width <= 8
    assert expected == 2 * MANY * 32 + MANY * width + MANY // 8
    assert expected < sent < expected + 1500


def test_repeated_ids_are_refused_before_anything_is_sent() -> None:
    outcome = go(ids([1, 2, 2]), ids([1, 2]))
    assert isinstance(outcome.errors["a"], UsageError)
    assert not outcome.views["b"]


def test_no_common_rows_is_an_error_unless_allowed() -> None:
    outcome = go(ids([1]), ids([2]), arguments={"allow_empty": False})
    assert all("in common" in str(error) for error in outcome.errors.values())
    assert len(outcome.errors) == 2


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
    assert isinstance(outcome.errors["b"], DeniedError)
    assert set(outcome.errors) == {"a", "b"}
    seen = {type(item.message).__name__ for view in outcome.views.values() for item in view}
    assert seen == {"SetSize", "MaskedIds", "SealedTags"}


def test_the_comparer_too_tells_only_what_is_listed() -> None:
    told = [Disclosure("intersection", "common rows", ("a",), Door.RELEASE)]
    outcome = go(ids([1, 2]), ids([2, 3]), disclosures=told)
    assert isinstance(outcome.errors["a"], DeniedError)
    assert not any(isinstance(item.message, dh.Common) for item in outcome.views["b"])


def test_three_holders_are_refused() -> None:
    def program(party: Party) -> Any:
        return intersect(party, ids([1]), holders=("a", "b", "c"), to=("a", "b", "c"), method="dh")

    with pytest.raises(UsageError, match="for 2 holders"):
        run(program, ("a", "b", "c"), disclosures=TOLD)


def test_the_same_masked_id_twice_is_refused() -> None:
    rows = np.array([[1] * 5, [2] * 5, [1] * 5], np.uint8)
    for mine, theirs in ((rows, rows[:2]), (rows[:2], rows)):
        with pytest.raises(RemoteProtocolError, match=r"mallory .* twice"):
            dh._matches(mine, theirs, "mallory")
