"""P-values and intervals from coefficients and variances, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unseen.learn.vertical.linear.inference import infer, two_sided


@pytest.mark.parametrize("freedom", [1, 3, 10, 437, 100_000])
@pytest.mark.parametrize("z", [0.0, 1e-3, 0.5, -2.0, 6.0, 12.0])
def test_students_distribution(z: float, freedom: int) -> None:
    assert two_sided(z, freedom) == pytest.approx(2 * stats.t.sf(abs(z), freedom), rel=1e-9)


def test_the_normal_one_and_intervals() -> None:
    made = infer(np.array([1.0, -2.0, 3.0]), np.array([0.25, 1.0, 0.0]))
    assert made.p_values == pytest.approx([2 * stats.norm.sf(2.0), 2 * stats.norm.sf(2.0), 1.0])
    assert made.high - made.coefficients == pytest.approx([0.9799819922700269, 1.9599639845400538, 0.0])
    few = infer(np.array([1.0]), np.array([1.0]), freedom=10)
    assert few.high[0] - 1 == pytest.approx(stats.t.ppf(0.975, 10))
