"""What comes into every intersection: distinct identifiers, one a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, UsageError

ID_BYTES = 32


def checked(ids: NDArray[np.uint8] | None, *, distinct: bool = False) -> NDArray[np.uint8]:
    """The identifiers, uint8 of shape (rows, 32), C-contiguous; known to be distinct, or looked at here.

    Raises
    ------
    LocalProtocolError
        None, or another shape or type.
    UsageError
        One comes more than once.
    """
    if ids is None or ids.ndim != 2 or ids.shape[1] != ID_BYTES or ids.dtype != np.uint8:  # noqa: PLR2004 - rows
        raise LocalProtocolError(f"Identifiers are rows of {ID_BYTES} bytes.")
    rows = np.ascontiguousarray(ids)
    if distinct:
        return rows
    # Sort by the first word (uniform, as ids are digests) and compare whole rows only where it is equal.
    first = rows.view(np.uint64)[:, 0] if len(rows) else np.zeros(0, np.uint64)
    ordered = np.sort(first)
    suspects = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if suspects.size:
        alike = rows[np.isin(first, suspects)]
        if len(np.unique(alike, axis=0)) != len(alike):
            raise UsageError(
                "Some ids come more than once.", mend="drop the repeated rows, or name more id columns"
            )
    return rows
