"""What may be told about a hidden intersection: how many rows, sums, means, histograms; nothing about fewer rows than agreed.

    answer = mean(found, ("shop", "spent"), name="spending", to=("bank",), at_least=100)
    answer.below or answer.value          # at the bank; None elsewhere

Whether there are `at_least` rows is computed under shares, and what is revealed is multiplied by it: of a smaller group only
"fewer than k" comes out, its count and sum are zeros. Each answer passes the gate as one reveal of `name`.

What it does not do: two answers about sets that differ by a few rows, or a histogram beside its total, tell about the difference.
How often may be asked is the contract's business (`times` of the disclosure). There is no noise: sums are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc.array import SecretArray
from unseen.psi.circuit import Hidden

Column = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One number about a group, or that it is too small.

    Attributes
    ----------
    below
        Whether there are fewer rows than agreed; `count` and `value` are 0 then.
    count
        How many rows it is about; 0 where that is not told.
    value
        The sum or mean; of a cardinality, the count.
    """

    below: bool
    count: int
    value: float


def cardinality(found: Hidden, *, name: str, to: Sequence[str], at_least: int = 0) -> Answer | None:
    """How many rows are common. Everyone calls it alike; None at parties that do not get the answer.

    Raises
    ------
    DeniedError
        The contract does not list it.
    UsageError
        `at_least` is no count (so do all functions here).
    """
    table = _told(_counts(found.member.reshape(1, -1)), None, name, to, at_least)
    return None if table is None else Answer(bool(table[0, 0] == 0), int(table[0, 1]), float(table[0, 1]))


def total(found: Hidden, column: Column, *, name: str, to: Sequence[str], at_least: int = 0) -> Answer | None:
    """The sum of a column, (holder, name), over the common rows. How many there are is not told, only whether they are enough."""
    sums = _column(found, column).sum().reshape(1)
    table = _told(_counts(found.member.reshape(1, -1)), sums, name, to, at_least, tell_counts=False)
    return None if table is None else Answer(bool(table[0, 0] == 0), 0, float(table[0, 1]))


def mean(found: Hidden, column: Column, *, name: str, to: Sequence[str], at_least: int = 1) -> Answer | None:
    """The mean of a column over the common rows, and their number: what is revealed are count and sum."""
    sums = _column(found, column).sum().reshape(1)
    table = _told(_counts(found.member.reshape(1, -1)), sums, name, to, max(at_least, 1))
    return None if table is None else _mean(table[0])


def histogram(
    found: Hidden,
    column: Column,
    edges: Sequence[float],
    *,
    name: str,
    to: Sequence[str],
    at_least: int = 0,
    of: Column | None = None,
) -> list[Answer] | None:
    """How many common rows have the column in each interval, and with `of` the mean of that column over them.

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
    values = _column(found, column)
    engine = values.engine
    lower = engine.concatenate([(values < edge).reshape(1, -1) for edge in limits])
    inside = (lower[1:] ^ lower[:-1]) & found.member.reshape(
        1, -1
    )  # below one edge and not below the one before
    sums = None if of is None else engine.select(inside, _column(found, of).reshape(1, -1)).sum(axis=1)
    table = _told(_counts(inside), sums, name, to, max(at_least, 0 if of is None else 1))
    if table is None:
        return None
    return [
        _mean(row) if of is not None else Answer(bool(row[0] == 0), int(row[1]), float(row[1]))
        for row in table
    ]


def _mean(row: NDArray[np.float64]) -> Answer:
    enough, count, summed = row
    return Answer(bool(enough == 0), int(count), float(summed / count) if count else 0.0)


def _counts(groups: SecretArray) -> SecretArray:
    """Rows of each group, shape (groups,), of Booleans (groups, rows)."""
    return groups.sum(axis=1)


def _column(found: Hidden, column: Column) -> SecretArray:
    holder, name = column
    try:
        return found.columns[holder][name]
    except KeyError:
        known = [f"{who}.{what}" for who, named in found.columns.items() for what in named]
        raise UsageError(
            f"There is no column {holder}.{name}.", mend=f"there are: {', '.join(known)}"
        ) from None


def _told(
    counts: SecretArray,
    sums: SecretArray | None,
    name: str,
    to: Sequence[str],
    at_least: int,
    *,
    tell_counts: bool = True,
) -> NDArray[np.float64] | None:
    """Rows (enough, count, sum) of each group, the latter two zero where there is not enough; what is not told is left out."""
    if at_least < 0:
        raise UsageError(f"A group has {at_least} rows or more: that is no bound.")
    engine = counts.engine
    enough = counts >= at_least if at_least else engine.lift(np.ones(counts.shape, np.bool_))
    told = [engine.as_number(enough)]
    if tell_counts:
        told.append(engine.select(enough, counts))
    if sums is not None:
        told.append(engine.select(enough, sums))
    table = engine.concatenate([column.reshape(-1, 1) for column in told], axis=1)
    shown = engine.reveal(name, table, to=to)
    return None if shown is None else np.asarray(shown, np.float64)
