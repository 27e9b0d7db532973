"""Joins of three tables and more, hidden and open, against rows put together one id at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi import join as module
from unseen.psi.join import How, aligned, hidden_join
from unseen.testing.simulate import Run, simulate

UNIVERSE = np.random.default_rng(12).integers(0, 256, (64, 32), np.uint8)
EVERYBODY = ("a", "b", "c", "d")
TOLD = [
    Disclosure("intersection", "a test", EVERYBODY, Door.RELEASE, times=1000),
    Disclosure("repeats", "a test", EVERYBODY, Door.RELEASE, times=1000),
    Disclosure("result", "a test", ("a",), Door.REVEAL, times=1 << 20),
]
HOWS: tuple[How, ...] = ("inner", "left", "right", "full")
every_how = pytest.mark.parametrize("how", HOWS)
Tables = Mapping[str, Sequence[int]]
CASES: list[Tables] = [
    {"a": [1, 1, 2, 3, 4], "b": [1, 1, 3, 3, 5, 6], "c": [3, 5, 6, 7, 2]},
    {"a": [1, 1], "b": [2], "c": [1]},
    {"a": [], "b": [2, 2], "c": [2]},
]
REPEATS = {"a": 2, "b": 2, "c": 1}


def known(table: Sequence[int], place: int) -> list[float]:
    """What a holder knows: another number for each row, none of them 0."""
    return [100.0 * place + row for row in range(1, len(table) + 1)]


def wanted(tables: Tables, how: How) -> Counter[Any]:
    """Rows of what the holders know, 0 for nothing."""
    rows: dict[str, dict[int, list[float]]] = {}
    for place, (name, table) in enumerate(tables.items(), 1):
        rows[name] = {}
        for number, value in zip(table, known(table, place), strict=True):
            rows[name].setdefault(number, []).append(value)
    first, last = next(iter(tables)), list(tables)[-1]
    kept = {
        "inner": set.intersection(*map(set, tables.values())),
        "left": set(tables[first]),
        "right": set(tables[last]),
        "full": set().union(*tables.values()),
    }[how]
    return Counter(
        row for number in kept for row in product(*(rows[name].get(number, [0.0]) for name in tables))
    )


def go(
    cases: Sequence[Tables],
    how: How,
    *,
    protocol: str = "replicated3",
    repeats: Mapping[str, int] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Run[Any]:
    holders = tuple(cases[0])
    helper = "helper" if protocol == "dealer" else None

    def body(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        out = []
        for tables in cases:
            mine: Any = (None, None)
            if party.name in holders:
                own = tables[party.name]
                mine = (UNIVERSE[list(own)], {"v": np.array(known(own, 1 + holders.index(party.name)))})
            rows = hidden_join(
                engine,
                *mine,
                how=how,
                holders=holders,
                sizes=sizes or {name: len(table) for name, table in tables.items()},
                columns={name: {"v": float} for name in holders},
                repeats=repeats,
            )
            asked = (rows.member, rows.matched, *(rows.columns[name]["v"] for name in holders))
            out.append([engine.reveal("result", item, to=("a",)) for item in asked])
        return out

    parties = holders if helper is None else (*holders, helper)
    return simulate(body, parties, disclosures=TOLD, timeout_s=300)


def check(outcome: Run[Any], cases: Sequence[Tables], how: How) -> None:
    assert not outcome.errors, outcome.errors
    for tables, (member, matched, *columns) in zip(cases, outcome.results["a"], strict=True):
        found = np.stack(columns, axis=1)
        assert Counter(map(tuple, found[member].tolist())) == wanted(tables, how), tables
        assert (found[~member] == 0).all()
        np.testing.assert_array_equal(matched, (found != 0).all(axis=1))


@every_how
def test_three_alone(how: How) -> None:
    check(go(CASES[:1], how, repeats=REPEATS), CASES[:1], how)


@pytest.mark.long
@every_how
@pytest.mark.parametrize("protocol", ["replicated3", "dealer"])
def test_three(how: How, protocol: str) -> None:
    check(go(CASES, how, protocol=protocol, repeats=REPEATS), CASES, how)


@pytest.mark.long
@every_how
def test_four(how: How) -> None:
    cases = [{"a": [1, 2, 3, 3], "b": [3, 2, 5], "c": [5, 3, 6], "d": [6, 3, 2, 2]}]
    check(go(cases, how, protocol="dealer", repeats={"a": 2, "d": 2}), cases, how)


@pytest.mark.long
@pytest.mark.parametrize("how", ["left", "full"])
def test_three_at_all_small_multiplicities(how: How) -> None:
    """Every way in which an id comes 0 to 2 times at each, beside another id that the first and the last have."""
    cases = [
        {"a": [1] * i + [2], "b": [1] * j, "c": [1] * k + [2]} for i, j, k in product(range(3), repeat=3)
    ]
    check(go(cases, how, repeats={"a": 2, "b": 2, "c": 2}), cases, how)


def test_open_inner() -> None:
    tables = CASES[0]

    def body(party: Party) -> Any:
        return aligned(party, UNIVERSE[list(tables[party.name])], holders=tuple(tables), how="inner")

    outcome = simulate(body, tuple(tables), disclosures=TOLD)
    assert not outcome.errors, outcome.errors
    columns = [
        np.array(known(table, place))[outcome.results[name]]
        for place, (name, table) in enumerate(tables.items(), 1)
    ]
    assert Counter(zip(*(column.tolist() for column in columns), strict=True)) == wanted(tables, "inner")


def test_open_ones_of_another_kind_are_refused() -> None:
    outcome = simulate(
        lambda party: aligned(party, UNIVERSE[:2], holders=("a", "b", "c"), how="left"), ("a", "b", "c")
    )
    assert all("cannot be open" in str(error) for error in outcome.errors.values())
    assert len(outcome.errors) == 3


def test_too_many_rows_of_an_id() -> None:
    outcome = go(CASES[:1], "inner", repeats={"a": 64, "b": 64, "c": 2})
    assert all(isinstance(error, UsageError) for error in outcome.errors.values())
    assert len(outcome.errors) == 3


def test_mutant_one_holder_decides_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were rows kept wherever all or none of the others have them, instead of each by itself, `check` would say so."""
    honest = module._meet

    def alike(*arguments: Any, **options: Any) -> Any:
        found = honest(*arguments, **options)
        for name in found.having:
            found.having[name] = found.member
        return found

    monkeypatch.setattr(module, "_meet", alike)
    with pytest.raises(AssertionError):
        check(go(CASES[:1], "left", repeats=REPEATS), CASES[:1], "left")
