"""Tables: columns with a type and a role, frozen, over Apache Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
from numpy.typing import NDArray

from unseen.core.errors import UsageError, VerificationError

ColumnType = Literal["numeric", "integer", "boolean", "text", "timestamp"]
ColumnRole = Literal["id", "feature", "label", "other"]

_META = b"unseen.schema"
_CLASSES = 2
_SHOWN = 5


class Column(msgspec.Struct, frozen=True):
    """Name, type and role of a column."""

    name: str
    type: ColumnType
    role: ColumnRole


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of named columns. Never changed: every operation gives a new one.

    Made by :func:`unseen.data.read.read`, or from an Arrow table by :meth:`of`.
    """

    schema: tuple[Column, ...]
    data: pa.Table

    @classmethod
    def of(
        cls,
        data: pa.Table,
        *,
        id_columns: Sequence[str] = (),
        label_columns: Sequence[str] = (),
        ignore_columns: Sequence[str] = (),
    ) -> Table:
        """A table of an Arrow table, with these roles; all other columns are features.

        Raises
        ------
        UsageError
            Unknown columns, a column named twice, a type that is not supported: all problems at once.
        """
        roles: dict[str, ColumnRole] = {
            **dict.fromkeys(ignore_columns, "other"),
            **dict.fromkeys(label_columns, "label"),
            **dict.fromkeys(id_columns, "id"),
        }
        data = _decoded(data)
        names = data.column_names
        problems = [f"there is no column '{name}'" for name in roles if name not in names]
        problems += [f"column '{name}' comes twice" for name in sorted(set(names)) if names.count(name) > 1]
        asked = [*id_columns, *label_columns, *ignore_columns]
        problems += [f"column '{name}' is given two roles" for name in roles if asked.count(name) > 1]
        types = [_type_of(field.type) for field in data.schema]
        problems += [
            f"column '{field.name}' has the type {field.type}, which is not supported{_hint(field.type)}"
            for field, kind in zip(data.schema, types, strict=True)
            if kind is None
        ]
        if problems:
            raise UsageError(
                "The columns are not as described.",
                why=f"columns: {', '.join(names)}",
                mend="name the columns as they stand in the file, each once, and leave out those of other types",
                problems=tuple(problems),
            )
        schema = tuple(
            Column(name, kind, roles.get(name, "feature"))
            for name, kind in zip(names, types, strict=True)
            if kind is not None
        )
        return cls(schema, data)

    # ------------------------------------------------------------------ what it has

    def __repr__(self) -> str:
        return f"Table(rows={self.rows}, columns={list(self.names)})"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.data.num_rows)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns."""
        return tuple(column.name for column in self.schema)

    def _named(self, role: ColumnRole) -> tuple[str, ...]:
        return tuple(column.name for column in self.schema if column.role == role)

    @property
    def ids(self) -> tuple[str, ...]:
        """Columns that identify a row."""
        return self._named("id")

    @property
    def labels(self) -> tuple[str, ...]:
        """Label columns."""
        return self._named("label")

    @property
    def features(self) -> tuple[str, ...]:
        """Columns to model with."""
        return self._named("feature")

    # ------------------------------------------------------------------ parts

    def take(self, rows: NDArray[np.int64]) -> Table:
        """These rows, in this order."""
        return Table(self.schema, self.data.take(pa.array(rows)).combine_chunks())

    def select(self, names: Sequence[str]) -> Table:
        """These columns, in this order."""
        by_name = {column.name: column for column in self.schema}
        return Table(tuple(by_name[name] for name in names), self.data.select(list(names)))

    def with_other(self, name: str, values: NDArray[np.int64]) -> Table:
        """The table with one more column of role "other", whole numbers of shape (rows,), which takes the place of one of that name.

        Raises
        ------
        UsageError
            A column of that name has another role.
        """
        kept = [column for column in self.schema if column.name != name]
        if any(column.name == name and column.role != "other" for column in self.schema):
            raise UsageError(f"There is a column '{name}' already.", mend="rename it in the data")
        data = self.data.select([column.name for column in kept]).append_column(name, pa.array(values))
        return Table((*kept, Column(name, "integer", "other")), data)

    def values(self, name: str) -> NDArray[np.float64]:
        """One column as numbers, shape (rows,); see :meth:`numeric`."""
        if name not in self.names:
            raise UsageError(f"There is no column '{name}'.", why=f"columns: {', '.join(self.names)}")
        only: NDArray[np.float64] = self.numeric((name,))[:, 0]
        return only

    def numeric(self, names: Sequence[str], *, missing: bool = False) -> NDArray[np.float64]:
        """Columns as numbers, shape (rows, len(names)); booleans become 0 and 1, missing values NaN where they may be.

        Raises
        ------
        UsageError
            Text, infinity, or, unless they may be, missing values and NaN: every column with its first such row.
        """
        columns, problems = [], []
        for name in names:
            column = self.data.column(name).combine_chunks()
            try:
                values = np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                problems.append(f"column '{name}' holds no numbers ({column.type})")
                continue
            bad = np.flatnonzero(np.isinf(values) if missing else ~np.isfinite(values))
            if bad.size:
                problems.append(
                    f"column '{name}' has no number in {bad.size} row(s), the first is row {bad[0] + 1}"
                )
            columns.append(values)
        if problems:
            raise UsageError(
                "Numbers are due where there are none.",
                mend="fill or drop these rows, encode text as numbers, or leave the column out (--ignore)",
                problems=tuple(problems),
            )
        return np.column_stack(columns) if columns else np.zeros((self.rows, 0))

    def label(self, name: str) -> NDArray[np.float64]:
        """A label column of two classes as 0 and 1, shape (rows,): two numbers or two texts, the larger one is 1.

        Raises
        ------
        UsageError
            Missing values, one class only, or more than two.
        """
        column = self.data.column(name).combine_chunks()
        found = pc.unique(column).drop_null().to_pylist()
        if column.null_count or len(found) != _CLASSES:
            raise not_two_classes(f"'{name}' ", found, column.null_count)
        positive = pc.equal(column, pa.scalar(max(found), column.type))
        return np.asarray(positive.to_numpy(zero_copy_only=False), np.float64)

    def outcome(self, name: str) -> NDArray[np.float64]:
        """A label column as numbers, shape (rows,), NaN where it is missing: numbers as they are, two texts as 0 and 1.

        Raises
        ------
        UsageError
            Infinity, or text of one class or more than two.
        """
        kind = self.data.schema.field(name).type
        if _type_of(kind) in ("boolean", "integer", "numeric"):
            numbers: NDArray[np.float64] = self.numeric((name,), missing=True)[:, 0]
            return numbers
        column = self.data.column(name).combine_chunks()
        there = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), bool)
        out = np.full(self.rows, np.nan)
        if there.any():
            out[there] = self.take(np.flatnonzero(there)).label(name)
        return out

    # ------------------------------------------------------------------ stored form

    def to_ipc(self) -> bytes:
        """Arrow IPC stream with our schema in its metadata."""
        plain = self.data.replace_schema_metadata({_META: msgspec.json.encode(self.schema)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, plain.schema) as writer:
            writer.write_table(plain)
        stored: bytes = sink.getvalue().to_pybytes()
        return stored

    @classmethod
    def from_ipc(cls, stored: bytes) -> Table:
        """Rebuild a table.

        Raises
        ------
        VerificationError
            It is none, or damaged.
        """
        try:
            data = pa.ipc.open_stream(stored).read_all()
            schema = msgspec.json.decode((data.schema.metadata or {})[_META], type=tuple[Column, ...])
        except (pa.ArrowInvalid, OSError, KeyError, msgspec.DecodeError) as error:
            raise VerificationError("A stored table cannot be read.", why=str(error)) from error
        return cls(schema, data.replace_schema_metadata(None))

    def fingerprint(self) -> str:
        """SHA-256 of the stored form, hex."""
        return hashlib.sha256(self.to_ipc()).hexdigest()


def not_two_classes(name: str, found: Sequence[Any], missing: int) -> UsageError:
    """The error of a label that was to be yes or no; `name` is quoted and followed by a space, or empty."""
    shown = ", ".join(map(str, sorted(found)[:_SHOWN])) + (" …" if len(found) > _SHOWN else "")
    return UsageError(
        f"The label {name}does not have two classes.",
        why=f"it has {len(found)} ({shown}) and {missing} missing value(s)",
        mend="bring rows of both classes (`stratify` of `split` and `folds` keeps some in each part), and drop rows without a label; if it is to be a number, or one of several classes (0, 1, 2 …), say so in the step's parameters",
    )


def _decoded(data: pa.Table) -> pa.Table:
    """Categories (Arrow dictionaries, as pandas writes them) and views of text as the values they stand for."""
    for place, field in enumerate(data.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        kind = pa.string() if pa.types.is_string_view(kind) else kind
        if kind != field.type:
            data = data.set_column(place, field.with_type(kind), data.column(place).cast(kind))
    return data


def _hint(kind: pa.DataType) -> str:
    """Text in another encoding than UTF-8 arrives as bytes."""
    return " (is the file saved as UTF-8?)" if pa.types.is_binary(kind) else ""


def _type_of(kind: pa.DataType) -> ColumnType | None:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numeric"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return "text"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "timestamp"
    return None
