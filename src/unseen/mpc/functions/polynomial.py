"""Polynomials of a secret, with few rounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray


def powers(x: SecretArray, degree: int) -> list[SecretArray]:
    """x, x^2, ... x^degree in ceil(log2(degree)) rounds of products."""
    engine = x.engine
    known = [x]
    while len(known) < degree:
        more = min(len(known), degree - len(known))
        top = known[-1]
        left = engine.number(np.stack([top.share] * more, axis=1), x.bits)
        right = engine.number(np.stack([item.share for item in known[:more]], axis=1), x.bits)
        flat = (item.share.reshape(len(item.share), -1) for item in (left, right))
        shares = engine.protocol.multiply(
            *flat, drop=x.bits
        )  # in the precision of x, whatever the engine's is
        products = engine.number(shares.reshape(left.share.shape), x.bits)
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
