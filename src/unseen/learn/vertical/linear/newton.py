"""Linear models in shares by Newton's method (iteratively reweighted least squares), with L2, L1 and elastic net.

Minimises  sum over rows of weight * loss + l2 / 2 * |coefficients|^2 + l1 * |coefficients|_1,  intercept free: for the logistic
family scikit-learn's `LogisticRegression(C=1 / l2)` on pooled data.

Security
    That of the engine's protocol: only the shape is told; labels, scores, gradients and coefficients stay shared
    until somebody reveals them. The number of iterations is fixed beforehand and tells nothing.
Method
    The Hessian is inverted by Newton-Schulz iteration V <- V (2 I - H V) from V = I / a bound of the largest eigenvalue: only
    products. The bound is public where the curvature of a row has one, else the secret trace. The inverse need not be exact,
    for it is the exact gradient that decides where the iteration ends. The matrix of the columns is masked once for the whole
    fit. With L1 each iteration solves its quadratic model by the alternating direction method of multipliers, which needs the
    inverse of H + I alone and one comparison a step, and goes on from where the last one ended.
Sources
    Bishop, "Pattern Recognition and Machine Learning", section 4.3.3; Schulz, "Iterative Berechnung der reziproken
    Matrix" (ZAMM 1933); Boyd and others, "Distributed Optimization and Statistical Learning via the Alternating Direction
    Method of Multipliers" (2011), section 6; Lee, Sun, Saunders, "Proximal Newton-type methods" (SIAM J. Optim. 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical.checkpoints import FORGETFUL, SecretKeeper
from unseen.learn.vertical.linear.families import FAMILIES, LARGEST_WEIGHT, beginning
from unseen.mpc import Engine, FixedArray, SecretArray
from unseen.mpc.functions.compare import maximum
from unseen.mpc.functions.magnitude import reciprocal

Report = Callable[[int, int], None]
LEAST_CONDITION = 1e-7
"""Where there is no penalty, eigenvalues of the Hessian below this part of the largest one count as none."""
LATER_STEPS = 13
_USUAL_CONDITION = 1e-4
_INNER = 40
_RELAXED = 1.6
_MOST_ROWS = 4_000_000
_BLOCK = 1 << 16


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


@dataclass(frozen=True, slots=True)
class Newton:
    """How to train.

    Attributes
    ----------
    family
        A name in :data:`.families.FAMILIES`.
    l2, l1
        Penalties; see the module. 0 for none.
    iterations
        10 reach the precision of the format on common data, 3 for the linear family.
    """

    family: str = "logistic"
    l2: float = 1.0
    l1: float = 0.0
    iterations: int = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be fitted: rows with an intercept column, masked once; labels; weights of rows.

    The rows are in blocks of :data:`_BLOCK`, so that what a product needs in memory on the way does not grow with them; `starts`
    is where each begins. `spread` is how large the sum of squares of all columns is at most, `rows * width` for standardised ones.
    `basis`: what is fitted are the rows times this small matrix, which is multiplied by vectors and sums instead.
    """

    blocks: tuple[FixedArray, ...]
    starts: tuple[int, ...]
    labels: SecretArray
    weights: SecretArray | None
    spread: float
    basis: SecretArray | None = None

    @classmethod
    def of(
        cls,
        engine: Engine,
        columns: SecretArray,
        labels: SecretArray,
        *,
        weights: SecretArray | None = None,
        counted: SecretArray | None = None,
        squares: float = 0.0,
        basis: SecretArray | None = None,
    ) -> Problem:
        """See :func:`fit` for the parameters.

        Raises
        ------
        UsageError
            More rows than sums have room for.
        """
        rows, width = columns.shape
        if rows > _MOST_ROWS:
            raise UsageError(
                f"{rows} rows are too many for Newton's method.",
                why=f"sums over rows have room for {_MOST_ROWS}",
                mend="train by mini-batches (method 'sgd'), or on a sample",
            )
        ones = engine.lift(np.ones(rows)) if counted is None else engine.as_real(counted)
        starts = tuple(range(0, rows, _BLOCK))
        blocks = tuple(
            engine.fix(
                engine.concatenate(
                    [columns[begin : begin + _BLOCK], ones[begin : begin + _BLOCK].reshape(-1, 1)], axis=1
                )
            )
            for begin in starts
        )
        return cls(blocks, starts, labels, weights, max(rows, squares) * width + rows, basis)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and columns with the intercept."""
        return self.labels.shape[0], self.blocks[0].shape[1]

    def scores(self, weights: SecretArray) -> SecretArray:
        """X @ weights."""
        engine = weights.engine
        given = weights if self.basis is None else self.basis @ weights
        parts = [block.matmul_exact(given) for block in self.blocks]
        return engine.truncate(engine.concatenate(parts), engine.bits)

    def slopes(self, errors: SecretArray) -> SecretArray:
        """X^T @ errors."""
        total = _sum([block.T.matmul_exact(part) for block, part in self._with(errors)])
        return total if self.basis is None else self.basis.T @ total

    def gram(self, amount: SecretArray | None, *, divide_by: int) -> SecretArray:
        """X^T diag(amount) X / 2^divide_by."""
        engine = self.labels.engine
        given = engine.lift(np.ones(self.shape[0])) if amount is None else amount
        parts = [block.T.matmul_exact(block * part.reshape(-1, 1)) for block, part in self._with(given)]
        if self.basis is None:
            return _sum(parts, divide_by=divide_by)
        # half of the division first, so that nothing outgrows the format, and half last, so that little is lost
        half = self.basis.T @ _sum(parts, divide_by=divide_by // 2)
        left = divide_by - divide_by // 2
        return engine.truncate(engine.matmul_exact(half, self.basis), engine.bits, divide_by=left)

    def _with(self, values: SecretArray) -> list[tuple[FixedArray, SecretArray]]:
        return [
            (block, values[begin : begin + _BLOCK])
            for block, begin in zip(self.blocks, self.starts, strict=True)
        ]


def _sum(parts: list[SecretArray], *, divide_by: int = 0) -> SecretArray:
    """Of products that were not truncated, truncated together."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.engine.truncate(total, total.engine.bits, divide_by=divide_by)


