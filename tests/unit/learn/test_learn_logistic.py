"""The joint model is the pooled model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.linear_model import LogisticRegression

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.learn.vertical import layout, linear
from unseen.learn.vertical.linear import newton
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run, simulate

TOLD = [
    Disclosure("shape", "sizes", ("a", "b", "c", "helper"), Door.RELEASE, times=2),
    Disclosure("weights", "weights", ("a",), Door.REVEAL),
    Disclosure("scores", "scores", ("a",), Door.REVEAL),
]


def train(
    blocks: dict[str, np.ndarray], labels: np.ndarray, *, penalty: float = 1.0, iterations: int = 10
) -> Run[Any]:
    holders = tuple(blocks)

    def program(party: Party) -> Any:
        own = blocks.get(party.name)
        sizes = layout.agree(party, own, holders=holders)
        engine = Engine(party, holders=holders, helper="helper")
        columns = layout.share_blocks(engine, sizes, own)
        label = engine.share(labels if party.name == "a" else None, owner="a", shape=(sizes.rows,))
        weights = newton.fit(engine, columns, label, newton.Newton(l2=penalty, iterations=iterations))
        scores = linear.mean(linear.linear_scores(engine, columns, weights), family="logistic")
        return engine.reveal("weights", weights, to=("a",)), engine.reveal("scores", scores, to=("a",))

    return run(program, (*holders, "helper"), disclosures=TOLD, timeout_s=60)


def pooled(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    model = LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=10_000).fit(x, y)
    return np.r_[model.coef_[0], model.intercept_], model.predict_proba(x)[:, 1]


def scaled(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def check(x: np.ndarray, y: np.ndarray, cuts: list[int], penalty: float, tolerance: float = 1e-3) -> None:
    names = ["a", "b", "c"][: len(cuts) + 1]
    blocks = dict(zip(names, np.split(x, cuts, axis=1), strict=True))
    weights, scores = train(blocks, y.astype(float), penalty=penalty).results["a"]
    expected, expected_scores = pooled(x, y, penalty)
    assert np.abs(weights - expected).max() <= tolerance * np.abs(expected).max()
    assert np.abs(scores - expected_scores).max() < 1e-3


def test_breast_cancer_within_a_thousandth() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    check(scaled(x), y, [10], 1.0)


@pytest.mark.parametrize("penalty", [0.1, 10.0, 300.0])
def test_other_penalties(penalty: float) -> None:
    x, y = make_classification(400, 8, n_informative=5, random_state=3)
    check(scaled(x), y, [3], penalty)


def test_three_holders() -> None:
    x, y = make_classification(300, 7, random_state=1)
    check(scaled(x), y, [2, 5], 1.0)


def test_one_class_far_more_often() -> None:
    x, y = make_classification(1000, 6, weights=[0.97], random_state=4)
    check(scaled(x), y, [3], 1.0)


def test_a_column_without_variation_gets_no_weight() -> None:
    x, y = make_classification(200, 4, random_state=5)
    blocks = {"a": scaled(x), "b": np.zeros((200, 1))}
    weights, _ = train(blocks, y.astype(float)).results["a"]
    assert abs(weights[4]) < 1e-4


def test_columns_must_be_standardised() -> None:
    with pytest.raises(UsageError, match="not standardised"):
        newton.check_standardised(np.full((10, 2), 3.0))


def test_different_numbers_of_rows_are_found() -> None:
    blocks = {"a": np.zeros((5, 1)), "b": np.zeros((6, 1))}
    outcome = simulate(
        lambda party: layout.agree(party, blocks.get(party.name), holders=("a", "b")),
        ("a", "b", "helper"),
        disclosures=TOLD,
    )
    assert all(isinstance(error, RemoteProtocolError) for error in outcome.errors.values())
    assert len(outcome.errors) == 3
