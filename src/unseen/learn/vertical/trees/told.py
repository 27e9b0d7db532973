"""Splits that are told: each holder gets its own, and a later attempt holds on to what an earlier one told.

A tree that was cut off is grown again with fresh masks, but what was told is told as it was. Where gains are equal but for rounding, the
shares of the second attempt may have chosen another split. So from the second attempt on the winner in shares is made of what was told:
each holder shares which of its candidates won, which it knows, and what none of them claims is no split. Whoever holds shares learns no
more of it than of any other secret, and where nothing was told before, what is shared is what was there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.trees.bins import Bins, Candidates
from unseen.mpc import Engine, SecretArray

FIRST = 1


def disclosure(holder: str) -> str:
    """Name of what a holder is told of its splits."""
    return f"splits-{holder}"


def places_of(choices: Candidates, bins: Bins, holder: str) -> NDArray[np.int64]:
    """Which candidates are a holder's."""
    return np.flatnonzero(choices.owner == list(bins.bins).index(holder))


def tell(engine: Engine, hot: SecretArray, choices: Candidates, bins: Bins) -> NDArray[np.int64] | None:
    """Tell every holder which of its candidates won at each node, from 1; 0: none. This party's, shape (nodes,), if it has columns."""
    wanted, to = {}, {}
    for holder in bins.bins:
        places = places_of(choices, bins, holder)
        numbered = np.arange(1, len(places) + 1, dtype=np.uint64)
        if bins.bins[holder]:
            name = disclosure(holder)
            numbers = (hot.share[..., 1 + places] * numbered).sum(axis=-1, dtype=np.uint64)
            wanted[name], to[name] = engine.number(numbers, 0), (holder,)
    mine = engine.reveal_all(wanted, to=to).get(disclosure(engine.protocol.party.name))
    return None if mine is None else mine.astype(np.int64)


def winner(
    engine: Engine, hot: SecretArray, mine: NDArray[np.int64] | None, choices: Candidates, bins: Bins
) -> SecretArray:
    """One-hot numbers (nodes, 1 + candidates) of the splits that were told: `hot` in a first attempt."""
    if engine.protocol.party.session.attempt == FIRST:
        return hot
    share = np.zeros_like(hot.share)
    for holder in bins.bins:
        places = places_of(choices, bins, holder)
        if not len(places):
            continue
        own = None
        if holder == engine.protocol.party.name and mine is not None:
            own = (mine[:, None] == np.arange(1, len(places) + 1)).astype(np.int64)
        shape = (hot.shape[0], len(places))
        share[..., 1 + places] = engine.share(own, owner=holder, shape=shape, dtype=int).share
    claimed = engine.number(share[..., 1:].sum(axis=-1, dtype=np.uint64), 0)
    share[..., 0] = (1 - claimed).share
    return engine.number(share, 0)
