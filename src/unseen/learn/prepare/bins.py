"""Columns as bins with a weight of evidence: coded at their holder, learnt from counts per code, applied as a rule.

A column has `fine` codes and one more, the last, for missing values. Numbers are cut by quantiles or equal widths; of text the most
frequent categories have a code each, all others one together. What is learnt groups the codes and gives each group its WOE
(:mod:`.woe`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.learn.prepare import cuts, woe
from unseen.learn.prepare.columns import NUMBERS, Made, categories, empty, numbers, type_of
from unseen.learn.prepare.rules import Rule, State

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
CLEAR = -1
"""The code of a category that training had not: no evidence."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a column becomes codes: `cuts` of numbers, or `categories` with a code each and `other` for all the rest."""

    fine: int
    cuts: tuple[float, ...] | None = None
    categories: tuple[str, ...] = ()
    other: bool = False

    @classmethod
    def learn(cls, train: Table, name: str, *, by: Literal["quantile", "width"], fine: int) -> Coding:
        """From the training rows.

        Raises
        ------
        UsageError
            No such column, or none of its values is there.
        """
        if type_of(train, name) in NUMBERS or empty(train, name):
            cut = cuts.quantile_cuts if by == "quantile" else cuts.width_cuts
            return cls(fine, tuple(cut(numbers(train, name), fine).tolist()))
        codes, known = categories(train, name)
        if not known:
            raise UsageError(f"All values of column '{name}' are missing.", mend="leave it out")
        counts = np.bincount(codes[codes >= 0], minlength=len(known))
        ordered = [known[i] for i in np.argsort(-counts, kind="stable")]
        other = len(known) > fine
        return cls(fine, None, tuple(ordered[: fine - 1] if other else ordered), other)

    def codes(self, table: Table, name: str) -> Codes:
        """The code of each row: missing is `fine`, a category of which training had none :data:`CLEAR`."""
        if self.cuts is not None:
            values = numbers(table, name)
            placed = cuts.place(values, np.array(self.cuts)).astype(np.int64)
            return np.where(np.isnan(values), self.fine, placed)
        codes, words = categories(table, name)
        rest = len(self.categories) if self.other else CLEAR
        place = {word: i for i, word in enumerate(self.categories)}
        table_of = np.array([place.get(word, rest) for word in words] + [self.fine], np.int64)
        renumbered: Codes = table_of[codes]
        return renumbered

    def named(self, codes: Codes, *, missing: bool) -> str:
        """A group of codes in words; `missing`: whether missing values came in training."""
        inside = codes[codes < self.fine].tolist()
        last = ["missing"] if missing and self.fine in codes else []
        if self.cuts is None:
            words = [*self.categories, *(["other"] if self.other else [])]
            return ", ".join([*(words[code] for code in inside if code < len(words)), *last])
        inside = [code for code in inside if code <= len(self.cuts)]
        return ", ".join([*([self._interval(inside[0], inside[-1])] if inside else []), *last])

    def _interval(self, first: int, last: int) -> str:
        cut = [f"{value:g}" for value in self.cuts or ()]
        if first == 0:
            return "any number" if last == len(cut) else f"< {cut[last]}"
        return f"\u2265 {cut[first - 1]}" if last == len(cut) else f"{cut[first - 1]} to < {cut[last]}"


class Woe(Rule):
    """The weight of evidence of the value's bin in the place of the value (WOE 编码). Learnt by the step `bin`, which has labels.

    A missing value, or a category, of which training had none has the weight 0: no evidence.
    """

    do: Literal["woe"] = "woe"
    takes: ClassVar[tuple[str, ...]] = (*NUMBERS, "text")

    def _learn(self, train: Table, name: str) -> State:
        raise UsageError(
            f"Weights of evidence of '{name}' need labels.", why=f"here are {train.rows} rows without them"
        )

    def _apply(self, table: Table, name: str, known: State) -> Made:
        edges = None if known["cuts"] is None else tuple(known["cuts"])
        coding = Coding(known["fine"], edges, tuple(known["categories"]), known["other"])
        codes = coding.codes(table, name)
        weights = np.array([*np.array(known["woe"])[known["groups"]], 0.0])  # the last for what is clear
        weights[known["fine"]] *= known["missing"]
        return [(name, weights[codes])]


