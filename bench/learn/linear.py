"""Linear models by Newton's method, beside scikit-learn: `learn/<family>/<data>/shared`; and the mini-batches of `bench.mpc`."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.learn import held_out, public
from bench.learn.public import Public
from bench.mpc import logistic
from bench.parties import play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from unseen.learn.vertical.linear import multinomial, newton
from unseen.learn.vertical.linear.scaling import Scaling
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party

TRUST = "semi-honest, two holders and a helper that sees no data; rival: none, all data in clear in one place"
CASES = {
    "logistic": (
        "breast",
        "german_credit",
        "sba",
        "default_credit",
        "fraud",
        "bank",
        "pivot_bank",
        "pivot_credit",
    ),
    "linear": ("student",),
    "poisson": ("dvisits",),
    "multinomial": ("vehicle",),
}
KINDS: dict[str, held_out.Kind] = {
    "logistic": "binary", "linear": "numbers", "poisson": "numbers", "multinomial": "classes",
}  # fmt: skip
ITERATIONS = {"logistic": 10, "linear": 3, "poisson": 10, "multinomial": 12}
TOLD = [Disclosure("weights", "the model", ("a",), Door.REVEAL)]
Floats = NDArray[np.float64]


class Task:
    """One family on one data set."""

    def __init__(self, family: str, data: Public) -> None:
        self.family = family
        self.data = data
        self.classes = int(data.label.max()) + 1 if family == "multinomial" else 0
        self.kind = KINDS[family]

    def rows(self, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Scaled training columns and their label, held-out ones and theirs."""
        train, test = self.data.split(seed)
        scaling = Scaling.fit(self.data.columns[train], tuple(map(str, range(self.data.columns.shape[1]))))
        columns = scaling.apply(self.data.columns)
        return columns[train], self.data.label[train], columns[test], self.data.label[test]

    def fit(self, engine: Engine, columns: SecretArray, labels: SecretArray) -> SecretArray:
        """Weights."""
        how = newton.Newton(self.family, 1.0, 0.0, ITERATIONS[self.family])
        if self.classes:
            return multinomial.fit(engine, columns, labels, how, classes=self.classes)
        return newton.fit(engine, columns, labels, how)

    def labels(self, label: Floats) -> Floats:
        """As they are shared."""
        if self.classes:
            return multinomial.one_hot(label, self.classes)
        return (label - label.mean()) / label.std() if self.family == "linear" else label

    def expected(self, x: Floats, weights: Floats, trained_on: Floats) -> Floats:
        """Expected labels of rows: the shape of probabilities is that of scores, (rows,) or (rows, classes)."""
        scores: Floats = x @ weights[:-1] + weights[-1]
        if self.classes:
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares: Floats = powers / powers.sum(axis=1, keepdims=True)
            return shares
        if self.family == "linear":
            return scores * trained_on.std() + trained_on.mean()
        return np.exp(scores) if self.family == "poisson" else scores


def in_shares(task: Task, seed: int) -> tuple[Sample, Floats]:
    """Two holders or three and a helper, each a process."""
    x, y, *_ = task.rows(seed)
    label, widths = task.labels(y), task.data.widths
    holders = tuple("abc"[: len(widths)])
    blocks = dict(zip(holders, np.split(x, np.cumsum(widths)[:-1], axis=1), strict=True))

    def program(party: Party) -> Any:
        protocol = "dealer2" if len(holders) == 2 else "dealer"
        engine = Engine(party, holders=holders, helper="helper", protocol=protocol)
        parts = [
            engine.share(part if party.name == owner else None, owner=owner, shape=part.shape)
            for owner, part in blocks.items()
        ]
        labels = engine.share(label if party.name == "a" else None, owner="a", shape=label.shape)
        party.sign_transcripts()  # everybody is here
        start, used = time.perf_counter(), time.process_time()
        weights = task.fit(engine, engine.concatenate(parts, axis=1), labels)
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
        stats = party.stats().values()
        sent, rounds = sum(item.bytes_sent for item in stats), max(item.rounds for item in stats)
        return seconds, sent, rounds, cpu, engine.reveal("weights", weights, to=("a",))

    played = play(program, (*holders, "helper"), disclosures=TOLD)
    told = [played.parties[name].result for name in (*holders, "helper")]
    sample = Sample(
        seconds=max(item[0] for item in told),
        bytes=sum(item[1] for item in told),
        rounds=max(item[2] for item in told),
        peak_mib=max(item.peak_mib for item in played.parties.values()),
        more={"cpu_s": sum(item[3] for item in told)},
    )
    return sample, told[0][4]


def pooled(rival: Rival, task: Task, seed: int) -> tuple[float, Floats]:
    """Seconds and weights of scikit-learn."""
    x, y, *_ = task.rows(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, x=x, y=task.labels(y) if task.family == "linear" else y)
        told = rival.ask(family=task.family, data=str(path))
    return told["seconds"], np.array(json.loads(told["weights"]))


def measure(task: Task, rival: Rival | None) -> tuple[Sample, Callable[[], Sample] | None]:
    """Ours and the rival's training of one split; of ours the difference in quality too on held-out rows (of ten splits: :mod:`bench.quality`)."""
    sample, weights = in_shares(task, 0)
    if rival is None:
        return sample, None
    _, trained_on, x, y = task.rows(0)
    seconds, theirs = pooled(rival, task, 0)
    ours, wanted = (
        held_out.quality(y, task.expected(x, each, trained_on), task.kind) for each in (weights, theirs)
    )
    return replace(sample, error=held_out.difference(ours, wanted, task.kind)), lambda: Sample(seconds)


def cases(report: Report) -> None:
    """All of them."""
    with ExitStack() as stack:
        program = Path(__file__).with_name("_sklearn_linear.py")
        rival = (
            present(lambda: python_rival("sklearn", ["scikit-learn==1.9.1"], program), stack)
            if report.rivals
            else None
        )
        for family, names in CASES.items():
            for name in names:
                case = f"learn/{family}/{name}/shared"
                if not report.wants(case, quick=name in ("breast", "student")):
                    continue
                data = public.load(name)
                if data is None:
                    continue
                ours, theirs = measure(Task(family, data), rival)
                report.case(
                    case,
                    lambda ours=ours: ours,
                    rival=("scikit-learn 1.9.1", theirs) if theirs else None,
                    trust=TRUST,
                    repeats=1,
                )
    for rows, width in ((4_096, 20), (10_000, 100), (100_000, 100)):
        case = f"learn/logistic/{rows}x{width}/shared"
        if report.wants(case, quick=rows == 4_096):
            report.case(
                case,
                lambda rows=rows, width=width: logistic.measure("dealer2", rows=rows, width=width),
                trust=TRUST,
                repeats=1 if report.quick else 3,
            )
