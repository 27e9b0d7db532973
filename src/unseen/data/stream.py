"""Rows of a file, batch by batch, as they stand there: for files larger than memory.

Unlike :mod:`unseen.data.read`, which gives tables with types and roles, nothing is inferred here: every column of a CSV
file stays text, so that "007" and "1.50" come out as they went in. What a file is, its first bytes say, not its name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from unseen.core.errors import UsageError
from unseen.data.encoding import objection

Format = Literal["csv", "parquet", "arrow", "arrow-stream"]

_BLOCK_BYTES = 1 << 23
_LONGEST_MIB = _BLOCK_BYTES >> 20
_BATCH_ROWS = 1 << 18
_HEAD_BYTES = 1 << 20
_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow-stream"),
)
_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows. Made by :func:`open_source`; read as often as wanted."""

    path: Path
    format: Format
    compression: str | None
    delimiter: str
    names: tuple[str, ...]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, all columns.

        Raises
        ------
        UsageError
            The file is damaged or not what it seemed to be: what is wrong, and where.
        """
        try:
            if self.format == "csv":
                yield from self._csv()
            elif self.format == "parquet":
                with pa.parquet.ParquetFile(self.path) as file:
                    yield from file.iter_batches(_BATCH_ROWS, use_threads=False)
            else:
                yield from self._arrow()
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise self._broken(error) from error

    def _csv(self) -> Iterator[pa.RecordBatch]:
        types = dict.fromkeys(self.names, pa.string())
        schema = pa.schema(list(types.items()))
        last: pa.RecordBatch | None = None
        with _plain(self.path, self.compression) as stream:
            if not _beyond_header(stream):
                yield pa.RecordBatch.from_pylist([], schema)
                return
        with _plain(self.path, self.compression) as stream:
            reader = pa.csv.open_csv(
                stream,
                read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
                parse_options=pa.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
            )
            for batch in reader:
                self._no_nul(batch)
                last = batch if batch.num_rows else last
                yield batch
        if last is not None and "\n" in last.column(last.num_columns - 1)[-1].as_py():
            self._closed()

    def _no_nul(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            data = column.buffers()[2]
            if data is not None and data.size and not np.frombuffer(data, np.uint8).all():
                raise UsageError(
                    f"{self.path.name} has a NUL character in column '{name}'.",
                    why="text has none: the file is damaged, or written in UTF-16",
                    mend="write it again as UTF-8",
                )

    def _closed(self) -> None:
        """A last value with a line end in it is one only if its quotation mark is closed."""
        with _plain(self.path, self.compression) as stream:
            tail = b""
            while piece := stream.read(_BLOCK_BYTES):
                tail = (tail + piece)[-64:]
        if not tail.rstrip(b"\r\n").endswith(b'"'):
            raise UsageError(
                f"{self.path.name} ends within quotation marks.",
                why="one is opened and never closed, so everything behind it would be a single value",
                mend="close it, or double it if it belongs to the value",
            )

    def _arrow(self) -> Iterator[pa.RecordBatch]:
        if self.format == "arrow-stream":
            with pa.OSFile(str(self.path)) as file:
                yield from pa.ipc.open_stream(file)
            return
        with pa.memory_map(str(self.path)) as file:
            reader = pa.ipc.open_file(file)
            for place in range(reader.num_record_batches):
                yield reader.get_batch(place)

    def _broken(self, error: Exception) -> UsageError:
        why = str(error).split(". If this row", maxsplit=1)[0][:300]
        if "straddling object" in why:
            return UsageError(
                f"{self.path.name} holds a value or a row of more than {_LONGEST_MIB} MiB.",
                mend="see whether a quotation mark is missing, or leave that column out",
            )
        found = None
        if self.format == "csv":
            with _plain(self.path, self.compression) as stream:
                found = objection(stream)
        return UsageError(
            f"{self.path.name} cannot be read.",
            why=found or why,
            mend="write it as UTF-8"
            if found
            else "save it again; CSV needs a header and as many values in each row",
        )


def open_source(path: str | Path, *, columns: Sequence[str] = (), delimiter: str = ",") -> Source:
    """Look at the beginning of a file.

    Parameters
    ----------
    columns
        Must be there.

    Raises
    ------
    UsageError
        No such file, nothing in it, columns that are not there or come twice, another delimiter than said.
    """
    place = Path(path).expanduser()
    if not place.is_file():
        raise UsageError(f"There is no file {place}.")
    if not place.stat().st_size:
        raise UsageError(
            f"{place.name} is empty.", mend="a file without rows still needs the names of its columns"
        )
    if delimiter not in _DELIMITERS:
        raise UsageError(
            f"'{delimiter}' is no delimiter.", why=f"there are: {', '.join(_DELIMITERS.values())}"
        )
    compression = None
    with place.open("rb") as file:
        head = file.read(8)
    kind: Format = next((name for magic, name in _MAGIC if head.startswith(magic)), "csv")
    try:
        if kind == "csv":
            compression = next((name for magic, name in _COMPRESSED if head.startswith(magic)), None)
            names = _header(place, compression, delimiter, columns)
        else:
            names = _schema(place, kind).names
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{place.name} cannot be read.", why=str(error), mend="save it again") from error
    _check_columns(place, names, columns)
    return Source(place, kind, compression, delimiter, tuple(names))


@contextmanager
def _plain(path: Path, compression: str | None) -> Iterator[pa.NativeFile]:
    with pa.OSFile(str(path)) as file:
        if compression is None:
            yield file
        else:
            with pa.CompressedInputStream(file, compression) as stream:
                yield stream


def _beyond_header(stream: pa.NativeFile) -> bool:
    """Whether anything stands behind the first line."""
    ended = False
    while piece := stream.read(1 << 16):
        if ended or piece.rstrip(b"\r\n").count(b"\n") or piece.rstrip(b"\r\n").count(b"\r"):
            return True
        ended = piece.endswith((b"\n", b"\r"))
    return False


def _header(path: Path, compression: str | None, delimiter: str, columns: Sequence[str]) -> list[str]:
    with _plain(path, compression) as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{path.name} is written in UTF-16.", mend="write it as UTF-8")
    try:
        text = head.removeprefix(b"\xef\xbb\xbf").decode(
            "utf-8", errors="strict" if len(head) < _HEAD_BYTES else "ignore"
        )
    except UnicodeDecodeError:
        text = head.decode("utf-8", errors="replace")
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if len(names) == 1 and not set(columns) <= set(names):
        for other, word in _DELIMITERS.items():
            if other != delimiter and other in names[0]:
                raise UsageError(
                    f"{path.name} does not seem to be separated by '{delimiter}'.",
                    why=f"its only column would be '{names[0][:60]}', with a {word} in it",
                    mend=f"say so: --delimiter {word}",
                )
    if not names:
        raise UsageError(f"{path.name} does not begin with the names of its columns.")
    return names


def _schema(path: Path, kind: Format) -> pa.Schema:
    if kind == "parquet":
        return pa.parquet.read_schema(path)
    with pa.memory_map(str(path)) as file:
        opened = pa.ipc.open_file(file) if kind == "arrow" else pa.ipc.open_stream(file)
        return opened.schema


def _check_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    problems = [f"there is no column '{name}'" for name in columns if name not in names]
    problems += [
        f"the column '{name}' is named twice"
        for name in sorted(set(columns))
        if list(columns).count(name) > 1
    ]
    problems += [
        f"the file has two columns '{name}'" for name in sorted(set(names)) if list(names).count(name) > 1
    ]
    if problems:
        raise UsageError(
            f"The columns of {path.name} are not as described.",
            why=f"columns: {', '.join(names)[:300]}",
            problems=tuple(problems),
        )
