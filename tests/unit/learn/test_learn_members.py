"""Columns standardised over rows that nobody knows, and weights turned back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.learn.vertical import members
from unseen.learn.vertical.linear import newton
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import simulate
from unseen.testing.views import objections, secret_arrays

TOLD = [Disclosure("result", "a test", ("a",), Door.REVEAL, times=100)]
PLACES = 700
RNG = np.random.default_rng(3)
X = RNG.normal([0.5, -2, 0, 1], [1, 0.2, 3, 0], (PLACES, 4))
THERE = RNG.random(PLACES) < 0.4


def go(protocol: str = "dealer2") -> Any:
    def body(party: Party) -> Any:
        helper = "helper" if protocol == "dealer2" else None
        engine = Engine(party, holders=("a", "b"), helper=helper, protocol=protocol)
        at_a = party.name == "a"
        x = engine.share(X * THERE[:, None] if at_a else None, owner="a", shape=X.shape)
        there = engine.share(THERE if at_a else None, owner="a", shape=(PLACES,), dtype=bool)
        made = members.standardising(engine, x, there)
        both = engine.concatenate([x, engine.as_real(there).reshape(-1, 1)], axis=1)
        scaled = (both @ made.basis)[:, :-1]
        weights = engine.share(np.arange(5) / 4 if at_a else None, owner="a", shape=(5,))
        told = (scaled, made.mean, made.factor, members.unscaled(weights, made))
        return [engine.reveal("result", item, to=("a",)) for item in told]

    names = ("a", "b", "helper") if protocol == "dealer2" else ("a", "b")
    outcome = simulate(body, names, disclosures=TOLD)
    assert not outcome.errors, outcome.errors
    return outcome


@pytest.mark.parametrize("protocol", ["dealer2", pytest.param("pair2", marks=pytest.mark.long)])
def test_mean_and_deviation_are_those_of_the_members(protocol: str) -> None:
    scaled, mean, factor, weights = go(protocol).results["a"]
    inside = X[THERE]
    deviation = np.r_[inside.std(axis=0)[:3], 1 / 16]  # the last does not vary
    np.testing.assert_allclose(mean, inside.mean(axis=0), atol=2e-4, rtol=2e-4)
    np.testing.assert_allclose(factor, 1 / deviation, rtol=2e-3)
    np.testing.assert_allclose(scaled[THERE], (inside - mean) * factor, atol=2e-3)
    assert np.abs(scaled[THERE].mean(axis=0)).max() < 1e-2
    assert (np.square(scaled).sum(axis=0) < THERE.sum() * 1.01).all()
    assert np.abs(scaled[~THERE]).max() < 1e-5
    given = np.arange(5) / 4
    np.testing.assert_allclose(
        inside @ weights[:4] + weights[4], (inside - mean) * factor @ given[:4] + given[4], atol=5e-3
    )


def test_a_model_of_rows_that_are_scaled_as_they_are_used() -> None:
    labels = RNG.random(PLACES) < 1 / (1 + np.exp(-(X[:, 0] + 5 * (X[:, 1] + 2) - X[:, 2] / 3 - 0.3)))

    def body(party: Party) -> Any:
        engine = Engine(party, holders=("a", "b"), helper="helper", protocol="dealer2")
        whole = np.column_stack([X * THERE[:, None], labels * THERE])
        both = engine.share(whole if party.name == "a" else None, owner="a", shape=whole.shape)
        there = engine.share(THERE if party.name == "a" else None, owner="a", shape=(PLACES,), dtype=bool)
        made = members.standardising(engine, both[:, :4], there)
        fitted = newton.fit(engine, both[:, :4], both[:, 4], newton.Newton(), counted=there, basis=made.basis)
        return engine.reveal("result", fitted, to=("a",))

    found = simulate(body, ("a", "b", "helper"), disclosures=TOLD).results["a"]
    inside, y = X[THERE], labels[THERE]
    scaled = (inside - inside.mean(axis=0)) / np.r_[inside.std(axis=0)[:3], 1 / 16]
    design, w = np.column_stack([scaled, np.ones(len(y))]), np.zeros(5)
    for _ in range(20):
        mean = 1 / (1 + np.exp(-design @ w))
        hessian = design.T @ (design * (mean * (1 - mean))[:, None]) + np.diag([1, 1, 1, 1, 0])
        w = w - np.linalg.solve(hessian, design.T @ (mean - y) + w * [1, 1, 1, 1, 0])
    np.testing.assert_allclose(found, w, atol=2e-3)


def test_what_is_sent_is_uniform() -> None:
    outcome = go()
    for name in ("a", "b"):
        assert objections(secret_arrays(outcome.views[name])) == []
