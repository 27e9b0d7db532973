"""Hidden intersections against sets in clear, under every engine they work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.kernels import cuckoo
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode
from unseen.psi.protocol import Hidden, Question, answering
from unseen.psi.protocols.circuit import hidden
from unseen.testing.simulate import Run, simulate

TOLD = [Disclosure("result", "a test", ("a", "b", "c", "d"), Door.REVEAL, times=1 << 20)]
KINDS: dict[str, dict[str, type]] = {
    "a": {"x": float, "old": bool},
    "b": {"y": int, "z": float, "w": int},
    "c": {"v": int},
    "d": {},
}
UNIVERSE = np.random.default_rng(8).integers(0, 256, (2000, 32), np.uint8)
ENGINES = {
    "dealer2": ("a", "b"),
    "pair2": ("a", "b"),
    "replicated3": ("a", "b", "c"),
    "dealer": ("a", "b", "c", "d"),
}
every_engine = pytest.mark.parametrize("protocol", ENGINES)
Pair = tuple[Sequence[int], Sequence[int]]


def seats(protocol: str) -> tuple[str, ...]:
    return (*ENGINES[protocol], "helper") if protocol.startswith("dealer") else ENGINES[protocol]


def open_engine(party: Party, protocol: str) -> Engine:
    helper = "helper" if protocol.startswith("dealer") else None
    return Engine(party, holders=ENGINES[protocol], helper=helper, protocol=protocol)


def sets_of(protocol: str, pair: Pair) -> dict[str, list[int]]:
    """The sets of two, and for further holders most of what these have, and more."""
    sets = {"a": list(pair[0]), "b": list(pair[1])}
    for nth, holder in enumerate(ENGINES[protocol][2:]):
        either = sorted({*pair[0], *pair[1]}, reverse=True)
        sets[holder] = [number for number in either if number % (5 + nth) != 1] + [1990 + nth]
    return sets


def columns_of(numbers: Sequence[int]) -> dict[str, dict[str, np.ndarray]]:
    """What each holder knows about these numbers, each of which is an id."""
    whole = np.array(numbers, np.int64)
    return {
        "a": {"x": whole / 4 - 100, "old": whole % 3 == 0},
        "b": {"y": whole * 1_000_003 - (1 << 30), "z": -whole / 8, "w": whole + 1},
        "c": {"v": 7 - whole},
        "d": {},
    }


def table_in_clear(engine: Engine, found: Hidden) -> Any:
    """Everything that is in shares, and where the rows are."""
    everyone = {"member": found.member}
    for holder, named in found.columns.items():
        everyone |= {f"{holder}.{name}": column for name, column in named.items()}
    to = engine.protocol.holders
    shown = {name: engine.reveal("result", column, to=to) for name, column in everyone.items()}
    return found.table, found.rows, shown


def go(protocol: str, pairs: Sequence[Pair], **options: Any) -> Run[Any]:
    """One engine, several intersections one after the other."""
    bounds: Mapping[str, int] | None = options.pop("sizes", None)
    call = {name: options.pop(name) for name in ("table", "mode") if name in options}

    def body(party: Party) -> Any:
        engine = open_engine(party, protocol)
        out = []
        for pair in pairs:
            sets = sets_of(protocol, pair)
            mine = sets.get(party.name)
            ids = None if mine is None else UNIVERSE[mine]
            values = None if mine is None else columns_of(mine)[party.name]
            sizes = bounds or {name: len(rows) for name, rows in sets.items()}
            columns = {name: KINDS[name] for name in sets}
            found = hidden(engine, ids, values, sizes=sizes, columns=columns, **call)
            out.append(table_in_clear(engine, found) if party.name != "helper" else _helped(engine, found))
        return out

    return simulate(body, seats(protocol), disclosures=TOLD, **options)


def _helped(engine: Engine, found: Hidden) -> None:
    assert found.rows is None
    table_in_clear(engine, found)


def check(outcome: Run[Any], protocol: str, pairs: Sequence[Pair]) -> None:
    assert not outcome.errors, outcome.errors
    for place, pair in enumerate(pairs):
        sets = sets_of(protocol, pair)
        table, _, shown = outcome.results["a"][place]
        rows = outcome.results[table][place][1]
        assert all(outcome.results[name][place][1] is None for name in sets if name != table)
        own = np.array(sets[table], np.int64)
        there = rows >= 0
        if all(sets.values()):
            assert sorted(rows[there]) == list(range(len(own)))
        numbers = np.where(there, own[np.maximum(rows, 0)] if len(own) else -1, -1)
        member = np.isin(numbers, list(set.intersection(*map(set, sets.values()))))
        np.testing.assert_array_equal(shown["member"], member)
        for holder in sets:
            for name, column in columns_of(numbers)[holder].items():
                wanted = np.where(member, column, 0)
                np.testing.assert_array_equal(shown[f"{holder}.{name}"], wanted, err_msg=f"{holder}.{name}")
        for name, column in shown.items():
            np.testing.assert_array_equal(outcome.results["b"][place][2][name], column)


SHAPES = [
    ([], []),
    ([], [1]),
    ([1], []),
    ([1], [1]),
    ([1], [2]),
    ([1, 2], [2]),
    (list(range(40)), list(range(40, 90))),
    (list(range(40)), list(range(40))[::-1]),
    ([7], list(range(300))),
    (list(range(300)), [299]),
    (list(range(0, 600, 2)), list(range(0, 600, 3))),
]


@every_engine
def test_shapes_of_sets(protocol: str) -> None:
    check(go(protocol, SHAPES, timeout_s=120), protocol, SHAPES)


@every_engine
@pytest.mark.parametrize("table", ["a", "b"])
def test_either_holder_has_the_table(protocol: str, table: str) -> None:
    pairs = [(list(range(100)), list(range(60, 400)))]
    outcome = go(protocol, pairs, table=table)
    check(outcome, protocol, pairs)
    assert outcome.results["a"][0][0] == table


def all_overlaps(most: int) -> list[tuple[list[int], list[int]]]:
    return [
        (list(range(left)), list(range(left - common, left - common + right)))
        for left in range(most + 1)
        for right in range(most + 1)
        for common in range(min(left, right) + 1)
    ]


@pytest.mark.parametrize(("protocol", "table"), [("dealer2", "a"), ("replicated3", "b")])
def test_all_small_sizes_and_overlaps(protocol: str, table: str) -> None:
    pairs = [pair for pair in all_overlaps(4) if pair[0] and pair[1]]
    check(go(protocol, pairs, table=table, timeout_s=240), protocol, pairs)


@pytest.mark.long
@every_engine
def test_all_sizes_and_overlaps_to_twenty(protocol: str) -> None:
    pairs = [pair for pair in all_overlaps(20) if len(pair[0]) in {0, 1, 2, 3, 5, 8, 13, 20}]
    if len(ENGINES[protocol]) > 2:  # slower, and other sizes come with the other holders
        pairs = [pair for pair in pairs if len(pair[0]) in {1, 3, 20} and len(pair[1]) in {1, 5, 20}]
    for begin in range(0, len(pairs), 100):
        some = pairs[begin : begin + 100]
        check(go(protocol, some, timeout_s=600), protocol, some)


@every_engine
@pytest.mark.parametrize(
    "mode", [Mode(compact=True), Mode(assumption="symmetric")], ids=["compact", "symmetric"]
)
def test_modes(protocol: str, mode: Mode) -> None:
    pairs = [(list(range(700)), list(range(650, 1300)))]
    check(go(protocol, pairs, mode=mode), protocol, pairs)


@every_engine
def test_bounds_hide_the_sizes_and_the_overlap(protocol: str) -> None:
    """The same bounds: the same messages in the same lengths at every party, whatever the sets are."""
    sizes = {name: {"a": 90, "b": 200}.get(name, 300) for name in ENGINES[protocol]}
    seen = []
    for pair in (
        (list(range(3)), list(range(2, 4))),
        (list(range(90)), list(range(90, 290))),
        (list(range(90)), list(range(200))),
        ([], list(range(10))),
    ):
        outcome = go(protocol, [pair], sizes=sizes)
        assert not outcome.errors
        shown = outcome.results["a"][0][2]
        common = set.intersection(*map(set, sets_of(protocol, pair).values()))
        assert shown["member"].sum() == len(common)
        assert len(shown["member"]) == cuckoo.bins(90)
        seen.append(
            sorted(
                (name, s.sender, s.stream, type(s.message).__name__, outcome.stats[name][s.sender].bytes_sent)
                for name, view in sorted(outcome.views.items())
                for s in view
            )
        )
    assert all(one == seen[0] for one in seen[1:])


@pytest.mark.parametrize("protocol", ["replicated3", pytest.param("dealer", marks=pytest.mark.long)])
def test_answers_about_what_several_have(protocol: str) -> None:
    pair = (list(range(60)), list(range(20, 90)))

    def body(party: Party) -> Any:
        engine, sets = open_engine(party, protocol), sets_of(protocol, pair)
        mine = sets.get(party.name, [])
        values = columns_of(mine)[party.name] if party.name in sets else None
        sizes, columns = (
            {name: len(rows) for name, rows in sets.items()},
            {name: KINDS[name] for name in sets},
        )
        found = hidden(engine, UNIVERSE[mine] if mine else None, values, sizes=sizes, columns=columns)
        asked = Question("result", ("b",), at_least=5)
        summed = replace(asked, of=(("c", "v"),))
        return answering("cardinality").answer(found, asked), answering("sum").answer(found, summed)

    outcome = simulate(body, seats(protocol), disclosures=TOLD)
    assert not outcome.errors, outcome.errors
    common = sorted(set.intersection(*map(set, sets_of(protocol, pair).values())))
    (count,), (summed,) = outcome.results["b"]
    assert count.count == len(common)
    assert summed.values == (float(columns_of(common)["c"]["v"].sum()),)


REFUSED: dict[str, tuple[list[int], Any, dict[str, Any]]] = {
    "more than once": ([1, 1], {"x": np.zeros(2)}, {}),
    "agreed bound": ([1, 2, 3, 4], {"x": np.zeros(4)}, {}),
    "are announced": ([1, 2], {}, {}),
    "2 rows are due": ([1, 2], {"x": np.zeros(3)}, {}),
    "fixed-point": ([1, 2], {"x": np.array([1.0, np.nan])}, {}),
    "as float, int or bool": ([1, 2], {"x": np.zeros(2)}, {"columns": {"a": {"x": str}, "b": {"x": str}}}),
    "sizes are given of a": ([1, 2], {"x": np.zeros(2)}, {"sizes": {"a": 3}}),
    "name the holders": ([1, 2], {"x": np.zeros(2)}, {"table": "c"}),
    "too long": ([1, 2], {"x": np.zeros(2)}, {"sizes": {"a": 1 << 24, "b": 1 << 24}}),
    "semi-honest": ([1, 2], {"x": np.zeros(2)}, {"mode": Mode(security="malicious")}),
}


def test_what_is_refused() -> None:
    def body(party: Party) -> list[str]:
        engine, texts = open_engine(party, "pair2"), []
        for ids, values, call in REFUSED.values():
            options = {"sizes": {"a": 3, "b": 3}, "columns": {"a": {"x": float}, "b": {"x": float}}, **call}
            with pytest.raises(UsageError) as caught:
                hidden(engine, UNIVERSE[ids], values, **options)
            texts.append(str(caught.value))
        return texts

    outcome = simulate(body, ("a", "b"))
    assert not outcome.errors, outcome.errors
    for texts in outcome.results.values():
        assert all(match in text for match, text in zip(REFUSED, texts, strict=True)), texts


def test_only_where_everybody_follows_the_protocol() -> None:
    def body(party: Party) -> None:
        engine = Engine(party, holders=("a", "b", "c"), protocol="replicated3-malicious")
        with pytest.raises(UsageError, match="who follow the protocol"):
            hidden(engine, UNIVERSE[:2], None, sizes={"a": 2, "b": 2, "c": 2})

    assert not simulate(body, ("a", "b", "c")).errors
