"""Joins of tables by their ids (连接): inner, left, right and full, with ids that come several times; open or hidden.

Open (:func:`aligned`): all holders learn which of their ids all have, how often each comes at the others, and, of two tables, how
many rows of the other have no partner where these belong to the result. Each gets the rows of its own table in one order.

Hidden (:func:`hidden_join`): nobody learns anything of that; rows are places, and what is in them is in shares.

    rows = hidden_join(engine, ids, mine, how="left", holders=("bank", "shop"), sizes=..., columns=..., repeats={"shop": 3})
    (rows.columns["shop"]["spent"] * rows.columns["bank"]["income"]).sum()

How ids that come several times stay hidden
    Each holder says how often an id comes at most, in public. The i-th row of an id at the left is brought once for each place j that
    the right may have, as the id (id, i, j), and the right's j-th row likewise for each i: exactly the pairs of rows with the same id
    meet, in an intersection of distinct ids (:mod:`unseen.psi.protocols.circuit`). So tables are as many times as long as the other's
    ids may come; of more holders than two, as all others' may, multiplied.
Left, right and full, of two holders and more
    A left join has all rows of the first holder, a right one those of the last, each with the rows of every other holder that has the id,
    whether or not the rest have it; a full one has the rows of every id that anybody has. In an intersection *apart* the table's holder
    shares which places have a row of its own; a place is in the result if each other holder meets it there, or it is the first
    place of those where this other one could (without a partner the row is there once). A full join stacks such tables: of the
    first holder, of the second's rows that the first lacks, and so on.
Against whom, what it leaks, assumption, cost
    Those of :mod:`unseen.psi.protocols.circuit`, for the longer tables; the public bounds on repeats besides. A full join of N holders takes N
    intersections.
"""

from __future__ import annotations

import functools
import hashlib
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.dp import DiscreteLaplace
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.noise import discrete_laplace
from unseen.party import Message, Party, Released
from unseen.psi import places
from unseen.psi.intersect import intersect
from unseen.psi.protocol import Hidden, Mode
from unseen.psi.protocols.circuit import hidden

How: TypeAlias = Literal["inner", "left", "right", "full"]
Blocks: TypeAlias = NDArray[np.uint8]
Kinds: TypeAlias = Mapping[str, Mapping[str, type]]
Cut: TypeAlias = Callable[[SecretArray], int | None]

REPEATS, ALONE = "repeats", "alone"
_DOMAIN = b"unseen/psi/join/v1\n"
_PAIR = 2
_STATISTICAL = 40
_MOST_PLACES = 4096


class Repeats(Message, frozen=True, tag="psi.join.repeats/1"):
    """How often each common id comes at the sender, in the order of the intersection: uint32, little-endian."""

    counts: Released[bytes]


class Alone(Message, frozen=True, tag="psi.join.alone/1"):
    """How many rows of the sender without a partner belong to the result."""

    rows: Released[int]


# ---------------------------------------------------------------------- open


def aligned(
    party: Party, ids: Blocks, *, holders: tuple[str, ...], how: How, method: str = "auto"
) -> NDArray[np.int64]:
    """The rows of the own table in the order of the join, -1 where there is none. All holders call it alike.

    Rows of an id stand together, left row by left row; rows without a partner come last, the left's before the right's.

    Raises
    ------
    UsageError
        Nothing in common in an inner join; more tables than two in another one.
    DeniedError
        The contract does not list "intersection", "repeats", or "alone" where there are rows without a partner in the result.
    RemoteProtocolError
        The peer says something impossible of its rows.
    """
    if len(holders) > _PAIR and how != "inner":
        raise UsageError(
            f"A {how} join of {len(holders)} tables cannot be open.",
            why="it would tell who has what in common with whom, and intersections of some holders are told to nobody",
            mend="join with `hidden`, or two tables at a time",
        )
    order, starts, counts = _grouped(ids)
    distinct = np.ascontiguousarray(ids[order[starts]])
    found = intersect(
        party,
        distinct,
        holders=holders,
        to=holders,
        method=method,
        allow_empty=how != "inner",
        distinct=True,
    )
    common = np.zeros(0, np.int64) if found is None else found.rows
    each = _tell_repeats(party, holders, counts[common])
    rows = functools.reduce(operator.mul, each.values())
    group = np.repeat(np.arange(len(common)), rows)
    within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    for holder in holders[: holders.index(party.name) : -1]:  # those after this one vary faster
        within //= each[holder][group]
    within %= each[party.name][group]
    parts = [order[starts[common][group] + within]]
    outer = {"inner": (), "left": holders[:1], "right": holders[1:], "full": holders}[how]
    alone = np.ones(len(counts), np.bool_)
    alone[common] = False
    rest = np.sort(order[np.repeat(alone, counts)])
    for holder in outer:
        (peer,) = (name for name in holders if name != party.name)
        parts.append(rest if holder == party.name else _missing(party, peer))
        if holder == party.name:
            party.send(peer, Alone(party.release(ALONE, len(rest), to=(peer,), elements=1)))
    return np.concatenate(parts)


