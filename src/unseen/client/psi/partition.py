"""One partition: its ids out of the store, padded to the public bound, intersected, and back to rows of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.client.psi.load import Loaded
from unseen.client.psi.terms import Settled
from unseen.core.errors import UsageError
from unseen.crypto.prg import Prg
from unseen.data.identifiers import ID_BYTES
from unseen.data.repeats import Repeats
from unseen.party import Party
from unseen.psi import intersect
from unseen.psi.plan import Choice

Ids = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Common:
    """Common rows of one partition in the aligned order, and how many ids they are.

    `groups` numbers the ids of the rows from 0; None where each has one row.
    """

    rows: Places
    groups: Places | None
    ids: int


def common(
    party: Party,
    loaded: Loaded,
    settled: Settled,
    choice: Choice,
    *,
    part: int,
    parts: int,
    bounds: dict[str, int],
    every: bool,
) -> Common | None:
    """Run one partition; all rows of a common id (`every`) or its first one. None at a side that does not learn the result.

    Raises
    ------
    UsageError
        More ids fall into it than the bound allows: improbable, and nothing was sent of them.
    """
    found, ids, rows = loaded.parted(part, parts)
    places = _kept(len(ids), found)
    brought = _padded(ids, places, bounds[party.name])
    aligned = intersect(
        party,
        brought,
        holders=tuple(bounds),
        to=settled.receivers,
        method=choice.method,
        mode=choice.mode,
        sizes=bounds,
        network=settled.network,
        allow_empty=True,
        distinct=True,
    )
    if aligned is None:
        return None
    real = aligned.rows[aligned.rows < _count(ids, places)]
    chosen = real if places is None else places[real]
    if not every:
        return Common(rows[chosen], None, len(chosen))
    members, groups = _members(chosen, found)
    return Common(rows[members], groups, len(chosen))


def _kept(count: int, found: Repeats) -> Places | None:
    """Places of the first rows of all ids; None where that is all places."""
    if not found.rows.size:
        return None
    keep = np.ones(count, np.bool_)
    keep[found.later] = False
    return np.flatnonzero(keep)


def _count(ids: Ids, places: Places | None) -> int:
    return len(ids) if places is None else len(places)


def _padded(ids: Ids, places: Places | None, bound: int) -> Ids:
    """Distinct ids, and random ones behind them up to the bound: as many as everybody is told."""
    real = _count(ids, places)
    if real > bound:
        raise UsageError(
            f"A partition has {real} ids where {bound} are the bound.",
            why="ids are spread evenly over partitions unless somebody chose them not to be",
            mend="use fewer partitions: more --memory at both sides",
        )
    if places is None and real == bound:
        return ids
    brought = np.empty((bound, ID_BYTES), np.uint8)
    brought[:real] = ids if places is None else ids[places]
    filler = Prg.fresh().bytes((bound - real) * ID_BYTES)
    brought[real:] = np.frombuffer(filler, np.uint8).reshape(-1, ID_BYTES)
    return brought


def _members(chosen: Places, found: Repeats) -> tuple[Places, Places]:
    """All places whose id is that of a chosen place, in the order of the chosen, and the number of their id."""
    if not found.rows.size:
        return chosen, np.arange(len(chosen))
    starts = np.flatnonzero(found.first)
    sizes = np.diff(np.append(starts, len(found.rows)))
    firsts = found.rows[starts]
    sorting = np.argsort(firsts)
    at = np.searchsorted(firsts[sorting], chosen)
    group = sorting[np.minimum(at, len(sorting) - 1)]
    several = firsts[group] == chosen
    # places of groups lie in found.rows, single ones behind them
    source = np.concatenate([found.rows, chosen])
    begin = np.where(several, starts[group], len(found.rows) + np.arange(len(chosen)))
    count = np.where(several, sizes[group], 1)
    numbers = np.repeat(np.arange(len(chosen)), count)
    within = np.arange(len(numbers)) - np.repeat(np.cumsum(count) - count, count)
    return source[begin[numbers] + within], numbers
