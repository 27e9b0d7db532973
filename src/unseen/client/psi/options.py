"""What one side asks for, checked before anything is read or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unseen.core.errors import UsageError
from unseen.data.canonical import TEXT, KindOf
from unseen.data.idstore import MOST_PARTS, power_of_two

Security = Literal["semi-honest", "malicious"]
Receivers = Literal["me", "peer", "both"]
Duplicates = Literal["refuse", "first", "all"]
Rows = Literal["matched", "all"]
Order = Literal["aligned", "input"]

_LEAST_MEMORY_MIB = 64
_MIB = 1 << 20
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Everything but where the other side is and who it is.

    Attributes
    ----------
    input
        CSV (also compressed), Parquet or Arrow.
    key
        Columns that identify a row, `COLUMN` or `COLUMN=KIND` (docs/data.md lists the kinds).
    output
        Where the common rows go; its suffix says how: .parquet, .arrow, or CSV. None: this side writes nothing.
    output_to
        Who learns which rows are common. None: the sides that have an output.
    protocol
        A protocol's name, or auto.
    security
        Against whom; both sides must ask for the same.
    symmetric
        Rest on nothing but hash functions and ciphers beyond the base transfers (no LPN).
    duplicates
        An id that comes more than once: refuse it, take its first row, or take all of its rows.
    rows
        matched: the common rows; all: all own rows, with a column that says which ones are common.
    order
        aligned: the same order at both sides; input: that of the file.
    bound
        Tell the other side that there are at most so many ids, not how many.
    memory_mib
        How much memory to use; larger sets go through the disk in partitions.
    partitions
        At least so many.
    work
        Folder for what does not fit and for what a killed run had finished; None: beside the output.
    fresh
        Forget an interrupted run. Both sides must say so.
    bandwidth_mbit, latency_ms
        What `auto` assumes of the network; the slower of both sides' statements counts.
    """

    input: str | Path
    key: str | Sequence[str]
    output: str | Path | None = None
    output_to: Receivers | None = None
    protocol: str = "auto"
    security: Security = "semi-honest"
    symmetric: bool = False
    duplicates: Duplicates = "refuse"
    rows: Rows = "matched"
    order: Order = "aligned"
    delimiter: str = ","
    bound: int | None = None
    memory_mib: int = 2048
    partitions: int = 1
    work: str | Path | None = None
    fresh: bool = False
    bandwidth_mbit: float = 1000.0
    latency_ms: float = 0.2

    def __post_init__(self) -> None:
        """Check what can be checked.

        Raises
        ------
        UsageError
            All problems at once.
        """
        problems = []
        if self.memory_mib < _LEAST_MEMORY_MIB:
            problems.append(
                f"memory: {self.memory_mib} MiB are too little, {_LEAST_MEMORY_MIB} are the least"
            )
        if not 0 < self.partitions <= MOST_PARTS:
            problems.append(f"partitions: {self.partitions} is not between 1 and {MOST_PARTS}")
        if self.bound is not None and self.bound < 0:
            problems.append(f"bound: {self.bound} is negative")
        if self.bandwidth_mbit <= 0 or self.latency_ms < 0:
            problems.append("bandwidth and latency: a bandwidth is positive, a latency at least 0")
        if not self.key:
            problems.append("key: name a column")
        if self.output is None and self.rows == "all":
            problems.append("rows: all rows need an output to go to")
        if self.output is None and self.output_to in {"me", "both"}:
            problems.append(f"output-to: '{self.output_to}' needs an output here")
        if self.output is not None and self.output_to == "peer":
            problems.append("output: there is nothing to write if only the peer gets the result")
        if problems:
            raise UsageError("These options cannot be.", problems=tuple(problems))

    @property
    def keys(self) -> tuple[str, ...]:
        """Key columns as written."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key)

    @property
    def columns(self) -> dict[str, KindOf]:
        """Key column -> kind, in order."""
        found: dict[str, KindOf] = {}
        for text in self.keys:
            name, equals, kind = text.rpartition("=")
            column = name if equals else text
            if column in found:
                raise UsageError(f"The key column '{column}' is named twice.")
            found[column] = KindOf.parse(kind) if equals else TEXT
        return found

    @property
    def separator(self) -> str:
        """The delimiter's character."""
        return _DELIMITERS.get(self.delimiter, self.delimiter)

    @property
    def memory_bytes(self) -> int:
        """:attr:`memory_mib` in bytes."""
        return self.memory_mib * _MIB

    @property
    def parts(self) -> int:
        """:attr:`partitions`, as a power of two."""
        return power_of_two(self.partitions)