def _tell_repeats(
    party: Party, holders: tuple[str, ...], mine: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Holder -> in how many of its rows each common id is."""
    peers = tuple(name for name in holders if name != party.name)
    told = party.release(REPEATS, mine.astype("<u4").tobytes(), to=peers, elements=len(mine))
    each = {party.name: mine}
    for peer, message in party.exchange(Repeats(told), Repeats, peers=peers).items():
        theirs = message.counts.value
        if len(theirs) != 4 * len(mine):
            raise RemoteProtocolError(f"{peer} tells of another number of common ids.", party=peer)
        each[peer] = np.frombuffer(theirs, "<u4").astype(np.int64)
        if len(mine) and not each[peer].min():
            raise RemoteProtocolError(f"{peer} has a common id in no row.", party=peer)
    return each


def _missing(party: Party, peer: str) -> NDArray[np.int64]:
    rows = party.recv(peer, Alone).rows.value
    if not 0 <= rows < 1 << 40:
        raise RemoteProtocolError(f"{peer} has {rows} rows without a partner, it says.", party=peer)
    return np.full(rows, -1, np.int64)


def _grouped(ids: Blocks) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows ordered by id (equal ids in their order), where each id begins in that order, and how often it comes."""
    words = np.ascontiguousarray(ids).view(np.uint64)
    order = np.lexsort(words.T) if len(words) else np.zeros(0, np.int64)
    fresh = np.ones(len(words), np.bool_)
    fresh[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(fresh)
    return order, starts, np.diff(np.r_[starts, len(words)])


# ---------------------------------------------------------------------- hidden


@dataclass(frozen=True, slots=True)
class Rows:
    """A join that nobody sees: one element for each place.

    Attributes
    ----------
    member
        Secret Booleans, shape (places,): whether there is a row of the result.
    matched
        Whether all holders have a part in it; `member` itself in an inner join.
    columns
        Holder -> name -> secret column, 0 where there is no row or its holder has no part in it.
    """

    member: SecretArray
    matched: SecretArray
    columns: Mapping[str, Mapping[str, SecretArray]]

    @property
    def size(self) -> int:
        """Number of places, which is public."""
        return self.member.size


def hidden_join(
    engine: Engine,
    ids: Blocks | None,
    values: Mapping[str, ArrayLike] | None = None,
    *,
    how: How,
    holders: tuple[str, ...],
    sizes: Mapping[str, int],
    columns: Kinds | None = None,
    repeats: Mapping[str, int] | None = None,
    mode: Mode | None = None,
    cut: Cut | None = None,
) -> Rows:
    """Join without anybody learning the result. Everyone calls it alike, a helper with None and None.

    Parameters
    ----------
    ids, values, sizes, columns, mode
        As in :func:`unseen.psi.protocols.circuit.hidden`, but that ids may come several times.
    holders
        All of the engine's, from left to right.
    repeats
        Holder -> how often an id comes at most, public; 1 where nothing is said.
    cut
        Given the members, to how many places the result is cut, rows first, under shares; None for all. All parties say the same. Of more
        rows those are kept that stand first in the table, whose order is as good as random within the rows of a holder (of a full join
        those of the first holder stand first); nobody learns whether there were more.

    Raises
    ------
    UsageError
        As there; an id that comes more often than said; more than 4096 rows of an id in the result.
    """
    call = _Call(
        engine,
        holders,
        sizes,
        columns or {},
        {name: (repeats or {}).get(name, 1) for name in holders},
        mode or Mode(),
    )
    if min(call.repeats.values()) < 1 or math.prod(call.repeats.values()) > _MOST_PLACES:
        raise UsageError(f"Ids come once or more, and are in {_MOST_PLACES} rows of the result at most.")
    me = engine.protocol.party.name
    brought = None
    if me in holders:
        if ids is None:
            raise LocalProtocolError(f"{me} has to bring ids.")
        if len(ids) > sizes[me]:
            raise UsageError(f"There are {len(ids)} ids where {sizes[me]} are the agreed bound.")
        brought = _Brought.of(call, ids, values or {})
    if how == "inner":
        found = _meet(call, brought, of=holders, cut=cut)
        return Rows(found.member, found.member, found.columns)
    if how == "full":
        parts = [
            _outer(call, brought, keep=holder, without=holders[:place])
            for place, holder in enumerate(holders)
        ]
        rows = _stacked(engine, parts)
    else:
        rows = _outer(call, brought, keep=holders[0 if how == "left" else -1])
    length = None if cut is None else cut(rows.member)
    return rows if length is None else _compact(rows, length)


def margin(epsilon: float, per_id: int) -> int:
    """What is added to a noisy number of rows so that it is too small with probability 2^-40 at most."""
    return math.ceil(_STATISTICAL * math.log(2) * per_id / epsilon)


def noisy_size(member: SecretArray, name: str, *, epsilon: float, per_id: int, to: str) -> int | None:
    """A number of places that has room for all rows, told to one holder with differential privacy; None at all others.

    The number of rows, discrete Laplace noise that nobody knows (:mod:`unseen.mpc.noise`), and :func:`margin`. One person, all of
    whose rows go or come, changes it by `per_id` at most, in every kind of join. (Bater and others, "Shrinkwrap: Efficient
    SQL Query Processing in Differentially Private Data Federations", VLDB 2018.)

    Raises
    ------
    DeniedError
        The contract does not list it.
    """
    engine = member.engine
    noise = discrete_laplace(engine, DiscreteLaplace(epsilon, per_id), (1,))
    shown = engine.reveal(name, member.sum().reshape(1) + noise, to=(to,))
    return None if shown is None else min(max(1, int(shown[0]) + margin(epsilon, per_id)), member.size)


def _compact(rows: Rows, at_most: int) -> Rows:
    """The rows of the result moved to the front, under shares, and cut to so many places; see `cut` of :func:`hidden_join`."""
    if at_most >= rows.size:
        return rows
    engine, same = rows.member.engine, rows.matched is rows.member
    named = [(holder, name) for holder, columns in rows.columns.items() for name in columns]
    whole = places.side_by_side(
        [rows.columns[holder][name].share for holder, name in named], rows.member.bit_share.shape
    )
    first, rest, kept = places.rows_first(rows.member, () if same else (rows.matched,), whole, at_most)
    columns: dict[str, dict[str, SecretArray]] = {holder: {} for holder in rows.columns}
    for share, (holder, name) in zip(places.apart(kept), named, strict=True):
        columns[holder][name] = engine.number(share, rows.columns[holder][name].bits)
    return Rows(first, first if same else rest[0], columns)


@dataclass(frozen=True, slots=True)
class _Call:
    """What all know beforehand."""

    engine: Engine
    holders: tuple[str, ...]
    sizes: Mapping[str, int]
    kinds: Kinds
    repeats: Mapping[str, int]
    mode: Mode

    def others(self, holder: str) -> tuple[str, ...]:
        return tuple(name for name in self.holders if name != holder)

    @property
    def spread(self) -> dict[str, int]:
        """Sizes of the tables with their rows brought once for each place of the others."""
        return spread(self.sizes, self.repeats)


def spread(sizes: Mapping[str, int], repeats: Mapping[str, int]) -> dict[str, int]:
    """Holder -> how long its table is in a hidden join of tables of these sizes, whose ids come so often at most."""
    every = math.prod(repeats.get(name, 1) for name in sizes)
    return {name: size * every // repeats.get(name, 1) for name, size in sizes.items()}


@dataclass(frozen=True, slots=True)
class _Brought:
    """A holder's rows as they are brought: distinct ids, the columns, and by other holder whether this is where a row stands that it lacks."""

    ids: Blocks
    values: Mapping[str, NDArray[np.float64]]
    first: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(cls, call: _Call, ids: Blocks, values: Mapping[str, ArrayLike]) -> _Brought:
        me = call.engine.protocol.party.name
        others = call.others(me)
        columns = {name: np.asarray(column) for name, column in values.items()}
        if (
            max(call.repeats.values()) == 1
        ):  # whether ids are distinct is looked at where they are intersected
            return cls(ids, columns, dict.fromkeys(others, np.ones(len(ids), np.bool_)))
        order, starts, counts = _grouped(ids)
        if len(counts) and counts.max() > call.repeats[me]:
            raise UsageError(
                f"An id comes {counts.max()} times at {me}.",
                why=f"{call.repeats[me]} are agreed on",
                mend="agree on a larger bound, or drop rows",
            )
        own = np.empty(len(ids), np.int64)
        own[order] = np.arange(len(ids)) - np.repeat(starts, counts)
        combined = np.indices([call.repeats[name] for name in others]).reshape(len(others), -1)
        source = np.repeat(np.arange(len(ids)), combined.shape[1])
        places = {name: np.tile(combined[nth], len(ids)) for nth, name in enumerate(others)}
        places[me] = own[source]
        distinct = ids[source] ^ _tweaks(call)[tuple(places[name] for name in call.holders)]
        spread_out = {name: column[source] for name, column in columns.items()}
        return cls(distinct, spread_out, {name: places[name] == 0 for name in others})


def _tweaks(call: _Call) -> Blocks:
    """What makes ids of rows put together, shape (*repeats, 32): ids are digests, so no two of different ids meet."""
    each = tuple(call.repeats[name] for name in call.holders)
    words = [
        hashlib.sha256(_DOMAIN + "/".join(map(str, place)).encode()).digest() for place in np.ndindex(*each)
    ]
    return np.frombuffer(b"".join(words), np.uint8).reshape(*each, -1)


def _meet(
    call: _Call,
    brought: _Brought | None,
    *,
    of: tuple[str, ...],
    table: str | None = None,
    apart: bool = False,
    cut: Cut | None = None,
) -> Hidden:
    """The intersection, with the columns of these holders."""
    me = call.engine.protocol.party.name
    return hidden(
        call.engine,
        None if brought is None else brought.ids,
        None if brought is None else brought.values if me in of else {},
        sizes=call.spread,
        columns={name: call.kinds.get(name, {}) for name in of},
        table=table,
        apart=apart,
        mode=call.mode,
        cut=cut,
    )


def _outer(call: _Call, brought: _Brought | None, *, keep: str, without: tuple[str, ...] = ()) -> Rows:
    """All rows of one holder but those that holders `without` have too, with the others' where there are any."""
    engine, others = call.engine, call.others(keep)
    with_others = tuple(name for name in others if name not in without)
    found = _meet(call, brought, of=(keep, *with_others), table=keep, apart=True)
    there, first = _standing(call, brought, found, keep)
    stands = [first[name] & ~found.having[name] for name in without]
    # a row is at each place where it has a partner, or else at the first of these places
    stands += [
        found.having[name] ^ (first[name] & ~found.having[name])
        for name in with_others
        if call.repeats[name] > 1
    ]
    member = functools.reduce(operator.and_, stands) if stands else there
    matched = found.member if not without else engine.lift(np.zeros(found.size, np.bool_))
    columns = dict(found.columns)
    if stands:
        # what only one other holder brings is at no place but where it belongs
        cut = call.holders if len(others) > 1 else (keep,)
        columns |= {name: _selected(engine, member, columns[name]) for name in cut}
    return Rows(member, matched, columns)


def _selected(
    engine: Engine, member: SecretArray, columns: Mapping[str, SecretArray]
) -> dict[str, SecretArray]:
    return {name: engine.select(member, column) for name, column in columns.items()}


def _standing(
    call: _Call, brought: _Brought | None, found: Hidden, keep: str
) -> tuple[SecretArray, dict[str, SecretArray]]:
    """Where the table's holder has a row; and by other holder, where it has one that stands there if that one has no partner."""
    others = call.others(keep)
    names = [None, *(name for name in others if call.repeats[name] > 1)]
    mine = None
    if call.engine.protocol.party.name == keep and brought is not None and found.rows is not None:
        rows = found.rows
        there = rows >= 0
        mine = np.stack([there] * len(names))
        for nth, name in enumerate(names):
            if name is not None:
                mine[nth, there] = brought.first[name][rows[there]]
    shared = call.engine.share(mine, owner=keep, shape=(len(names), found.size), dtype=bool)
    each = {name: shared[nth] for nth, name in enumerate(names)}
    return each[None], {name: each.get(name, each[None]) for name in others}


def _stacked(engine: Engine, parts: list[Rows]) -> Rows:
    """The places of all, one after the other; columns that a part lacks are 0 there."""
    columns = {
        holder: {
            name: engine.concatenate(
                [
                    part.columns[holder].get(name, engine.lift(np.zeros(part.size), column.bits))
                    for part in parts
                ]
            )
            for name, column in named.items()
        }
        for holder, named in parts[0].columns.items()
    }
    member, matched = (
        engine.concatenate([getattr(part, name) for part in parts]) for name in ("member", "matched")
    )
    return Rows(member, matched, columns)
