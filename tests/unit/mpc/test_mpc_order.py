"""Sorting is what NumPy's is, ties and edges included; what is opened on the way says nothing of the keys."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mpc_functions import result

from unseen import mpc
from unseen.core import registry
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.functions import order

each = pytest.mark.parametrize("protocol", registry.names(PROTOCOLS))


@each
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 100])
def test_sort(protocol: str, count: int) -> None:
    x = np.random.default_rng(count).integers(-5, 5, count).astype(float)  # with ties
    np.testing.assert_array_equal(result(protocol, np.sort, x), np.sort(x))
    np.testing.assert_array_equal(result(protocol, np.argsort, x), np.argsort(x, kind="stable"))


@each
def test_sorted_along_axes(protocol: str) -> None:
    x = np.random.default_rng(0).integers(-50, 50, (3, 9)).astype(float)
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(result(protocol, partial(np.sort, axis=axis), x), np.sort(x, axis=axis))


def test_sort_of_many() -> None:
    x = np.random.default_rng(1).normal(size=5000)
    got = result("replicated3", np.sort, x)
    np.testing.assert_allclose(got, np.sort(x), atol=2.0**-20)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=1, max_size=40))
def test_sort_of_anything(values: list[int]) -> None:
    x = np.array(values, float)
    np.testing.assert_array_equal(result("replicated3", np.sort, x), np.sort(x))


@each
def test_top_and_order_by(protocol: str) -> None:
    x = np.random.default_rng(4).permutation(30).astype(float)
    np.testing.assert_array_equal(result(protocol, lambda a: mpc.topk(a, 4)[0], x), np.sort(x)[::-1][:4])
    np.testing.assert_array_equal(result(protocol, lambda a: mpc.topk(a, 4)[1], x), np.argsort(x)[::-1][:4])
    rows = np.stack([x % 3, x, x * 2], axis=1)
    got = result(protocol, lambda a: mpc.order_by(a[:, 0], a), rows)
    np.testing.assert_array_equal(got, mpc.order_by(rows[:, 0], rows))


@pytest.mark.parametrize("count", [2, 4, 8, 16, 32])
def test_the_network_sorts_all_zeros_and_ones(count: int) -> None:
    """Which proves that it sorts everything (Knuth's 0-1 principle); a sample where there are too many."""
    tries = (
        np.arange(1 << count)[:, None] >> np.arange(count) & 1
        if count <= 16
        else np.random.default_rng(0).integers(0, 2, (20000, count))
    )
    for lower, upper in order._stages(count):
        low, high = np.minimum(tries[:, lower], tries[:, upper]), np.maximum(tries[:, lower], tries[:, upper])
        tries[:, lower], tries[:, upper] = low, high
    assert (np.diff(tries, axis=1) >= 0).all()
