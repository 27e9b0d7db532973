"""WOE, IV and merging, against the definitions and against all partitions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import UsageError
from unseen.learn.prepare.bins import groups_of, plain_ends
from unseen.learn.prepare.woe import MOST, evidence, merge, merged

COUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=7)


def split(counts: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    made = np.array(counts, float)
    return made[:, 0], made[:, 1]


def test_by_hand() -> None:
    found = evidence(np.array([10.0, 30.0]), np.array([60.0, 40.0]), smoothing=0.0)
    assert np.allclose(found.woe, [np.log(0.25 / 0.6), np.log(0.75 / 0.4)])
    assert np.isclose(found.iv, (0.25 - 0.6) * found.woe[0] + (0.75 - 0.4) * found.woe[1])


@given(COUNTS)
def test_iv_is_never_negative(counts: list[tuple[int, int]]) -> None:
    positives, negatives = split(counts)
    if positives.any() and negatives.any():
        found = evidence(positives, negatives)
        assert found.iv >= -1e-12
        assert np.isfinite(found.woe).all()


def test_what_has_no_evidence() -> None:
    with pytest.raises(UsageError, match="one class"):
        evidence(np.array([3.0, 4.0]), np.zeros(2))
    with pytest.raises(UsageError, match="one class only"):
        evidence(np.array([0.0, 4.0]), np.array([2.0, 2.0]), smoothing=0.0)


@given(COUNTS, st.integers(1, 20))
def test_every_group_has_rows_of_both_classes(counts: list[tuple[int, int]], at_least: int) -> None:
    positives, negatives = split([*counts, (3, 4)])
    ends, p, n = plain_ends(positives, negatives, at_least)
    groups = groups_of(ends)
    told = ends > 0
    assert groups[0] == 0
    assert set(np.diff(groups)) <= {0, 1}
    if not told.any():
        assert not p.any()
        assert positives.sum() < at_least or negatives.sum() < at_least or len(counts) > 1
        return
    assert p[told].min() >= at_least
    assert n[told].min() >= at_least
    assert not p[~told].any()
    assert np.array_equal(merged(groups, positives), p[told])
    assert np.array_equal(merged(groups, negatives), n[told])


def test_neighbours_that_do_not_differ_are_merged() -> None:
    positives = np.array([10.0, 10, 11, 50, 52, 90])
    groups = merge(positives, 100 - positives, "chi2", most=6)
    assert groups.tolist() == [0, 0, 0, 1, 1, 2]
    assert merge(positives, 100 - positives, "chi2", most=2).max() == 1
    assert merge(positives, 100 - positives, "none", most=2).tolist() == [0, 1, 2, 3, 4, 5]


def _iv(positives: np.ndarray, negatives: np.ndarray, groups: np.ndarray) -> tuple[float, np.ndarray]:
    p, n = merged(groups, positives), merged(groups, negatives)
    caught, alarms = (p + 0.5) / (p.sum() + 0.5), (n + 0.5) / (n.sum() + 0.5)
    woe = np.log(caught / alarms)
    return float(((caught - alarms) * woe).sum()), woe


@settings(max_examples=40)
@given(COUNTS, st.integers(1, 4), st.booleans())
def test_no_partition_is_better(counts: list[tuple[int, int]], most: int, monotone: bool) -> None:
    positives, negatives = split(counts)
    groups = merge(positives, negatives, "monotone" if monotone else "optimal", most=most)
    assert groups.max() < most
    best = -np.inf
    for parts in range(1, min(most, len(counts)) + 1):
        for cuts in combinations(range(1, len(counts)), parts - 1):
            marks = np.zeros(len(counts), int)
            marks[list(cuts)] = 1
            iv, woe = _iv(positives, negatives, np.cumsum(marks))
            if not monotone or (np.diff(woe) >= 0).all() or (np.diff(woe) <= 0).all():
                best = max(best, iv)
    iv, woe = _iv(positives, negatives, groups)
    assert np.isclose(iv, best, atol=1e-9)
    if monotone:
        assert (np.diff(woe) >= -1e-12).all() or (np.diff(woe) <= 1e-12).all()


def test_too_many_bins_are_refused() -> None:
    with pytest.raises(UsageError, match="at most"):
        merge(np.ones(MOST + 1), np.ones(MOST + 1), "optimal", most=3)
