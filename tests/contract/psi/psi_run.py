"""One run of any protocol of intersections, whatever comes out of it, and what had to come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from unseen.core import registry
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode, intersect
from unseen.psi.protocol import PROTOCOLS, Answer, Hiding, Question, answering, protocol
from unseen.psi.protocols import circuit
from unseen.testing.simulate import Run, simulate

NAMES = registry.names(PROTOCOLS)
HELPER = "helper"
EDGES = (0.0, 10.0, 40.0, 1200.0)
Held = Mapping[str, Sequence[int]]


def ids(numbers: Iterable[int]) -> np.ndarray:
    """Digest-like rows: uniform bytes that depend on the number alone."""
    rows = [np.random.default_rng(number).integers(0, 256, 32, np.uint8) for number in numbers]
    return np.array(rows, np.uint8).reshape(-1, 32)


UNIVERSE = ids(range(1200))


def holders_of(name: str) -> tuple[str, ...]:
    """As few as the protocol is for."""
    return tuple("abcdef"[: protocol(name).HOLDERS.start])


def told(name: str, to: Sequence[str]) -> Disclosure:
    door = Door.RELEASE if protocol(name).OUTPUT == "rows" else Door.REVEAL
    return Disclosure("intersection", "common rows", tuple(to), door)


def question(name: str, to: Sequence[str], at_least: int = 0) -> Question:
    """What is asked of such a protocol: of a's number, which is the id's."""
    number = ("a", "number")
    of = (number,) if name in {"sum", "mean"} else ()
    by, edges = (number, EDGES) if name == "histogram" else (None, ())
    return Question("intersection", tuple(to), at_least, of, by, edges)


def among(held: Held, name: str, mode: Mode, **options: Any) -> Run[Any]:
    """All holders, and a helper where a protocol computes under shares."""
    holders, output = tuple(held), protocol(name).OUTPUT
    sizes, at_least = options.pop("sizes", None), options.pop("at_least", 0)
    to = options.pop("to", holders)
    options.setdefault("disclosures", [told(name, to)])
    sets = {holder: UNIVERSE[list(rows)] for holder, rows in held.items()}

    def open_(party: Party) -> Any:
        return intersect(
            party,
            sets.get(party.name),
            holders=holders,
            to=to,
            sizes=sizes,
            method=name,
            mode=mode,
            allow_empty=True,
        )

    def hidden(party: Party) -> Any:
        kind = "dealer2" if len(holders) == 2 else "dealer"
        engine = Engine(party, holders=holders, helper=HELPER, protocol=kind)
        mine = sets.get(party.name)
        values: dict[str, Any] | None = None if mine is None else {}
        if party.name == "a":
            values = {"number": np.array(held["a"], np.float64)}
        call = {"sizes": sizes or {holder: len(rows) for holder, rows in held.items()}, "mode": mode}
        chosen = cast("Hiding", protocol(name)) if output == "shares" else circuit
        found = chosen.hidden(engine, mine, values, columns={"a": {"number": float}}, **call)
        if output == "answers":
            return answering(name).answer(found, question(name, to, at_least))
        return found, engine.reveal("intersection", found.member, to=to)

    if output == "rows":
        return simulate(open_, holders, **options)
    return simulate(hidden, (*holders, HELPER), **options)


def check(name: str, outcome: Run[Any], held: Held, to: Sequence[str] | None = None) -> None:
    """What those who are to know are told is what is common; others are told nothing."""
    assert not outcome.errors, outcome.errors
    common = set.intersection(*map(set, held.values()))
    {"rows": _check_rows, "shares": _check_shares, "answers": _check_answers}[protocol(name).OUTPUT](
        name, outcome, held, tuple(to or held), common
    )


def _check_rows(name: str, outcome: Run[Any], held: Held, to: tuple[str, ...], common: set[int]) -> None:
    found = []
    for party, own in held.items():
        aligned = outcome.results[party]
        assert (aligned is not None) == (party in to), name
        if aligned is not None:
            assert aligned.rows.dtype == np.int64
            found.append([own[row] for row in aligned.rows])
            assert len(found[-1]) == len(set(found[-1]))
            assert set(found[-1]) == common
    assert all(one == found[0] for one in found)


def _check_shares(name: str, outcome: Run[Any], held: Held, to: tuple[str, ...], common: set[int]) -> None:
    for party, (found, shown) in outcome.results.items():
        assert (shown is not None) == (party in to), name
        assert (found.rows is not None) == (party == found.table)
        if shown is not None:
            assert shown.sum() == len(common)
        if shown is not None and party == found.table:
            assert {held[party][row] for row in found.rows[shown]} == common


def _check_answers(name: str, outcome: Run[Any], held: Held, to: tuple[str, ...], common: set[int]) -> None:
    for party in (*held, HELPER):
        answers = outcome.results[party]
        assert (answers is not None) == (party in to)
        if answers is not None:
            assert answers == figures(name, common)


def figures(name: str, common: Iterable[int]) -> tuple[Answer, ...]:
    """What the question has for an answer."""
    numbers = np.array(sorted(common), np.float64)
    count, total = len(numbers), float(numbers.sum())
    if name == "histogram":
        inside = [int(((numbers >= low) & (numbers < high)).sum()) for low, high in pairwise(EDGES)]
        return tuple(Answer(below=False, count=n, values=(float(n),)) for n in inside)
    return {
        "cardinality": (Answer(below=False, count=count, values=(float(count),)),),
        "sum": (Answer(below=False, count=0, values=(total,)),),
        "mean": (Answer(below=not count, count=count, values=(total / count if count else 0.0,)),),
    }[name]
