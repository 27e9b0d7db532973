"""The main job beside scikit-learn on pooled data.

`whole`: three real nodes on loopback (two holders, a helper) run the whole job: intersection, split, scaling, training
of a logistic regression on secret shares, evaluation, prediction. The clock runs from `job start` until every node has
the end of the job in its log. scikit-learn joins, splits, scales, fits, scores and measures in one process.

`train`: the training alone, ten Newton iterations, each party a process, over bare TCP (`lan`) and over the link that
nodes use (`link`). scikit-learn fits on the same scaled columns, in one thread.

569x30 is the breast-cancer set that scikit-learn ships. 30000x23 is made up from a fixed seed, in the shape of a credit
portfolio with 22 % defaults. `error` is the largest difference of a score of the joint model from the pooled one.
`cpu s` is the processor time of all parties together, which says more than the clock where parties share two cores.
scikit-learn protects nothing: the ratio is the price of not showing one's data.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.parties import Wire, play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.learn.vertical import layout, linear
from unseen.learn.vertical.linear import newton
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.scenes import performance
from unseen.scenes.comparison import hold_against
from unseen.scenes.joint_model import HELPER, Settings, workflow
from unseen.scenes.partition import Holding, breast_cancer

PENALTY, ITERATIONS = 1.0, 10
TRUST = (
    "semi-honest parties, the helper must not collude with a holder; scikit-learn: one party sees all data"
)
WHOLE_REPEATS = 3
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Its threads wait for each other on a machine that does other work, too; ours have one each."""
PARTIES = ("a", "b", "helper")
TOLD = [
    Disclosure("shape", "sizes", PARTIES, Door.RELEASE, times=2),
    Disclosure("scores", "scores", ("a",), Door.REVEAL),
]


def portfolio(*, rows: int = 30_000, seed: int = 7) -> tuple[Holding, Holding]:
    """A bank (label and 13 columns) and a bureau (10 columns), 90 % of the clients each."""
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((rows, 23)) @ (np.eye(23) + 0.2 * rng.standard_normal((23, 23)))
    weights = rng.standard_normal(23) / 6
    chance = 1 / (1 + np.exp(1.5 - columns @ weights))
    data = {"client": np.arange(rows), "default": (rng.random(rows) < chance).astype(np.int64)}
    data |= {f"x{place}": columns[:, place] for place in range(23)}
    whole = pa.table(data)
    own, other = [f"x{place}" for place in range(13)], [f"x{place}" for place in range(13, 23)]

    def some(names: list[str]) -> pa.Table:
        return whole.take(pa.array(rng.permutation(rows)[: round(0.9 * rows)])).select(names)

    return (
        Holding("bank", "loans", some(["client", "default", *own]), "client", "default"),
        Holding("bureau", "histories", some(["client", *other]), "client", None),
    )


def matrix(holding: Holding) -> NDArray[np.float64]:
    return np.column_stack([holding.table[name].to_numpy() for name in holding.features])


class Whole:
    """Three nodes, started once; each measurement is one run of a contract that allows them all."""

    def __init__(self, holdings: tuple[Holding, Holding], runs: int, stack: ExitStack) -> None:
        self._holdings = holdings
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unseen-bench-")))
        parties = (*(holding.party for holding in holdings), HELPER)
        self._nodes: Any = stack.enter_context(Loopback(parties, folder=self._folder)).nodes
        flow = workflow(holdings, Settings(penalty=PENALTY, iterations=ITERATIONS))
        flow.runs = runs
        together.bring(self._nodes, flow, self._folder)
        self._contract = together.agree(self._nodes, flow, parties[0])
        self._runs = 0

    def __call__(self) -> Sample:
        start = time.perf_counter()
        job = together.run(self._nodes, self._holdings[0].party, self._contract)
        seconds = time.perf_counter() - start
        self._runs += 1
        steps = together.measured(self._nodes, self._contract)
        result = performance.collect(self._nodes, self._holdings, job, self._folder / f"run-{self._runs}")
        pooled = hold_against(result, self._holdings, penalty=PENALTY)
        return Sample(
            seconds,
            bytes=round(sum(step["bytes_sent"] for step in steps.values()) / self._runs),
            rounds=round(sum(step["rounds"] for step in steps.values())),
            peak_mib=max(step["memory_bytes"] for step in steps.values()) / (1 << 20),
            error=pooled.agreement.largest_score_difference,
            more={"steps_s": sum(step["seconds"] for step in steps.values())},
        )


