"""Truncation, comparison and sigmoid: right on the whole range, with the error that is published."""

from __future__ import annotations

import numpy as np
import pytest
from mpc_run import compute, result

from unseen.mpc import SecretArray
from unseen.mpc.functions.sigmoid import MAX_ERROR, PRECISE_ERROR, sigmoid

EDGES = [0, 1, -1, 2, -2, (1 << 62) - 1, -(1 << 62) + 1, 1 << 61, -(1 << 61), (1 << 40) + 1, 12345678901]


def _raw(engine, integers: list[int]) -> SecretArray:
    """A secret array of these ring elements, with no fraction bits."""
    ring = np.array(integers, np.int64).view(np.uint64)
    mine = ring if engine.protocol.party.name == "a" else None
    return SecretArray(engine, engine.protocol.share(mine, owner="a", shape=ring.shape), 0)


def _integers(run) -> np.ndarray:
    return run.results["a"]


@pytest.mark.parametrize("bits", [1, 8, 20, 40])
def test_truncation_is_floor_or_one_more_on_the_whole_range(bits: int) -> None:
    random = np.random.default_rng(bits).integers(-(1 << 62) + 1, 1 << 62, 20000).tolist()
    values = EDGES + random

    def body(engine, _x):
        kept = SecretArray(engine, engine.protocol.truncate(_raw(engine, values).share, bits), 0)
        floor = engine.protocol.public((np.array(values, np.int64) >> bits).view(np.uint64))
        return SecretArray(engine, kept.share - floor, 0)

    error = result(body, np.zeros(1))
    assert set(np.unique(error)) <= {0.0, 1.0}


def test_truncation_is_right_on_average() -> None:
    values = np.full(40000, 0.3 * 2.0**-10)
    got = result(lambda _e, x: x * (2.0**-10), values)
    expected = 0.3 * 2.0**-20
    assert abs(got.mean() - expected) < 6 * 0.5 * 2.0**-20 / np.sqrt(len(values))


def test_comparison_on_the_whole_range() -> None:
    random = np.random.default_rng(0).integers(-(1 << 61), 1 << 61, 5000).tolist()
    values = EDGES + random + [99, 100, 101, -99, -100, -101]
    bounds = (0, 100, -100, 1 << 60)

    def body(engine, _x):
        return engine.boolean(engine.protocol.mask(_raw(engine, values).share).less_than(bounds))

    got = result(body, np.zeros(1))
    expected = np.array(values)[None, :] < np.array(bounds)[:, None]
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("precise", [False, True])
@pytest.mark.parametrize("holders", [("a", "b"), ("a", "b", "c")])
def test_sigmoid_keeps_its_published_error(holders: tuple[str, ...], precise: bool) -> None:
    grid = np.concatenate([np.linspace(-64, 64, 20001), [-4e5, 4e5, 16, -16, 15.999999, -15.999999, 0]])
    got = result(lambda _e, x: sigmoid(x, precise=precise), grid, holders=holders)
    expected = np.where(grid > 0, 1 / (1 + np.exp(-np.abs(grid))), 1 - 1 / (1 + np.exp(-np.abs(grid))))
    assert np.abs(got - expected).max() < (PRECISE_ERROR if precise else MAX_ERROR)


def test_sigmoid_takes_ten_rounds() -> None:
    alone = compute(lambda _e, x: x, np.zeros(100)).rounds("a")
    assert compute(lambda _e, x: sigmoid(x), np.zeros(100)).rounds("a") - alone <= 10
