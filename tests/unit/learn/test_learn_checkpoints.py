"""Linear training that dies and goes on: the model of one that did not die, from the newest checkpoint, under fresh masks."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unseen.learn.vertical.checkpoints import Keeper, SecretCheckpoints
from unseen.learn.vertical.linear import multinomial, newton, sgd
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party
from unseen.testing.dying import DyingJournal
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, opened, secret_arrays

CREWS = {"dealer2": ("a", "b", "helper"), "replicated3": ("a", "b", "c"), "pair2": ("a", "b")}
TOLD = [
    Disclosure("result", "the result of a test", ("a",), Door.REVEAL),
    Disclosure("still", "whether it stands still", ("a", "b", "c", "helper"), Door.REVEAL, times=9),
]
ROWS, WIDTH, PASSAGES = 200, 3, 4
RNG = np.random.default_rng(3)
X = RNG.normal(size=(ROWS, WIDTH))
X = (X - X.mean(axis=0)) / X.std(axis=0)
SCORES = X @ np.array([1.0, -1.5, 0.5]) + 0.3
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-SCORES))).astype(float)
HOT = np.eye(3)[np.digitize(SCORES, [-1.0, 1.0])]
DESCENT = sgd.Descent(PASSAGES, 64, 0.25, momentum=0.5, l2=1.0, stop_every=1)
SPARSE = sgd.Descent(PASSAGES, 64, 0.25, momentum=0.5, l1=15.0)
Train = Callable[[Engine, SecretArray, Keeper], SecretArray]


def label(engine: Engine, values: np.ndarray = Y) -> SecretArray:
    mine = values if engine.protocol.party.name == "b" else None
    return engine.share(mine, owner="b", shape=values.shape)


def descent(engine: Engine, x: SecretArray, keep: Keeper) -> SecretArray:
    def still(before: SecretArray, now: SecretArray) -> bool:
        moved = (abs(now - before) > 1e-6).any()
        everyone = engine.protocol.party.everyone
        return not bool(np.asarray(engine.reveal("still", moved.reshape(1), to=everyone))[0])

    return sgd.fit(engine, x, label(engine), DESCENT, still=still, keep=keep)


def sparse(engine: Engine, x: SecretArray, keep: Keeper) -> SecretArray:
    """Several classes by mini-batches, most of whose coefficients are 0."""
    return sgd.fit(engine, x, label(engine, HOT), SPARSE, family="multinomial", keep=keep)


def newtons(engine: Engine, x: SecretArray, keep: Keeper) -> SecretArray:
    return newton.fit(engine, x, label(engine), newton.Newton(iterations=PASSAGES), keep=keep)


def lasso(engine: Engine, x: SecretArray, keep: Keeper) -> SecretArray:
    how = newton.Newton(l1=5.0, l2=1.0, iterations=PASSAGES)
    return newton.fit(engine, x, label(engine), how, keep=keep)


def several(engine: Engine, x: SecretArray, keep: Keeper) -> SecretArray:
    how = newton.Newton("multinomial", iterations=PASSAGES)
    return multinomial.fit(engine, x, label(engine, HOT), how, classes=3, keep=keep)


def attempts(train: Train, protocol: str, *deaths: tuple[str, int] | None) -> list[Run[Any]]:
    """One attempt after the other; who dies in each, and after which of its checkpoints."""
    crew = CREWS[protocol]
    holders = tuple(name for name in crew if name != "helper")
    journals = {name: DyingJournal() for name in crew}

    def program(party: Party) -> Any:
        helper = "helper" if "helper" in crew else None
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        x = engine.share(X if party.name == "a" else None, owner="a", shape=X.shape)
        keep = SecretCheckpoints(engine, party.checkpoints("epoch", PASSAGES))
        return engine.reveal("result", train(engine, x, keep), to=("a",)), party.resumed

    runs = []
    for attempt, death in enumerate(deaths, 1):
        for name, journal in journals.items():
            journal.next_attempt((death[1], "after") if death and death[0] == name else None)
        options: dict[str, Any] = {"journals": journals, "attempt": attempt, "disclosures": TOLD}
        runs.append(simulate(program, crew, timeout_s=60.0, **options))
        assert bool(runs[-1].errors) == bool(death), runs[-1].errors
    return runs


@pytest.mark.parametrize(
    ("train", "protocol"),
    [
        (descent, "dealer2"),
        (newtons, "replicated3"),
        *(
            pytest.param(train, protocol, marks=pytest.mark.long)
            for train, protocol in (
                (newtons, "dealer2"),
                (lasso, "dealer2"),
                (several, "dealer2"),
                (sparse, "dealer2"),
                (sparse, "replicated3"),
                (descent, "replicated3"),
                (descent, "pair2"),
            )
        ),
    ],
)
def test_the_model_is_that_of_a_training_nobody_died_in(train: Train, protocol: str) -> None:
    (whole,) = attempts(train, protocol, None)
    *_, last = attempts(train, protocol, ("b", 2), ("a", 1), None)
    model, resumed = last.results["a"]
    assert np.abs(model - whole.results["a"][0]).max() < 2e-3
    assert ((model == 0) == (whole.results["a"][0] == 0)).all()
    assert {result[1] for result in last.results.values()} == {resumed}
    assert resumed.done in (2, 3)
    assert whole.results["a"][1] is None


@pytest.mark.parametrize(("train", "protocol"), [(descent, "dealer2"), (descent, "replicated3")])
def test_views_of_both_attempts_together_look_like_noise(train: Train, protocol: str) -> None:
    """The same columns, and the same weights, are masked in both: under masks that have nothing to do with each other."""
    first, second = attempts(train, protocol, ("b", 2), None)
    both = {party: [*first.views[party], *second.views[party]] for party in CREWS[protocol]}
    for party, view in both.items():
        assert not objections(secret_arrays(view)), party
    if protocol == "dealer2":
        assert not objections(opened(second.views["a"], second.views["b"]))


def test_masks_that_a_second_attempt_would_draw_again_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: seeds come from the task alone, and no longer from the link and the attempt."""
    monkeypatch.setattr("unseen.link.memory.secrets", SimpleNamespace(token_bytes=bytes))
    monkeypatch.setattr("unseen.party.party.Session.to_list", lambda self: [self.job, self.task, 1])
    first, second = attempts(descent, "dealer2", ("b", 2), None)
    view = [*first.views["b"], *second.views["b"]]
    assert any("carry the same" in found for found in objections(secret_arrays(view)))


