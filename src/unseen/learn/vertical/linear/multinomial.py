"""Several classes: softmax regression in shares, by Newton's method over all classes at once.

Minimises  sum of -log softmax(X W)[label] + l2 / 2 * |coefficients|^2,  intercepts free: scikit-learn's `LogisticRegression` with
`C=1 / l2` on a label of several classes. The Hessian has a block X^T diag(p_j ([j = k] - p_k)) X for every pair of classes. All
intercepts may move together without changing anything; for the Hessian alone they are held by l2 too, so that it has an inverse,
and the gradient, which is 0 that way, decides where they end.

Source: Böhning, "Multinomial logistic regression algorithm" (Ann. Inst. Statist. Math. 1992).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical.checkpoints import FORGETFUL, SecretKeeper
from unseen.learn.vertical.linear.newton import Curvature, Newton, Problem, Report, newton_step
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions.exponential import softmax

_MOST = 400


def fit(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    how: Newton,
    *,
    classes: int,
    weights: SecretArray | None = None,
    counted: SecretArray | None = None,
    squares: float = 0.0,
    basis: SecretArray | None = None,
    start: SecretArray | None = None,
    report: Report = lambda _done, _total: None,
    keep: SecretKeeper = FORGETFUL,
) -> SecretArray:
    """Coefficients with the intercepts as last row, shape (width + 1, classes).

    Parameters
    ----------
    labels
        One column for each class, 1 where it is the row's, else 0: shape (rows, classes).
    weights, counted, squares, basis, start, report, keep
        As in :func:`unseen.learn.vertical.linear.newton.fit`.

    Raises
    ------
    UsageError
        An L1 penalty, no L2 penalty, or a Hessian that is too large.
    """
    width = columns.shape[1]
    if how.l1 or not how.l2:
        raise UsageError(
            "A label of several classes needs an L2 penalty, and takes no L1 penalty.",
            why="the Hessian of all classes has no inverse without L2",
            mend="train by mini-batches (method 'sgd'), which take either",
        )
    if (width + 1) * classes > _MOST:
        raise UsageError(
            f"{width} columns and {classes} classes are too many for Newton's method.",
            why=f"the Hessian would have {(width + 1) * classes} rows; the most is {_MOST}",
            mend="train by mini-batches (method 'sgd'), or select columns",
        )
    problem = Problem.of(
        engine, columns, labels, weights=weights, counted=counted, squares=squares, basis=basis
    )
    before, held = keep.resume()
    found = held.get("found", start)
    if found is None:
        found = engine.lift(np.zeros((width + 1, classes)))
    ridge = np.r_[np.full(width, how.l2), 0.0][:, None] * np.ones(classes)
    for done in range(before, how.iterations):
        mean = softmax(problem.scores(found))
        errors = mean - labels
        if weights is not None:
            errors = errors * weights.reshape(-1, 1)
        gradient = problem.slopes(errors) + found * ridge
        curvature = _curvature(engine, problem, mean, how.l2)
        step = newton_step(engine, curvature, gradient.T.ravel())
        found = found - step.reshape(classes, width + 1).T
        report(done + 1, how.iterations)
        keep.save(done + 1, {"found": found})
    return found


def one_hot(labels: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """One column for each class."""
    hot: NDArray[np.float64] = (labels[:, None] == np.arange(classes)).astype(np.float64)
    return hot


def _curvature(engine: Engine, problem: Problem, mean: SecretArray, l2: float) -> Curvature:
    """Of all classes, class by class."""
    width = problem.shape[1]
    classes = mean.shape[1]
    high = problem.spread + l2  # the sum over classes of p (1 - p) is below 1
    shift = max(0, round(math.log2(math.sqrt(l2 * high))))
    blocks: dict[tuple[int, int], SecretArray] = {}
    for one in range(classes):
        for other in range(one + 1):
            product = mean[:, one] * mean[:, other]
            amount = mean[:, one] - product if one == other else -product
            if problem.weights is not None:
                amount = problem.weights * amount
            block = problem.gram(amount, divide_by=shift)
            blocks[one, other] = blocks[other, one] = block
    lines = [
        engine.concatenate([blocks[one, other] for other in range(classes)], axis=1) for one in range(classes)
    ]
    matrix = engine.concatenate(lines, axis=0) + np.eye(classes * width) * (l2 / 2.0**shift)
    if problem.weights is None:
        return Curvature(matrix, shift, high / 2.0**shift, high / l2)
    place = np.arange(classes * width)
    return Curvature(matrix, shift, matrix[place, place].sum(), 64 * high / l2)
