"""Counts, sums, means and extrema of groups of rows: who is in which group, and how large a group is, stays secret.

Rows are sorted by their keys. The last row of each group is marked and moved to the front, in order (a sort by one bit).
Running sums cost nothing, so a group's sum is the difference of two neighbours then; extrema come from a scan within the
groups (:mod:`.scan`). The result has as many rows as the input, or as a public bound says: the groups in the order of their
keys, then rows of zeros, told apart by a secret mark.

Where the groups are public (`among`) nothing is sorted: rows are compared with each, and products make the sums.

Source: for sorting and scanning as the way to group without telling sizes, Jónsson, Kreitz, Uddin, "Secure Multi-Party
Sorting and Applications" (ACNS 2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions import magnitude, reduce
from unseen.mpc.functions.compare import equal, logical_and, logical_not
from unseen.mpc.functions.order import Key, arranged
from unseen.mpc.functions.permute import array_of, rows_of
from unseen.mpc.functions.scan import segmented

Aggregation: TypeAlias = Literal["count"] | tuple[Literal["sum", "mean", "min", "max"], Any]
HOW = ("sum", "mean", "min", "max")


@dataclass(frozen=True, slots=True)
class Groups:
    """What :func:`group_by` gives; all arrays have one row for each group, and rows of zeros behind them.

    Attributes
    ----------
    keys
        Each key of the groups, in ascending order.
    columns
        The aggregations, by name; `groups["name"]` too.
    valid
        Which rows are groups.
    """

    keys: tuple[Any, ...]
    columns: dict[str, Any]
    valid: Any

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]


def check(keys: Sequence[Any], aggregations: Mapping[str, Aggregation]) -> None:
    """Refuse what cannot be aggregated.

    Raises
    ------
    LocalProtocolError
        Another aggregation, or a column that has not one number for each row.
    """
    shape = np.shape(keys[0]) if not isinstance(keys[0], SecretArray) else keys[0].shape
    columns = [how[1] for how in aggregations.values() if how != "count"]
    known = all(how == "count" or how[0] in HOW for how in aggregations.values())
    if not known or any(np.shape(one) != shape for one in (*keys, *columns)) or len(shape) != 1:
        raise LocalProtocolError(
            "These columns cannot be grouped.",
            why=f"keys and columns must be vectors of one length; aggregations are 'count' or {', '.join(HOW)} with a column",
            mend='group_by(key, {"people": "count", "paid": ("sum", salary)})',
        )


def grouped(
    keys: Sequence[SecretArray],
    aggregations: Mapping[str, Aggregation],
    *,
    bound: int | None,
    key_bits: int | None,
) -> Groups:
    """See :func:`unseen.mpc.functions.anywhere.group_by`."""
    engine = keys[0].engine
    count = len(keys[0])
    by = [Key(key[None], bits=key_bits) for key in keys]
    columns = {name: how[1] for name, how in aggregations.items() if how != "count"}
    arrays = [*keys, *(engine.as_number(engine.lift(column)) for column in columns.values())]
    moved = arranged(by, *(rows_of(array) for array in arrays))
    arrays = [array_of(rows, array, array.shape) for rows, array in zip(moved, arrays, strict=True)]
    ordered, values = arrays[: len(keys)], dict(zip(columns, arrays[len(keys) :], strict=True))
    last = _last(ordered, by)
    # What each group's last row knows: how many rows up to it, sums up to it, extrema of its group.
    known = {
        name: engine.lift(np.arange(1, count + 1), 0)
        if how == "count"
        else _at_last(values[name], how[0], last)
        for name, how in aggregations.items()
    }
    if any(how[0] == "mean" for how in aggregations.values()):
        known[""] = engine.lift(np.arange(1, count + 1), 0)
    arrays = [last, *ordered, *known.values()]
    moved = arranged([Key(last[None], descending=True)], *(rows_of(array) for array in arrays))
    kept = min(count, count if bound is None else bound)
    cut = [array_of(rows, array, array.shape)[:kept] for rows, array in zip(moved, arrays, strict=True)]
    found = tuple(_marked(key, cut[0]) for key in cut[1 : 1 + len(keys)])
    told = {}
    for name, column in zip(known, cut[1 + len(keys) :], strict=True):
        extremum = aggregations.get(name, "count")[0] in {"min", "max"}
        told[name] = _marked(column if extremum else _steps(column), cut[0])
    return Groups(found, _means(told, aggregations), cut[0])


def among(
    key: SecretArray, groups: NDArray[Any], aggregations: Mapping[str, Aggregation], *, key_bits: int | None
) -> Groups:
    """The same for groups that are public: rows are compared with each of them."""
    engine = key.engine
    width = Key(key[None], bits=key_bits).width
    wanted = engine.lift(groups.reshape(-1, 1), key.bits)
    inside = engine.as_number(equal(key[None], wanted, places=width))  # (groups, rows)
    counts = reduce.total(inside, axis=1)
    mark = counts > 0
    told = {}
    for name, how in aggregations.items():
        if how == "count":
            told[name] = counts
            continue
        values = engine.as_number(engine.lift(how[1]))
        if how[0] in {"sum", "mean"}:
            told[name] = _product(inside, values)
        else:
            # Rows of other groups stand aside: the extremum of a group is taken against the one of all.
            largest = how[0] == "max"
            aside = reduce.minimum_of(values) if largest else reduce.maximum_of(values)
            side = values[None] * inside + aside * (1 - inside)
            extremum = reduce.maximum_of(side, 1) if largest else reduce.minimum_of(side, 1)
            told[name] = _marked(extremum, mark)
    told[""] = counts
    columns = _means(told, aggregations)
    columns.pop("", None)
    return Groups((groups,), columns, mark)


def _product(inside: SecretArray, values: SecretArray) -> SecretArray:
    made = inside.engine.matmul_exact(inside, values.reshape(-1, 1))
    return made.reshape(len(inside))


def _last(ordered: Sequence[SecretArray], by: Sequence[Key]) -> SecretArray:
    """Whether a row is the last of its group: its keys are not all those of the next one."""
    engine = ordered[0].engine
    same: SecretArray | None = None
    for array, key in zip(ordered, by, strict=True):
        alike = equal(array[1:], array[:-1], places=key.width)
        same = alike if same is None else logical_and(same, alike)
    end = engine.lift(np.ones(min(1, len(ordered[0])), bool))
    return end if same is None else engine.concatenate([logical_not(same), end])


def _at_last(values: SecretArray, how: str, last: SecretArray) -> SecretArray:
    if how in {"sum", "mean"}:
        return reduce.cumulated(values)
    first = values.engine.lift(np.ones(min(1, len(last)), bool))
    starts = values.engine.concatenate([first, last[:-1]])
    return segmented(values, starts, "min" if how == "min" else "max")


def _steps(running: SecretArray) -> SecretArray:
    """From running totals what each row adds to the one before."""
    before = running.engine.concatenate([running[:1] - running[:1], running[:-1]])
    steps: SecretArray = running - before
    return steps


def _marked(values: SecretArray, mark: SecretArray) -> SecretArray:
    """Zero where the row is no group."""
    if values.boolean:
        return logical_and(values, mark)
    return values.engine.select(mark, values)


def _means(told: dict[str, SecretArray], aggregations: Mapping[str, Aggregation]) -> dict[str, SecretArray]:
    means = [name for name, how in aggregations.items() if how[0] == "mean"]
    if means:
        rows = magnitude.divisor(told.pop(""))
        told = {name: rows.divide(column) if name in means else column for name, column in told.items()}
    return told


# ---------------------------------------------------------------------- in clear


def plain_groups(
    keys: Sequence[Any], aggregations: Mapping[str, Aggregation], *, bound: int | None, among: Any
) -> Groups:
    """The same of plain arrays, in the same form: what the others are held against."""
    rows = np.stack([np.asarray(key) for key in keys], axis=1)
    if among is None:
        found, inverse = np.unique(rows, axis=0, return_inverse=True)
        size = len(rows) if bound is None else min(bound, len(rows))
    else:
        found = np.asarray(among).reshape(-1, 1)
        inside = rows == found.T
        inverse, size = np.where(inside.any(axis=1), inside.argmax(axis=1), -1), len(found)
    inverse = inverse.reshape(-1)
    members = [inverse == place for place in range(min(len(found), size))]
    valid = np.array([mine.any() for mine in members] + [False] * (size - len(members)), bool)
    columns = {}
    for name, how in aggregations.items():
        out = np.zeros(size)
        for place, mine in enumerate(members):
            if mine.any():
                out[place] = mine.sum() if how == "count" else getattr(np, how[0])(np.asarray(how[1])[mine])
        columns[name] = out
    padded = np.zeros((size, len(keys)), rows.dtype)
    padded[: len(members)] = found[:size]
    return Groups(tuple(padded.T), columns, valid)