def test_under_a_protocol_that_checks_late_nothing_is_stored() -> None:
    """What was computed is checked before a reveal: a crash in between must not spare anybody the check."""
    crew = ("a", "b", "c")
    journals = {name: DyingJournal() for name in crew}

    def program(party: Party) -> Any:
        engine = Engine(party, holders=crew, protocol="replicated3-malicious")
        keep = SecretCheckpoints(engine, party.checkpoints("epoch", PASSAGES))
        begun = keep.resume()
        keep.save(1, {"weights": engine.lift(np.zeros(2))})
        return begun

    for attempt in (1, 2):
        done = simulate(program, crew, journals=journals, attempt=attempt)
        assert all(result == (0, {}) for result in done.results.values())
        assert not done.errors
    assert not any(journal.kept for journal in journals.values())


def test_an_answer_that_was_told_stays_the_same() -> None:
    """`still` is told after an epoch whose checkpoint nobody has: the next attempt tells the stored one again."""
    crew = CREWS["dealer2"]
    first, second = attempts(descent, "dealer2", ("helper", 3), None)
    told = {
        (item.name, item.index)
        for run in (first, second)
        for item in run.journals["a"].entries  # type: ignore[attr-defined]
    }
    assert told == {("result", 0), *(("still", place) for place in range(PASSAGES - 1))}
    assert crew[0] in second.results
