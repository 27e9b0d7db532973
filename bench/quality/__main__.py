"""Quality of models by column on held-out rows, beside pooled ones.

Public data sets (see below), ten splits each with the seeds 0 to 9: a quarter of the rows is held out, the others train.
Linear models (logistic, multinomial, linear, Poisson; penalty 1 beside the sum of losses, Newton's method) are held against scikit-learn,
boosted trees (50 trees a class, depth 4, learning rate 0.2, 32 bins) against XGBoost's `hist` on the same cuts with the same
parameters; the rivals see all columns in one place. Words are columns of 0 and 1 for linear models, numbers for trees.

Ours is trained in shares, by two holders and a helper (linear models of Pivot's set: three holders) as processes of their own.

`quality` (ours) and `pooled` are means over the splits of the area under the ROC curve, of several classes the mean of each against the rest, and of
numbers (student, dvisits) the root mean square error. `error` is the mean of ours less pooled, of errors as a part of the pooled
one; `low` and `high` bound its 95 % interval (t distribution, over splits); `worst` is the largest of one split, `same` the number of splits
that differ by less than 1e-5. Trees at the level `federated`, whose derivatives the label holder works out in clear, are not in this table.

`certain` cases are models without penalty with standard errors and p-values, in shares, beside statsmodels' (Poisson and linear and
logistic regression on up to ten columns that are no combination of one another): `errors off` is the largest relative difference of a standard error
over all splits, `p off` the largest difference of a p-value.

Linear models are the pooled ones. Trees are, but where splits gain nearly alike: rounding tips such a choice, and all later trees
differ. Of splits that part the rows alike both take the first, but for some of different columns.

Data sets: default credit, German credit, bank marketing, vehicle-insurance fraud, SBA loans, breast, student, dvisits, vehicle, and Pivot's
bank and credit in three parties' files, in the folder that UNSEEN_DATA names (none ships with this project); what is not there is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.learn import held_out, linear, public, trees
from bench.learn.held_out import Kind
from bench.learn.public import Public
from bench.quality import certain
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded
from unseen.learn.vertical.trees.model import Settings
from unseen.learn.vertical.trees.objectives import probabilities

Floats = NDArray[np.float64]
QUICK = ("breast", "student", "vehicle")
FAMILIES = {name: family for family, names in linear.CASES.items() for name in names}
SETTINGS = Settings(rounds=50, depth=4, learning_rate=0.2)
BINS = 32
LARGE = ("fraud", "bank", "default_credit", "pivot_credit")  # these come last
SAME = 1e-5
TRUST = "semi-honest, two holders and a helper that sees no data; rival: none, all data in clear in one place"


class Model(Protocol):
    """What is trained on a split: expected labels of its held-out rows."""

    kind: Kind
    rival: str

    def labels(self, seed: int) -> Floats:
        """Of the held-out rows."""

    def ours(self, seed: int) -> Floats:
        """In shares."""

    def pooled(self, seed: int) -> Floats:
        """The rival's."""


class Linear:
    """A linear model."""

    rival = "scikit-learn 1.9.1"

    def __init__(self, data: Public, rival: Rival) -> None:
        self._task = linear.Task(FAMILIES[data.name], data)
        self._rival = rival
        self.kind: Kind = self._task.kind

    def labels(self, seed: int) -> Floats:
        """See :class:`Model`."""
        return self._task.rows(seed)[3]

    def ours(self, seed: int) -> Floats:
        """See :class:`Model`."""
        return self._expected(linear.in_shares(self._task, seed)[1], seed)

    def pooled(self, seed: int) -> Floats:
        """See :class:`Model`."""
        return self._expected(linear.pooled(self._rival, self._task, seed)[1], seed)

    def _expected(self, weights: Floats, seed: int) -> Floats:
        _, trained_on, x, _ = self._task.rows(seed)
        return self._task.expected(x, weights, trained_on)


