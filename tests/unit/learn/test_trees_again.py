"""What trees draw and tell once is the same in an attempt after a crash: samples of rows and columns, and splits."""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.jobs.steps import train_gbdt_federated
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.trees import sampling, told
from unseen.learn.vertical.trees.bins import Bins, candidates
from unseen.learn.vertical.trees.model import Settings
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

SETTINGS = Settings(rounds=4, row_fraction=0.5, column_fraction=0.5)


def both(body: Any, parties: tuple[str, ...] = ("a", "b")) -> tuple[Any, Any]:
    """What a has in a first attempt and in the one after a crash."""
    first = run(body, parties)
    return first.results["a"], run(body, parties, journals=first.journals, attempt=2).results["a"]


def test_samples_of_trees_in_shares() -> None:
    def body(party: Party) -> Any:
        return sampling.agree(party, SETTINGS, rows=100, columns=8, leader="a", aside=0.2)

    first, again = both(body)
    for name in ("rows", "columns", "aside"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_samples_of_trees_under_encryption() -> None:
    params = train_gbdt_federated.Params(
        rounds=4, row_fraction=0.5, column_fraction=0.5, patience=2, held_out=0.2
    )
    sizes = Layout(100, {"a": 2, "b": 3})

    first, again = both(lambda party: train_gbdt_federated._samples(party, params, sizes), ("a",))
    for one, other in zip(first[:2], again[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first[2].held_out, again[2].held_out)


def test_the_split_that_was_told_wins_over_the_one_found_again() -> None:
    """Its tree was cut off after it was told; of equal gains the shares of the second attempt chose another."""
    bins = Bins(4, {"a": (2,), "b": (2,)}, {"a": (False,), "b": (False,)})
    choices = candidates(bins)
    of_b = 1 + told.places_of(choices, bins, "b")[0]
    known = {"a": np.array([0]), "b": np.array([1])}  # in the first attempt b was told its first candidate
    disclosure = Disclosure("hot", "who won", ("a",), Door.REVEAL)

    def body(party: Party) -> Any:
        engine = Engine(party, holders=("a", "b"), helper="helper")
        found = np.eye(1 + len(choices))[[1]]  # a's
        hot = engine.lift(found.astype(int), 0)
        return engine.reveal("hot", told.winner(engine, hot, known.get(party.name), choices, bins), to=("a",))

    parties = ("a", "b", "helper")
    assert run(body, parties, disclosures=[disclosure]).results["a"].argmax() == 1
    again = run(body, parties, disclosures=[disclosure], attempt=2).results["a"]
    np.testing.assert_array_equal(again, np.eye(1 + len(choices))[[of_b]])
