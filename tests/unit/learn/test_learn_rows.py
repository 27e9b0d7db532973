"""Common rows in parts: sizes as asked, the same at every holder, and strata that tell nothing about single rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.crypto.prg import Prg
from unseen.learn.prepare import rows as common
from unseen.party import Party
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, run

ROWS, SIZES = 90, (60, 30)
LABELS = np.repeat([1.0, 0.0], [36, 54])
HOLDERS = ("labels", "other", "third")


def play(
    labels: np.ndarray | None = LABELS,
    sizes: tuple[int, ...] = SIZES,
    *,
    before: Run[Any] | None = None,
    **changed: Any,
) -> Run[Any]:
    """`before`: the attempt that was cut off."""
    holder = None if labels is None else "labels"

    def program(party: Party) -> Any:
        mine = labels if party.name == "labels" else None
        return common.parts(party, ROWS, sizes, holders=HOLDERS, label_holder=holder, labels=mine, **changed)

    again: dict[str, Any] = {"journals": before.journals, "attempt": 2} if before else {}
    return run(program, HOLDERS, disclosures=common.disclosures(HOLDERS, holder), **again)


@pytest.mark.parametrize("labels", [None, LABELS])
def test_all_holders_have_the_same_parts_of_the_sizes_asked_for(labels: np.ndarray | None) -> None:
    made = play(labels).results
    assert all(np.array_equal(made["labels"], made[name]) for name in HOLDERS)
    assert np.bincount(made["labels"]).tolist() == list(SIZES)
    assert not np.array_equal(made["labels"], play(labels).results["labels"])


@pytest.mark.parametrize("labels", [None, LABELS])
def test_an_attempt_after_a_crash_cuts_as_the_first_did(labels: np.ndarray | None) -> None:
    """Of labels two choices would tell more than one."""
    first = play(labels)
    again = play(labels, before=first)
    np.testing.assert_array_equal(again.results["other"], first.results["other"])


def test_every_part_has_the_overall_rate() -> None:
    made = play().results["other"]
    assert [LABELS[made == part].sum() for part in (0, 1)] == [24, 12]


@given(st.integers(100, 400), st.integers(2, 5), st.floats(0.3, 0.7), st.integers(0, 99))
def test_folds_are_even_in_size_and_in_rate(rows: int, folds: int, rate: float, seed: int) -> None:
    labels = (np.arange(rows) < rows * rate).astype(float)
    least, more = divmod(rows, folds)
    sizes = [least + (fold < more) for fold in range(folds)]
    try:
        made = common.stratified(labels, sizes, Prg(seed.to_bytes(32, "big")))
    except UsageError:
        assert min(rate, 1 - rate) * rows / folds < common.LEAST + 1
        return
    assert np.bincount(made).tolist() == sizes
    positives = np.bincount(made, weights=labels)
    assert np.abs(positives - np.array(sizes) * labels.mean()).max() < 1


@given(st.integers(150, 400), st.integers(2, 4), st.integers(0, 99))
def test_several_classes_are_even_to_two_rows(rows: int, folds: int, seed: int) -> None:
    labels = np.digitize(np.random.default_rng(seed).random(rows), [0.3, 0.6]) * 1.0
    least, more = divmod(rows, folds)
    sizes = [least + (fold < more) for fold in range(folds)]
    try:
        made = common.stratified(labels, sizes, Prg(seed.to_bytes(32, "big")))
    except UsageError:
        assert np.bincount(labels.astype(int)).min() / folds < common.LEAST + 2
        return
    assert np.bincount(made).tolist() == sizes
    for kind in range(3):
        found = np.bincount(made[labels == kind], minlength=folds)
        assert np.abs(found - np.array(sizes) * (labels == kind).mean()).max() < 2


def fair(draws: int = 300) -> bool:
    """Whether each row is held out as often as any other, whatever its label: no further off than 5 standard deviations."""
    rng = Prg(bytes(32))
    held_out = np.mean([common.stratified(LABELS, SIZES, rng) for _ in range(draws)], axis=0)
    return bool(np.abs(held_out - 1 / 3).max() < 5 * np.sqrt(1 / 3 * 2 / 3 / draws))


def test_a_row_is_held_out_as_often_whatever_its_label() -> None:
    assert fair()


@pytest.mark.parametrize("mutant", mutants("split"), ids=lambda mutant: mutant.name)
def test_strata_that_show_the_order_of_rows_are_found(mutant: Mutant) -> None:
    with mutant.applied():
        assert not fair()


def test_no_coin_is_known_from_which_strata_could_be_read() -> None:
    seen = {type(item.message) for view in play().views.values() for item in view}
    assert seen == {common.Chosen}


def test_what_cannot_be_cut() -> None:
    with pytest.raises(UsageError, match="fewer than 10 rows of a class"):
        play(np.repeat([1.0, 0.0], [9, 81]))


def test_a_choice_of_other_sizes_is_refused() -> None:
    def program(party: Party) -> Any:
        sizes = (60, 30) if party.name == "labels" else (50, 40)
        mine = LABELS if party.name == "labels" else None
        return common.parts(party, ROWS, sizes, holders=HOLDERS, label_holder="labels", labels=mine)

    with pytest.raises(RemoteProtocolError, match="other sizes"):
        run(program, HOLDERS, disclosures=common.disclosures(HOLDERS, "labels"))
