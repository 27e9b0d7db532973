"""Logistic regression by mini-batches, two data holders with half of the columns each: what `bench.mpc` times.

    measure("dealer2", rows=100_000, width=100)          # a Sample

The work: 10 epochs, batches of 1024 rows (the last one as it is, all rows counting alike), rate 0.5, no penalty, the same order of batches. Inputs are
shared before the clock starts, as on the rival's side; weights stay shared. `error` is the difference of the area under the ROC
curve from that of scikit-learn on pooled data.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.memory import Held, own_now, own_peak, settle
from bench.parties import play
from bench.report import Sample
from unseen import mpc
from unseen.core import registry
from unseen.learn.vertical.linear import sgd
from unseen.mpc.engine import PROTOCOLS
from unseen.party import Disclosure, Door, Party

EPOCHS, BATCH, RATE = 10, 1024, 0.5
TOLD = [Disclosure("result", "the result of a benchmark", ("p0",), Door.REVEAL)]


def data(rows: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standardised columns with a label that follows a logistic model of them."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, width))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    scores = x @ rng.normal(size=width) * 2 / np.sqrt(width) - 0.5
    return x, (rng.random(rows) < 1 / (1 + np.exp(-scores))).astype(float)


def auc(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Area under the ROC curve, by ranks."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    positives = labels.sum()
    return float(
        (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))
    )


def descend(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same in clear."""
    full = np.column_stack([x, np.ones(len(x))])
    weights = np.zeros(full.shape[1])
    order = np.random.default_rng(0)
    starts = np.arange(0, len(x), BATCH)
    for _ in range(EPOCHS):
        for place in order.permutation(len(starts)):
            part = slice(starts[place], starts[place] + BATCH)
            errors = 1 / (1 + np.exp(-(full[part] @ weights))) - y[part]
            weights -= RATE * full[part].T @ errors / BATCH
    return weights


def measure(protocol: str, *, rows: int = 100_000, width: int = 100, epochs: int = EPOCHS) -> Sample:
    """Train, all parties as processes on loopback."""
    statement = registry.load(PROTOCOLS, protocol).STATEMENT
    holders = tuple(f"p{place}" for place in range(statement.holders.start))
    helper = "helper" if statement.helper else None
    names = (*holders, helper) if helper else holders
    x, y = data(rows, width)
    half = width // 2
    how = sgd.Descent(epochs=epochs, batch=BATCH, rate=RATE)

    def program(party: Party) -> Any:
        settle()
        idle = own_now()
        engine = mpc.Engine(party, holders=holders, helper=helper, protocol=protocol)
        columns = engine.concatenate(
            [
                engine.share(part if party.name == owner else None, owner=owner, shape=part.shape)
                for part, owner in ((x[:, :half], "p0"), (x[:, half:], "p1"))
            ],
            axis=1,
        )
        labels = engine.share(y if party.name == "p0" else None, owner="p0", shape=y.shape)
        sgd.fit(engine, columns[:2048], labels[:2048], sgd.Descent(epochs=1, batch=BATCH))  # warms up
        party.sign_transcripts()  # everybody is here
        before = sum(stats.bytes_sent for stats in party.stats().values())
        turns = max(stats.rounds for stats in party.stats().values())
        start, cpu = time.perf_counter(), time.process_time()
        with Held() as held:
            weights = sgd.fit(engine, columns, labels, how)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        sent = sum(stats.bytes_sent for stats in party.stats().values()) - before
        rounds = max(stats.rounds for stats in party.stats().values()) - turns
        own = (own_peak() - idle) / 8 / (columns.size + labels.size + weights.size)
        told = engine.reveal("result", weights, to=("p0",))
        return seconds, sent, rounds, cpu, told, own, held.private_mib

    played = play(program, names, disclosures=TOLD)
    told = [played.parties[name].result for name in names]
    found = told[0][4]
    wanted = descend(x, y) if epochs == EPOCHS else found
    return Sample(
        seconds=max(item[0] for item in told),
        bytes=sum(item[1] for item in told),
        rounds=max(item[2] for item in told),
        peak_mib=max(item.peak_mib for item in played.parties.values()),
        error=abs(auc(x @ found[:-1], y) - auc(x @ wanted[:-1], y)),
        more={
            "cpu_s": sum(item[3] for item in told),
            "weights": float(np.abs(found - wanted).max()),
            "words": max(item[5] for item in told),
            "private_mib": max(item[6] for item in told),
        },
    )
