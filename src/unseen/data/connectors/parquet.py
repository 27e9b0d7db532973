"""Apache Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from unseen.core.errors import UsageError

SUFFIXES = (".parquet",)


def read(path: Path, *, text: Sequence[str]) -> pa.Table:  # noqa: ARG001 - Parquet has types
    """See :class:`unseen.data.read.Connector`."""
    try:
        return pyarrow.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(
            f"{path.name} cannot be read as Parquet.", why=str(error), mend="save it as Parquet or CSV again"
        ) from error
