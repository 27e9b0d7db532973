"""Answers with noise: that it is the law's, that nobody knows it, that it is fixed once, and mutants that must be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.unit.dp.test_dp_laplace import chi_square

from unseen.core.errors import UsageError
from unseen.dp import DiscreteLaplace
from unseen.mpc import Engine, SecretArray
from unseen.mpc import noise as module
from unseen.party import Disclosure, Door, MemoryJournal, Party
from unseen.psi import answers
from unseen.psi.answers import clipped
from unseen.psi.protocol import Answer, Hidden, Noise, Question, answering
from unseen.testing.simulate import simulate
from unseen.testing.views import objections, secret_arrays

TOLD = Disclosure("answer", "a test", ("a",), Door.REVEAL, times=1000)
ASKED: dict[str, Any] = {"name": "answer", "to": ("a",)}
BOUNDS = ((("b", "spent"), (-5.0, 20.0)), (("a", "age"), (0.0, 90.0)))
ROWS = 60
MECHANISM = DiscreteLaplace(0.7, 3)


def figure(kind: str, found: Hidden, **asked: Any) -> Answer | None:
    """The one answer to such a question."""
    told = answering(kind).answer(found, Question(**asked))
    return None if told is None else told[0]


def open_engine(party: Party, protocol: str) -> Engine:
    helper = "helper" if protocol == "dealer2" else None
    holders = ("a", "b", "c") if protocol.startswith("replicated3") else ("a", "b")
    return Engine(party, holders=holders, helper=helper, protocol=protocol)


def names_of(protocol: str) -> tuple[str, ...]:
    return {"dealer2": ("a", "b", "helper"), "pair2": ("a", "b")}.get(protocol, ("a", "b", "c"))


def members(engine: Engine, common: int, spent: float = 2.5, age: float = 30) -> Hidden:
    """A hidden intersection of so many rows, all alike: what `hidden` would have made."""
    there = np.arange(ROWS) < common
    share = engine.share
    mine = engine.protocol.party.name
    return Hidden(
        "a",
        share(there if mine == "a" else None, owner="a", shape=(ROWS,), dtype=bool),
        {
            "a": {"age": share(there * age if mine == "a" else None, owner="a", shape=(ROWS,), dtype=int)},
            "b": {"spent": share(there * spent if mine == "b" else None, owner="b", shape=(ROWS,))},
        },
        None,
    )


def noise_alone(
    protocol: str, count: int, *, seeds: dict[str, int] | None = None, attempt: int = 1
) -> tuple[np.ndarray, Any]:
    """So many numbers of noise, in clear at a; with output seeds as given."""

    def body(party: Party) -> Any:
        made = module.discrete_laplace(open_engine(party, protocol), MECHANISM, (count,))
        return made.engine.reveal("answer", made, to=("a",))

    outcome = simulate(
        body, names_of(protocol), disclosures=[TOLD], journals=journals_of(seeds or {}), attempt=attempt
    )
    assert not outcome.errors, outcome.errors
    return outcome.results["a"].astype(np.int64), outcome


def journals_of(seeds: dict[str, int]) -> dict[str, MemoryJournal]:
    made = {name: MemoryJournal() for name in seeds}
    for name, seed in seeds.items():
        made[name].load_output_seed(seed.to_bytes(32, "little"))
    return made


@pytest.mark.parametrize("protocol", ["dealer2", "pair2", "replicated3"])
def test_noise_is_what_all_words_together_make(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words: dict[str, np.ndarray] = {}
    whole = module.drawn

    def listening(party: Party, count: int) -> np.ndarray:
        words[party.name] = whole(party, count)
        return words[party.name]

    monkeypatch.setattr(module, "drawn", listening)
    noise, _ = noise_alone(protocol, 20)
    assert set(words) == set(names_of(protocol)) - {"helper"}
    together = np.bitwise_xor.reduce(list(words.values())).reshape(20, 2, MECHANISM.places)
    np.testing.assert_array_equal(noise, MECHANISM.of_words(together))


def test_noise_under_shares_follows_the_law() -> None:
    noise, outcome = noise_alone("dealer2", 2500)
    assert chi_square(MECHANISM, noise) < 5
    for name in ("a", "b"):
        assert objections(secret_arrays(outcome.views[name])) == []


def known_to(who: str) -> bool:
    """Whether this holder's seed alone decides the noise."""
    other = "b" if who == "a" else "a"
    first, _ = noise_alone("dealer2", 30, seeds={who: 1, other: 2})
    second, _ = noise_alone("dealer2", 30, seeds={who: 1, other: 3})
    return bool((first == second).all())


@pytest.mark.parametrize("who", ["a", "b"])
def test_no_holder_knows_the_noise(who: str) -> None:
    assert not known_to(who)


def test_mutant_noise_of_one_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = module.drawn
    monkeypatch.setattr(
        module,
        "drawn",
        lambda party, count: whole(party, count) if party.name == "a" else np.zeros(count, np.uint64),
    )
    assert known_to("a")


def same_after_a_crash() -> bool:
    """Whether a second attempt has the same noise, of parties that kept nothing but their seeds."""
    seeds = {"a": 1, "b": 2}
    first, _ = noise_alone("dealer2", 30, seeds=seeds)
    second, _ = noise_alone("dealer2", 30, seeds=seeds, attempt=2)
    return bool((first == second).all())


