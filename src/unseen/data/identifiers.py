"""Identifiers of rows in one form for everybody: equal ids give equal bytes at every holder.

Each id column becomes canonical text (:mod:`unseen.data.canonical`); several id columns are joined with their lengths.
Text is never taken for a number, so "007" and 7 differ unless the column's kind says otherwise. The result is hashed
with SHA-256, which hides nothing (ids are guessable): it only gives all ids one length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.canonical import TEXT, KindOf, canonical
from unseen.data.repeats import repeats
from unseen.data.table import Table
from unseen.kernels.rows import digest_rows

ID_BYTES = 32

_DOMAIN = b"unseen/identifier/v1\n"
_SHOWN = 3
_PIECE = 1 << 16


def identifiers(table: Table, kinds: Mapping[str, KindOf] | None = None) -> NDArray[np.uint8]:
    """One 32-byte identifier per row, shape (rows, 32).

    Parameters
    ----------
    kinds
        Id column -> its kind; text where nothing is said.

    Raises
    ------
    UsageError
        The table has no id column, or a row without id or with one that is not of its kind.
    """
    if not table.ids:
        raise UsageError("The table has no id column.", mend="name it when adding the asset (--id)")
    parts, done = [], 0
    for batch in table.data.select(list(table.ids)).to_batches():
        parts.append(digests(batch, table.ids, kinds or {}, first_row=done + 1))
        done += batch.num_rows
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros((0, ID_BYTES), np.uint8)


def digests(
    batch: pa.RecordBatch, names: Sequence[str], kinds: Mapping[str, KindOf], *, first_row: int
) -> NDArray[np.uint8]:
    """Identifiers of a batch's rows from the columns `names`, shape (rows, 32).

    Raises
    ------
    UsageError
        See :func:`unseen.data.canonical.canonical`.
    """
    columns = [
        canonical(batch.column(name), name=name, kind=kinds.get(name, TEXT), first_row=first_row)
        for name in names
    ]
    out = np.empty((batch.num_rows, ID_BYTES), np.uint8)
    for first in range(0, batch.num_rows, _PIECE):  # the memory of one piece serves the next
        last = first + _PIECE
        out[first:last] = digest_rows(_DOMAIN, [(ends[first : last + 1], data) for ends, data in columns])
    return out


def check_unique(table: Table) -> None:
    """Check that every row has ids and no two rows the same; nothing to check without id columns.

    Raises
    ------
    UsageError
        Missing or repeated ids.
    """
    if not table.ids:
        return
    found = repeats(identifiers(table))
    if found.rows.size:
        raise repeated(table.data, table.ids, np.sort(found.rows[found.first])[:_SHOWN], found.ids)


def repeated(data: pa.Table, names: Sequence[str], rows: NDArray[np.int64], count: int) -> UsageError:
    """The error for `count` ids that come more than once, those of `rows` among them."""
    shown = data.select(list(names)).take(pa.array(rows))
    values = zip(*(shown.column(name).to_pylist() for name in names), strict=True)
    return UsageError(
        f"{count} ids come more than once.",
        why=f"for example: {'; '.join('/'.join(str(value).strip() for value in row) for row in values)}",
        mend="drop the repeated rows, or name more id columns",
    )
