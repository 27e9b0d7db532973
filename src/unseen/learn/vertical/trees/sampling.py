"""Which rows and columns each tree sees: known to all, from a seed of output randomness, so that a resume samples alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError
from unseen.crypto.prg import SEED_BYTES, Prg
from unseen.learn.vertical.trees.model import Settings
from unseen.party import Message, Party, Public

Booleans = NDArray[np.bool_]


class SamplingSeed(Message, frozen=True, tag="learn.sampling-seed/1"):
    """From which all draw the same samples; it hides nothing."""

    seed: Public[bytes]


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows (trees, rows) and columns (trees, columns) that each tree sees, None for all; rows set aside from all trees."""

    rows: Booleans | None = None
    columns: Booleans | None = None
    aside: Booleans | None = None


def agree(
    party: Party, settings: Settings, *, rows: int, columns: int, leader: str, aside: float = 0.0
) -> Samples:
    """Draw alike at all parties; `aside` is the part of the rows that no tree sees.

    Raises
    ------
    RemoteProtocolError
        The leader sent no seed.
    """
    if settings.row_fraction == 1 and settings.column_fraction == 1 and not aside:
        return Samples()
    if party.name == leader:
        seed = party.output_rng.bytes(SEED_BYTES)
        for peer in party.peers:
            party.send(peer, SamplingSeed(seed))
    else:
        seed = party.recv(leader, SamplingSeed).seed
        if len(seed) != SEED_BYTES:
            raise RemoteProtocolError(f"{leader} sent a seed of {len(seed)} bytes.", party=leader)
    rng = Prg(seed)
    drawn_rows = drawn_columns = None
    if settings.column_fraction < 1:
        count = max(1, round(settings.column_fraction * columns))
        drawn_columns = np.zeros((settings.trees, columns), bool)
        for tree in range(settings.trees):
            drawn_columns[tree, rng.permutation(columns)[:count]] = True
    if settings.row_fraction < 1:
        drawn_rows = np.stack([_some(rng, rows, settings.row_fraction) for _ in range(settings.trees)])
    return Samples(drawn_rows, drawn_columns, _some(rng, rows, aside) if aside else None)


def _some(rng: Prg, rows: int, fraction: float) -> Booleans:
    """Each row with that probability."""
    return (rng.u64(rows) >> np.uint64(32)) < np.uint64(int(fraction * 2.0**32))
