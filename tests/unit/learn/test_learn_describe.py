"""Figures about columns: exact for their holder, and never about few rows for others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unseen.data.table import Table
from unseen.learn.prepare.describe import describe, named, told

LEVELS = (0.25, 0.5, 0.75)
VALUES = arrays(
    np.float64, st.integers(0, 60), elements=st.one_of(st.integers(-3, 3).map(float), st.just(np.nan))
)


def test_the_holder_sees_everything() -> None:
    x = [1.0, 2.0, 4.0, None, float("inf")]
    table = Table.of(pa.table({"x": x, "word": ["a", "b", "a", None, "a"], "none": pa.array([None] * 5)}))
    made = describe(table, "x", LEVELS)
    assert (made["count"], made["missing"], made["infinite"], made["distinct"]) == (4, 1, 1, 3)
    assert np.isclose(made["mean"], 7 / 3)
    assert made["quantiles"]["0.5"] == 2
    assert describe(table, "word", LEVELS)["most_frequent"] == {"a": 3, "b": 1}
    assert describe(table, "none", LEVELS)["missing"] == 5


def test_large_columns_are_told_about_truly() -> None:
    values = np.random.default_rng(2).normal(3, 2, 5000)
    figures = named(told(np.r_[values, [np.nan] * 20], LEVELS, 10), LEVELS)
    assert (figures["count"], figures["missing"]) == (5000, 20)
    assert abs(figures["mean"] - values.mean()) < 0.02
    assert abs(figures["sd"] - values.std()) < 0.05
    for level in LEVELS:
        assert abs(figures["quantiles"][str(level)] - np.quantile(values, level)) < 0.02


def test_no_single_value_shows() -> None:
    rich = np.r_[np.arange(100.0), 1e12]
    figures = told(rich, LEVELS, 10)
    assert figures[2] < 100
    without = told(np.r_[np.arange(100.0), 1e6], LEVELS, 10)
    assert np.array_equal(figures, without)
    few = np.r_[np.zeros(500), np.ones(9)]  # nine who have it
    assert np.isnan(told(few, LEVELS, 10)).all()
    assert np.isnan(told(np.ones(500), LEVELS, 10)).all()  # everybody has it
    assert np.isnan(told(np.r_[np.arange(50.0), [np.nan] * 3], LEVELS, 10)[1])


@given(VALUES, st.integers(2, 12))
def test_fewer_rows_than_agreed_are_never_told(values: np.ndarray, at_least: int) -> None:
    figures = told(values, (0.1, *LEVELS), at_least)
    present = values[~np.isnan(values)]
    if len(present) < at_least:
        assert np.isnan(figures).all()
    for level, figure in zip((0.1, *LEVELS), figures[4:], strict=True):
        below = round(level * len(present))
        assert np.isnan(figure) or min(below, len(present) - below) >= at_least


@pytest.mark.parametrize("at_least", [2, 7, 10])
def test_moving_one_value_beyond_the_limits_changes_nothing(at_least: int) -> None:
    values = np.sort(np.random.default_rng(3).normal(size=200))
    moved = np.r_[values[:-1], values[-1] + 50]
    assert np.array_equal(told(values, LEVELS, at_least), told(moved, LEVELS, at_least))