class Trees:
    """Boosted trees."""

    rival = "XGBoost 3.2.0"

    def __init__(self, data: Public, rival: Rival) -> None:
        objective = {"logistic": "binary", "multinomial": "softmax"}.get(FAMILIES[data.name], "squared")
        classes = int(data.label.max()) + 1 if objective == "softmax" else 1
        self._settings = Settings(
            objective,  # type: ignore[arg-type]  # one of three
            rounds=SETTINGS.rounds,
            depth=SETTINGS.depth,
            learning_rate=SETTINGS.learning_rate,
            classes=classes,
        )
        self._data, self._rival = data, rival
        self.kind: Kind = linear.KINDS[FAMILIES[data.name]]

    def labels(self, seed: int) -> Floats:
        """See :class:`Model`."""
        return self._data.label[self._data.split(seed)[1]]

    def ours(self, seed: int) -> Floats:
        """See :class:`Model`."""
        work, unit = self._work(seed)
        played = trees.grow(work, self._settings, protocol="dealer2", shaper=None, wire="lan")
        scores = trees.scored(work, self._settings, played)
        return self._expected(scores[:, self._data.split(seed)[1]], unit)

    def pooled(self, seed: int) -> Floats:
        """See :class:`Model`."""
        work, unit = self._work(seed)
        told = np.array(trees.pooled(work, self._settings, self._rival, threads=1)["scores"], float)
        scores = told.reshape(len(told), -1).T  # of the rows that are held out, as they stand
        place = np.argsort(np.argsort(self._data.split(seed)[1]))
        return self._expected(scores[:, place], unit)

    def _work(self, seed: int) -> tuple[trees.Work, tuple[float, float]]:
        """Codes, and deviation and mean of numbers."""
        data, (rows, _) = self._data, self._data.split(seed)
        train = np.zeros(len(data.label), bool)
        train[rows] = True
        cuts = tuple(quantile_cuts(column, BINS) for column in data.columns[train].T)
        codes, bins = coded(data.columns, cuts), [len(cut) + 1 for cut in cuts]
        labels, unit = data.label, (1.0, 0.0)
        if self.kind == "numbers":
            unit = float(labels[train].std()), float(labels[train].mean())
            labels = (labels - unit[1]) / unit[0]
        return trees.Work(codes, bins, labels, data.left, train), unit

    def _expected(self, scores: Floats, unit: tuple[float, float]) -> Floats:
        made = probabilities(scores, self._settings.objective)
        return made.T if self.kind == "classes" else made[0] * unit[0] + unit[1]


def measure(model: Model, data: Public, *, splits: int) -> Sample:
    """All splits, ours and the rival's."""
    ours, theirs, differences = [], [], []
    start = time.perf_counter()
    for seed in range(splits):
        labels = model.labels(seed)
        ours.append(held_out.quality(labels, model.ours(seed), model.kind))
        theirs.append(held_out.quality(labels, model.pooled(seed), model.kind))
        differences.append(held_out.difference(ours[-1], theirs[-1], model.kind))
    mean, low, high = held_out.interval(differences)
    more = {
        "rows": len(data.label),
        "columns": data.columns.shape[1],
        "quality": float(np.mean(ours)),
        "pooled": float(np.mean(theirs)),
        "low": low,
        "high": high,
        "worst": max(differences, key=abs),
        "same": sum(abs(each) < SAME for each in differences),
    }
    return Sample(time.perf_counter() - start, error=mean, more=more)


def main() -> None:
    """All data sets, linear models and trees."""
    with Report("quality", __doc__, timed=False) as report, ExitStack() as stack:
        folder = Path(linear.__file__).parent
        known: tuple[tuple[str, Callable[[Public, Rival], Model], public.Words, Rival | None], ...] = (
            (
                "linear",
                Linear,
                "columns",
                present(
                    lambda: python_rival("sklearn", ["scikit-learn==1.9.1"], folder / "_sklearn_linear.py"),
                    stack,
                ),
            ),
            (
                "trees",
                Trees,
                "numbers",
                present(
                    lambda: python_rival("xgboost", ["xgboost==3.2.0"], folder / "xgboost_pooled.py"), stack
                ),
            ),
        )
        for family, make, words, rival in known:
            for name, kind in sorted(FAMILIES.items(), key=lambda item: item[0] in LARGE):
                case = f"quality/{kind if family == 'linear' else family}/{name}"
                data = public.load(name, words=words)
                if rival is None or data is None or not report.wants(case, quick=name in QUICK):
                    continue
                splits = 2 if report.quick else held_out.SPLITS
                report.case(
                    case,
                    lambda data=data, make=make, rival=rival, splits=splits: measure(
                        make(data, rival), data, splits=splits
                    ),
                    trust=TRUST,
                    repeats=1,
                )
        asked = {kind: public.load(name) for kind, name in certain.WORKS.items()}
        wanted = {
            f"quality/{kind}/{data.name}/certain": (kind, data)
            for kind, data in asked.items()
            if data is not None
            and report.wants(f"quality/{kind}/{data.name}/certain", quick=data.name == "student")
        }
        program = Path(certain.__file__).with_name("_statsmodels.py")
        statsmodels = (
            present(lambda: python_rival("statsmodels", ["statsmodels==0.15.0"], program), stack)
            if wanted
            else None
        )
        for case, (kind, data) in wanted.items():
            if statsmodels is None:
                continue
            splits = 2 if report.quick else held_out.SPLITS
            report.case(
                case,
                lambda kind=kind, data=data, splits=splits: certain.measure(
                    kind, data, statsmodels, splits=splits
                ),
                trust=certain.TRUST,
                repeats=1,
            )


if __name__ == "__main__":
    main()
