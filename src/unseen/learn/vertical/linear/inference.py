"""How sure the coefficients are: variances from the inverse Hessian under shares; errors, intervals and p-values of them in clear.

The covariance of the maximum-likelihood estimate is about the inverse of the Hessian at it, times the dispersion: 1 for logistic
and Poisson models, the residual variance for linear ones (McCullagh and Nelder, "Generalized Linear Models", chapter 2). It means
something for models without penalty; with a ridge the errors are those of a posterior with a normal prior.

The variances stay shared until each owner of a column is told its own. Of columns that are linearly dependent there is no
covariance: :func:`deficient` finds that out, and whoever is told it learns that and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.learn.evaluate.student import quantile, two_sided
from unseen.learn.vertical.linear.families import FAMILIES
from unseen.learn.vertical.linear.newton import Newton, Problem, curvature_of, inverted
from unseen.mpc import Engine, SecretArray

_FAR, _MORE = 0.05, 6


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
    reach = quantile(freedom) * errors
    return Inference(coefficients, errors, z, p_values, coefficients - reach, coefficients + reach)
