"""The bound on a partition holds as often as it says, against the exact binomial distribution."""

from __future__ import annotations

import math

import pytest

from unseen.psi.bound import FAILURE_BITS, capacity


def exact_tail(count, chance, above):
    """Pr[B(count, chance) > above]."""
    return math.fsum(
        math.exp(
            math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
            + k * math.log(chance) + (count - k) * math.log1p(-chance)
        )
        for k in range(above + 1, count + 1)
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 50, 1000, 20_000])
@pytest.mark.parametrize("parts", [2, 8, 256])
def test_overflow_is_as_improbable_as_stated(count, parts):
    bound = capacity(count, parts)
    assert parts * exact_tail(count, 1 / parts, bound) <= 2**-FAILURE_BITS


@pytest.mark.parametrize(
    ("count", "parts", "most"), [(10**6, 2, 1.01), (10**8, 64, 1.01), (10**9, 512, 1.01)]
)
def test_padding_is_cheap_for_big_sets(count, parts, most):
    assert count / parts < capacity(count, parts) < most * count / parts


def test_the_ends():
    assert capacity(0, 8) == 0
    assert capacity(1, 8) == 1
    assert capacity(12345, 1) == 12345
    assert all(capacity(count, 4) <= count for count in range(200))
    assert all(capacity(count, 4) <= capacity(count + 1, 4) for count in range(300))
