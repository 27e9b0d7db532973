"""Every message of the main job, step by step: on two inputs with equal declared outputs nobody sees a difference."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from job_scenes import HOLDERS, SCENES, descend, psi, train, weigh

from unseen.core import registry
from unseen.crypto.additive import fixed_base
from unseen.jobs.step import STEPS
from unseen.mpc import ahead
from unseen.psi.protocols import dh
from unseen.testing.mutants import mutants
from unseen.testing.simulate import run


@pytest.fixture(scope="module", autouse=True)
def small_tables() -> Iterator[None]:
    """Large ones, of fixed bases, take long to make. Stocks have one number, for streams are named by it."""

    def drawn(size: int) -> bytes:
        return bytes(size) if size == ahead._STOCK_BYTES else secrets.token_bytes(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_base, "TABLE_BYTES", 1 << 20)
        patch.setattr(ahead, "secrets", SimpleNamespace(token_bytes=drawn))
        yield


def test_every_step_there_is_has_a_scene() -> None:
    assert {name.partition(" ")[0] for name in SCENES} == set(registry.names(STEPS))


# half a megabyte each of ciphertexts and transfers, whose every bit is looked at; many rounds
FEWER = {
    "evaluate with weights": 40,
    "evaluate joined": 24,
    "evaluate joined numbers": 24,
    "evaluate several classes": 24,
    "scorecard of evidence": 60,
    "scorecard under shares": 60,
    "average": 20,  # nothing is sent
    "split of joined rows": 40,
    "folds of joined rows": 40,
    "prepare": 20,  # nothing is sent
    "transform": 20,
    "bin": 24,
    "make-stock": 24,  # a megabyte each of keys and transfers
    "common-statistics from a stock": 24,
    "select": 40,
    "train-linear of classes, sparse": 60,
    "train-linear on evidence": 60,
    "train-gbdt": 40,
    "train-gbdt hidden": 40,
    "train-gbdt-federated": 40,
    "join hidden": 40,
    "join hidden of three": 40,
    "join hidden, length told": 40,
    "join of three": 60,
    "psi of three, to one": 60,
    "common-statistics of three": 60,
    "standardise-joined": 60,
    "train-linear joined": 60,
    "train-linear joined, numbers": 40,
}
SLOW = {
    "scorecard of evidence",
    "scorecard under shares",
    "reveal-model of bins",
    "reveal-model with rules",
    "evaluate with weights",
    "evaluate joined",
    "evaluate joined numbers",
    "evaluate several classes",
    "join hidden",
    "join hidden of three",
    "join hidden, length told",
    "join of three",
    "psi of three, to one",
    "common-statistics of three",
    "train-linear joined",
    "train-linear joined, numbers",
    "standardise-joined",
    "common-statistics",
    "make-stock",
    "common-statistics from a stock",
    "run-function",
    "evaluate secretly",
    "bin",
    "train-linear of classes, sparse",
    "train-linear on evidence",
    "train-gbdt",
    "train-gbdt hidden",
    "train-gbdt-federated",
    "select",
    "correlate",
}  # keys are made, transfers are set up anew, or a hundred rounds
AS_MUTANTS = 60
"""Runs in which mutants of secret sharing are found; so many of the quick suite's larger scenes, too."""
OFTEN = {
    "train-linear by Newton's method",
    "train-linear",
    "scorecard",
    "evaluate",
    "predict",
    "reveal-model",
}


def _runs() -> Iterator[object]:
    late = [pytest.mark.long, pytest.mark.timeout(600)]
    for name in SCENES:
        yield pytest.param(name, FEWER.get(name, 200), marks=late if name in SLOW | OFTEN else [], id=name)
        if name in OFTEN:
            yield pytest.param(name, AS_MUTANTS, id=f"{name}, fewer runs")


@pytest.mark.parametrize(("name", "runs"), list(_runs()))
def test_nothing_shows(name: str, runs: int) -> None:
    assert SCENES[name]().leaks(runs=runs) == []


@pytest.mark.parametrize(
    "mutant",
    # what this job reveals was truncated last, which shares it anew: tests/adversary/mpc has a result that was not
    [item for item in mutants("mpc-dealer") if item.flaw != "missing zero-share"],
    ids=lambda mutant: mutant.name,
)
def test_mutants_of_secret_sharing_are_found(mutant: Any) -> None:
    with mutant.applied():
        assert train().leaks(runs=AS_MUTANTS)


@pytest.mark.long
@pytest.mark.parametrize("mutant", mutants("descent"), ids=lambda mutant: mutant.name)
def test_mutants_of_the_descent_are_found(mutant: Any) -> None:
    scene = descend(epochs=3, l1=1.0)
    assert not scene.leaks(runs=AS_MUTANTS)
    with mutant.applied():
        assert scene.leaks(runs=AS_MUTANTS)


def told_of_bins(which: int) -> list[Any]:
    """What the label holder is told of the other's columns, and that one of its own."""
    scene = weigh()
    reports = run(scene.program(which), HOLDERS, disclosures=scene.told).results
    return [reports["a"]["metrics"].meta["others"], reports["b"]["metrics"].meta["iv"]]


def test_small_bins_are_not_told() -> None:
    assert told_of_bins(0) == told_of_bins(1)


@pytest.mark.parametrize("mutant", mutants("bin"), ids=lambda mutant: mutant.name)
def test_mutants_of_the_bins_are_found(mutant: Any) -> None:
    with mutant.applied():
        assert told_of_bins(0) != told_of_bins(1)


@pytest.mark.parametrize("mutant", mutants("psi-dh"), ids=lambda mutant: mutant.name)
def test_mutants_of_the_intersection_are_found(mutant: Any) -> None:
    scene = psi()
    with mutant.applied():
        assert scene.leaks(runs=60)


def test_a_mutant_is_gone_when_its_block_ends() -> None:
    (mutant, *_) = mutants("psi-dh")
    honest = dh._exponent
    with mutant.applied():
        assert dh._exponent is not honest
    assert dh._exponent is honest


def test_every_flaw_that_style_names_is_among_the_mutants() -> None:
    flaws = {item.flaw for item in mutants("mpc-dealer")}
    assert flaws == {"constant mask", "reused mask", "missing zero-share", "plaintext as ring element"}
