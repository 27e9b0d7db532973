"""Powers of two: the native kernels give what the reference gives, and that is right."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.kernels import powers
from unseen.kernels.reference import powers as reference

EDGES = np.array([0, 1, (1 << 44) - 1, 1 << 44, 1 << 47, (1 << 50) - 1, 1 << 63, (1 << 64) - 1], np.uint64)


def words(seed: int, count: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, (1 << 64) - 1, count, np.uint64, endpoint=True)
    return np.concatenate([EDGES, drawn])


@pytest.mark.parametrize("bits", [1, 20, 30, 31, 44, 58])
@pytest.mark.parametrize("kept", [1, 20, 30])
def test_native_is_the_reference(instruction_set: str, bits: int, kept: int) -> None:
    c, r = words(1, 1000), words(2, 1000)
    np.testing.assert_array_equal(
        powers.powers_of_fraction(c, bits, kept), reference.powers_of_fraction(c, bits, kept)
    )
    factors = powers.power_factors(r, bits, kept)
    np.testing.assert_array_equal(factors, reference.power_factors(r, bits, kept))
    mixed = factors * np.uint64(0x9E3779B97F4A7C15) + np.arange(16, dtype=np.uint64)[:, None]  # as shares are
    np.testing.assert_array_equal(
        powers.power_products(c, bits, kept, mixed), reference.power_products(c, bits, kept, mixed)
    )


def test_powers_of_fractions() -> None:
    fractions = np.r_[np.arange(0, 1 << 25, 997), (1 << 25) - 1].astype(np.uint64)
    for kept in (20, 28, 30):
        made = powers.powers_of_fraction(fractions, 25, kept) / 2.0**kept
        assert np.abs(made - np.exp2(fractions / 2.0**25)).max() < 2.0**-kept + 2e-7


def test_a_power_of_a_difference_is_the_product() -> None:
    """Every mask, also one whose low places borrow."""
    rng = np.random.default_rng(3)
    y = rng.uniform(8, 44, 20_000)
    x = np.rint(y * 2.0**44).astype(np.int64).view(np.uint64)
    r = words(4, 20_000 - len(EDGES))
    whole, rest = powers.power_products(x + r, 44, 20, powers.power_factors(r, 44, 20))
    assert rest.max() < 1 << 57
    made = whole.astype(float) * (rest / 2.0**41)
    assert np.abs(made / np.exp2(y) - 1).max() < 2.0**-19


def test_other_shapes_are_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        powers.power_products(words(1, 3), 44, 20, np.zeros((15, 11), np.uint64))
