"""Ids of a data set larger than memory, taken out again partition by partition.

Ids are digests, so their leading bits cut a set into parts of nearly equal sizes, the same parts at every holder. Ids
come in runs; each run is sorted by its leading bits, so any number of partitions (a power of two) is a slice of every
run. Runs stay in memory as long as they fit the given bound, then all of them go to one file without a name, which the
system takes away whenever the process ends, also when it is killed.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UnavailableError
from unseen.kernels.partition import scatter_rows

MOST_PARTS = 4096
_PART_BITS = MOST_PARTS.bit_length() - 1
_RUN_ROWS = 1 << 20
_ID_BYTES, _ROW_BYTES = 32, 8

Ids = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(slots=True)
class _Run:
    """Some ids: in memory as they came, in memory sorted (with offsets of all parts), or in the file at `place`."""

    first_row: int
    count: int
    ids: Ids | None
    rows: Rows | None = None
    offsets: NDArray[np.int64] | None = None
    place: int = -1


class IdStore:
    """See the module. Fill it with :meth:`add`, then :meth:`finish`, then ask for partitions.

    Parameters
    ----------
    folder
        Where the file lies if one is needed.
    memory_bytes
        How much may stay in memory.
    """

    def __init__(self, folder: Path, memory_bytes: int) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._runs: list[_Run] = []
        self._waiting: list[Ids] = []
        self._waiting_rows = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self._sums = np.zeros(2, np.uint64)
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._runs.clear()

    @property
    def on_disk(self) -> bool:
        """Whether the ids did not fit into memory."""
        return self._file is not None

    # ------------------------------------------------------------------ filling

    def add(self, ids: Ids) -> None:
        """Take the ids of the next rows.

        Raises
        ------
        UnavailableError
            The disk is full.
        """
        self._note(ids)
        self._waiting.append(ids)
        self._waiting_rows += len(ids)
        self.count += len(ids)
        if self._waiting_rows >= _RUN_ROWS:
            self._close_run()

    def finish(self) -> None:
        """No more ids come."""
        if self._waiting_rows:
            self._close_run()

    @property
    def fingerprint(self) -> bytes:
        """Tells two sets (or orders of rows) apart that differ by accident: sums of words, not a hash."""
        return self.count.to_bytes(8, "big") + self._sums.tobytes()

    def _note(self, ids: Ids) -> None:
        words = np.ascontiguousarray(ids).view(np.uint64).reshape(len(ids), 4)
        places = np.arange(self.count, self.count + len(ids), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._sums += np.array([np.dot(words[:, 0], places), words[:, 1].sum(dtype=np.uint64)], np.uint64)

    def _close_run(self) -> None:
        ids = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        run = _Run(self.count - self._waiting_rows, len(ids), ids)
        self._waiting, self._waiting_rows = [], 0
        self._runs.append(run)
        if self._file is None and self.count * (_ID_BYTES + _ROW_BYTES) > self._memory_bytes:
            try:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - lives as long as the store
            except OSError as error:
                raise _full(self._folder, error) from error
            for earlier in self._runs:
                self._write(earlier)
        elif self._file is not None:
            self._write(run)

    def _write(self, run: _Run) -> None:
        _sort(run)
        if self._file is None or run.ids is None or run.rows is None:
            return
        run.place = self._end
        for array in (run.ids, run.rows):
            view = array.reshape(-1).view(np.uint8).data
            try:
                while view:
                    done = os.pwrite(self._file.fileno(), view[: 1 << 26], self._end)
                    self._end += done
                    view = view[done:]
            except OSError as error:
                raise _full(self._folder, error) from error
        run.ids = run.rows = None

    # ------------------------------------------------------------------ taking out

    def partition(self, index: int, parts: int) -> tuple[Ids, Rows]:
        """Ids of part `index` of `parts` (a power of two), and their rows; rows of one id are in order."""
        if (
            parts == 1
            and len(self._runs) == 1
            and self._runs[0].rows is None
            and self._runs[0].ids is not None
        ):
            return self._runs[0].ids, np.arange(self.count, dtype=np.int64)
        spans = [self._span(run, index, parts) for run in self._runs]
        total = sum(end - start for start, end in spans)
        ids, rows = np.empty((total, _ID_BYTES), np.uint8), np.empty(total, np.int64)
        done = 0
        for run, (start, end) in zip(self._runs, spans, strict=True):
            self._copy(run, start, end, ids[done : done + end - start], rows[done : done + end - start])
            done += end - start
        return ids, rows

    def _span(self, run: _Run, index: int, parts: int) -> tuple[int, int]:
        if parts == 1:
            return 0, run.count
        if run.offsets is None:
            _sort(run)
        offsets, step = run.offsets, MOST_PARTS // parts
        if offsets is None:
            return 0, 0
        return int(offsets[index * step]), int(offsets[(index + 1) * step])

    def _copy(self, run: _Run, start: int, end: int, ids: Ids, rows: Rows) -> None:
        if run.ids is not None:
            ids[:] = run.ids[start:end]
            rows[:] = run.first_row + np.arange(start, end) if run.rows is None else run.rows[start:end]
        elif self._file is not None:
            _fill(self._file.fileno(), run.place + start * _ID_BYTES, ids)
            _fill(self._file.fileno(), run.place + run.count * _ID_BYTES + start * _ROW_BYTES, rows)


def _sort(run: _Run) -> None:
    """Put a run into the order of its parts; rows of a part stay in their order."""
    if run.ids is None or run.offsets is not None:
        return
    parts = (run.ids[:, 0].astype(np.uint32) << np.uint32(8) | run.ids[:, 1]) >> np.uint32(16 - _PART_BITS)
    counts = np.bincount(parts, minlength=MOST_PARTS)
    run.offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ids, rows = np.empty_like(run.ids, order="C"), np.empty(run.count, np.int64)
    cursor = run.offsets[:-1].copy()
    scatter_rows(parts, run.ids, run.first_row, cursor=cursor, rows_out=ids, numbers_out=rows)
    run.ids, run.rows = ids, rows


def _fill(handle: int, place: int, array: NDArray[np.uint8] | NDArray[np.int64]) -> None:
    view = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
    while view:
        done = os.preadv(handle, [view], place)
        if not done:
            raise UnavailableError("A file of ids ends too early.", mend="look for errors of the disk")
        view, place = view[done:], place + done


def _full(folder: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"The ids cannot be kept in {folder}.",
        why=str(error.strerror or error),
        mend=f"free {_ID_BYTES + _ROW_BYTES} bytes a row there, name another folder (--work), or give more --memory",
    )


def power_of_two(least: int) -> int:
    """The smallest power of two that is not less."""
    return 1 << max(0, least - 1).bit_length()
