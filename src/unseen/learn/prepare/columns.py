"""Columns of a table as data preparation reads and writes them: numbers that may be missing, and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.table import Column, ColumnType, Table

Floats = NDArray[np.float64]
NUMBERS = ("numeric", "integer", "boolean")
Made = Sequence[tuple[str, Floats | pa.Array]]  # numbers, or text


def numbers(table: Table, name: str) -> Floats:
    """A column as float64, shape (rows,); missing values are NaN, Booleans 0 and 1.

    Raises
    ------
    UsageError
        There is no such column, or it holds no numbers.
    """
    if type_of(table, name) not in NUMBERS and not empty(table, name):
        raise UsageError(
            f"Column '{name}' holds no numbers.", mend="encode it first (one-hot or ordinal), or leave it out"
        )
    column = pc.cast(table.data.column(name).combine_chunks(), pa.float64())
    return np.array(column.to_numpy(zero_copy_only=False), np.float64)


def categories(table: Table, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """A column as codes (rows,), -1 where it is missing, and what each code stands for.

    Numbers become text, whole ones without a point, so that a column is the same whether a file's reader took it for
    integers or for floats.

    Raises
    ------
    UsageError
        There is no such column.
    """
    type_of(table, name)
    found = table.data.column(name).combine_chunks().dictionary_encode()
    words = [_word(value) for value in found.dictionary.to_pylist()]
    codes = pc.fill_null(found.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = tuple(sorted({word for word in words if word is not None}))
    place = {word: i for i, word in enumerate(known)}
    renamed = np.array([-1 if word is None else place[word] for word in words] + [-1], np.int64)
    return renamed[codes], known  # code -1 takes the last entry


def type_of(table: Table, name: str) -> ColumnType:
    """The type of a column.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    for column in table.schema:
        if column.name == name:
            return column.type
    raise UsageError(f"There is no column '{name}'.", why=f"columns: {', '.join(table.names)}")


def empty(table: Table, name: str) -> bool:
    """Whether a file had so little in this column that it could be of any type."""
    return bool(pa.types.is_null(table.data.column(name).type))


def family(kind: ColumnType) -> str:
    """What a column must still be when a model is used: "number", or its type."""
    return "number" if kind in NUMBERS else kind


def replaced(table: Table, made: Mapping[str, Made]) -> Table:
    """The table with features that take the place of each named column; none at all leaves it out.

    Raises
    ------
    UsageError
        A new column is called as another one.
    """
    schema, arrays = [], []
    for column in table.schema:
        if column.name not in made:
            schema.append(column)
            arrays.append(table.data.column(column.name))
            continue
        for name, values in made[column.name]:
            text = isinstance(values, pa.Array)
            schema.append(Column(name, "text" if text else "numeric", "feature"))
            arrays.append(pa.chunked_array([values if text else pa.array(values, from_pandas=True)]))
    names = [column.name for column in schema]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"Two columns would be called {', '.join(twice)}.", mend="rename the column in the data"
        )
    return Table(tuple(schema), pa.table(arrays, names=names))


def _word(value: Any) -> str | None:
    if value is None:  # in a column without a single value it is an entry of the dictionary
        return None
    if isinstance(value, float):
        if np.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