def learn(
    coding: Coding,
    totals: Floats,
    ends: Floats,
    positives: Floats,
    negatives: Floats,
    *,
    merge: woe.Merge,
    most: int,
    smoothing: float,
) -> State:
    """What `Woe` knows of a column, from the counts that were told.

    Parameters
    ----------
    totals
        Rows of each code, shape (fine + 1,), as the owner knows them.
    ends, positives, negatives
        Shape (fine + 1,): whether a group of codes ends here, and its counts (:func:`.joint_bins.safe_counts`).
    """
    groups = groups_of(ends)
    counts = [values[ends > 0] for values in (positives, negatives)]
    if len(counts[0]) > 1:
        order, alone = _order(coding, groups, counts[0], counts[1])
        ordered = [values[order] for values in counts]
        joined = woe.merge(ordered[0], ordered[1], merge, most=most)
        final = np.zeros(len(counts[0]), np.int64)
        final[order] = joined
        if alone is not None:
            final[alone] = joined.max(initial=-1) + 1
        groups, counts = final[groups], [woe.merged(final, values) for values in counts]
    found = woe.Evidence(np.zeros(1), 0.0)
    if len(counts[0]) > 1:
        found = woe.evidence(counts[0], counts[1], smoothing=smoothing)
    return {
        "fine": coding.fine,
        "cuts": None if coding.cuts is None else list(coding.cuts),
        "categories": list(coding.categories),
        "other": coding.other,
        "groups": groups.tolist(),
        "missing": bool(totals[-1] > 0),
        "woe": found.woe.tolist(),
        "iv": found.iv,
        "positives": counts[0].tolist(),
        "negatives": counts[1].tolist(),
    }


def groups_of(ends: Floats) -> Codes:
    """The group of each code, from the marks where groups end (:func:`plain_ends`); the last code is that of missing values."""
    marks = (ends > 0).astype(np.int64)
    of_values = int(marks[:-1].sum())
    values = np.minimum(np.cumsum(marks[:-1]) - marks[:-1], max(of_values - 1, 0))
    missing = of_values if marks[-1] else max(of_values - 1, 0)
    groups: Codes = np.r_[values, missing]
    return groups


def plain_ends(positives: Floats, negatives: Floats, at_least: int) -> tuple[Floats, Floats, Floats]:
    """What :func:`.joint_bins.safe_counts` shows, of one column's counts in clear: ends, positives, negatives."""
    both = np.stack([positives, negatives])
    ends, told, held = np.zeros(both.shape[1]), np.zeros(both.shape), np.zeros(2)
    last, left = None, np.zeros(2)
    for place in range(both.shape[1]):
        if place == both.shape[1] - 1 and last is not None:
            held, left = np.zeros(2), held
        held = held + both[:, place]
        if (held >= at_least).all():
            ends[place], told[:, place], held = 1, held, np.zeros(2)
            last = place if place < both.shape[1] - 1 else last
    if last is not None:
        told[:, last] += left + held
    return ends, told[0], told[1]


def joined(codes: Codes, size: int, at_least: int) -> Codes:
    """Codes (rows, columns) below `size` where neighbours are one until each has `at_least` rows."""
    made = np.empty_like(codes)
    for place, column in enumerate(codes.T):
        totals = np.bincount(column, minlength=size).astype(np.float64)
        made[:, place] = groups_of(plain_ends(totals, totals, at_least)[0])[column]
    return made


def _order(coding: Coding, groups: Codes, positives: Floats, negatives: Floats) -> tuple[Codes, int | None]:
    """Groups in the order in which neighbours may be merged, and the one of missing values if it is one of its own."""
    last = int(groups[-1])
    alone = last if last > groups[:-1].max() else None
    order = np.arange(len(positives) if alone is None else last)
    if coding.cuts is None:  # categories have no order but that of their evidence
        rate = positives[order] / (positives[order] + negatives[order])
        order = order[np.argsort(rate, kind="stable")]
    return order, alone
