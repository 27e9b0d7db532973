"""Polynomials of a secret, with few rounds, and coefficients that fit a function best."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray

_POINTS = 400


@cache
def fitted(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    low: float,
    high: float,
    degree: int,
    *,
    relative: bool,
) -> tuple[float, ...]:
    """Coefficients, constant first, with about the smallest largest error (relative or absolute) on [low, high].

    Interpolation in Chebyshev's points, then weighted least squares that even the error out (Lawson's algorithm).
    """
    points = (low + high) / 2 + (high - low) / 2 * np.cos((np.arange(_POINTS) + 0.5) * np.pi / _POINTS)
    wanted = function(points)
    scale = 1 / np.abs(wanted) if relative else np.ones_like(points)
    powers = points[:, None] ** np.arange(degree + 1)
    weight: NDArray[Any] = np.full_like(points, 1 / _POINTS)
    found = np.zeros(degree + 1)
    for _ in range(40):
        root = np.sqrt(weight) * scale
        found = np.linalg.lstsq(powers * root[:, None], wanted * root, rcond=None)[0]
        error = np.abs(powers @ found - wanted) * scale
        weight = weight * error
        weight /= weight.sum()
    return tuple(float(item) for item in found)


def powers(x: SecretArray, degree: int) -> list[SecretArray]:
    """x, x^2, ... x^degree in ceil(log2(degree)) rounds of products."""
    engine = x.engine
    known = [x]
    while len(known) < degree:
        more = min(len(known), degree - len(known))
        top = known[-1]
        left = engine.number(np.stack([top.share] * more, axis=1), x.bits)
        right = engine.number(np.stack([item.share for item in known[:more]], axis=1), x.bits)
        products = left * right
        known += [products[place] for place in range(more)]
    return known


def polynomial(x: SecretArray, coefficients: tuple[float, ...]) -> SecretArray:
    """The polynomial with these coefficients, constant first, with the precision of x; one truncation for the sum."""
    engine = x.engine
    total = engine.protocol.public(_ring(np.full(x.shape, coefficients[0]), 2 * x.bits))
    for coefficient, power in zip(coefficients[1:], powers(x, len(coefficients) - 1), strict=True):
        total = total + power.share * _ring(np.float64(coefficient), x.bits)
    return engine.truncate(engine.number(total, 2 * x.bits), x.bits)


def _ring(values: NDArray[np.float64] | np.float64, bits: int) -> NDArray[np.uint64]:
    return np.asarray(np.rint(np.asarray(values) * 2.0**bits).astype(np.int64)).view(np.uint64)
