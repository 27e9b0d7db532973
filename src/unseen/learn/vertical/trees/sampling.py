"""Which rows and columns each tree sees: known to all, from a seed of output randomness, so that a resume samples alike."""

from __future__ import annotations

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


def agree(
    party: Party, settings: Settings, *, rows: int, columns: int, leader: str
) -> tuple[Booleans | None, Booleans | None]:
    """Rows (trees, rows) and columns (trees, columns) that each tree sees; None for all.

    Raises
    ------
    RemoteProtocolError
        The leader sent no seed.
    """
    if settings.row_fraction == 1 and settings.column_fraction == 1:
        return None, None
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
        bound = np.uint64(int(settings.row_fraction * 2.0**32))
        drawn_rows = np.stack([(rng.u64(rows) >> np.uint64(32)) < bound for _ in range(settings.trees)])
    return drawn_rows, drawn_columns
