"""Identifiers of rows in one form for everybody: equal ids give equal bytes at every holder.

Each value becomes text: whole numbers in decimal without leading zeros or sign of plus, whether they are stored as
integers or as 3.0; text in Unicode NFKC without surrounding blanks, upper and lower case kept. Text is never taken
for a number, so "007" and 7 differ. Several id columns are joined with their lengths. The result is hashed with
SHA-256, which hides nothing (ids are guessable): it only gives all ids one length.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.table import Table

_DOMAIN = b"unseen/identifier/v1\n"
_SHOWN = 3


def identifiers(table: Table) -> NDArray[np.uint8]:
    """One 32-byte identifier per row, shape (rows, 32).

    Raises
    ------
    UsageError
        The table has no id column, or a row without id.
    """
    columns = _canonical(table)
    digests = b"".join(_digest(values) for values in zip(*columns, strict=True))
    return np.frombuffer(digests, np.uint8).reshape(table.rows, 32)


def check_unique(table: Table) -> None:
    """Check that every row has ids and no two rows the same; nothing to check without id columns.

    Raises
    ------
    UsageError
        Missing or repeated ids.
    """
    if not table.ids:
        return
    counts = Counter(zip(*_canonical(table), strict=True))
    repeated = [values for values, count in counts.items() if count > 1]
    if repeated:
        first = "; ".join("/".join(values) for values in repeated[:_SHOWN])
        raise UsageError(
            f"{len(repeated)} ids come more than once.",
            why=f"for example: {first}",
            mend="drop the repeated rows, or name more id columns",
        )


def _canonical(table: Table) -> list[list[str]]:
    if not table.ids:
        raise UsageError("The table has no id column.", mend="name it when adding the asset (--id)")
    columns = []
    for name in table.ids:
        column = table.data.column(name).combine_chunks()
        if column.null_count:
            raise UsageError(
                f"{column.null_count} rows have no '{name}'.", mend="drop these rows, or fill in the id"
            )
        columns.append([_text(value, name) for value in column.to_pylist()])
    return columns


def _text(value: object, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not value.is_integer():
            raise UsageError(
                f"The id column '{name}' holds fractions ({value}).", mend="name another id column"
            )
        return str(int(value))
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if not text:
        raise UsageError(f"A row has an empty '{name}'.", mend="drop these rows, or fill in the id")
    return text


def _digest(values: tuple[str, ...]) -> bytes:
    state = hashlib.sha256(_DOMAIN)
    for value in values:
        encoded = value.encode()
        state.update(len(encoded).to_bytes(4, "big") + encoded)
    return state.digest()
