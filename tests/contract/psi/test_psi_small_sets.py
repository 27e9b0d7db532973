"""Every choice of small sets, of three holders and four, hidden and open, beside sets in clear: all sizes and overlaps there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode
from unseen.psi.protocol import Question, answering
from unseen.psi.protocols import multi
from unseen.psi.protocols.circuit import hidden
from unseen.testing.simulate import simulate

NAMES = ("a", "b", "c", "d")
UNIVERSE = np.random.default_rng(31).integers(0, 256, (8, 32), np.uint8)
TOLD = [
    Disclosure("intersection", "a test", NAMES, Door.RELEASE, times=1 << 20),
    Disclosure("result", "a test", NAMES, Door.REVEAL, times=1 << 20),
]
Sets = Mapping[str, Sequence[int]]


def every_choice(holders: int, ids: int) -> list[Sets]:
    """All families of subsets of so many ids; of those that differ only by names of ids, one."""
    subsets = [rows for count in range(ids + 1) for rows in combinations(range(ids), count)]
    found: dict[tuple[Any, ...], Sets] = {}
    for family in product(subsets, repeat=holders):
        # who has an id is all that matters of it
        kinds = tuple(sorted(tuple(number in one for one in family) for number in range(ids)))
        found.setdefault(kinds, dict(zip(NAMES, family, strict=False)))
    return list(found.values())


def in_runs(families: list[Sets], each: int = 60) -> Iterator[list[Sets]]:
    return (families[begin : begin + each] for begin in range(0, len(families), each))


def common_of(family: Sets) -> set[int]:
    return set.intersection(*map(set, family.values()))


def test_how_many_choices_there_are() -> None:
    """Ids of 2^holders kinds, in any order: 120 and 136 multisets."""
    assert (len(every_choice(3, 3)), len(every_choice(4, 2))) == (120, 136)


@pytest.mark.long
@pytest.mark.parametrize(
    ("protocol", "count", "ids"), [("replicated3", 3, 3), ("dealer", 3, 3), ("dealer", 4, 2)]
)
def test_hidden(protocol: str, count: int, ids: int) -> None:
    holders = NAMES[:count]
    helper = "helper" if protocol == "dealer" else None

    def body(party: Party, families: list[Sets]) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        out = []
        for nth, family in enumerate(families):
            mine = list(family.get(party.name, ())) if party.name in holders else None
            found = hidden(
                engine,
                None if mine is None else UNIVERSE[mine],
                None if mine is None else {"x": np.array(mine, np.float64) + 1},
                sizes={name: len(rows) for name, rows in family.items()},
                columns={name: {"x": float} for name in holders},
                table=holders[nth % count],  # each is the table's holder in its turn
            )
            total = sum(found.columns[name]["x"].sum() for name in holders)
            shown = engine.reveal(
                "result", engine.concatenate([found.member * 1.0, total.reshape(1)]), to=holders
            )
            counted = answering("cardinality").answer(found, Question("result", holders, at_least=2))
            out.append((found.rows, shown, counted))
        return out

    for families in in_runs(every_choice(count, ids)):
        parties = holders if helper is None else (*holders, helper)
        outcome = simulate(
            lambda party, some=families: body(party, some), parties, disclosures=TOLD, timeout_s=300
        )  # type: ignore[misc]
        assert not outcome.errors, outcome.errors
        for nth, family in enumerate(families):
            common, owner = common_of(family), holders[nth % count]
            rows, shown, _ = outcome.results[owner][nth]
            member = shown[:-1].astype(bool)
            assert member.sum() == len(common), family
            assert {family[owner][row] for row in rows[member]} == common, family
            assert shown[-1] == count * sum(number + 1 for number in common), family
            (answer,) = outcome.results["b"][nth][2]
            assert (answer.below, answer.count) == (len(common) < 2, len(common) * (len(common) >= 2)), family


@pytest.mark.long
def test_open_of_four() -> None:
    """That of three is in tests/unit/psi/test_psi_multi.py."""

    def body(party: Party, families: list[Sets]) -> Any:
        out = []
        for nth, family in enumerate(families):
            room = party.stream(f"family-{nth}")
            sizes = {name: len(rows) for name, rows in family.items()}
            own = UNIVERSE[list(family[party.name])]
            out.append(multi.intersect(room, own, sizes=sizes, to=NAMES[nth % 4 :], mode=Mode()))
        return out

    for families in in_runs(every_choice(4, 2)):
        outcome = simulate(
            lambda party, some=families: body(party, some), NAMES, disclosures=TOLD, timeout_s=300
        )  # type: ignore[misc]
        assert not outcome.errors, outcome.errors
        for nth, family in enumerate(families):
            for place, name in enumerate(NAMES):
                found = outcome.results[name][nth]
                assert (found is None) == (place < nth % 4)
                if found is not None:
                    assert {family[name][row] for row in found.rows} == common_of(family), family
