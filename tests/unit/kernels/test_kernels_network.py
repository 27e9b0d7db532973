"""Routing through a network: against the reference, and rows that come out in the order that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.kernels import network
from unseen.kernels.native import native
from unseen.kernels.reference import network as reference


def through(rows: np.ndarray, switches: np.ndarray) -> np.ndarray:
    rows, levels = rows.copy(), len(rows).bit_length() - 1
    for column, stand in enumerate(switches):
        distance = len(rows) >> (1 + min(column, 2 * levels - 2 - column))
        for number, swap in enumerate(stand):
            upper = number // distance * 2 * distance + number % distance
            if swap:
                rows[[upper, upper + distance]] = rows[[upper + distance, upper]]
    return rows


@pytest.mark.parametrize("levels", range(1, 9))
def test_rows_come_out_in_order(instruction_set: str, levels: int) -> None:
    rng = np.random.default_rng(levels)
    for _ in range(10):
        order = rng.permutation(1 << levels)
        switches = network.route(order)
        assert switches.shape == (2 * levels - 1, 1 << (levels - 1))
        np.testing.assert_array_equal(switches, reference.route(order))
        np.testing.assert_array_equal(through(np.arange(1 << levels), switches), order)


@pytest.mark.parametrize("order", [[], [0], [0, 1, 2], [0, 0], [0, 2], [-1, 0], [1, 2, 3, 1 << 32]], ids=str)
def test_what_is_no_order_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match=r"power of two|each number comes once"):
        reference.route(np.array(order, np.int64))
    if native() is not None:
        with pytest.raises(ValueError, match=r"power of two|each number comes once"):
            network.route(np.array(order, np.int64))
