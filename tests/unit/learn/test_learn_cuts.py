"""Cuts between bins: every value in one bin, equal values together, quantiles as even as ties let them be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unseen.core.errors import UsageError
from unseen.learn.prepare.cuts import MOST_BINS, place, quantile_cuts, width_cuts

NUMBERS = arrays(
    np.float64,
    st.integers(1, 40),
    elements=st.one_of(
        st.integers(-3, 3).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([np.nan, np.inf, -np.inf]),
    ),
).filter(lambda column: bool(np.isfinite(column).any()))


@pytest.mark.parametrize("cut", [quantile_cuts, width_cuts])
@settings(max_examples=40)
@given(column=NUMBERS, bins=st.integers(1, 9))
def test_cuts_ascend_and_every_bin_of_quantiles_has_rows(cut: object, column: np.ndarray, bins: int) -> None:
    cuts = cut(column, bins)  # type: ignore[operator]
    assert len(cuts) < bins
    assert np.isfinite(cuts).all()
    assert (np.diff(cuts) > 0).all()
    codes = place(column, cuts)
    missing = np.isnan(column)
    assert (codes[missing] == len(cuts) + 1).all()
    assert (codes[~missing] <= len(cuts)).all()
    for low, high, value in zip(
        np.r_[-np.inf, cuts][codes[~missing]],
        np.r_[cuts, np.inf][codes[~missing]],
        column[~missing],
        strict=True,
    ):
        assert low <= value
        assert value < high or value == np.inf
    if cut is quantile_cuts:
        finite = np.isfinite(column)
        assert set(codes[finite]) == set(range(len(cuts) + 1))


@settings(max_examples=40)
@given(column=NUMBERS)
def test_no_more_values_than_bins_is_one_bin_a_value(column: np.ndarray) -> None:
    values = np.unique(column[np.isfinite(column)])
    assert np.array_equal(quantile_cuts(column, max(len(values), 1)), values[1:])


def test_quantiles_of_distinct_values_are_even() -> None:
    column = np.random.default_rng(1).permutation(1000).astype(float)
    counts = np.bincount(place(column, quantile_cuts(column, 32)))
    assert counts.min() >= 31
    assert counts.max() <= 32


def test_a_value_that_comes_most_often_leaves_the_others_in_bins() -> None:
    column = np.r_[np.zeros(96), 1.0, 2.0, 3.0, 4.0]
    assert quantile_cuts(column, 4).tolist() == [1.0]
    skewed = np.r_[-1.0, np.zeros(98), 1.0]
    assert quantile_cuts(skewed, 4).tolist() == [0.0, 1.0]


def test_equal_widths() -> None:
    assert width_cuts(np.array([0.0, 10.0, 3.0, np.nan]), 5).tolist() == [2.0, 4.0, 6.0, 8.0]
    assert width_cuts(np.full(4, 7.0), 5).tolist() == []
    huge = width_cuts(np.array([-1.7e308, 1.7e308]), 4)
    assert np.allclose(huge / 1e308, [-0.85, 0, 0.85])


def test_codes_are_small() -> None:
    column = np.arange(70_000.0)
    assert place(column, quantile_cuts(column, 32)).dtype == np.uint8
    assert place(column, quantile_cuts(column, 254)).dtype == np.uint8
    assert place(column, quantile_cuts(column, 256)).dtype == np.uint16


@pytest.mark.parametrize("cut", [quantile_cuts, width_cuts])
def test_what_cannot_be_cut_is_refused(cut: object) -> None:
    for column in (np.full(3, np.nan), np.zeros(0), np.array([np.inf, np.nan])):
        with pytest.raises(UsageError, match="without a single number"):
            cut(column, 4)  # type: ignore[operator]
    for bins in (0, -1, MOST_BINS + 1):
        with pytest.raises(UsageError, match="bins"):
            cut(np.arange(3.0), bins)  # type: ignore[operator]