def test_noise_is_fixed_once() -> None:
    assert same_after_a_crash()


def test_mutant_noise_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "drawn", lambda party, count: party.rng.u64(count))
    assert not same_after_a_crash()


def ask(
    question: Callable[[Hidden], Any], common: int = 40, *, expected: bool = False
) -> tuple[Any, list[np.ndarray], Any]:
    """An answer, every table that became plaintext, and the run."""
    tables: list[np.ndarray] = []
    whole = Engine.reveal

    def listening(engine: Engine, *arguments: Any, **options: Any) -> Any:
        shown = whole(engine, *arguments, **options)
        tables.extend([] if shown is None else [shown])
        return shown

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "reveal", listening)
        outcome = simulate(
            lambda party: question(members(open_engine(party, "dealer2"), common)),
            names_of("dealer2"),
            disclosures=[TOLD],
            journals=journals_of({"a": 1, "b": 2}),
        )
    assert expected or not outcome.errors, outcome.errors
    return outcome.results.get("a"), tables, outcome


QUESTIONS: dict[str, Callable[[Hidden, float], Any]] = {
    "count": lambda found, e: figure("cardinality", found, **ASKED, at_least=1, noise=Noise(e)),
    "total": lambda found, e: figure(
        "sum", found, of=(("b", "spent"), ("a", "age")), **ASKED, at_least=1, noise=Noise(e, BOUNDS)
    ),
    "mean": lambda found, e: figure("mean", found, of=(("a", "age"),), **ASKED, noise=Noise(e, BOUNDS)),
    "histogram": lambda found, e: answering("histogram").answer(
        found,
        Question(by=("a", "age"), edges=(20, 31, 40), **ASKED, of=(("b", "spent"),), noise=Noise(e, BOUNDS)),
    ),
}


def test_answers_are_near_the_truth_and_not_it() -> None:
    def questions(found: Hidden) -> Any:
        return [ask(found, 9.0) for ask in QUESTIONS.values()]

    (count, total, mean, groups), _, outcome = ask(questions)
    assert not outcome.errors, outcome.errors
    assert count.value == pytest.approx(40, abs=3)
    assert total.values == pytest.approx((100, 1200), abs=200)
    assert total.values != (100, 1200)
    assert mean.value == pytest.approx(30, abs=3)
    assert groups[0].value == pytest.approx(2.5, abs=1.5)
    assert groups[1].below


def spied(question: Callable[[Hidden, float], Any]) -> list[tuple[float, int]]:
    """(epsilon, sensitivity) of the noise that a question draws at one party."""
    asked: list[tuple[float, int]] = []

    def spying(engine: Engine, mechanism: DiscreteLaplace, shape: tuple[int, ...]) -> SecretArray:
        if engine.protocol.party.name == "a":
            asked.append((mechanism.epsilon, mechanism.sensitivity))
        return module.discrete_laplace(engine, mechanism, shape)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "discrete_laplace", spying)
        _, _, outcome = ask(lambda found: question(found, 3.0))
    assert not outcome.errors, outcome.errors
    return asked


@pytest.mark.parametrize(
    ("name", "sensitivities"),
    [("count", [1]), ("total", [1, 25 << 20, 90]), ("mean", [1, 90]), ("histogram", [2, 2 * 20 << 20])],
)
def test_epsilon_is_spent_once(name: str, sensitivities: list[int]) -> None:
    asked = spied(QUESTIONS[name])
    assert sum(epsilon for epsilon, _ in asked) == pytest.approx(3.0)
    assert [sensitivity for _, sensitivity in asked] == sensitivities


def test_fewer_than_agreed_is_asked_of_the_noisy_count() -> None:
    """The same 40 rows are enough or not as the noise falls; what is not enough shows zeros only."""

    def questions(found: Hidden) -> Any:
        for _ in range(12):
            figure("cardinality", found, **ASKED, at_least=40, noise=Noise(0.5))

    _, tables, _ = ask(questions)
    shown = np.concatenate(tables)
    assert {0.0, 1.0} == set(shown[:, 0])
    assert (shown[shown[:, 0] == 0] == 0).all()
    assert (shown[shown[:, 0] == 1, 1] >= 40).all()


def test_bounds_are_needed() -> None:
    _, tables, outcome = ask(
        lambda found: figure("sum", found, of=(("b", "spent"),), **ASKED, noise=Noise(1.0)), expected=True
    )
    assert tables == []
    assert all("no bounds for b.spent" in str(error) for error in outcome.errors.values())
    assert all(isinstance(error, UsageError) for error in outcome.errors.values())


def test_clipped() -> None:
    assert clipped([-9, 3, 99], (-5, 20)).tolist() == [-5, 3, 20]


def test_two_inputs_with_the_same_bounds_look_alike() -> None:
    seen = []
    for common in (3, 55):
        _, tables, outcome = ask(lambda found: QUESTIONS["mean"](found, 1.0), common)
        kinds = [type(seen.message).__name__ for name in ("a", "b", "helper") for seen in outcome.views[name]]
        seen.append((kinds, outcome.bytes_sent, tables[0].shape))
    assert seen[0] == seen[1]
