"""The one door to private set intersection: choose a protocol by name, get aligned rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core import registry
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.party import Party

PROTOCOLS = "unseen.psi.protocols"
DISCLOSURE = "intersection"
_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Aligned:
    """The common rows: indices into the own table, int64, in an order that is the same at every holder.

    The order is that of values that are uniform to everybody, so it tells nothing about ids or tables.
    """

    rows: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of common rows."""
        return len(self.rows)


def intersect(
    party: Party,
    ids: NDArray[np.uint8] | None,
    *,
    holders: Sequence[str],
    to: Sequence[str],
    protocol: str = "dh",
) -> Aligned | None:
    """Find the rows that all holders have. Everyone calls it alike; None at parties without a result.

    Parameters
    ----------
    ids
        Unique identifiers, uint8 of shape (rows, 32), see :func:`unseen.data.identifiers.identifiers`.
    holders
        The parties that bring ids.
    to
        The holders that learn the result: disclosure "intersection".

    Raises
    ------
    UsageError
        No common rows, or a number of holders that the protocol cannot do.
    DeniedError
        The contract does not list the disclosure.
    """
    if party.name in holders:
        _check(ids)
    module: Any = registry.load(PROTOCOLS, protocol)
    aligned: Aligned | None = module.intersect(party, ids, holders=tuple(holders), to=tuple(to))
    if aligned is not None and not aligned.size:
        raise UsageError(
            "The holders have no rows in common.",
            mend="compare how each of you writes the ids: the same kind of id, the same type, leading zeros",
        )
    return aligned


def _check(ids: NDArray[np.uint8] | None) -> None:
    if ids is None or ids.ndim != 2 or ids.shape[1] != _ID_BYTES or ids.dtype != np.uint8:  # noqa: PLR2004 - rows
        raise LocalProtocolError(f"Identifiers are rows of {_ID_BYTES} bytes.")
    if len(np.unique(ids, axis=0)) != len(ids):
        raise UsageError(
            "Some ids come more than once.", mend="drop the repeated rows, or name more id columns"
        )
