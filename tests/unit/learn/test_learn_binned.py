"""Logistic models on weights of evidence that nobody learns: those of pooled data, under every protocol, and scores by bins alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.learn.prepare import woe
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical import binned
from unseen.learn.vertical.binned import Evidence
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.linear import newton
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

ROWS, LATER, BINS = 240, 50, 4
RNG = np.random.default_rng(3)
X = np.column_stack([RNG.normal(size=(ROWS, 2)), RNG.integers(0, 3, ROWS), np.full(ROWS, 2.0)])
X[RNG.random(ROWS) < 0.15, 1] = np.nan
LABELS = (RNG.random(ROWS) < 1 / (1 + np.exp(-np.abs(X[:, 0]) + 1 - np.isnan(X[:, 1])))).astype(float)
NEW = np.column_stack([RNG.normal(size=(LATER, 2)), RNG.integers(0, 3, LATER), np.full(LATER, 2.0)])
NEW[::5, 0] = np.nan  # of which training had none: the weight of the mean
CREWS = {
    "dealer2": (("a", "b"), "helper"), "dealer": (("a", "b", "c"), "helper"),
    "replicated3": (("a", "b", "c"), None), "pair2": (("a", "b"), None),
}  # fmt: skip


def pooled(least_rows: int) -> np.ndarray:
    """Scores of the new rows by the same model in clear."""
    train, later = [], []
    for column, new in zip(X.T, NEW.T, strict=True):
        cuts = (quantile_cuts(column, BINS),)
        codes = [binned.coded(one[:, None], cuts, BINS)[0] for one in (column, new)]
        totals = np.bincount(codes[0], minlength=BINS + 1)
        positives = np.bincount(codes[0], weights=LABELS, minlength=BINS + 1)
        told = woe.evidence(positives, totals - positives).woe
        enough = totals >= least_rows
        parts = totals * enough / max(1, (totals * enough).sum())
        mean = parts @ told
        scale = np.sqrt(parts @ (told - mean) ** 2 + 2.0**-12)
        entries = (told - mean) / scale * enough
        train.append(entries[codes[0]])
        later.append(entries[codes[1]])
    x, ridge, weights = np.column_stack([*train, np.ones(ROWS)]), np.diag([1.0] * 4 + [0]), np.zeros(5)
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (p - LABELS) + ridge @ weights
        weights -= np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, slope)
    scores: np.ndarray = np.column_stack([*later, np.ones(LATER)]) @ weights
    return scores


@pytest.mark.parametrize(
    ("protocol", "least_rows"),
    [
        ("dealer2", 40),  # of the second column those that miss the value are fewer
        *(pytest.param(name, 1, marks=pytest.mark.long) for name in ("dealer", "replicated3", "pair2")),
    ],
)
def test_scores_are_those_of_the_pooled_model(protocol: str, least_rows: int) -> None:
    holders, helper = CREWS[protocol]
    widths = dict.fromkeys(holders, 0) | {"a": 1, holders[-1]: 3}  # one in the middle has no columns

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        sizes, later = Layout(ROWS, widths), Layout(LATER, widths)
        block = sizes.block(party.name) if party.name in widths else None
        labels = engine.share(LABELS if party.name == "a" else None, owner="a", shape=(ROWS,))
        evidence = Evidence(
            engine,
            None if block is None else X[:, block],
            () if block is None else tuple("wxyz")[block],
            sizes,
            bins=BINS,
            least_rows=least_rows,
            labels=labels,
            label_holder="a",
            label_counts=(LABELS.sum(), ROWS - LABELS.sum()) if party.name == "a" else None,
        )
        how = newton.Newton(l2=1.0, iterations=6)
        found = newton.fit(engine, evidence.columns(), labels, how)
        model = evidence.to_model(found, protocol=protocol, holders=holders)
        raw = binned.raw(engine, model, None if block is None else NEW[:, block], later)
        return engine.reveal("raw", raw, to=("a",)), engine.reveal(
            "p", binned.expected(engine, model, raw), to=("a",)
        )

    told = [Disclosure(name, "scores", ("a",), Door.REVEAL) for name in ("raw", "p")]
    crew = holders if helper is None else (*holders, helper)
    raw, p = run(program, crew, disclosures=told, timeout_s=300).results["a"]
    want = pooled(least_rows)
    assert want.std() > 0.3
    np.testing.assert_allclose(raw, want, atol=5e-3)
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-want)), atol=2e-3)
