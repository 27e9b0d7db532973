"""Counts, sums, means and histograms of hidden intersections, and that small groups stay untold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, UsageError
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi.protocol import Answer, Hidden, Question, answering
from unseen.psi.protocols.circuit import hidden
from unseen.testing.simulate import Run, simulate

UNIVERSE = np.random.default_rng(2).integers(0, 256, (500, 32), np.uint8)
LEFT, RIGHT = np.arange(0, 120), np.arange(80, 400)  # 40 in common
COMMON = np.intersect1d(LEFT, RIGHT)
AGE = {number: 20 + number % 50 for number in range(500)}
SPENT = {number: (number % 7) * 12.5 - 20 for number in range(500)}
TOLD = Disclosure("answer", "a test", ("a",), Door.REVEAL, times=1000)
every_engine = pytest.mark.parametrize("protocol", ["dealer2", "pair2"])


def figure(kind: str, found: Hidden, **asked: Any) -> Answer | None:
    """The one answer to such a question."""
    told = answering(kind).answer(found, Question(**asked))
    return None if told is None else told[0]


def histogram(found: Hidden, by: tuple[str, str], edges: Any, **asked: Any) -> tuple[Answer, ...] | None:
    return answering("histogram").answer(found, Question(by=by, edges=tuple(edges), **asked))


def of(table: dict[int, Any], numbers: np.ndarray) -> np.ndarray:
    return np.array([table[number] for number in numbers])


def ask(
    questions: Callable[[Hidden], Any],
    protocol: str = "dealer2",
    left: np.ndarray = LEFT,
    disclosures: tuple[Disclosure, ...] = (TOLD,),
) -> tuple[Run[Any], list[np.ndarray]]:
    """A run, and every table that became plaintext."""
    tables: list[np.ndarray] = []
    whole = Engine.reveal

    def listening(engine: Engine, *arguments: Any, **options: Any) -> Any:
        shown = whole(engine, *arguments, **options)
        if shown is not None:
            tables.append(shown)
        return shown

    def body(party: Party) -> Any:
        helper = "helper" if protocol == "dealer2" else None
        engine = Engine(party, holders=("a", "b"), helper=helper, protocol=protocol)
        ids, values = {
            "a": (UNIVERSE[left], {"age": of(AGE, left)}),
            "b": (UNIVERSE[RIGHT], {"spent": of(SPENT, RIGHT)}),
        }.get(party.name, (None, None))
        columns = {"a": {"age": int}, "b": {"spent": float}}
        found = hidden(engine, ids, values, sizes={"a": 130, "b": 320}, columns=columns)
        return questions(found)

    names = ("a", "b", "helper") if protocol == "dealer2" else ("a", "b")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "reveal", listening)
        return simulate(body, names, disclosures=disclosures), tables


@every_engine
def test_what_numpy_says_of_the_common_rows(protocol: str) -> None:
    edges = [20, 30, 45.5, 70]
    asked = {"name": "answer", "to": ("a",)}

    def questions(found: Hidden) -> Any:
        return (
            figure("cardinality", found, **asked),
            figure("sum", found, of=(("b", "spent"),), **asked, at_least=40),
            figure("mean", found, of=(("a", "age"),), **asked, at_least=40),
            histogram(found, ("a", "age"), edges, **asked),
            histogram(found, ("a", "age"), edges, **asked, of=(("b", "spent"),)),
            histogram(found, ("b", "spent"), [-20, 0, 100], **asked),
        )

    outcome, _ = ask(questions, protocol)
    assert not outcome.errors, outcome.errors
    assert all(item is None for item in outcome.results["b"])
    count, spent, age, ages, means, purses = outcome.results["a"]
    ages_of, spent_of = of(AGE, COMMON), of(SPENT, COMMON)
    assert count == Answer(below=False, count=40, values=(40.0,))
    assert spent == Answer(below=False, count=0, values=(spent_of.sum(),))
    assert age == Answer(below=False, count=40, values=(ages_of.mean(),))
    assert [item.count for item in ages] == np.histogram(ages_of, edges)[0].tolist()
    for item, low, high in zip(means, edges, edges[1:], strict=False):
        inside = spent_of[(ages_of >= low) & (ages_of < high)]
        assert item.below == (len(inside) == 0)
        if len(inside):
            assert (item.count, item.value) == (len(inside), pytest.approx(inside.mean()))
    assert [item.count for item in purses] == [(spent_of < 0).sum(), (spent_of >= 0).sum()]


@every_engine
@pytest.mark.parametrize("at_least", [40, 41])
def test_of_a_small_group_nothing_but_that_it_is_small(protocol: str, at_least: int) -> None:
    asked = {"name": "answer", "to": ("a",), "at_least": at_least}

    def questions(found: Hidden) -> Any:
        return (
            figure("cardinality", found, **asked),
            figure("sum", found, of=(("b", "spent"),), **asked),
            figure("mean", found, of=(("b", "spent"),), **asked),
        )

    outcome, tables = ask(questions, protocol)
    assert not outcome.errors, outcome.errors
    below = at_least > 40
    assert [item.below for item in outcome.results["a"]] == [below] * 3
    if below:
        assert outcome.results["a"] == (Answer(below=True, count=0, values=(0.0,)),) * 3
        assert all((table == 0).all() for table in tables)


def test_small_intervals_are_told_as_such() -> None:
    def questions(found: Hidden) -> Any:
        edges = [20, 30, 45, 70]
        return histogram(found, ("a", "age"), edges, name="answer", to=("a",), at_least=11)

    outcome, tables = ask(questions)
    assert not outcome.errors, outcome.errors
    counts = np.histogram(of(AGE, COMMON), [20, 30, 45, 70])[0]
    assert (counts < 11).any()
    assert (counts >= 11).any()
    assert [item.below for item in outcome.results["a"]] == (counts < 11).tolist()
    assert [item.count for item in outcome.results["a"]] == np.where(counts < 11, 0, counts).tolist()
    assert len(tables) == 1


def test_two_inputs_below_the_bound_show_the_same() -> None:
    """Of 3 and of 30 common rows the receiver gets the same plaintext, in as many messages of the same lengths."""

    def question(found: Hidden) -> Any:
        return figure("mean", found, of=(("b", "spent"),), name="answer", to=("a",), at_least=35)

    seen = []
    for left in (np.arange(0, 83), np.arange(0, 110)):
        outcome, tables = ask(question, left=left)
        assert not outcome.errors, outcome.errors
        kinds = [type(s.message).__name__ for name in ("a", "b") for s in outcome.views[name]]
        seen.append((tables[0].tolist(), kinds, outcome.bytes_sent, outcome.results["a"]))
    assert seen[0] == seen[1]


def test_mutant_a_threshold_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the table revealed as it is and hidden afterwards, the receiver would have the small counts."""
    monkeypatch.setattr(Engine, "select", lambda _engine, _condition, values: values)

    def question(found: Hidden) -> Any:
        return figure("cardinality", found, name="answer", to=("a",), at_least=41)

    _, tables = ask(question)
    assert any((table != 0).any() for table in tables)


def test_the_gate_decides() -> None:
    outcome, tables = ask(lambda found: figure("cardinality", found, name="other", to=("a",)), "pair2")
    assert any(isinstance(error, DeniedError) for error in outcome.errors.values())
    assert tables == []


BAD: dict[str, Callable[[Hidden], Any]] = {
    "no column a.height": lambda found: figure("sum", found, of=(("a", "height"),), name="answer", to=("a",)),
    "two edges": lambda found: histogram(found, ("a", "age"), [1], name="answer", to=("a",)),
    "which ascend": lambda found: histogram(found, ("a", "age"), [1, 1], name="answer", to=("a",)),
    "no bound": lambda found: figure("cardinality", found, name="answer", to=("a",), at_least=-1),
}


@pytest.mark.parametrize("match", BAD)
def test_what_is_refused(match: str) -> None:
    outcome, _ = ask(BAD[match], "pair2")
    for error in outcome.errors.values():
        assert isinstance(error, UsageError)
        assert match in str(error)
    assert len(outcome.errors) == 2