@dataclass(frozen=True, slots=True)
class Curvature:
    """The Hessian, divided by 2^shift so that it and its inverse use the format equally well, and what is known of it.

    `largest` bounds its eigenvalues: public, or a secret of shape ().
    """

    matrix: SecretArray
    shift: int
    largest: float | SecretArray
    condition: float


def fit(
    engine: Engine,
    columns: SecretArray,
    labels: SecretArray,
    how: Newton,
    *,
    weights: SecretArray | None = None,
    counted: SecretArray | None = None,
    squares: float = 0.0,
    basis: SecretArray | None = None,
    start: SecretArray | None = None,
    report: Report = lambda _done, _total: None,
    keep: SecretKeeper = FORGETFUL,
) -> SecretArray:
    """Coefficients with the intercept last, shape (width + 1,).

    Parameters
    ----------
    columns
        Standardised, shape (rows, width).
    labels
        Shape (rows,); of the linear family of size about 1.
    weights
        Secret weights of the rows, shape (rows,), from 0 to :data:`.families.LARGEST_WEIGHT`.
    counted
        Secret Booleans, shape (rows,): which rows there are, where not even that is known, as in a hidden intersection
        (:mod:`unseen.psi.protocols.circuit`). The others' columns are 0, so that with an intercept column of 0 they have no weight.
    squares
        The most that the squares of a column add up to, where that is more than `rows`.
    basis
        Shape (width + 1, width + 1): the columns and `counted` times it are fitted; of these hold `squares` and what is said of columns.
    start
        Weights to begin with.
    report
        Called after each iteration with (done, total).
    keep
        Where the coefficients, and what later iterations are quicker with, are stored after an iteration.

    Raises
    ------
    UsageError
        Too many rows.
    """
    problem = Problem.of(
        engine, columns, labels, weights=weights, counted=counted, squares=squares, basis=basis
    )
    family = FAMILIES[how.family]
    before, held = keep.resume()
    found = held.get("found", start)
    if found is None:
        found = beginning(engine, family.name, labels, columns.shape[1], weights=weights)
    split = _Split(held["sparse"], held["multipliers"]) if "sparse" in held else None
    first = held.get("first")
    bounded = family.name == "logistic" and start is None and bool(how.l2 or how.l1)
    for done in range(before, how.iterations):
        mean = family.mean(problem.scores(found))
        gradient = gradient_of(problem, mean, found, how)
        curvature = curvature_of(problem, mean, how)
        inverse = inverted(engine, curvature, plus=1.0 if how.l1 else 0.0, begin=first)
        if bounded and first is None:
            first = inverse
        if how.l1:
            split = _split_step(engine, curvature, inverse, gradient, found, how.l1, split)
            found = split.sparse
        else:
            found = found - times(engine, inverse, gradient, curvature)
        report(done + 1, how.iterations)
        state = {} if split is None else {"sparse": split.sparse, "multipliers": split.multipliers}
        state |= {} if first is None else {"first": first}
        keep.save(done + 1, {**state, "found": found})
    return found


def gradient_of(problem: Problem, mean: SecretArray, found: SecretArray, how: Newton) -> SecretArray:
    """Of the smooth part, shape (width + 1,)."""
    errors = mean - problem.labels
    if problem.weights is not None:
        errors = problem.weights * errors
    gradient = problem.slopes(errors)
    return gradient + found * _ridge(len(found), how.l2) if how.l2 else gradient


