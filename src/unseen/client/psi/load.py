"""Read the input once: ids into a store, rows into memory if they fit, everything that can be wrong found before the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.client.psi.options import Options
from unseen.core.errors import UsageError
from unseen.data.canonical import KindOf
from unseen.data.identifiers import digests
from unseen.data.idstore import MOST_PARTS, IdStore, power_of_two
from unseen.data.repeats import Repeats, repeats
from unseen.data.stream import Source, open_source

_SHOWN = 3
_CHECK_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """An input whose ids are in a store.

    Attributes
    ----------
    held
        All rows, if they fit into memory.
    ids
        How many different ids it has.
    whole
        What repeats there are in the whole set, if it was looked at in one piece.
    """

    source: Source
    columns: dict[str, KindOf]
    store: IdStore
    held: tuple[pa.RecordBatch, ...] | None
    ids: int
    duplicates: str
    whole: Repeats | None

    @property
    def fingerprint(self) -> bytes:
        """Tells data (and what is done with repeated ids) apart from that of an earlier run."""
        return self.store.fingerprint + self.duplicates.encode()

    def parted(self, part: int, parts: int) -> tuple[Repeats, NDArray[np.uint8], NDArray[np.int64]]:
        """Repeats within a partition, its ids, and the rows of the file that its places stand for."""
        ids, rows = self.store.partition(part, parts)
        return self.whole if parts == 1 and self.whole is not None else repeats(ids), ids, rows

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.store.count


def load(options: Options, work: Path, told: Callable[[int], None]) -> Loaded:
    """Read the input; `told` hears how many rows are read.

    Raises
    ------
    UsageError
        The file is not as it should be.
    UnavailableError
        The ids fit neither memory nor disk.
    """
    columns = options.columns
    source = open_source(options.input, columns=tuple(columns), delimiter=options.separator)
    store = IdStore(work, options.memory_bytes // 4)
    held: list[pa.RecordBatch] | None = []
    size = 0
    for batch in source.batches():
        store.add(digests(batch, tuple(columns), columns, first_row=store.count + 1))
        if options.output is not None and held is not None:
            held.append(batch)
            size += batch.nbytes
            if size > options.memory_bytes // 4:
                held = None
        told(store.count)
    store.finish()
    later, whole = _repeated(store, options, source, columns)
    ids = store.count - later
    if options.bound is not None and ids > options.bound:
        raise UsageError(f"There are {ids} ids where --bound says {options.bound} at most.")
    return Loaded(
        source, columns, store, tuple(held) if held is not None else None, ids, options.duplicates, whole
    )


def _repeated(
    store: IdStore, options: Options, source: Source, columns: dict[str, KindOf]
) -> tuple[int, Repeats | None]:
    """How many rows have an id that an earlier row has; all repeats, if they were found in one piece."""
    parts = min(MOST_PARTS, power_of_two(-(-store.count // _CHECK_ROWS)))
    later = ids = 0
    shown: list[NDArray[np.int64]] = []
    for part in range(parts):
        part_ids, rows = store.partition(part, parts)
        found = repeats(part_ids)
        later += len(found.later)
        ids += found.ids
        if found.ids and len(shown) < _SHOWN:
            shown.append(rows[found.rows[:2]])
    if later and options.duplicates == "refuse":
        examples = "; ".join(f"rows {first + 1} and {second + 1}" for first, second in shown[:_SHOWN])
        raise UsageError(
            f"{ids} ids come more than once in {source.path.name}.",
            why=f"for example {examples} have the same {' and '.join(columns)}",
            mend="drop the repeated rows, name more --key columns, or say --duplicates first or all",
        )
    return later, found if parts == 1 else None
