"""Sums by code: against the reference, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.kernels import tally as facade
from unseen.kernels.reference import tally as reference

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 8, 17])
@pytest.mark.parametrize(("columns", "rows", "width"), [(0, 5, 3), (1, 0, 4), (3, 2500, 40), (2, 7, 1)])
def test_same_as_the_reference(instruction_set: str, columns: int, rows: int, width: int, count: int) -> None:
    codes = RNG.integers(0, width, (columns, rows)).astype(np.uint16)
    values = RNG.integers(0, 1 << 64, (rows, count), np.uint64)
    made = facade.tally(codes, values, width)
    np.testing.assert_array_equal(made, reference.tally(codes, values, width))
    hot = (codes[:, None, :] == np.arange(width)[:, None]).sum(axis=0).astype(np.uint64)
    np.testing.assert_array_equal(made, hot @ values)


@pytest.mark.parametrize("tally", [facade.tally, reference.tally])
def test_what_does_not_fit_is_refused(tally) -> None:
    codes, values = np.array([[0, 3]], np.uint16), np.ones((2, 1), np.uint64)
    with pytest.raises(ValueError, match="beyond the sums"):
        tally(codes, values, 3)
    with pytest.raises(ValueError, match="one row of numbers"):
        tally(codes, values[:1], 4)
    with pytest.raises(ValueError, match="more sums"):
        tally(codes, values, (1 << 16) + 1)
