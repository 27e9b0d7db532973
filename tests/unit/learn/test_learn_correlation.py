"""Correlations, VIF and choices of columns under shares, against NumPy on pooled data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.learn.prepare import correlation as c
from unseen.learn.vertical.layout import Layout
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

ROWS = 300
RNG = np.random.default_rng(8)
A = RNG.normal(size=(ROWS, 3)) @ RNG.normal(size=(3, 3)) + 5
B = np.column_stack(
    [A[:, 0] * 2 + 0.01 * RNG.normal(size=ROWS), RNG.normal(size=ROWS), A[:, 1] - A[:, 2], np.full(ROWS, 3.0)]
)
BLOCKS = {"a": A, "b": B}
SIZES = Layout(ROWS, {"a": 3, "b": 4})
TOLD = [
    Disclosure(name, "of a test", ("a",), Door.REVEAL)
    for name in ("r", "redundant", "tolerated", "among", "vif")
]
ENGINES = {"dealer2": ("a", "b", "helper"), "pair2": ("a", "b")}


def pooled() -> np.ndarray:
    whole = c.standardised(np.column_stack([A, B]))
    matrix = whole.T @ whole / ROWS
    np.fill_diagonal(matrix, 1.0)
    return matrix


def plainly_kept(matrix: np.ndarray, limit: float, *, vif: bool) -> list[int]:
    kept: list[int] = []
    for j in range(len(matrix)):
        before = matrix[np.ix_(kept, kept)]
        row = matrix[j, kept]
        if vif:
            fine = not kept or 1 - row @ np.linalg.solve(before, row) >= 1 / limit
        else:
            fine = (np.abs(row) <= limit).all()
        if fine:
            kept.append(j)
    return [int(j in kept) for j in range(len(matrix))]


@pytest.mark.parametrize("protocol", ["dealer2", pytest.param("pair2", marks=pytest.mark.long)])
def test_all_of_it_is_that_of_pooled_data(protocol: str) -> None:
    def program(party: Party) -> dict[str, Any]:
        helper = "helper" if "helper" in ENGINES[protocol] else None
        engine = Engine(party, holders=("a", "b"), helper=helper, protocol=protocol)
        matrix = c.correlations(engine, SIZES, BLOCKS.get(party.name))
        made = {
            "r": matrix,
            "redundant": c.not_redundant(matrix, 0.9),
            "tolerated": c.tolerated(matrix, 20.0),
            "among": c.tolerated(matrix, 20.0, among=engine.lift(np.array([0, 1, 1, 1, 1, 1, 1]))),
            "vif": c.inflation(matrix),
        }
        return {name: engine.reveal(name, array, to=("a",)) for name, array in made.items()}

    told = run(program, ENGINES[protocol], disclosures=TOLD, timeout_s=100).results["a"]
    matrix = pooled()
    assert np.allclose(told["r"], matrix, atol=2e-5)
    assert told["redundant"].tolist() == plainly_kept(matrix, 0.9, vif=False)
    assert told["tolerated"].tolist() == plainly_kept(matrix, 20.0, vif=True) == [1, 1, 1, 0, 1, 0, 1]
    assert told["among"].tolist() == [0, 1, 1, 1, 1, 0, 1]  # without the first, its double may stay
    vif = np.diag(np.linalg.inv(matrix + np.eye(7) * c.RIDGE))
    ordinary = vif < 30
    assert np.allclose(told["vif"][ordinary], vif[ordinary], rtol=0.02)
    assert (told["vif"][~ordinary] > 30).all()