def train(wire: Wire, blocks: Sequence[NDArray[np.float64]], labels: NDArray[np.float64]) -> Sample:
    own = dict(zip(PARTIES, blocks, strict=False))

    def program(party: Party) -> Any:
        mine = own.get(party.name)
        sizes = layout.agree(party, mine, holders=PARTIES[:2])
        engine = Engine(party, holders=PARTIES[:2], helper="helper")
        columns = layout.share_blocks(engine, sizes, mine)
        label = engine.share(labels if party.name == "a" else None, owner="a", shape=(sizes.rows,))
        weights = newton.fit(engine, columns, label, newton.Newton(l2=PENALTY, iterations=ITERATIONS))
        return engine.reveal(
            "scores",
            linear.mean(linear.linear_scores(engine, columns, weights), family="logistic"),
            to=("a",),
        )

    played = play(program, PARTIES, wire=wire, disclosures=TOLD)
    return played.sample(
        error=float(np.abs(played.parties["a"].result - pooled_scores(blocks, labels)).max())
    )


def pooled_scores(blocks: Sequence[NDArray[np.float64]], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - after the fork

    columns = np.hstack(blocks)
    model = LogisticRegression(C=1 / PENALTY, tol=1e-10, max_iter=10_000).fit(columns, labels)
    scores: NDArray[np.float64] = model.predict_proba(columns)[:, 1]
    return scores


def aligned(holdings: tuple[Holding, Holding]) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Common rows, scaled columns of each, and the labels."""
    left, right = holdings
    ids = [holding.table[holding.key].to_numpy(zero_copy_only=False) for holding in holdings]
    _, at, there = np.intersect1d(*ids, return_indices=True)
    blocks = [matrix(left)[at], matrix(right)[there]]
    labels = left.table[str(left.label)].to_numpy()[at].astype(float)
    return [(block - block.mean(axis=0)) / block.std(axis=0) for block in blocks], labels


def ask(rival: Rival | None, folder: Path, job: str, **data: Any) -> tuple[str, Callable[[], Sample]] | None:
    if rival is None:
        return None
    file = folder / f"{job}-{len(list(folder.iterdir()))}.npz"
    np.savez(file, **data)

    def measure() -> Sample:
        told = rival.ask(job=job, data=str(file), penalty=PENALTY)
        return Sample(told["seconds"], bytes=0, peak_mib=told["peak_mib"], more={"cpu_s": told["cpu_s"]})

    measure()  # the first one loads libraries
    return f"scikit-learn {rival.ask(job='version')['version']}, pooled", measure


def main() -> None:
    with Report("job", __doc__) as report, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unseen-bench-")))
        program = Path(__file__).with_name("sklearn_pooled.py")
        rival = (
            present(
                lambda: python_rival("scikit-learn", ["scikit-learn"], program, environment=ONE_THREAD), stack
            )
            if report.rivals
            else None
        )
        for size, make, quick in (("569x30", breast_cancer, True), ("30000x23", portfolio, False)):
            cases = {f"job/train/{size}/{wire}/shared": wire for wire in ("lan", "link")}
            wanted = [case for case in cases if report.wants(case, quick=quick)]
            whole = f"job/whole/{size}/loopback/shared"
            if not wanted and not report.wants(whole, quick=quick):
                continue
            holdings = make()
            blocks, labels = aligned(holdings)
            pooled = ask(rival, folder, "train", columns=np.hstack(blocks), labels=labels)
            for case in wanted:
                measure = partial(train, cases[case], blocks, labels)
                report.case(case, measure, rival=pooled, trust=TRUST)
            if report.wants(whole, quick=quick):
                one_whole(report, whole, holdings, rival, folder)


def one_whole(
    report: Report, case: str, holdings: tuple[Holding, Holding], rival: Rival | None, folder: Path
) -> None:
    left, right = holdings
    tables = {
        "left_ids": left.table[left.key].to_numpy(zero_copy_only=False).astype(str),
        "right_ids": right.table[right.key].to_numpy(zero_copy_only=False).astype(str),
        "left": matrix(left),
        "right": matrix(right),
        "labels": left.table[str(left.label)].to_numpy(),
    }
    repeats = min(report.repeats, WHOLE_REPEATS)
    with ExitStack() as stack:
        ours = Whole(holdings, repeats, stack)
        report.case(case, ours, rival=ask(rival, folder, "whole", **tables), trust=TRUST, repeats=repeats)


if __name__ == "__main__":
    main()
