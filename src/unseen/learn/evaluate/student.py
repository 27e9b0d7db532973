"""The normal distribution and Student's t: tails, and how wide a 95 % interval is. Errors below 1e-12."""

from __future__ import annotations

import math

_BEYOND, _TERMS = 0.05, 500


def two_sided(z: float, freedom: int | None) -> float:
    """P(|Z| > |z|) of a normal variable, or of one of Student's with these degrees of freedom."""
    if freedom is None:
        return math.erfc(abs(z) / math.sqrt(2))
    if (
        abs(z) < 1
    ):  # far from 0, so that the difference keeps its digits, and z * z / freedom is known exactly
        return 1 - _incomplete_beta(0.5, freedom / 2, z * z / (freedom + z * z))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + z * z))


def quantile(freedom: int | None) -> float:
    """Where 5 % are beyond, both sides together: half the width of a 95 % interval, in standard errors."""
    low, high = 0.0, 1e3
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > _BEYOND else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), regularised: the continued fraction of DLMF 8.17.22, from its start by Lentz' method."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, _TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            total *= c * d
        if abs(c * d - 1) < 1e-15:  # noqa: PLR2004
            break
    return front * total / a
