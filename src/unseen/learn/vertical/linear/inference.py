"""How sure the coefficients are: variances from the inverse Hessian under shares; errors, intervals and p-values of them in clear.

The covariance of the maximum-likelihood estimate is about the inverse of the Hessian at it, times the dispersion: 1 for logistic
and Poisson models, the residual variance for linear ones (McCullagh and Nelder, "Generalized Linear Models", chapter 2). It means
something for models without penalty; with a ridge the errors are those of a posterior with a normal prior.

The variances stay shared until each owner of a column is told its own. Of columns that are linearly dependent there is no
covariance: :func:`deficient` finds that out, and whoever is told it learns that and nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.linear.families import FAMILIES
from unseen.learn.vertical.linear.newton import Newton, Problem, curvature_of, inverted
from unseen.mpc import Engine, SecretArray

_FAR, _MORE = 0.05, 6
_BEYOND, _TERMS = 0.05, 500


@dataclass(frozen=True, slots=True)
class Certainty:
    """Secret variances of the weights, intercept last, times 2^shift; and whether there are any (secret Boolean)."""

    scaled_variances: SecretArray
    shift: int
    deficient: SecretArray


def certainty(engine: Engine, problem: Problem, found: SecretArray, how: Newton) -> Certainty:
    """At the weights that were found; one more Hessian and its inverse."""
    family = FAMILIES[how.family]
    mean = family.mean(problem.scores(found))
    curvature = curvature_of(problem, mean, how)
    inverse = inverted(engine, curvature)
    size = len(found)
    far = abs(curvature.matrix @ inverse - np.eye(size)) > _FAR
    place = np.arange(size)
    variances = inverse[place, place]
    shift = curvature.shift
    if family.name == "linear":  # both are small numbers: more places, or their product would have few
        variances = variances * (1 << _MORE) * _dispersion(problem, mean)
        shift += _MORE
    return Certainty(variances, shift, far.any())


def _dispersion(problem: Problem, mean: SecretArray) -> SecretArray:
    """Sum of squared residuals by degrees of freedom, shape ()."""
    rows, width = problem.shape
    residuals = mean - problem.labels
    squares = residuals * residuals
    if problem.weights is not None:
        squares = problem.weights * squares
    return squares.sum() / (rows - width)


@dataclass(frozen=True, slots=True)
class Inference:
    """In clear, one number for each coefficient: standard error, z, two-sided p-value, and the 95 % interval."""

    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]
    z: NDArray[np.float64]
    p_values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def as_lists(self) -> Mapping[str, list[float]]:
        """For a report."""
        return {
            "standard_errors": self.errors.tolist(),
            "z": self.z.tolist(),
            "p_values": self.p_values.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
        }


def infer(
    coefficients: NDArray[np.float64], variances: NDArray[np.float64], *, freedom: int | None = None
) -> Inference:
    """From revealed coefficients and variances.

    Parameters
    ----------
    freedom
        Degrees of freedom of a t distribution, where the dispersion was estimated; else the normal distribution.
    """
    errors = np.sqrt(np.maximum(variances, 0.0))
    z = np.divide(coefficients, errors, out=np.zeros_like(errors), where=errors > 0)
    p_values = np.array([two_sided(float(item), freedom) for item in z])
    reach = _quantile(freedom) * errors
    return Inference(coefficients, errors, z, p_values, coefficients - reach, coefficients + reach)


def two_sided(z: float, freedom: int | None) -> float:
    """P(|Z| > |z|) of a normal variable, or of one of Student's with these degrees of freedom."""
    if freedom is None:
        return math.erfc(abs(z) / math.sqrt(2))
    if (
        abs(z) < 1
    ):  # far from 0, so that the difference keeps its digits, and z * z / freedom is known exactly
        return 1 - _incomplete_beta(0.5, freedom / 2, z * z / (freedom + z * z))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + z * z))


def _quantile(freedom: int | None) -> float:
    """Where 5 % are beyond, both sides together."""
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
