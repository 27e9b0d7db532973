"""Hold the joint result against the holder of the label alone and against everything pooled, on the same rows and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.data.table import Table
from unseen.learn.evaluate.binary import Quality, measure
from unseen.learn.evaluate.ranking import Ranking, by_level, by_rank
from unseen.scenes.baseline import Agreement, Baseline, boost, compare, fit
from unseen.scenes.partition import Holding
from unseen.scenes.performance import Result

MEASURES = ("AUC", "KS", "accuracy")
APPROVED, BAD_PART = 0.8, 0.5
"""Where the business curve is read: at this share approved, and at this part of the rate of bad ones among all."""
_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Rankings:
    """One model's held-out rows in the order of its scores: a group for each score, and ten of as many rows each."""

    levels: Ranking
    groups: Ranking

    @classmethod
    def of(cls, labels: NDArray[np.float64], scores: NDArray[np.float64]) -> Rankings:
        """Both."""
        return cls(by_level(labels, scores), by_rank(labels, scores, min(_GROUPS, len(labels))))

    def business(self) -> dict[str, float]:
        """The business curve where it is read."""
        bad = BAD_PART * self.levels.base_rate
        return {
            "approved_at_half_the_bad_rate": self.levels.approved_within(bad),
            "bad_rate_at_80_percent_approved": self.levels.bad_at(APPROVED),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The joint model's quality beside the others'.

    Attributes
    ----------
    rankings
        Name -> how the model ranks the held-out rows: joint, alone, pooled, in this order.
    boosted
        The same of boosted trees; empty where none were trained.
    """

    joint: Quality
    alone: Baseline
    alone_quality: Quality
    pooled: Baseline
    pooled_quality: Quality
    agreement: Agreement
    rankings: Mapping[str, Rankings]
    boosted: Mapping[str, Rankings] = field(default_factory=dict)

    @property
    def alone_is_no_worse_by(self) -> tuple[str, ...]:
        """Measures by which the holder of the label would do as well without the others."""
        own, joint = self.alone_quality, self.joint
        pairs = (
            ("AUC", own.auc, joint.auc),
            ("KS", own.ks, joint.ks),
            ("accuracy", own.accuracy, joint.accuracy),
        )
        return tuple(name for name, alone, together in pairs if alone >= together)

    @property
    def verdict_on_alone(self) -> str:
        """What the joint work was good for, in one sentence; empty where it is better by every measure."""
        by = self.alone_is_no_worse_by
        others = [name for name in MEASURES if name not in by]
        if not by:
            return ""
        if not others:
            return f"{self.alone.name} is no worse here by any measure: on these rows the other columns add nothing."
        return f"By {' and '.join(by)}, {self.alone.name} is no worse here; by {' and '.join(others)} the joint model is better."


def hold_against(
    result: Result, holdings: Sequence[Holding], *, penalty: float, trees: int = 0
) -> Comparison:
    """Fit the two baselines on the rows that the job trained on, and score the rows that it held out."""
    tables = [
        Table.of(item.table, id_columns=(item.key,), label_columns=(item.label,) if item.label else ())
        for item in holdings
    ]
    places = [_places(table, item.key) for table, item in zip(tables, holdings, strict=True)]
    held_out = list(result.ids)
    train = sorted(set.intersection(*map(set, places)) - set(held_out))
    blocks = [table.numeric(table.features) for table in tables]
    labels = tables[0].label(str(holdings[0].label))

    def rows(place: int, ids: Sequence[str]) -> NDArray[Any]:
        return np.array([places[place][name] for name in ids])

    own, both = [], []
    for ids in (train, held_out):
        parts = [block[rows(place, ids)] for place, block in enumerate(blocks)]
        own.append(parts[0])
        both.append(np.hstack(parts))
    y_train, y_test = labels[rows(0, train)], labels[rows(0, held_out)]
    alone = fit(f"{holdings[0].party} alone", own[0], y_train, own[1], y_test, penalty=penalty)
    pooled = fit("pooled", both[0], y_train, both[1], y_test, penalty=penalty)
    joint = measure(y_test, result.scores)
    scores = {"joint": result.scores, alone.name: alone.scores, "pooled": pooled.scores}
    boosted = {}
    if result.boosted is not None:
        grown = [boost(part[0], y_train, part[1], trees) for part in (own, both)]
        boosted = {"joint": result.boosted, alone.name: grown[0], "pooled": grown[1]}
    return Comparison(
        joint,
        alone,
        measure(y_test, alone.scores),
        pooled,
        measure(y_test, pooled.scores),
        compare(result.scores, result.coefficients, joint.auc, pooled),
        {name: Rankings.of(y_test, values) for name, values in scores.items()},
        {name: Rankings.of(y_test, values) for name, values in boosted.items()},
    )


def _places(table: Table, key: str) -> dict[str, int]:
    return {str(value): place for place, value in enumerate(table.data.column(key).to_pylist())}
