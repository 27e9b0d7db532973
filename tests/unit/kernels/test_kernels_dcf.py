"""Keys of comparison functions: two shares add up to the comparison, everywhere; native and reference are the same bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.kernels import dcf
from unseen.kernels.reference import dcf as reference
from unseen.testing.views import deviation

RNG = np.random.default_rng(3)


def drawn(count: int, *, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, count, 16), np.uint8)


def both(module, roots, words, points, bits):
    return [module.evaluate(roots[party], words, points, bits, second=bool(party)) for party in (0, 1)]


@pytest.mark.parametrize("bits", [1, 3, 7, 8, 9])
def test_every_threshold_at_every_point(bits: int) -> None:
    size = 1 << bits
    thresholds = np.arange(size, dtype=np.uint64)
    roots, points = drawn(size), np.repeat(thresholds[:, None], size, axis=1)
    words = dcf.generate(roots, thresholds, bits)
    assert words.shape == (size, max(bits - 7, 0) + 1, 16)
    one, other = both(dcf, roots, words, points, bits)
    np.testing.assert_array_equal(one ^ other, points < thresholds)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 64), st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=40), st.integers(0, 99)
)
def test_anywhere(bits: int, values: list[int], seed: int) -> None:
    thresholds = np.array(values, np.uint64) >> np.uint64(64 - bits)
    most = np.uint64((1 << bits) - 1)
    around = [
        thresholds,
        thresholds - np.uint64(1),
        thresholds + np.uint64(1),
        most - thresholds,
        thresholds[::-1],
    ]
    roots, points = drawn(len(values), seed=seed), np.stack(around) & most
    words = dcf.generate(roots, thresholds, bits)
    one, other = both(dcf, roots, words, points, bits)
    np.testing.assert_array_equal(one ^ other, points < thresholds)


@pytest.mark.parametrize("bits", [1, 7, 8, 20, 63, 64])
@pytest.mark.parametrize("count", [0, 1, 8, 33, 100])
def test_as_the_reference(instruction_set: str, bits: int, count: int) -> None:
    thresholds = RNG.integers(0, 1 << 64, count, np.uint64) >> np.uint64(64 - bits)
    points = RNG.integers(0, 1 << 64, (3, count), np.uint64) >> np.uint64(64 - bits)
    roots = drawn(count)
    words = dcf.generate(roots, thresholds, bits)
    np.testing.assert_array_equal(words, reference.generate(roots, thresholds, bits))
    for made, defined in zip(
        both(dcf, roots, words, points, bits), both(reference, roots, words, points, bits), strict=True
    ):
        np.testing.assert_array_equal(made, defined)


def test_a_key_looks_the_same_whatever_the_threshold() -> None:
    """The words, and what one party evaluates, are uniform: of thresholds of nothing and of everything."""
    for threshold in (0, (1 << 63) - 1):
        thresholds = np.full(2000, threshold, np.uint64)
        roots = drawn(2000)
        words = dcf.generate(roots, thresholds, 63)
        for place in (0, 1, 30, 55, 56):
            assert deviation(words[:, place].reshape(-1)) < 6
        bits = dcf.evaluate(roots[0], words, RNG.integers(0, 1 << 63, (8, 2000), np.uint64), 63, second=False)
        assert abs(bits.mean() - 0.5) < 0.03


def test_what_does_not_fit_is_refused() -> None:
    if dcf._native is None:
        pytest.skip("the definition checks nothing")
    roots, thresholds = drawn(3), np.arange(3, dtype=np.uint64)
    words = dcf.generate(roots, thresholds, 10)
    points = np.zeros((2, 3), np.uint64)
    for call in (
        lambda: dcf.generate(roots, thresholds, 0),
        lambda: dcf.generate(roots, thresholds, 65),
        lambda: dcf.generate(roots, thresholds, 1),
        lambda: dcf.generate(roots[:, :2], thresholds, 10),
        lambda: dcf.evaluate(roots[0], words[:, :1], points, 10, second=False),
        lambda: dcf.evaluate(roots[0], words, points[:, :2], 10, second=False),
        lambda: dcf.evaluate(roots[0], words, points + np.uint64(1024), 10, second=False),
    ):
        with pytest.raises(ValueError):
            call()