def curvature_of(problem: Problem, mean: SecretArray, how: Newton) -> Curvature:
    """The Hessian of the smooth part at these means.

    Its eigenvalues go from about `l2` to the trace. It is divided by a power of two in the middle of that range
    (geometrically), so that it and its inverse use the fixed-point format equally well.
    """
    family = FAMILIES[how.family]
    amount = family.curvature(mean) if family.curvature else None
    if problem.weights is not None:
        amount = problem.weights if amount is None else problem.weights * amount
    width = problem.shape[1]
    known = None if problem.weights is not None else family.most
    high = problem.spread * (known or 1.0) + how.l2
    low = how.l2 or LEAST_CONDITION * high
    shift = max(0, round(math.log2(math.sqrt((how.l2 or _USUAL_CONDITION * high) * high))))
    matrix = problem.gram(amount, divide_by=shift) + np.diag(_ridge(width, how.l2) / 2.0**shift)
    if known is not None:
        return Curvature(matrix, shift, high / 2.0**shift, high / low)
    trace = matrix[np.arange(width), np.arange(width)].sum()
    return Curvature(matrix, shift, trace, LARGEST_WEIGHT * high / low)


def newton_step(engine: Engine, curvature: Curvature, gradient: SecretArray) -> SecretArray:
    """Inverse Hessian times gradient."""
    return times(engine, inverted(engine, curvature), gradient, curvature)


def times(engine: Engine, inverse: SecretArray, gradient: SecretArray, curvature: Curvature) -> SecretArray:
    """The inverse of the scaled Hessian times the gradient, scaled back."""
    return engine.truncate(engine.matmul_exact(inverse, gradient), engine.bits, divide_by=curvature.shift)


def inverted(
    engine: Engine, curvature: Curvature, *, plus: float = 0.0, begin: SecretArray | None = None
) -> SecretArray:
    """Inverse of the (scaled) Hessian, with `plus` times the unit matrix added first, by Newton-Schulz.

    The error I - H V starts below 1 - 1/condition and is squared in each step. `begin` is the inverse at weights of 0 of the
    logistic family, where every row's curvature is the largest there is: H V has no eigenvalue over 1 then, and few steps do; what
    is missing in a direction where the curvature has shrunk to less than a thousandth makes that step shorter, never longer.
    """
    eye = np.eye(len(curvature.matrix))
    matrix = curvature.matrix + plus * eye if plus else curvature.matrix
    condition = curvature.condition
    if isinstance(curvature.largest, SecretArray):
        bound = reciprocal(curvature.largest + plus)
        inverse = bound.reshape(1, 1) * engine.lift(eye)
        if plus:
            condition = min(condition, 1 + 2.0**10)
    else:
        inverse = engine.lift(eye / (curvature.largest + plus))
        if plus:
            condition = 1 + curvature.largest / plus
    steps = math.ceil(math.log2(7 * condition))
    if begin is not None:
        inverse, steps = begin, min(steps, LATER_STEPS)
    for _ in range(steps):
        inverse = inverse @ (2 * eye - matrix @ inverse)
    return inverse


# ---------------------------------------------------------------------- L1


@dataclass(frozen=True, slots=True)
class _Split:
    """Where the alternating directions are: the sparse copy of the weights, and the (scaled) multipliers."""

    sparse: SecretArray
    multipliers: SecretArray


def _split_step(
    engine: Engine,
    curvature: Curvature,
    inverse: SecretArray,
    gradient: SecretArray,
    found: SecretArray,
    l1: float,
    before: _Split | None,
) -> _Split:
    """Minimum of the quadratic model at `found` plus l1 times the sizes of the coefficients.

    x = (H + I)^-1 (z - u - g + H found); z = x + u, moved towards 0 by l1 (the intercept is not); u = x + u - z. With H scaled
    so that its eigenvalues lie around 1 geometrically, the unit matrix is the multiplier that converges fastest.
    """
    size = len(found)
    limit = _ridge(size, l1) / 2.0**curvature.shift
    solve = engine.fix(inverse)
    slope = engine.truncate(gradient, engine.bits, divide_by=curvature.shift)
    constant = curvature.matrix @ found - slope
    z = found if before is None else before.sparse
    u = engine.lift(np.zeros(size)) if before is None else before.multipliers
    for _ in range(_INNER):
        x = solve @ (z - u + constant)
        relaxed = x * _RELAXED + z * (1 - _RELAXED) + u
        both = maximum(engine.concatenate([relaxed - limit, -relaxed - limit]), 0.0)
        z = both[:size] - both[size:]
        u = relaxed - z
    return _Split(z, u)


def _ridge(size: int, amount: float) -> NDArray[np.float64]:
    """The amount for each coefficient, nothing for the intercept."""
    made: NDArray[np.float64] = np.r_[np.full(size - 1, amount), 0.0]
    return made
