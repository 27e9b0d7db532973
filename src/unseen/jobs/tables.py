"""Tables and matrices as artefacts: what the steps of data preparation hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact


def from_table(table: Table) -> Artefact:
    """A table, as artefact of kind "table"."""
    return Artefact("table", {"arrow": np.frombuffer(table.to_ipc(), np.uint8)}, {"rows": table.rows})


def to_table(artefact: Artefact) -> Table:
    """The table of an artefact.

    Raises
    ------
    UsageError
        It is no table.
    """
    _check(artefact, "table")
    return Table.from_ipc(artefact.arrays["arrow"].tobytes())


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers ready for modelling, at one holder: shape (rows, columns), the label if it has one, and row ids."""

    values: NDArray[np.float64]
    columns: tuple[str, ...]
    label: NDArray[np.float64] | None
    ids: Table

    def to_artefact(self) -> Artefact:
        """As artefact of kind "matrix"."""
        arrays: dict[str, NDArray[Any]] = {
            "values": self.values,
            "ids": np.frombuffer(self.ids.to_ipc(), np.uint8),
        }
        if self.label is not None:
            arrays["label"] = self.label
        return Artefact("matrix", arrays, {"columns": list(self.columns), "rows": len(self.values)})

    @classmethod
    def of(cls, artefact: Artefact) -> Matrix:
        """The matrix of an artefact.

        Raises
        ------
        UsageError
            It is none.
        """
        _check(artefact, "matrix")
        return cls(
            artefact.arrays["values"],
            tuple(artefact.meta["columns"]),
            artefact.arrays.get("label"),
            Table.from_ipc(artefact.arrays["ids"].tobytes()),
        )


def _check(artefact: Artefact, kind: str) -> None:
    if artefact.kind != kind:
        raise UsageError(
            f"A step got a {artefact.kind} where a {kind} is due.",
            mend="look at which output the contract gives to which input",
        )
