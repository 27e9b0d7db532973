"""Weight of evidence and information value (WOE, IV), and merging of bins by them: arithmetic on counts, at one party.

Of a bin with p of all P positives and n of all N negatives, and a smoothing s in each of B bins,

    WOE = ln( ((p + s) / (P + s B)) / ((n + s) / (N + s B)) ),    IV = sum of (share of positives - share of negatives) WOE

so that a bin with more positives than average has a WOE above 0 (some write it with the other sign).

Sources: Siddiqi, "Credit Risk Scorecards" (2006), chapter 6; Kerber, "ChiMerge" (AAAI 1992). The merging by maximal IV is a
dynamic programme over all cuts between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]
Merge: TypeAlias = Literal["none", "chi2", "optimal", "monotone"]
SMOOTHING = 0.5
MOST = 128
"""Bins to be merged, at most: the work grows with their cube."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """WOE of each bin, shape (bins,), and the IV of them all."""

    woe: Floats
    iv: float


def evidence(positives: Floats, negatives: Floats, *, smoothing: float = SMOOTHING) -> Evidence:
    """WOE and IV of bins with these counts, each of shape (bins,).

    Raises
    ------
    UsageError
        All rows are of one class.
    """
    if not positives.sum() or not negatives.sum():
        raise UsageError(
            "Labels of one class say nothing about a column.", mend="bring rows of both classes for training"
        )
    caught = (positives + smoothing) / (positives.sum() + smoothing * len(positives))
    alarms = (negatives + smoothing) / (negatives.sum() + smoothing * len(negatives))
    if (caught == 0).any() or (alarms == 0).any():
        raise UsageError(
            "A bin has rows of one class only.",
            why="without smoothing its weight of evidence is infinite",
            mend="set smoothing above 0, or take fewer bins",
        )
    woe: Floats = np.log(caught / alarms)
    return Evidence(woe, float(((caught - alarms) * woe).sum()))


def merged(groups: Groups, values: Floats) -> Floats:
    """Sums of the values (bins,) by group."""
    return np.bincount(groups, weights=values).astype(np.float64)


def merge(
    positives: Floats, negatives: Floats, how: Merge, *, most: int, significance: float = 3.841
) -> Groups:
    """The group of each of a row of bins, at most `most` groups of neighbours.

    Parameters
    ----------
    how
        `none`: as they are. `chi2`: the two neighbours that differ least are merged, until there are `most` and all that
        are left differ by more than `significance` (3.841: 95 % for two classes). `optimal`: the greatest IV. `monotone`: the
        greatest IV among those whose WOE only rises or only falls.

    Raises
    ------
    UsageError
        Too many bins.
    """
    if len(positives) > MOST:
        raise UsageError(f"{len(positives)} bins cannot be merged, at most {MOST} can.")
    if how == "none" or len(positives) <= 1:
        return np.arange(len(positives))
    if how == "chi2":
        return _chi_merge(positives, negatives, most, significance)
    return _best(positives, negatives, min(most, len(positives)), monotone=how == "monotone")


def _chi_merge(positives: Floats, negatives: Floats, most: int, significance: float) -> Groups:
    counts = [np.array(pair, np.float64) for pair in zip(positives, negatives, strict=True)]
    sizes = [1] * len(counts)
    while len(counts) > 1:
        differ = [_chi_square(*pair) for pair in pairwise(counts)]
        least = int(np.argmin(differ))
        if len(counts) <= most and differ[least] > significance:
            break
        counts[least : least + 2] = [counts[least] + counts[least + 1]]
        sizes[least : least + 2] = [sizes[least] + sizes[least + 1]]
    return np.repeat(np.arange(len(sizes)), sizes)


def _chi_square(one: Floats, other: Floats) -> float:
    """Of two bins against one another; empty rows and columns count nothing."""
    observed = np.stack([one, other])
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / max(observed.sum(), 1.0)
    safe = np.where(expected > 0, expected, 1.0)
    return float(((observed - expected) ** 2 / safe).sum())


def _best(positives: Floats, negatives: Floats, most: int, *, monotone: bool) -> Groups:
    """The cuts of greatest IV. `gain[i, j]` is what a group of bins i to j - 1 adds to it."""
    bins = len(positives)
    p, n = (np.r_[0.0, np.cumsum(values)] for values in (positives, negatives))
    caught = (p[None] - p[:, None] + SMOOTHING) / (p[-1] + SMOOTHING)
    alarms = (n[None] - n[:, None] + SMOOTHING) / (n[-1] + SMOOTHING)
    upper = np.triu(np.ones((bins + 1, bins + 1), bool), 1)
    woe = np.log(np.where(upper, caught, 1.0) / np.where(upper, alarms, 1.0))
    gain = np.where(upper, (caught - alarms) * woe, -np.inf)
    if not monotone:
        return _groups(_cheapest(gain, most, None), bins)
    found = [_cheapest(gain, most, sign * woe) for sign in (1, -1)]
    return _groups(max(found, key=lambda item: item[0]), bins)


def _cheapest(gain: Floats, most: int, rising: Floats | None) -> tuple[float, list[int]]:
    """(sum of gains, starts of groups) of the best partition; where `rising` is given it must grow from group to group.

    total[i, j]: the best of bins 0 to j - 1 whose last group is i to j - 1.
    """
    size = len(gain)
    total = np.full((size, size), -np.inf)
    total[0] = gain[0]
    best, where = float(total[0, -1]), (0, size - 1)
    steps: list[NDArray[np.int64]] = []
    ends = [where]
    bests = [best]
    for _ in range(most - 1):
        allowed = total[:, :, None]  # group before (h, i), next group (i, j)
        if rising is not None:
            allowed = np.where(rising[:, :, None] <= rising[None], allowed, -np.inf)
        before = allowed.argmax(axis=0)  # (i, j) -> h
        total = np.take_along_axis(np.broadcast_to(allowed, (size, size, size)), before[None], 0)[0] + gain
        steps.append(np.broadcast_to(before, (size, size)))
        start = int(total[:, -1].argmax())
        ends.append((start, size - 1))
        bests.append(float(total[start, -1]))
    count = int(np.argmax(np.array(bests) - 1e-12 * np.arange(len(bests))))  # the fewest groups of equals
    starts, (i, j) = [], ends[count]
    for step in reversed(steps[:count]):
        starts.append(i)
        i, j = int(step[i, j]), i
    return bests[count], [*reversed(starts)]


def _groups(found: tuple[float, list[int]], bins: int) -> Groups:
    marks = np.zeros(bins, np.int64)
    marks[found[1]] = 1
    return np.cumsum(marks)
