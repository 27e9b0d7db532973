"""Models without penalty and how sure they are, by the step `train-linear` in shares, beside statsmodels on pooled data.

Two holders and a helper, as threads of one process; each is told its own coefficients and their variances (`certainty`). Columns that
make up one another, or say nothing, are left out first, for both alike: such models have no errors.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.learn import held_out, linear
from bench.learn.public import Public
from bench.report import Sample
from bench.rivals import Rival
from unseen.data.table import Table
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import Matrix
from unseen.party import Party
from unseen.testing.simulate import run

Floats = NDArray[np.float64]
WORKS = {"poisson": "dvisits", "linear": "student", "logistic": "breast"}
"""Family -> data set."""
ROLES = Roles({"holders": ("a", "b"), "label_holder": ("a",), "helper": ("helper",)})
TRUST = "semi-honest, two holders and a helper that sees no data; rival: none, all data in clear in one place"
_MOST = 10
"""Columns of a case: the first of either holder that are no combination of those before, half each."""


def columns(data: Public, rows: NDArray[np.int64]) -> list[int]:
    """Which columns are taken."""
    chosen: list[int] = []
    for part in (range(data.left), range(data.left, data.columns.shape[1])):
        taken = 0
        for place in part:
            some = data.columns[np.ix_(rows, [*chosen, place])]
            scaled = np.column_stack([some - some.mean(axis=0), np.ones(len(some))])
            scaled /= np.maximum(np.linalg.norm(scaled, axis=0), 1e-12)
            if taken < _MOST // 2 and np.linalg.cond(scaled) < 30:
                chosen.append(place)
                taken += 1
    return chosen


def ours(family: str, x: Floats, y: Floats, left: int) -> dict[str, Floats]:
    """Coefficients (the intercept last), standard errors and p-values of the columns."""
    module, params = step("train-linear"), parse_params("train-linear", _params(family))
    ids = Table.of(pa.table({"id": [f"r{row}" for row in range(len(x))]}), id_columns=("id",))
    blocks = {"a": (x[:, :left], y), "b": (x[:, left:], None)}

    def program(party: Party) -> Any:
        inputs = {}
        if party.name in blocks:
            values, label = blocks[party.name]
            names = tuple(f"{party.name}{place}" for place in range(values.shape[1]))
            inputs["table"] = Matrix(values, names, label, ids).to_artefact()
        return module.run(party, inputs, params, ROLES)

    told = module.disclosures(params, ROLES)
    results = run(program, ROLES.everyone, disclosures=told, timeout_s=3600).results
    known = [results[name]["model"].meta["known"] for name in ("a", "b")]
    joined = {
        name: np.concatenate([part[key] for part in known])
        for name, key in (
            ("weights", "coefficients"),
            ("errors", "standard_errors"),
            ("p_values", "p_values"),
        )
    }
    joined["weights"] = np.append(joined["weights"], known[0]["intercept"])
    return joined


def _params(family: str) -> dict[str, Any]:
    return {
        "family": family, "l2": 0.0, "iterations": 10, "certainty": True, "coefficients_to_owners": True,
    }  # fmt: skip


def pooled(rival: Rival, family: str, x: Floats, y: Floats) -> dict[str, Floats]:
    """The same by the rival."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, x=x, y=y)
        told = rival.ask(family=family, data=str(path))
    found = {name: np.array(json.loads(item)) for name, item in told.items()}
    return {**found, "errors": found["errors"][:-1], "p_values": found["p_values"][:-1]}


def measure(family: str, data: Public, rival: Rival, *, splits: int) -> Sample:
    """All splits: `error` as of other models; how far errors (of themselves) and p-values are off at most."""
    kind = linear.KINDS[family]
    qualities: list[tuple[float, float]] = []
    differences, errors_off, p_off, taken, width = [], 0.0, 0.0, 0.0, 0
    for seed in range(splits):
        train, test = data.split(seed)
        chosen = columns(data, train)
        x, y, width = data.columns[np.ix_(train, chosen)], data.label[train], len(chosen)
        start = time.process_time()
        mine = ours(family, x, y, sum(place < data.left for place in chosen))
        taken += time.process_time() - start
        theirs = pooled(rival, family, x, y)
        expected = [
            _expected(family, data.columns[np.ix_(test, chosen)], each["weights"]) for each in (mine, theirs)
        ]
        both = tuple(held_out.quality(data.label[test], each, kind) for each in expected)
        qualities.append((both[0], both[1]))
        differences.append(held_out.difference(*both, kind))
        errors_off = max(errors_off, float(np.abs(mine["errors"] / theirs["errors"] - 1).max()))
        p_off = max(p_off, float(np.abs(mine["p_values"] - theirs["p_values"]).max()))
    mean, low, high = held_out.interval(differences)
    own, other = np.mean(qualities, axis=0)
    more = {
        "rows": len(data.label), "columns": width, "quality": float(own), "pooled": float(other), "low": low,
        "high": high, "worst": max(differences, key=abs), "errors_off": errors_off, "p_off": p_off,
    }  # fmt: skip
    return Sample(taken / splits, error=mean, more=more)


def _expected(family: str, x: Floats, weights: Floats) -> Floats:
    scores: Floats = x @ weights[:-1] + weights[-1]
    return np.exp(scores) if family == "poisson" else scores
