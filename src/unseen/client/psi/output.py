"""Write the common rows: to a file beside the final one, which it replaces when it is complete.

`aligned` puts them into the order of their ids' digests, which both sides know of common ids and nobody can tell of
others. Where the rows do not fit into memory, they are read again and dealt to files by ranges of that order.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from unseen.client.psi.load import Loaded
from unseen.core.durable import sync_folder
from unseen.core.errors import UnavailableError, UsageError

FLAG, GROUP = "in_intersection", "match"

_RANK = "\x00rank"
_MOST_FILES = 256


@dataclass(frozen=True, slots=True)
class Found:
    """Common rows of the input, in the aligned order; `groups` numbers their ids where one may have several rows."""

    rows: NDArray[np.int64]
    groups: NDArray[np.int64] | None


def check_output(path: Path, loaded: Loaded, *, group: bool, flag: bool) -> None:
    """Refuse what could not be written, before anything is computed.

    Raises
    ------
    UsageError
        No such folder, the input itself, a column of the output's own name, a type that CSV has no form for.
    """
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written.", why="its folder is not there or not writable")
    if path.is_dir() or (path.exists() and path.samefile(loaded.source.path)):
        raise UsageError(f"{path} cannot be the output.", why="it is a folder, or the input itself")
    for name, wanted in ((FLAG, flag), (GROUP, group)):
        if wanted and name in loaded.source.names:
            raise UsageError(f"The input has a column '{name}' of its own.", mend="rename it")
    if _format(path) == "csv":
        try:
            first = next(iter(loaded.held if loaded.held is not None else loaded.source.batches()), None)
            if first is not None:
                pa.csv.write_csv(first.slice(0, 1), io.BytesIO())
        except pa.ArrowException as error:
            raise UsageError(
                "The input has columns that CSV cannot hold.", why=str(error), mend="write to a .parquet file"
            ) from error


def write(path: Path, loaded: Loaded, found: Found, *, rows: str, order: str, memory_bytes: int) -> int:
    """Write the output; gives its number of rows.

    Raises
    ------
    UnavailableError
        The disk is full; what was there before is untouched.
    """
    if rows == "all":
        tables = _flagged(loaded, found)
    elif order == "input":
        tables = _in_input_order(loaded, found)
    elif loaded.held is not None:
        tables = _aligned_in_memory(loaded, found)
    else:
        tables = _aligned_by_files(loaded, found, path.parent, memory_bytes)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        written = 0
        with _writer(draft, _format(path), compressed=path.name.endswith(".gz")) as put:
            for table in tables:
                put(table)
                written += table.num_rows
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be written.",
            why=str(error.strerror or error),
            mend="free space there, and start both sides again",
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return written


# ---------------------------------------------------------------------- which rows, in which order


def _batches(loaded: Loaded) -> Iterator[tuple[int, pa.Table]]:
    """Batches of the input with the number of their first row; at least one, so that an output has columns."""
    first = 0
    for batch in loaded.held if loaded.held is not None else loaded.source.batches():
        yield first, pa.Table.from_batches([batch])
        first += batch.num_rows
    if first != loaded.rows:
        raise UsageError(f"{loaded.source.path.name} changed while it was read.")


def _groups(found: Found, count: int) -> NDArray[np.int64] | None:
    if found.groups is None:
        return None
    groups = np.full(count, -1, np.int64)
    groups[found.rows] = found.groups
    return groups


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.append_column(name, values)


def _flagged(loaded: Loaded, found: Found) -> Iterator[pa.Table]:
    common = np.zeros(loaded.rows, np.bool_)
    common[found.rows] = True
    groups = _groups(found, loaded.rows)
    for first, table in _batches(loaded):
        last = first + table.num_rows
        if groups is not None:
            numbers = groups[first:last]
            table = _with(table, GROUP, pa.array(numbers, mask=numbers < 0))  # noqa: PLW2901
        yield _with(table, FLAG, pa.array(common[first:last]))


def _in_input_order(loaded: Loaded, found: Found) -> Iterator[pa.Table]:
    common = np.zeros(loaded.rows, np.bool_)
    common[found.rows] = True
    groups = _groups(found, loaded.rows)
    for first, table in _batches(loaded):
        chosen = common[first : first + table.num_rows]
        kept = table.filter(pa.array(chosen))
        if groups is not None:
            kept = _with(kept, GROUP, pa.array(groups[first : first + table.num_rows][chosen]))
        yield kept


def _aligned_in_memory(loaded: Loaded, found: Found) -> Iterator[pa.Table]:
    # first the common rows in the order of the file, which is a copy, then their order, which jumps
    common = np.zeros(loaded.rows, np.bool_)
    common[found.rows] = True
    kept = [
        table.filter(pa.array(common[first : first + table.num_rows])) for first, table in _batches(loaded)
    ]
    places = np.cumsum(common)
    taken = pa.concat_tables(kept).combine_chunks().take(pa.array(places[found.rows] - 1))
    yield taken if found.groups is None else _with(taken, GROUP, pa.array(found.groups))


def _aligned_by_files(loaded: Loaded, found: Found, folder: Path, memory_bytes: int) -> Iterator[pa.Table]:
    ranks: NDArray[Any] = np.full(loaded.rows, -1, np.int64 if len(found.rows) >> 31 else np.int32)
    ranks[found.rows] = np.arange(len(found.rows))
    width = 2 * loaded.source.path.stat().st_size // max(1, loaded.rows) + 1
    files = min(_MOST_FILES, 1 + len(found.rows) * width // max(1, memory_bytes // 8))
    span = -(-len(found.rows) // files) or 1
    with ExitStack() as stack, tempfile.TemporaryDirectory(dir=folder, prefix=".unseen-psi-") as place:
        writers: dict[int, Any] = {}
        empty: pa.Table | None = None
        for first, table in _batches(loaded):
            mine: NDArray[Any] = ranks[first : first + table.num_rows]
            kept = _with(table.filter(pa.array(mine >= 0)), _RANK, pa.array(mine[mine >= 0].astype(np.int64)))
            empty = kept.slice(0, 0)
            for number, part in _dealt(kept, mine[mine >= 0] // span):
                if number not in writers:
                    sink = stack.enter_context(pa.OSFile(f"{place}/{number}", "wb"))
                    writers[number] = stack.enter_context(pa.ipc.new_stream(sink, part.schema))
                writers[number].write_table(part)
        for writer in writers.values():
            writer.close()
        if empty is not None:
            yield _ranked(empty, found)
        for number in sorted(writers):
            with pa.OSFile(f"{place}/{number}") as file:
                part = pa.ipc.open_stream(file).read_all()
            (Path(place) / str(number)).unlink()
            yield _ranked(part.combine_chunks(), found)


def _dealt(table: pa.Table, numbers: NDArray[Any]) -> Iterator[tuple[int, pa.Table]]:
    order = np.argsort(numbers, kind="stable")
    table = table.take(pa.array(order)).combine_chunks()
    values, starts = np.unique(numbers[order], return_index=True)
    for value, start, end in zip(values, starts, [*starts[1:], len(numbers)], strict=True):
        yield int(value), table.slice(start, end - start)


def _ranked(table: pa.Table, found: Found) -> pa.Table:
    ranks = table.column(_RANK).to_numpy()
    order = np.argsort(ranks)
    taken = table.drop_columns([_RANK]).take(pa.array(order))
    return taken if found.groups is None else _with(taken, GROUP, pa.array(found.groups[ranks[order]]))


# ---------------------------------------------------------------------- formats


def _format(path: Path) -> str:
    return {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow"}.get(path.suffix.lower(), "csv")


@contextmanager
def _writer(path: Path, kind: str, *, compressed: bool) -> Iterator[Any]:
    """A function that appends tables of one schema."""
    opened: list[Any] = []
    with pa.OSFile(str(path), "wb") as file, ExitStack() as stack:
        sink = stack.enter_context(pa.CompressedOutputStream(file, "gzip")) if compressed else file

        def put(table: pa.Table) -> None:
            if not opened:
                opened.append(stack.enter_context(_open(sink, table.schema, kind)))
            if table.num_rows:
                opened[0].write_table(table)

        yield put
    path.chmod(0o600)


def _open(sink: Any, schema: pa.Schema, kind: str) -> Any:
    if kind == "parquet":
        return pa.parquet.ParquetWriter(sink, schema)
    if kind == "arrow":
        return pa.ipc.new_file(sink, schema)
    return _Csv(sink, schema)


class _Csv:
    """CSV with quotation marks only in tables that need them: Arrow puts them around every text or none."""

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow(schema.names)
        sink.write(head.getvalue().encode())
        self._sink = sink

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        """Nothing is held back."""

    def write_table(self, table: pa.Table) -> None:
        style = "needed" if any(_special(column) for column in table.itercolumns()) else "none"
        options = pa.csv.WriteOptions(include_header=False, quoting_style=style, batch_size=1 << 14)
        pa.csv.write_csv(table, self._sink, options)


def _special(column: pa.ChunkedArray) -> bool:
    """Whether a text column has, or shares its buffer with, characters that need quotation marks."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
    for chunk in column.chunks:
        data = chunk.buffers()[2]
        content = data.to_pybytes() if data is not None else b""
        if any(content.find(character) >= 0 for character in (b'"', b",", b"\n", b"\r")):
            return True
    return False
