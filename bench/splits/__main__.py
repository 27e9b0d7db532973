"""Trees under additive encryption, node by node beside those that XGBoost grows on pooled data.

XGBoost's `hist` and we (`federated`: two holders, sums under 2048 bits of Okamoto and Uchiyama) grow 30 trees a class of depth 4 (learning
rate 0.2, no sampling, fixed base score) on the same codes (32 bins), all rows of public data sets. After every round our scores are
replaced by those of XGBoost's trees, so that each tree is compared with the one that was grown from the same derivatives.

`same` counts the nodes that XGBoost splits and that part their rows alike; `nearer` those that do not, with gains that differ by at most 1e-5 of the
larger (either is as good; `nearest` is the largest of these gaps), `other` those with gains that differ by more, `below` the nodes
under either, which have other rows. `weights off` is the largest difference of the weights of leaves with the same rows. Nearer and other nodes are
listed on standard error, as tree, node and gap.

Data sets are public ones in the folder that UNSEEN_DATA names (none ships with this project); what is not there is left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.learn import federated as bench_federated
from bench.learn import linear, public
from bench.learn.trees import FIRST, SECOND, Work
from bench.parties import play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from bench.splits.compare import Floats, Forcing, Found, compare, scores_of
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded, federated
from unseen.learn.vertical.trees.model import Settings, Splits
from unseen.party import Disclosure, Door, Party

FAMILIES = {name: family for family, names in linear.CASES.items() for name in names}
OBJECTIVES = {"logistic": "binary", "multinomial": "softmax"}
BINS, KEY_BITS = 32, 2048
QUICK = "breast"


def work_of(data: public.Public) -> tuple[Work, Settings]:
    """All rows, and how trees are grown."""
    objective: Any = OBJECTIVES.get(FAMILIES[data.name], "squared")
    classes = int(data.label.max()) + 1 if objective == "softmax" else 1
    cuts = tuple(quantile_cuts(column, BINS) for column in data.columns.T)
    labels = data.label
    if objective == "squared":
        labels = (labels - labels.mean()) / labels.std()
    work = Work(
        coded(data.columns, cuts),
        [len(cut) + 1 for cut in cuts],
        labels,
        data.left,
        np.ones(len(labels), bool),
    )
    return work, Settings(objective, rounds=30, depth=4, learning_rate=0.2, classes=classes)


def pooled(work: Work, settings: Settings, rival: Rival) -> tuple[Splits, Floats]:
    """XGBoost's trees."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, codes=work.codes, bins=np.array(work.bins), labels=work.labels)
        file.flush()
        plain = {
            name: value for name, value in asdict(settings).items() if isinstance(value, int | float | str)
        }
        trees = rival.ask(path=file.name, settings=plain, threads=1)["trees"]
    kinds = {"column": np.int32, "bin": np.int32, "missing_left": bool}
    made = {name: np.array([tree[name] for tree in trees], kind) for name, kind in kinds.items()}
    return Splits(**made), np.array([tree["weights"] for tree in trees])


def grown(work: Work, settings: Settings, scores: list[Floats]) -> tuple[Splits, Floats]:
    """Ours, from these scores in every round; splits as those of pooled columns."""
    parts = {FIRST: slice(0, work.first), SECOND: slice(work.first, None)}

    def program(party: Party) -> Any:
        warnings.simplefilter("ignore")  # of short keys
        leads = party.name == FIRST
        made = federated.fit(
            party,
            work.codes[parts[party.name]],
            work.bins[parts[party.name]],
            work.labels if leads else None,
            settings,
            holders=(FIRST, SECOND),
            label_holder=FIRST,
            key_bits=KEY_BITS,
            **({"keep": Forcing(scores)} if leads else {}),
        )
        return made.splits, made.weights

    told = [
        Disclosure(name, name, (FIRST, SECOND), Door.RELEASE, times=1 << 20) for name in bench_federated.NAMES
    ]
    played = play(program, (FIRST, SECOND), disclosures=told)
    (one, weights), (other, _) = (played.parties[name].result for name in (FIRST, SECOND))
    theirs = other.column >= 0
    one.column[theirs] = other.column[theirs] + work.first
    one.bin[theirs], one.missing_left[theirs] = other.bin[theirs], other.missing_left[theirs]
    return one, weights


def measure(data: public.Public, rival: Rival) -> Sample:
    """One data set."""
    start = time.perf_counter()
    work, settings = work_of(data)
    theirs = pooled(work, settings, rival)
    ours = grown(work, settings, scores_of(*theirs, work.codes, work.bins, settings))
    found = compare(ours, theirs, work.codes, work.bins, work.labels, settings)
    _list(data.name, found)
    more = {
        "trees": settings.trees,
        "same": found.same,
        "nearer": len(found.nearer),
        "nearest": max((gap for *_, gap in found.nearer), default=0.0),
        "other": len(found.other),
        "below": found.below,
        "weights_off": found.weights_off,
    }
    return Sample(time.perf_counter() - start, error=found.weights_off, more=more)


def _list(name: str, found: Found) -> None:
    for kind, nodes in (("nearer", found.nearer), ("other", found.other)):
        for tree, node, gap in nodes:
            sys.stderr.write(f"{name}: {kind}: tree {tree}, node {node}, gap {gap:.1e}\n")


def main() -> None:
    """All data sets."""
    with Report("splits", __doc__, timed=False) as report, ExitStack() as stack:
        program = Path(__file__).with_name("xgboost_trees.py")
        rival = (
            present(lambda: python_rival("xgboost", ["xgboost==3.2.0"], program), stack)
            if report.rivals
            else None
        )
        for name in FAMILIES:
            case = f"splits/{name}/federated"
            data = public.load(name, words="numbers")
            if rival is None or data is None or not report.wants(case, quick=name == QUICK):
                continue
            report.case(
                case,
                lambda data=data, rival=rival: measure(data, rival),
                trust=bench_federated.TRUST,
                repeats=1,
            )


if __name__ == "__main__":
    main()
