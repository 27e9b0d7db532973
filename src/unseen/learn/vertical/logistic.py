"""Logistic regression on secret shares: columns at several holders, the label at one (纵向逻辑回归).

Minimises  sum over rows of log-loss + penalty / 2 * |coefficients|^2,  intercept free: scikit-learn's
`LogisticRegression(C=1 / penalty)` on pooled data.

Security
    That of the engine's protocol: only the shape is told; labels, scores, gradients and coefficients stay shared
    until somebody reveals them. The number of iterations is fixed beforehand and tells nothing.
Method
    Newton's (iteratively reweighted least squares). The Hessian is inverted by Newton-Schulz iteration
    V <- V (2 I - H V) from V = I / trace bound: only products. The inverse need not be exact, for it is the exact
    gradient that decides where the iteration ends. The matrix of the columns is masked once for the whole fit.
Sources
    Bishop, "Pattern Recognition and Machine Learning", section 4.3.3; Schulz, "Iterative Berechnung der reziproken
    Matrix" (ZAMM 1933).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc import Engine, FixedArray, SecretArray
from unseen.mpc.functions.sigmoid import sigmoid

Report = Callable[[int, int], None]


def check_standardised(own: NDArray[np.float64]) -> None:
    """Refuse columns whose mean square is over 1: the bound on the Hessian would be wrong.

    Raises
    ------
    UsageError
        Such a column.
    """
    if own.size and float(np.square(own).mean(axis=0).max()) > 1 + 1e-6:
        raise UsageError(
            "The columns are not standardised.",
            why="training needs columns with mean 0 and standard deviation 1",
            mend="put the step 'standardise' before it",
        )


def fit(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    *,
    penalty: float,
    iterations: int,
    counted: SecretArray | None = None,
    report: Report = lambda _done, _total: None,
) -> SecretArray:
    """Coefficients with the intercept last, shape (width + 1,).

    Parameters
    ----------
    columns
        Standardised, shape (rows, width).
    labels
        0 or 1, shape (rows,).
    penalty
        L2 penalty, over 0.
    iterations
        Newton iterations; 10 reach the precision of the format on common data.
    counted
        Secret Booleans, shape (rows,): which rows there are, where not even that is known, as in a hidden intersection
        (:mod:`unseen.psi.circuit`). The others' columns are 0, so that with an intercept column of 0 they have no weight.
        The sum of squares of a column may be `rows` at most.
    report
        Called after each iteration with (done, total).
    """
    rows, width = columns.shape
    ridge = np.r_[np.full(width, penalty), 0.0]
    ones = engine.lift(np.ones(rows)) if counted is None else engine.as_real(counted)
    x = engine.fix(engine.concatenate([columns, ones.reshape(rows, 1)], axis=1))
    weights = engine.lift(np.zeros(width + 1))
    for done in range(iterations):
        scores = sigmoid(x @ weights, precise=True)
        gradient = x.T @ (scores - labels) + weights * ridge
        weights = weights - _newton_step(engine, x, scores, gradient, ridge)
        report(done + 1, iterations)
    return weights


def predict(engine: Engine, columns: SecretArray, weights: SecretArray) -> SecretArray:
    """Probabilities of 1, shape (rows,); columns scaled as in training."""
    rows = columns.shape[0]
    x = engine.concatenate([columns, engine.lift(np.ones((rows, 1)))], axis=1)
    return sigmoid(x @ weights, precise=True)


def _newton_step(
    engine: Engine, x: FixedArray, scores: SecretArray, gradient: SecretArray, ridge: NDArray[np.float64]
) -> SecretArray:
    """Inverse Hessian times gradient.

    The Hessian H has eigenvalues from about `penalty` to rows * (width + 1) / 4. It is divided by a power of two in
    the middle of that range (geometrically), so that H and its inverse use the fixed-point format equally well.
    """
    rows, width = x.shape
    low, high = float(ridge.max()), rows * width / 4 + float(ridge.max())
    shift = max(0, round(math.log2(math.sqrt(low * high))))
    spread = x * (scores * (1 - scores)).reshape(-1, 1)
    hessian = engine.truncate(x.T.matmul_exact(spread), engine.bits, divide_by=shift)
    hessian = hessian + np.diag(ridge / 2.0**shift)
    inverse = _invert(engine, hessian, largest=high / 2.0**shift, condition=high / low)
    return engine.truncate(engine.matmul_exact(inverse, gradient), engine.bits, divide_by=shift)


def _invert(engine: Engine, matrix: SecretArray, *, largest: float, condition: float) -> SecretArray:
    """Inverse of a symmetric positive matrix whose eigenvalues are at most `largest`, by Newton-Schulz.

    The error I - H V starts below 1 - 1/condition and is squared in each step.
    """
    eye = np.eye(len(matrix))
    inverse = engine.lift(eye / largest)
    for _ in range(math.ceil(math.log2(7 * condition))):
        inverse = inverse @ (2 * eye - matrix @ inverse)
    return inverse
