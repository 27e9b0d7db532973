"""How figures about a hidden intersection are told: nothing about fewer rows than agreed, and with noise where that is asked.

Which figures there are, `cardinality`, `sum`, `mean` and `histogram`, is one file each in `psi/protocols/`.

    asked = Question(name="spending", to=("bank",), at_least=100, of=(("shop", "spent"),))
    told = answering("mean").answer(found, asked)
    told[0].below or told[0].value          # at the bank; None elsewhere

Whether there are `at_least` rows is computed under shares, and what is revealed is multiplied by it: of a smaller group only
"fewer than k" comes out, its count and sum are zeros. Each answer passes the gate as one reveal of `name`.

Noise
    Without it, two answers about sets that differ by a few rows, or a histogram beside its total, tell about the difference; how
    often may be asked is the contract's business. With `noise`, counts and sums get discrete Laplace noise that nobody knows
    (:mod:`unseen.mpc.noise`) before they are compared with `at_least`, so that whatever comes out has epsilon-differential
    privacy, the "fewer than" too. Neighbours are inputs in which one person, with all rows about them, is another one or
    absent, while public sizes stay: one common row may go and one come. So a count changes by 1 at most, a sum of values
    between `low` and `high` by max(|low|, |high|, high - low), and a histogram in two intervals; each so many times as much as
    one person may be in common rows (`per_id`).
    Epsilon is parted evenly between the count, where there is one, and each column. Values must have been clipped by the
    holder that brings them (:func:`clipped`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import UsageError
from unseen.dp import DiscreteLaplace
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.fixed import encode
from unseen.mpc.noise import discrete_laplace
from unseen.psi.protocol import Answer, Bounds, Column, Hidden, Question

LEAKS = (
    "all parties learn the (bounds on the) sizes of the holders' sets and the question; of a group of fewer rows than agreed its receivers "
    "learn that it is smaller"
)


def clipped(values: ArrayLike, bounds: Bounds) -> NDArray[np.float64]:
    """Values between the bounds: what a holder brings where noise is to hide one of them."""
    return np.clip(np.asarray(values, np.float64), *bounds)


def everyone(found: Hidden) -> SecretArray:
    """The one group of all common rows: Booleans, shape (1, places)."""
    return found.member.reshape(1, -1)


def told(
    found: Hidden, inside: SecretArray, question: Question, *, at_least: int, counts: bool = True
) -> NDArray[np.float64] | None:
    """Rows (enough, count, sums of `of`) of each group that a row of `inside` says, shape (groups, places).

    Count and sums are zero where there is not enough, and what is not told is left out. None at parties that are not told.
    """
    columns = [(column, column_of(found, column)) for column in question.of]
    return _Group(inside, question, columns).told(at_least, tell_counts=counts)


def column_of(found: Hidden, column: Column) -> SecretArray:
    """A holder's column.

    Raises
    ------
    UsageError
        There is none.
    """
    holder, name = column
    try:
        return found.columns[holder][name]
    except KeyError:
        known = [f"{who}.{what}" for who, columns in found.columns.items() for what in columns]
        raise UsageError(
            f"There is no column {holder}.{name}.", mend=f"there are: {', '.join(known)}"
        ) from None


def check(question: Question, *, of: bool, by: bool) -> None:
    """Check that a question names columns to add up, and a column to group by, where it is to, and only there.

    Raises
    ------
    UsageError
        It does not.
    """
    if (of and not question.of) or by != (question.by is not None):
        raise UsageError(
            "A question of another kind was asked.",
            why="a sum and a mean are of columns (`of`); a histogram, and nothing else, is `by` one",
        )


def answer_of(row: NDArray[np.float64], values: NDArray[np.float64]) -> Answer:
    """Of a row of :func:`told` that has a count."""
    return Answer(bool(row[0] == 0), int(row[1]), tuple(values.tolist()))


def mean_of(row: NDArray[np.float64]) -> Answer:
    """Means of what such a row adds up."""
    return answer_of(row, row[2:] / row[1] if row[1] else np.zeros(len(row) - 2))


class _Group:
    """Groups of rows: Booleans (groups, rows), and the columns that are added up over each.

    The one group of a question that groups by nothing is all common rows; columns are 0 in the others.
    """

    def __init__(
        self,
        inside: SecretArray,
        question: Question,
        columns: list[tuple[Column, SecretArray]],
    ) -> None:
        self._inside = inside
        self._whole = inside.shape[0] == 1 and question.by is None
        self._question, self._noise = question, question.noise
        self._columns = columns

    def told(self, at_least: int, *, tell_counts: bool) -> NDArray[np.float64] | None:
        if at_least < 0:
            raise UsageError(f"A group has {at_least} rows or more: that is no bound.")
        engine = self._inside.engine
        counted = tell_counts or at_least > 0
        epsilon = 0.0 if self._noise is None else self._noise.epsilon / (counted + len(self._columns))
        enough = engine.lift(np.ones(len(self._inside), np.bool_))
        told: list[SecretArray] = []
        if counted:
            counts = self._noisy(self._inside.sum(axis=1), epsilon, min(2, len(self._inside)))
            enough = counts >= at_least if at_least else enough
            told += [counts] if tell_counts else []
        told += [self._sum(engine, column, values, epsilon) for column, values in self._columns]
        # what is revealed of a group that is too small is zeros
        kept = [engine.as_number(enough), *(engine.select(enough, numbers) for numbers in told)]
        table = engine.concatenate([numbers.reshape(-1, 1) for numbers in kept], axis=1)
        shown = engine.reveal(self._question.name, table, to=self._question.to)
        return None if shown is None else np.asarray(shown, np.float64)

    def _sum(self, engine: Engine, column: Column, values: SecretArray, epsilon: float) -> SecretArray:
        groups = len(self._inside)
        rows = values.reshape(1, -1)
        sums = (rows if self._whole else engine.select(self._inside, rows)).sum(axis=1)
        if self._noise is None:
            return sums
        low, high = (int(unit) for unit in encode(self._noise.of(column), values.bits).view(np.int64))
        largest = max(abs(low), abs(high))
        return self._noisy(sums, epsilon, 2 * largest if groups > 1 else max(largest, high - low))

    def _noisy(self, numbers: SecretArray, epsilon: float, sensitivity: int) -> SecretArray:
        """With noise in the smallest unit of the numbers' format."""
        if self._noise is None:
            return numbers
        engine, bits = numbers.engine, numbers.bits
        law = DiscreteLaplace(epsilon, sensitivity * self._noise.per_id)
        noise = discrete_laplace(engine, law, numbers.shape)
        return numbers + engine.number(noise.share, bits)
