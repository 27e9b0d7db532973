"""Comma-separated values (UTF-8, header in the first row), also compressed with gzip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from unseen.core.errors import UsageError

SUFFIXES = (".csv", ".csv.gz")
_OTHER_DELIMITERS = {";": "semicolon", "\t": "tab", "|": "bar"}


def read(path: Path, *, text: Sequence[str]) -> pa.Table:
    """See :class:`unseen.data.read.Connector`. Of text columns only those that look like whole numbers are read again.

    A text that is empty is a missing value, as in a column of numbers.
    """
    try:
        table = pyarrow.csv.read_csv(path)
        written = {
            field.name: pa.string()
            for field in table.schema
            if field.name in text and pa.types.is_integer(field.type)
        }
        if written and len(set(table.column_names)) == table.num_columns:
            again = pyarrow.csv.ConvertOptions(column_types=written, include_columns=list(written))
            ids = pyarrow.csv.read_csv(path, convert_options=again)
            for name in written:
                table = table.set_column(table.schema.get_field_index(name), name, ids[name])
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} cannot be read as CSV.",
            why=str(error).split(". If this row", maxsplit=1)[0],
            mend="save it as UTF-8 CSV with commas and a header row",
        ) from error
    if len(table.column_names) == 1:
        header = table.column_names[0]
        for delimiter, word in _OTHER_DELIMITERS.items():
            if delimiter in header:
                raise UsageError(
                    f"{path.name} does not seem to be separated by commas.",
                    why=f"its only column would be '{header[:60]}', with a {word} in it",
                    mend="save it with commas, or as Parquet",
                )
    return _without_empty_text(table)


def _without_empty_text(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            written = table.column(place)
            empty = pc.equal(written, "")
            if pc.any(empty).as_py():
                table = table.set_column(
                    place, field, pc.if_else(empty, pa.scalar(None, pa.string()), written)
                )
    return table
