"""Bounds of the malicious protocol's checks, against all that a deviating party could try on small ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from unseen.crypto.prg import Prg
from unseen.mpc.protocols.replicated3_malicious.gates import BATCH, SECURITY_BITS, batches, bucket
from unseen.mpc.protocols.replicated3_malicious.pricing import price
from unseen.mpc.protocols.replicated3_malicious.sharing import PAIRS, challenges


def best_chance(products: int, size: int) -> Fraction:
    """Of passing with a wrong product: all choices of wrong products and of how many wrong triples, all orders."""
    triples = (products + 1) * size
    best = Fraction(0)
    for wrong in range(1, 1 << products):
        buckets = {
            place
            for product in range(products)
            if wrong >> product & 1
            for place in range((product + 1) * size, (product + 2) * size)
        }
        for count in range(triples + 1):
            # The order is uniform, so wrong triples come to every set of places alike.
            places = itertools.combinations(range(triples), count)
            passing = sum(set(chosen) == buckets for chosen in places)
            best = max(best, Fraction(passing, math.comb(triples, count)))
    return best


@pytest.mark.parametrize(
    ("products", "size"), [(1, 1), (1, 2), (1, 3), (2, 2), (3, 2), (2, 3), (4, 2), (5, 2)]
)
def test_the_bound_of_buckets_is_the_best_that_can_be_tried(products: int, size: int) -> None:
    assert best_chance(products, size) == Fraction(1, math.comb((products + 1) * size, size))


def test_buckets_are_as_small_as_the_bound_lets_them() -> None:
    for products in [*range(1, 70), 133, 134, 1000, 1 << 14, BATCH, 741_454, 741_455, 1 << 30]:
        size = bucket(products)
        assert size >= 2
        assert math.comb((products + 1) * size, size) >= 1 << SECURITY_BITS
        assert size == 2 or math.comb((products + 1) * (size - 1), size - 1) < 1 << SECURITY_BITS
    assert [bucket(count) for count in (1, BATCH, 741_454, 741_455)] == [22, 3, 3, 2]


def test_batches_are_bounded_and_lose_nothing() -> None:
    sizes = [1, BATCH, 3 * BATCH + 5, 7, 0, BATCH - 3]
    made = list(batches(sizes))
    assert sum(made) == sum(sizes)
    assert max(made) == BATCH


def errors(rows: int, columns: int) -> Iterator[np.ndarray]:
    """Matrices that a weak check overlooks: one wrong number, by the top bit."""
    for place in (0, rows * columns - 1):
        out = np.zeros(rows * columns, np.uint64)
        out[place] = np.uint64(1 << 63)
        yield out.reshape(rows, columns)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 2), (41, 1), (1, 100), (100, 3), (50, 60)])
def test_a_wrong_matrix_is_found_by_its_combinations(shape: tuple[int, int]) -> None:
    for seed in range(20):
        left, right = challenges(lambda seed=seed: Prg(bytes([seed]) * 32), *shape)  # type: ignore[misc]
        assert len(left) == len(right) <= max(PAIRS, min(shape[0], 40) * min(shape[1], 40))
        for wrong in errors(*shape):
            assert ((left @ wrong) * right).sum(axis=1, dtype=np.uint64).any()


def test_pairs_are_enough() -> None:
    assert 0.75**PAIRS < 2.0**-SECURITY_BITS


def test_products_cost_less_together() -> None:
    each = [price("multiply", count, 3).size_bytes / count for count in (1, 100, 10_000, BATCH)]
    assert each == sorted(each, reverse=True)
    assert each[-1] == pytest.approx(24 + 3 * (24 + 48), rel=0.01)
