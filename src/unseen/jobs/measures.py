"""What an evaluation told, as artefact of kind "metrics", and as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.govern.report import Fact, Figure, Page, Section
from unseen.jobs.artefacts import Artefact
from unseen.learn.evaluate import plots
from unseen.learn.evaluate.binary import Confusion
from unseen.learn.evaluate.ranking import Distribution, Ranking

_WORDS = {
    "auc": "AUC",
    "gini": "Gini",
    "ks": "KS",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "macro_auc": "macro AUC",
    "places": "places, of which nobody knows which hold a row",
}
_CAPTIONS = {
    "roc": "ROC curve.",
    "ks": "How the scores separate the classes.",
    "precision-recall": "Precision and recall.",
    "gain": "Gain: how many positives the highest scores find.",
    "lift": "Lift by rank.",
    "calibration": "Calibration of groups by rank: on the line is as it should be.",
    "calibration-by-score": "Calibration between given scores: on the line is as it should be.",
    "distribution": "How the scores of either class are spread.",
    "confusion": "Right and wrong.",
    "predicted": "Predictions against labels: on the line is as it should be.",
}
_UNSEEN = "Nobody saw scores together with labels: measured under shares. Groups with few rows of a class were merged."
_AVERAGED = "Means over {folds} folds, each held out once; low and high are the ends of the 95 % interval of the mean (Nadeau and Bengio)."
_LEVELS, _GROUPS, _EDGES, _BETWEEN = "levels", "groups", "edges", "between"


def _distribution(arrays: Mapping[str, NDArray[Any]]) -> Distribution:
    """Earlier releases kept no mean scores."""
    rows, positives, *scores = arrays[_BETWEEN].T
    return Distribution(arrays[_EDGES], rows, positives, *(scores or [np.full(len(rows), np.nan)]))


def _word(name: str) -> str:
    """A figure's name for people; of means over folds the ends of the interval too."""
    stem, _, end = name.rpartition("_")
    return f"{_WORDS[stem]}, {end}" if stem in _WORDS and end in {"low", "high"} else _WORDS.get(name, name)


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures on one set of rows, as far as the contract lets them be told.

    Attributes
    ----------
    figures
        Plain numbers by name: rows, positives, auc, ks, … and of several classes lists of them. Of joined rows whose number is not
        told `places` in the place of rows, and all groups are shares of all rows.
    levels
        A group for each distinct score: only where the receiver saw the scores.
    groups
        Groups by rank.
    distribution
        Rows and positives between scores.
    confusion
        The confusion matrix at a threshold.
    arrays
        What else the receiver has: `scores` and `labels` of the rows, where it saw them.
    """

    figures: Mapping[str, Any]
    levels: Ranking | None = None
    groups: Ranking | None = None
    distribution: Distribution | None = None
    confusion: Confusion | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def to_artefact(self) -> Artefact:
        """As artefact; figures that are no numbers (NaN) are left out."""
        arrays = dict(self.arrays)
        for name, ranking in ((_LEVELS, self.levels), (_GROUPS, self.groups)):
            if ranking is not None:
                arrays[name] = np.column_stack([ranking.rows, ranking.positives, ranking.scores])
        if self.distribution is not None:
            arrays[_EDGES] = self.distribution.edges
            spread = self.distribution
            arrays[_BETWEEN] = np.column_stack([spread.rows, spread.positives, spread.scores])
        meta = {
            name: value
            for name, value in self.figures.items()
            if not (isinstance(value, float) and np.isnan(value))
        }
        if self.confusion is not None:
            meta["confusion"] = asdict(self.confusion)
        return Artefact("metrics", arrays, meta)

    @classmethod
    def of(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Measured:
        """From the plain data and the arrays of an artefact.

        Raises
        ------
        UsageError
            They are those of something else.
        """
        if not {"rows", "places"} & set(meta):
            raise UsageError(
                "These are no measures of an evaluation.", mend="name the output of a step 'evaluate'"
            )
        figures = {name: value for name, value in meta.items() if name not in {"confusion", "kind"}}
        levels, groups = (Ranking(*arrays[name].T) if name in arrays else None for name in (_LEVELS, _GROUPS))
        distribution = _distribution(arrays) if _EDGES in arrays else None
        confusion = Confusion(**meta["confusion"]) if "confusion" in meta else None
        rest = {name: item for name, item in arrays.items() if name in {"scores", "labels"}}
        return cls(figures, levels, groups, distribution, confusion, rest)

    def page(self, title: str) -> tuple[Page, dict[str, plots.Picture]]:
        """A report for people, and the pictures in it.

        Raises
        ------
        UsageError
            matplotlib is not installed.
        """
        drawn = self.pictures()
        plain = {name: value for name, value in self.figures.items() if isinstance(value, int | float)}
        facts = [
            Fact(_word(name), f"{value:,}" if isinstance(value, int) else f"{value:.4f}")
            for name, value in plain.items()
        ]
        aucs = np.asarray(self.figures.get("aucs", ()), np.float64)
        facts += [Fact(f"AUC of class {place}", f"{value:.4f}") for place, value in enumerate(aucs.ravel())]
        told = (
            "Scores and labels were seen by the receiver."
            if self.levels or "scores" in self.arrays
            else _UNSEEN
        )
        if "folds" in self.figures:
            told = _AVERAGED.format(folds=self.figures["folds"])
        figures = [Figure(_CAPTIONS[name], picture.svg()) for name, picture in drawn.items()]
        return Page(title, "", [Section("On the rows held out", [told], facts, figures=figures)]), drawn

    def pictures(self, name: str = "model") -> dict[str, plots.Picture]:
        """Every picture that can be drawn of it, by name. Curves are exact where scores were seen, else of groups."""
        drawn: dict[str, plots.Picture] = {}
        curve = self.levels or self.groups
        if curve is not None:
            exact = {} if self.levels is not None else self.figures  # of all rows, where curves are of groups
            auc, average = ({name: exact[of]} if of in exact else {} for of in ("auc", "average_precision"))
            drawn["roc"] = plots.roc({name: curve}, auc)
            drawn["ks"] = plots.ks(curve, exact.get("ks"))
            drawn["precision-recall"] = plots.precision_recall({name: curve}, average)
            drawn["gain"] = plots.gain({name: curve})
        if self.groups is not None:
            drawn["lift"] = plots.lift({name: self.groups})
            drawn["calibration"] = plots.calibration({name: self.groups})
        if self.distribution is not None:
            drawn["distribution"] = plots.distribution(self.distribution)
            by_score = self.distribution.calibration()
            if by_score is not None:
                drawn["calibration-by-score"] = plots.calibration({name: by_score})
        if self.confusion is not None:
            drawn["confusion"] = plots.confusion(self.confusion)
        matrix = np.asarray(self.figures.get("matrix", ()), np.float64)
        if matrix.ndim == 2:  # noqa: PLR2004 - of several classes
            drawn["confusion"] = plots.classes(matrix)
        if "rmse" in self.figures and {"scores", "labels"} <= set(self.arrays):
            drawn["predicted"] = plots.predicted(self.arrays["labels"], self.arrays["scores"])
        return drawn
