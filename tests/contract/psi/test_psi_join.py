"""Joins, open and hidden, against Arrow's on the same tables, at small sizes with ids that come several times."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import UsageError
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party
from unseen.psi import join as module
from unseen.psi.join import How, Rows, aligned, hidden_join
from unseen.testing.simulate import Run, simulate

HOLDERS = ("a", "b")
UNIVERSE = np.random.default_rng(11).integers(0, 256, (64, 32), np.uint8)
TOLD = [
    Disclosure("intersection", "a test", HOLDERS, Door.RELEASE, times=1000),
    Disclosure("repeats", "a test", HOLDERS, Door.RELEASE, times=1000),
    Disclosure("alone", "a test", HOLDERS, Door.RELEASE, times=1000),
    Disclosure("result", "a test", ("a",), Door.REVEAL, times=1000),
]
HOWS: tuple[How, ...] = ("inner", "left", "right", "full")
ARROW = {"inner": "inner", "left": "left outer", "right": "right outer", "full": "full outer"}
CASES = [
    ([1, 2, 3], [3, 4]),
    ([1, 1, 2, 3, 3, 3], [3, 3, 1, 5, 5]),
    ([7, 7], [7, 7, 7]),
    ([1, 2], [3, 4, 4]),
    (list(range(10)), [4]),
]
every_how = pytest.mark.parametrize("how", HOWS)


def x_of(numbers: list[int]) -> list[float]:
    """What the left knows: different for each row."""
    return [number + place / 8 for place, number in enumerate(numbers)]


def wanted(left: list[int], right: list[int], how: How) -> Counter[Any]:
    """Pairs of what the left and the right know, as Arrow joins them; 0 for nothing."""
    one = pa.table({"id": pa.array(left, pa.int64()), "x": pa.array(x_of(left), pa.float64())})
    y = pa.array([100 + place for place in range(len(right))], pa.int64())
    other = pa.table({"id": pa.array(right, pa.int64()), "y": y})
    joined = one.join(other, "id", join_type=ARROW[how])
    return Counter(zip(*((v or 0 for v in joined.column(n).to_pylist()) for n in ("x", "y")), strict=True))


@every_how
@pytest.mark.parametrize("case", range(len(CASES)))
def test_open(how: How, case: int) -> None:
    left, right = CASES[case]
    brought = {"a": left, "b": right}

    def body(party: Party) -> Any:
        return aligned(party, UNIVERSE[brought[party.name]], holders=HOLDERS, how=how)

    outcome = simulate(body, HOLDERS, disclosures=TOLD)
    expected = wanted(left, right, how)
    if not expected:
        assert all(isinstance(error, UsageError) for error in outcome.errors.values())
        return
    assert not outcome.errors, outcome.errors
    x = np.r_[x_of(left), 0][outcome.results["a"]]
    y = np.r_[100 + np.arange(len(right)), 0][outcome.results["b"]]
    assert Counter(zip(x.tolist(), y.tolist(), strict=True)) == expected


def go(
    pairs: list[tuple[list[int], list[int]]],
    how: How,
    *,
    repeats: dict[str, int] | None = None,
    protocol: str = "dealer2",
    at_most: int | None = None,
    sizes: dict[str, int] | None = None,
) -> Run[Any]:
    helper = ("helper",) if protocol == "dealer2" else ()

    def show(rows: Rows) -> Any:
        reveal = rows.member.engine.reveal
        asked = (rows.member, rows.matched, rows.columns["a"]["x"], rows.columns["b"]["y"])
        return [reveal("result", item, to=("a",)) for item in asked]

    def body(party: Party) -> Any:
        engine = Engine(party, holders=HOLDERS, helper=helper[0] if helper else None, protocol=protocol)
        out = []
        for left, right in pairs:
            mine = {
                "a": (UNIVERSE[left], {"x": x_of(left)}),
                "b": (UNIVERSE[right], {"y": 100 + np.arange(len(right))}),
            }.get(party.name, (None, None))
            rows = hidden_join(
                engine,
                *mine,
                how=how,
                holders=HOLDERS,
                sizes=sizes or {"a": len(left), "b": len(right)},
                columns={"a": {"x": float}, "b": {"y": int}},
                repeats=repeats,
                cut=lambda _member: at_most,
            )
            out.append(show(rows))
        return out

    return simulate(body, (*HOLDERS, *helper), disclosures=TOLD, timeout_s=60)


def check(outcome: Run[Any], pairs: list[tuple[list[int], list[int]]], how: How) -> None:
    assert not outcome.errors, outcome.errors
    for (left, right), (member, matched, x, y) in zip(pairs, outcome.results["a"], strict=True):
        assert Counter(zip(x[member].tolist(), y[member].tolist(), strict=True)) == wanted(left, right, how)
        assert (x[~member] == 0).all()
        assert (y[~member] == 0).all()
        np.testing.assert_array_equal(matched, member & np.isin(x // 1, right) & (y > 0))


@every_how
def test_hidden(how: How) -> None:
    check(go(CASES[1:4], how, repeats={"a": 3, "b": 3}), CASES[1:4], how)


@pytest.mark.parametrize("how", ["inner", "full"])
def test_hidden_by_two_alone(how: How) -> None:
    pairs = [([1, 2, 3, 5], [5, 9, 1]), ([1], [2])]
    check(go(pairs, how, protocol="pair2"), pairs, how)


@pytest.mark.parametrize("how", ["left", "right"])
def test_ids_that_come_several_times_at_one_side_only(how: How) -> None:
    pairs = [([1, 2, 3], [3, 3, 9, 2])]
    check(go(pairs, how, repeats={"b": 2}), pairs, how)


@every_how
def test_a_side_without_rows(how: How) -> None:
    pairs: list[tuple[list[int], list[int]]] = [([1, 2], []), ([], [3]), ([], [])]
    check(go(pairs, how), pairs, how)


@pytest.mark.long
@every_how
def test_hidden_at_all_small_multiplicities(how: How) -> None:
    """Every way in which two ids can come 0 to 2 times at either side."""
    ways = [(i, j, k, m) for i in range(3) for j in range(3) for k in range(3) for m in range(3)]
    pairs = [([1] * i + [2] * j, [1] * k + [2] * m) for i, j, k, m in ways if i + j and k + m]
    check(go(pairs, how, repeats={"a": 2, "b": 2}), pairs, how)


@pytest.mark.parametrize("protocol", ["dealer2", "pair2"])
def test_rows_move_to_the_front(protocol: str) -> None:
    pairs = [(list(range(30)), list(range(20, 50)))]
    outcome = go(pairs, "inner", at_most=12, protocol=protocol)
    check(outcome, pairs, "inner")
    assert outcome.results["a"][0][0].tolist() == [True] * 10 + [False] * 2
    cut = go(pairs, "left", at_most=12, protocol=protocol)
    member, matched, x, y = cut.results["a"][0]
    assert member.all()
    np.testing.assert_array_equal(matched, y > 0)
    assert len(set(x)) == 12


def test_the_length_that_is_told_has_room_for_all_rows() -> None:
    """With noise, so it differs from run to run; with a margin, so that no row is lost."""
    left, right = list(range(60)), list(range(20, 60))

    def body(party: Party) -> Any:
        engine = Engine(party, holders=HOLDERS, helper="helper", protocol="dealer2")
        ids = {"a": UNIVERSE[left], "b": UNIVERSE[right]}.get(party.name)
        sizes = {"a": 60, "b": 60}
        told: list[int | None] = []

        def cut(member: SecretArray) -> int:
            told.extend(module.noisy_size(member, "result", epsilon=2.0, per_id=1, to="a") for _ in range(12))
            return 68

        values = None if ids is None else {}
        rows = hidden_join(engine, ids, values, how="inner", holders=HOLDERS, sizes=sizes, cut=cut)
        return told, engine.reveal("result", rows.member, to=("a",))

    outcome = simulate(body, (*HOLDERS, "helper"), disclosures=TOLD, timeout_s=30)
    assert not outcome.errors, outcome.errors
    lengths, kept = outcome.results["a"]
    assert outcome.results["b"][0] == outcome.results["helper"][0] == [None] * 12
    assert module.margin(2.0, 1) == 14
    assert len(set(lengths)) > 1
    assert all(40 <= one <= 40 + 2 * 14 for one in lengths)
    assert kept.sum() == 40


def test_more_often_than_agreed() -> None:
    outcome = go([([1, 1, 1], [1])], "inner", repeats={"a": 2})
    assert "comes 3 times at a" in str(outcome.errors["a"])
    outcome = go([([1, 1], [1])], "inner")
    assert "more than once" in str(outcome.errors["a"])


@pytest.mark.parametrize("how", ["inner", "full"])
def test_two_inputs_under_the_same_bounds_look_alike(how: How) -> None:
    seen = []
    for left, right in (([1, 1, 2], [3, 3, 4, 5]), ([7, 8, 9, 9], [9, 9, 7])):
        outcome = go([(left, right)], how, repeats={"a": 2, "b": 2}, sizes={"a": 4, "b": 4}, at_most=9)
        assert not outcome.errors, outcome.errors
        views = {
            name: [(item.sender, item.stream, type(item.message).__name__) for item in view]
            for name, view in outcome.views.items()
        }
        seen.append(
            (views, {n: {p: s.bytes_sent for p, s in stats.items()} for n, stats in outcome.stats.items()})
        )
    assert seen[0] == seen[1]


def test_mutant_a_lone_row_at_each_of_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = module._Brought.of.__func__

    def always_first(cls: Any, *arguments: Any) -> Any:
        made = whole(cls, *arguments)
        return cls(made.ids, made.values, {name: np.ones_like(own) for name, own in made.first.items()})

    monkeypatch.setattr(module._Brought, "of", classmethod(always_first))
    outcome = go([([4], [3, 3])], "left", repeats={"b": 2})
    assert outcome.results["a"][0][0].sum() == 2  # where one is due: `check` would say so
