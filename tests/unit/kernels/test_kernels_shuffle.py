"""Orders from words: against the reference, uniform, and without the words that would make some likelier."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from unseen.kernels import shuffle
from unseen.kernels.reference import shuffle as reference

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 5000])
def test_same_as_the_reference(instruction_set: str, count: int) -> None:
    words = RNG.integers(0, 1 << 64, count + 8, np.uint64)
    words[RNG.integers(0, count + 1, 3)] = RNG.integers(0, 3, 3).astype(
        np.uint64
    )  # of which some are refused
    made = shuffle.order(words, count)
    np.testing.assert_array_equal(made, reference.order(words, count))
    np.testing.assert_array_equal(np.sort(made), np.arange(count))


def test_all_orders_are_as_likely() -> None:
    counts = Counter(
        tuple(shuffle.order(RNG.integers(0, 1 << 64, 8, np.uint64), 4).tolist()) for _ in range(4800)
    )
    assert sum((counts[one] - 200) ** 2 / 200 for one in permutations(range(4))) < 75  # p < 1e-6


def test_words_that_make_some_likelier_are_refused(instruction_set: str) -> None:
    """2^64 is no multiple of 3: of the words 0, 2^64/3 and so on one is too many."""
    bad = np.array([5, 1 << 63, 0], np.uint64)  # 0 for row 2
    for order in (shuffle.order, reference.order):
        with pytest.raises(ValueError, match="refused"):
            order(bad, 3)
    spare = np.array([5, 1 << 63, 0, 0, (1 << 64) - 1], np.uint64)
    np.testing.assert_array_equal(shuffle.order(spare, 3), [0, 1, 2])


@pytest.mark.parametrize("order", [shuffle.order, reference.order])
def test_too_few_words_are_refused(order) -> None:
    with pytest.raises(ValueError, match="word for each row"):
        order(np.zeros(2, np.uint64), 3)
