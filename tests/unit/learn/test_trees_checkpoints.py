"""Trees in shares that were cut off go on from the last round that all have; each tells what it would have told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.learn.test_trees_shared import made
from tests.unit.learn.trees_run import Case

from unseen.learn.vertical.checkpoints import SecretCheckpoints
from unseen.learn.vertical.trees import plain, shared
from unseen.learn.vertical.trees.model import Booster, Settings, Splits
from unseen.learn.vertical.trees.told import disclosure
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.dying import DyingJournal, When
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

CREWS = {"dealer2": ("a", "b", "helper"), "replicated3": ("a", "b", "c")}


def attempts(
    case: Case, protocol: str, *deaths: tuple[str, int] | None, when: When = "after", **options: Any
) -> tuple[list[Run[Any]], dict[str, DyingJournal]]:
    """One attempt after the other; who dies in each, and after (or before) which of its checkpoints."""
    crew, holders = CREWS[protocol], tuple(case.columns)
    helper = "helper" if "helper" in crew else None
    everyone = ("weights", "loss", "gains")
    told = [
        *(Disclosure(name, name, crew, Door.REVEAL, times=99) for name in everyone),
        *(Disclosure(disclosure(name), "splits", (name,), Door.REVEAL, times=999) for name in holders),
    ]
    bins, parts, labels = case.public(), case.of_holders, case.label_rows()

    def program(party: Party) -> Any:
        engine = Engine(party, holders=crew if helper is None else holders, helper=helper, protocol=protocol)
        mine = case.codes[parts[party.name]] if party.name in parts else None
        label = engine.share(labels if party.name == "a" else None, owner="a", shape=labels.shape)
        keep = SecretCheckpoints(engine, party.checkpoints("round", case.settings.rounds))
        grown = shared.fit(engine, mine, bins, label, case.settings, keep=keep, **options)
        gained = None if grown.gains is None else engine.reveal("gains", grown.gains, to=crew)
        return grown, engine.reveal("weights", grown.weights, to=crew), gained, party.resumed

    journals, runs = {name: DyingJournal() for name in crew}, []
    for attempt, death in enumerate(deaths, 1):
        for name, journal in journals.items():
            journal.next_attempt((death[1], when) if death and death[0] == name else None)
        kwargs: dict[str, Any] = {"journals": journals, "attempt": attempt, "disclosures": told}
        runs.append(simulate(program, crew, timeout_s=60.0, **kwargs))
        assert bool(runs[-1].errors) == bool(death), runs[-1].errors
    return runs, journals


def scores(case: Case, run: Run[Any]) -> np.ndarray:
    """Of the training rows, by the trees that all know together."""
    _, weights, *_ = run.results["a"]
    splits = Splits.none(len(weights), case.settings.nodes)
    for name, part in case.of_holders.items():
        own = run.results[name][0].splits
        mine = own.column >= 0
        splits.column[mine] = own.column[mine] + part.start
        splits.bin[mine], splits.missing_left[mine] = own.bin[mine], own.missing_left[mine]
    settings = replace(case.settings, rounds=len(weights) // case.settings.classes)
    return plain.scores(Booster(settings, splits, weights), case.codes, case.bins)


@pytest.mark.parametrize(
    ("protocol", "objective"),
    [
        ("dealer2", "binary"),
        pytest.param("dealer2", "softmax", marks=pytest.mark.long),
        pytest.param("replicated3", "binary", marks=pytest.mark.long),
    ],
)
def test_the_trees_are_those_of_a_training_nobody_died_in(protocol: str, objective: str) -> None:
    case = made(4, {"a": 2, "b": 2}, objective=objective, rounds=3, missing=True)
    (*_, last), journals = attempts(
        case, protocol, ("b", 1), ("helper" if protocol == "dealer2" else "c", 1), None
    )
    resumed = last.results["a"][3]
    assert resumed.done in (1, 2)
    model = plain.fit(case.codes, case.bins, case.labels, case.settings)
    np.testing.assert_allclose(scores(case, last), plain.scores(model, case.codes, case.bins), atol=2e-3)
    for name in case.columns:
        told = {item.index for item in journals[name].entries if item.name == f"splits-{name}"}
        assert told == set(range(case.settings.trees * case.settings.depth))


@pytest.mark.long
def test_hidden_splits_gains_and_early_stop_go_on_too() -> None:
    case = made(5, {"a": 2, "b": 2}, rounds=6)
    watch = shared.Watch(np.arange(case.codes.shape[1]) % 4 == 0, 1)
    options: dict[str, Any] = {"hide": True, "measure": True, "watch": watch}
    (whole,), _ = attempts(case, "dealer2", None, **options)
    (*_, last), _ = attempts(case, "dealer2", ("a", 1), ("b", 1), None, **options)
    assert last.results["a"][3].done in (1, 2)
    for name in CREWS["dealer2"]:
        (want, *_), (found, *_) = whole.results[name], last.results[name]
        assert found.tables.shape == want.tables.shape
        assert found.weights.shape == want.weights.shape
        np.testing.assert_allclose(found.losses, want.losses, atol=2e-3)
    np.testing.assert_allclose(last.results["a"][1], whole.results["a"][1], atol=2e-3)
    np.testing.assert_allclose(last.results["a"][2], whole.results["a"][2], rtol=1e-2, atol=1e-2)


def test_views_of_both_attempts_together_look_like_noise() -> None:
    case = made(6, {"a": 1, "b": 1}, rounds=2, rows=100)
    (first, second), _ = attempts(case, "dealer2", ("b", 1), None)
    for party in CREWS["dealer2"]:
        assert not objections(secret_arrays([*first.views[party], *second.views[party]])), party


def test_a_tree_that_is_told_again_has_the_leaves_of_the_split_that_was_told() -> None:
    # y rises with x and falls with z as much: both splits gain the same but for rounding, and the leaves change sides
    x, z, y = np.array(
        [(0, 1, 0)] * 30 + [(1, 0, 1)] * 30 + [(0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)] * 5
    ).T
    settings = Settings(rounds=1, depth=1, learning_rate=1.0)
    case = Case(np.stack([x, z]), [2, 2], y.astype(float), settings, {"a": 1, "b": 1})
    for _ in range(5):
        (first, last), _ = attempts(case, "dealer2", ("b", 1), None, when="before")
        assert first.errors
        _, weights, *_ = last.results["a"]
        by_x = last.results["a"][0].splits.column[0, 0] == 0
        assert by_x != (last.results["b"][0].splits.column[0, 0] == 0)
        assert (weights[0, 0] < 0) == by_x
