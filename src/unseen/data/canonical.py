"""The canonical text of values: what two holders write differently and mean alike becomes the same bytes.

Every value first becomes text: whole numbers in decimal without leading zeros or sign of plus, whether they are stored
as integers or as 3.0; text in Unicode NFKC without surrounding blanks. Then its *kind* (a file in `kinds/`, `text` if
nothing is said) does the rest. All of it is done on whole Arrow columns; values never become Python objects, but for
dates and decimals, which are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.core import registry
from unseen.core.errors import UsageError
from unseen.kernels import rows as kernels

KINDS = "unseen.data.kinds"

_BLANK = 32  # the highest ASCII blank
_SHOWN = 3
_EXACT = 2.0**53
_INT64 = 2.0**63
_MOST_BYTES = (1 << 31) - 1

Column = tuple[NDArray[np.int32] | NDArray[np.int64], NDArray[np.uint8]]
"""Offsets (one more than there are rows) and the bytes that they point into."""


class Kind(Protocol):
    """What a file in `kinds/` has."""

    SUMMARY: str
    PARAMETERS: tuple[str, ...]
    """What may stand behind the colon; "" for nothing."""

    def canonical(self, values: pa.Array, parameter: str) -> pa.Array:
        """Canonical text of values that are NFKC text (large_string) without surrounding blanks; null for what is not of this kind."""


@dataclass(frozen=True, slots=True)
class KindOf:
    """A kind and its parameter, written `phone:CN`."""

    name: str
    parameter: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.parameter}" if self.parameter else self.name

    @classmethod
    def parse(cls, text: str) -> KindOf:
        """The kind that a person wrote.

        Raises
        ------
        UsageError
            There is none of that name, or it has no such parameter.
        """
        name, _, parameter = text.partition(":")
        known = cast("Kind", registry.load(KINDS, name)).PARAMETERS
        if parameter not in known:
            choices = ", ".join(f"{name}:{item}" if item else name for item in known)
            raise UsageError(f"'{text}' is no kind of identifier.", why=f"there are: {choices}")
        return cls(name, parameter)


TEXT = KindOf("text")


def canonical(values: pa.Array, *, name: str, kind: KindOf = TEXT, first_row: int = 1) -> Column:
    """Canonical text of a column.

    Parameters
    ----------
    name
        Of the column, for messages.
    first_row
        Number of the first value's row, for messages.

    Raises
    ------
    UsageError
        Missing or empty values, fractions, values that are not of the kind: with the rows.
    """
    if values.null_count:
        raise UsageError(
            f"{values.null_count} row(s) have no '{name}'.", mend="drop these rows, or fill in the id"
        )
    text = _text(values, name, first_row)
    offsets, data = _buffers(text)
    plain = kernels.is_ascii(data)
    if plain:
        if data.size and data.min() <= _BLANK:
            offsets, data = kernels.trim_rows(offsets, data)
    else:
        text = pc.utf8_trim_whitespace(pc.utf8_normalize(text, "NFKC"))
        offsets, data = _buffers(text)
    if kind.name != TEXT.name:
        module = cast("Kind", registry.load(KINDS, kind.name))
        trimmed = _array(offsets, data)
        known = module.canonical(trimmed, kind.parameter)
        _refuse(
            np.flatnonzero(known.is_null().to_numpy(zero_copy_only=False)), trimmed, name, kind, first_row
        )
        offsets, data = _buffers(known)
    sizes = np.diff(offsets)
    if len(sizes) and not sizes.min():
        raise UsageError(
            f"A row has an empty '{name}'.",
            why=f"row {first_row + int(np.argmin(sizes))}",
            mend="drop these rows, or fill in the id",
        )
    return offsets, data


def _refuse(bad: NDArray[np.int64], values: pa.Array, name: str, kind: KindOf, first_row: int) -> None:
    if bad.size:
        shown = ", ".join(f"row {first_row + row}: {values[int(row)].as_py()!r:.60}" for row in bad[:_SHOWN])
        raise UsageError(
            f"{bad.size} values of '{name}' are not of the kind '{kind}'.",
            why=f"for example {shown}",
            mend="correct these rows or drop them, or choose another kind",
        )


def _text(values: pa.Array, name: str, first_row: int) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return pc.cast(values, pa.string())
    if pa.types.is_floating(kind):
        return _whole(values, name, first_row)
    if pa.types.is_dictionary(kind):
        return _text(values.cast(kind.value_type), name, first_row)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _decoded(values, name)
    # dates, times, decimals: as Python writes them; few of them are different
    coded = pc.dictionary_encode(values)
    words = pa.array([str(value) for value in coded.dictionary.to_pylist()], pa.string())
    return words.take(coded.indices)


def _whole(values: pa.Array, name: str, first_row: int) -> pa.Array:
    numbers = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
    broken = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.trunc(numbers)))
    if broken.size:
        row = int(broken[0])
        raise UsageError(
            f"The id column '{name}' holds fractions ({numbers[row]}).",
            why=f"row {first_row + row}",
            mend="name another id column",
        )
    if not len(numbers) or np.abs(numbers).max() < _INT64:
        return pc.cast(pa.array(numbers.astype(np.int64)), pa.string())
    return pa.array([str(int(number)) for number in numbers], pa.string())


def _decoded(values: pa.Array, name: str) -> pa.Array:
    wide = pa.large_string() if pa.types.is_large_binary(values.type) else pa.string()
    try:
        return values.cast(wide)
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"The column '{name}' holds bytes that are no text.", why=str(error), mend="write it as text"
        ) from error


def _buffers(values: pa.Array) -> Column:
    """Offsets and bytes of a text column, without copying."""
    if not len(values):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    width = np.dtype(np.int64 if pa.types.is_large_string(values.type) else np.int32)
    _, offsets, data = values.buffers()
    places: NDArray[np.int32] | NDArray[np.int64] = np.frombuffer(
        offsets, width, len(values) + 1, values.offset * width.itemsize
    )
    content = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    first, last = int(places[0]), int(places[-1])
    if first or last != len(content):
        return places - places[0], content[first:last]
    return places, content


def _array(offsets: NDArray[np.int32] | NDArray[np.int64], data: NDArray[np.uint8]) -> pa.Array:
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.astype(np.int64, copy=False)), pa.py_buffer(data)
    )
