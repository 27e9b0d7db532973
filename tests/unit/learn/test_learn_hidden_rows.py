"""Training on rows of which nobody knows whether they are common: the model is that of the joined table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from unseen.learn.vertical.linear import newton
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi.protocols.circuit import hidden
from unseen.testing.simulate import run

TOLD = [Disclosure("weights", "weights", ("a",), Door.REVEAL)]


@pytest.mark.parametrize(
    ("protocol", "iterations"), [("dealer2", 8), pytest.param("pair2", 8, marks=pytest.mark.long)]
)
def test_the_model_is_that_of_the_joined_table(protocol: str, iterations: int) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0))[:, :6]
    ids = np.random.default_rng(1).integers(0, 256, (len(x), 32), np.uint8)
    rows = {"a": np.arange(0, 450), "b": np.arange(150, len(x))}  # 300 in common
    shuffled = {name: np.random.default_rng(2).permutation(mine) for name, mine in rows.items()}
    kinds = {
        "a": {"label": int, "c0": float, "c1": float},
        "b": {f"c{place}": float for place in range(2, 6)},
    }

    def program(party: Party) -> Any:
        helper = "helper" if protocol == "dealer2" else None
        engine = Engine(party, holders=("a", "b"), helper=helper, protocol=protocol)
        mine = shuffled.get(party.name)
        values = {}
        if mine is not None:
            values = {
                name: y[mine] if name == "label" else x[mine, int(name[1:])] for name in kinds[party.name]
            }
        found = hidden(
            engine,
            None if mine is None else ids[mine],
            values,
            sizes={name: len(part) for name, part in rows.items()},
            columns=kinds,
        )
        named = {**found.columns["a"], **found.columns["b"]}
        columns = engine.concatenate([named[f"c{place}"].reshape(-1, 1) for place in range(6)], axis=1)
        how = newton.Newton(l2=1.0, iterations=iterations)
        weights = newton.fit(engine, columns, named["label"], how, counted=found.member)
        return engine.reveal("weights", weights, to=("a",))

    names = ("a", "b", "helper") if protocol == "dealer2" else ("a", "b")
    weights = run(program, names, disclosures=TOLD, timeout_s=120).results["a"]
    joined = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(x[150:450], y[150:450])
    expected = np.r_[joined.coef_[0], joined.intercept_]
    assert np.abs(weights - expected).max() <= 2e-3 * np.abs(expected).max()
