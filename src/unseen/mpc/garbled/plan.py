"""How instances of a circuit are cut into pieces, alike at both ends.

A piece's labels stay in a core's cache, and memory grows neither with the number of instances nor with that of ANDs.
Instances lie at (group, lane): lane l of group g is instance g * lanes + l; those beyond the last are padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.garble import MOST_LANES
from unseen.mpc.circuits.circuit import Circuit, Gate

LABEL_BYTES = 16
TABLE_BYTES = 32

_LABELS_AT_ONCE = 1 << 20
_TABLES_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class Plan:
    """Pieces of groups of instances, and stretches of gates whose tables go in one message."""

    lanes: int
    groups: int
    at_once: int
    stretches: tuple[tuple[slice, int], ...]

    @classmethod
    def of(cls, circuit: Circuit, count: int) -> Plan:
        """For `count` instances."""
        groups = -(-count // MOST_LANES)
        lanes = -(-count // groups) if groups else 1
        of_group = lanes * LABEL_BYTES * circuit.program.slots
        tables = lanes * TABLE_BYTES * circuit.ands
        at_once = max(1, min(_LABELS_AT_ONCE // of_group, _TABLES_AT_ONCE // max(tables, 1)))
        most = max(1, _TABLES_AT_ONCE // (lanes * TABLE_BYTES))
        places = np.flatnonzero(circuit.program.kinds == Gate.AND)
        edges = [*places[most::most].tolist(), len(circuit.program.kinds)]
        begins = [0, *edges[:-1]]
        counts = np.diff(np.searchsorted(places, [0, *edges])).tolist()
        stretches = tuple((slice(b, e), n) for b, e, n in zip(begins, edges, counts, strict=True))
        return cls(lanes, groups, at_once, stretches)

    def pieces(self) -> Iterator[range]:
        """Ranges of groups."""
        for begin in range(0, self.groups, self.at_once):
            yield range(begin, min(begin + self.at_once, self.groups))

    def space(self, slots: int) -> NDArray[np.uint8]:
        """Room for the labels of the largest piece."""
        return np.empty((min(self.at_once, self.groups), slots, self.lanes, LABEL_BYTES), np.uint8)

    def spread(self, bits: NDArray[np.uint8], piece: range) -> NDArray[np.uint8]:
        """Bits (count, width) of a piece's instances as (groups, width, lanes), padded with zeros."""
        rows = bits[piece.start * self.lanes : piece.stop * self.lanes]
        out = np.zeros((len(piece) * self.lanes, bits.shape[1]), np.uint8)
        out[: len(rows)] = rows
        return out.reshape(len(piece), self.lanes, -1).transpose(0, 2, 1)

    def gathered(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(groups, width, lanes) back to (groups * lanes, width)."""
        return bits.transpose(0, 2, 1).reshape(-1, bits.shape[1])
