"""Read a table from a file: the connector is found by the file's suffix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import pyarrow as pa

from unseen.core import registry
from unseen.core.errors import UsageError
from unseen.data.identifiers import check_unique
from unseen.data.table import Table

CONNECTORS = "unseen.data.connectors"


class Connector(Protocol):
    """What a file in `connectors/` has."""

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path, *, text: Sequence[str]) -> pa.Table:
        """The file's columns; whole numbers in those named in `text` as they are written. UsageError if it cannot be read."""


def read(
    path: str | Path,
    *,
    id_columns: Sequence[str] = (),
    label_columns: Sequence[str] = (),
    ignore_columns: Sequence[str] = (),
) -> Table:
    """Read a file and give its columns their roles; ids are checked to be there and unique.

    Where the format has no types of its own, ids are taken as they are written: "007" is not 7.

    Raises
    ------
    UsageError
        No such file, another format than its suffix says, columns that are not there, missing or repeated ids.
    """
    place = Path(path)
    if not place.is_file():
        raise UsageError(
            f"There is no file {place}.", mend="check the path; it is seen from the node's machine"
        )
    data = connector_for(place).read(place, text=id_columns)
    table = Table.of(data, id_columns=id_columns, label_columns=label_columns, ignore_columns=ignore_columns)
    if not table.rows:
        raise UsageError(f"{place.name} has no rows.")
    check_unique(table)
    return table


def connector_for(path: Path) -> Connector:
    """The connector for this file name.

    Raises
    ------
    UsageError
        There is none.
    """
    known: list[str] = []
    for name in registry.names(CONNECTORS):
        connector = cast("Connector", registry.load(CONNECTORS, name))
        if path.name.lower().endswith(connector.SUFFIXES):
            return connector
        known += connector.SUFFIXES
    raise UsageError(
        f"Nothing here can read {path.name}.",
        why=f"known are: {', '.join(known)}",
        mend="save it as CSV or Parquet",
    )
