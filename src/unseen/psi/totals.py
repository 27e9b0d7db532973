"""What may be told about a hidden intersection: how many rows, sums, means, histograms; nothing about fewer rows than agreed.

    answer = mean(found, ("shop", "spent"), name="spending", to=("bank",), at_least=100)
    answer.below or answer.value          # at the bank; None elsewhere

Whether there are `at_least` rows is computed under shares, and what is revealed is multiplied by it: of a smaller group only
"fewer than k" comes out, its count and sum are zeros. Each answer passes the gate as one reveal of `name`.

Noise
    Without it, two answers about sets that differ by a few rows, or a histogram beside its total, tell about the difference; how
    often may be asked is the contract's business. With `noise`, counts and sums get discrete Laplace noise that nobody knows
    (:mod:`unseen.mpc.noise`) before they are compared with `at_least`, so that whatever comes out has epsilon-differential
    privacy, the "fewer than" too. Neighbours are inputs in which one person, with all rows about them, is another one or
    absent, while public sizes stay: one common row may go and one come. So a count changes by 1 at most, a sum of values
    between `low` and `high` by max(|low|, |high|, high - low), and a histogram in two intervals.
    Epsilon is parted evenly between the count, where there is one, and each column. Values must have been clipped by the
    holder that brings them (:func:`clipped`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import UsageError
from unseen.dp import DiscreteLaplace
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.fixed import encode
from unseen.mpc.noise import discrete_laplace
from unseen.psi.circuit import Hidden

Column = tuple[str, str]
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """Numbers about a group, or that it is too small.

    Attributes
    ----------
    below
        Whether there are fewer rows than agreed (with noise: seem to be); `count` and `values` are 0 then.
    count
        How many rows it is about; 0 where that is not told.
    values
        The sum or mean of each column; of a cardinality, the count.
    """

    below: bool
    count: int
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """The first, of those who asked about one column."""
        return self.values[0]


@dataclass(frozen=True, slots=True)
class Noise:
    """How much noise an answer gets, whatever it is about.

    Attributes
    ----------
    epsilon
        What the whole answer spends.
    bounds
        Column -> (low, high), between which its values were clipped; of each column that is added up.
    """

    epsilon: float
    bounds: tuple[tuple[Column, Bounds], ...] = ()

    def of(self, column: Column) -> Bounds:
        """The bounds of a column.

        Raises
        ------
        UsageError
            There are none, or they do not ascend.
        """
        low, high = dict(self.bounds).get(column, (0.0, 0.0))
        if not low < high:
            raise UsageError(
                f"There are no bounds for {column[0]}.{column[1]}.",
                why="how much noise a sum needs depends on how large a value can be",
                mend="give (low, high), low < high; what lies outside is clipped",
            )
        return low, high


def clipped(values: ArrayLike, bounds: Bounds) -> NDArray[np.float64]:
    """Values between the bounds: what a holder brings where noise is to hide one of them."""
    return np.clip(np.asarray(values, np.float64), *bounds)


def cardinality(
    found: Hidden, *, name: str, to: Sequence[str], at_least: int = 0, noise: Noise | None = None
) -> Answer | None:
    """How many rows are common. Everyone calls it alike; None at parties that do not get the answer.

    Raises
    ------
    DeniedError
        The contract does not list it.
    UsageError
        `at_least` is no count; no bounds for a column that gets noise (so do all functions here).
    """
    group = _Group(found.member.reshape(1, -1), noise)
    table = group.told(name, to, at_least)
    return None if table is None else _answer(table[0], table[0, 1:2])


def total(
    found: Hidden,
    of: Column | Sequence[Column],
    *,
    name: str,
    to: Sequence[str],
    at_least: int = 0,
    noise: Noise | None = None,
) -> Answer | None:
    """The sums of columns, (holder, name), over the common rows. How many there are is not told, only whether they are enough."""
    group = _Group(found.member.reshape(1, -1), noise, _columns(found, of))
    table = group.told(name, to, at_least, tell_counts=False)
    return None if table is None else Answer(bool(table[0, 0] == 0), 0, tuple(table[0, 1:].tolist()))


def mean(
    found: Hidden,
    of: Column | Sequence[Column],
    *,
    name: str,
    to: Sequence[str],
    at_least: int = 1,
    noise: Noise | None = None,
) -> Answer | None:
    """The means of columns over the common rows, and their number: what is revealed are count and sums."""
    group = _Group(found.member.reshape(1, -1), noise, _columns(found, of))
    table = group.told(name, to, max(at_least, 1))
    return None if table is None else _mean(table[0])


def histogram(
    found: Hidden,
    column: Column,
    edges: Sequence[float],
    *,
    name: str,
    to: Sequence[str],
    at_least: int = 0,
    of: Column | Sequence[Column] = (),
    noise: Noise | None = None,
) -> list[Answer] | None:
    """How many common rows have the column in each interval, and with `of` the means of those columns over them.

    Parameters
    ----------
    edges
        Ascending; interval i is from edges[i] up to, without, edges[i + 1].
    at_least
        Of each interval: a smaller one is told as such only.

    Raises
    ------
    UsageError
        Fewer than two edges, or edges that do not ascend.
    """
    limits = [float(edge) for edge in edges]
    if len(limits) < 2 or not all(low < high for low, high in pairwise(limits)):  # noqa: PLR2004
        raise UsageError("A histogram has two edges or more, which ascend.")
    values = _columns(found, column)[0][1]
    engine = values.engine
    lower = engine.concatenate([(values < edge).reshape(1, -1) for edge in limits])
    # below one edge and not below the one before
    inside = (lower[1:] ^ lower[:-1]) & found.member.reshape(1, -1)
    group = _Group(inside, noise, _columns(found, of), whole=False)
    table = group.told(name, to, max(at_least, 1 if of else 0))
    if table is None:
        return None
    return [_mean(row) if of else _answer(row, row[1:2]) for row in table]


def _answer(row: NDArray[np.float64], values: NDArray[np.float64]) -> Answer:
    return Answer(bool(row[0] == 0), int(row[1]), tuple(values.tolist()))


def _mean(row: NDArray[np.float64]) -> Answer:
    return _answer(row, row[2:] / row[1] if row[1] else np.zeros(len(row) - 2))


def _columns(found: Hidden, of: Column | Sequence[Column]) -> list[tuple[Column, SecretArray]]:
    single = len(of) == 2 and isinstance(of[0], str)  # noqa: PLR2004 - holder and name
    named = [cast("Column", of)] if single else list(cast("Sequence[Column]", of))
    try:
        return [(column, found.columns[column[0]][column[1]]) for column in named]
    except KeyError:
        known = [f"{who}.{what}" for who, columns in found.columns.items() for what in columns]
        missing = ", ".join(f"{who}.{what}" for who, what in named if what not in found.columns.get(who, {}))
        raise UsageError(f"There is no column {missing}.", mend=f"there are: {', '.join(known)}") from None


class _Group:
    """Groups of rows: Booleans (groups, rows), and the columns that are added up over each.

    `whole`: the one group is all common rows; columns are 0 in the others.
    """

    def __init__(
        self,
        inside: SecretArray,
        noise: Noise | None,
        columns: Sequence[tuple[Column, SecretArray]] = (),
        *,
        whole: bool = True,
    ) -> None:
        self._inside = inside
        self._whole = whole
        self._noise = noise
        self._columns = columns

    def told(
        self, name: str, to: Sequence[str], at_least: int, *, tell_counts: bool = True
    ) -> NDArray[np.float64] | None:
        """Rows (enough, count, sums) of each group, the latter zero where there is not enough; what is not told is left out."""
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
        shown = engine.reveal(name, table, to=to)
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
        noise = discrete_laplace(engine, DiscreteLaplace(epsilon, sensitivity), numbers.shape)
        return numbers + engine.number(noise.share, bits)
