"""Joins of two tables by their ids (连接): inner, left, right and full, with ids that come several times; open or hidden.

Open (:func:`aligned`): both holders learn which of their ids are common, how often each comes at the other, and how many rows
of the other have no partner where these belong to the result. Each gets the rows of its own table in one order.

Hidden (:func:`hidden_join`): nobody learns anything of that; rows are places, and what is in them is in shares.

    rows = hidden_join(engine, ids, mine, how="left", holders=("bank", "shop"), sizes=..., columns=..., repeats={"shop": 3})
    (rows.columns["shop"]["spent"] * rows.columns["bank"]["income"]).sum()

How ids that come several times stay hidden
    Each holder says how often an id comes at most, in public. The i-th row of an id at the left is brought once for each place j that
    the right may have, as the id (id, i, j), and the right's j-th row likewise for each i: exactly the pairs of rows with the same id
    meet, in an intersection of distinct ids (:mod:`unseen.psi.circuit`). So tables are as many times as long as the other's
    ids may come.
Left, right and full
    The table's holder shares which places have a row of its own; a row without a partner is in the result once. A full join is the left
    one and an intersection more, for the right's rows without a partner.
Against whom, what it leaks, assumption, cost
    Those of :mod:`unseen.psi.circuit`, for the longer tables; the public bounds on repeats besides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.functions.order import Key, arranged
from unseen.party import Message, Party, Released
from unseen.psi.circuit import Hidden, hidden
from unseen.psi.intersect import intersect

How: TypeAlias = Literal["inner", "left", "right", "full"]
Blocks: TypeAlias = NDArray[np.uint8]
Kinds: TypeAlias = Mapping[str, Mapping[str, type]]

REPEATS, ALONE = "repeats", "alone"
_DOMAIN = b"unseen/psi/join/v1\n"
_PARTIES = 2


class Repeats(Message, frozen=True, tag="psi.join.repeats/1"):
    """How often each common id comes at the sender, in the order of the intersection: uint32, little-endian."""

    counts: Released[bytes]


class Alone(Message, frozen=True, tag="psi.join.alone/1"):
    """How many rows of the sender without a partner belong to the result."""

    rows: Released[int]


# ---------------------------------------------------------------------- open


def aligned(
    party: Party, ids: Blocks, *, holders: tuple[str, str], how: How, method: str = "auto"
) -> NDArray[np.int64]:
    """The rows of the own table in the order of the join, -1 where there is none. Both holders call it alike.

    Pairs of rows of an id stand together, left row by left row; rows without a partner come last, the left's before the right's.

    Raises
    ------
    UsageError
        Nothing in common in an inner join.
    DeniedError
        The contract does not list "intersection", "repeats", or "alone" where there are rows without a partner in the result.
    RemoteProtocolError
        The peer says something impossible of its rows.
    """
    left, right = holders
    peer = right if party.name == left else left
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
    mine = counts[common]
    theirs = _tell_repeats(party, peer, mine)
    own = starts[common]
    at_left, at_right = (mine, theirs) if party.name == left else (theirs, mine)
    pairs = at_left * at_right
    group = np.repeat(np.arange(len(common)), pairs)
    within = np.arange(pairs.sum()) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    step = within // at_right[group] if party.name == left else within % at_right[group]
    parts = [order[own[group] + step]]
    outer = {"inner": (), "left": (left,), "right": (right,), "full": holders}[how]
    alone = np.ones(len(counts), np.bool_)
    alone[common] = False
    rest = np.sort(order[np.repeat(alone, counts)])
    for holder in outer:
        parts.append(rest if holder == party.name else _missing(party, peer))
        if holder == party.name:
            party.send(peer, Alone(party.release(ALONE, len(rest), to=(peer,), elements=1)))
    return np.concatenate(parts)


def _tell_repeats(party: Party, peer: str, mine: NDArray[np.int64]) -> NDArray[np.int64]:
    told = party.release(REPEATS, mine.astype("<u4").tobytes(), to=(peer,), elements=len(mine))
    theirs = party.exchange(Repeats(told), Repeats, peers=(peer,))[peer].counts.value
    if len(theirs) != 4 * len(mine):
        raise RemoteProtocolError(f"{peer} tells of another number of common ids.", party=peer)
    counts = np.frombuffer(theirs, "<u4").astype(np.int64)
    if len(counts) and not counts.min():
        raise RemoteProtocolError(f"{peer} has a common id in no row.", party=peer)
    return counts


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
        Whether both holders have a part in it; `member` itself in an inner join.
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
    holders: tuple[str, str],
    sizes: Mapping[str, int],
    columns: Kinds | None = None,
    repeats: Mapping[str, int] | None = None,
) -> Rows:
    """Join without anybody learning the result. Everyone calls it alike, a helper with None and None.

    Parameters
    ----------
    ids, values, sizes, columns
        As in :func:`unseen.psi.circuit.hidden`, but that ids may come several times.
    holders
        Left and right.
    repeats
        Holder -> how often an id comes at most, public; 1 where nothing is said.

    Raises
    ------
    UsageError
        As there; an id that comes more often than said.
    """
    call = _Call(
        engine, holders, sizes, columns or {}, {name: (repeats or {}).get(name, 1) for name in holders}
    )
    if min(call.repeats.values()) < 1 or len(holders) != _PARTIES:
        raise UsageError("A join is of two tables, whose ids come once or more.")
    me = engine.protocol.party.name
    brought = None
    if me in holders:
        if ids is None:
            raise LocalProtocolError(f"{me} has to bring ids.")
        if len(ids) > sizes[me]:
            raise UsageError(f"There are {len(ids)} ids where {sizes[me]} are the agreed bound.")
        brought = _Brought.of(call, ids, values or {})
    left, right = holders
    if how == "inner":
        return _inner(call, brought)
    outer = _outer(call, brought, keep=right if how == "right" else left)
    return outer if how != "full" else _stacked(engine, outer, _rest(call, brought, of=right))


def compact(rows: Rows, at_most: int) -> Rows:
    """The rows of the result moved to the front, under shares, and cut to so many places.

    Of more rows, those are kept that stand first in the table, whose order is as good as random; nobody learns whether there were more.
    """
    member, engine = rows.member, rows.member.engine
    if at_most >= rows.size:
        return rows
    named = [(holder, name) for holder, columns in rows.columns.items() for name in columns]
    same = rows.matched is rows.member
    bits = np.stack([member.bit_share, *([] if same else [rows.matched.bit_share])], axis=2)
    shares = [rows.columns[holder][name].share for holder, name in named]
    numbers = np.stack(shares, axis=2) if shares else np.zeros((len(bits), rows.size, 1), np.uint64)
    moved, kept = arranged([Key(member.reshape(1, -1), descending=True)], bits, numbers)
    first = engine.boolean(np.ascontiguousarray(moved[:, :at_most, 0]))
    both = first if same else engine.boolean(np.ascontiguousarray(moved[:, :at_most, 1]))
    columns: dict[str, dict[str, SecretArray]] = {holder: {} for holder in rows.columns}
    for place, (holder, name) in enumerate(named):
        share = np.ascontiguousarray(kept[:, :at_most, place])
        columns[holder][name] = engine.number(share, rows.columns[holder][name].bits)
    return Rows(first, both, columns)


@dataclass(frozen=True, slots=True)
class _Call:
    """What all know beforehand."""

    engine: Engine
    holders: tuple[str, str]
    sizes: Mapping[str, int]
    kinds: Kinds
    repeats: Mapping[str, int]

    def other(self, holder: str) -> str:
        return self.holders[1 - self.holders.index(holder)]

    @property
    def spread(self) -> dict[str, int]:
        """Sizes of the tables with their rows brought once for each place of the other."""
        return {name: self.sizes[name] * self.repeats[self.other(name)] for name in self.holders}


@dataclass(frozen=True, slots=True)
class _Brought:
    """A holder's rows as they are brought: ids that are distinct, the columns, and whether this is where a lone row stands."""

    ids: Blocks
    values: Mapping[str, NDArray[np.float64]]
    first: NDArray[np.bool_]

    @classmethod
    def of(cls, call: _Call, ids: Blocks, values: Mapping[str, ArrayLike]) -> _Brought:
        me = call.engine.protocol.party.name
        mine, theirs = call.repeats[me], call.repeats[call.other(me)]
        columns = {name: np.asarray(column) for name, column in values.items()}
        if mine == theirs == 1:  # whether ids are distinct is looked at where they are intersected
            return cls(ids, columns, np.ones(len(ids), np.bool_))
        order, starts, counts = _grouped(ids)
        if len(counts) and counts.max() > mine:
            raise UsageError(
                f"An id comes {counts.max()} times at {me}.",
                why=f"{mine} are agreed on",
                mend="agree on a larger bound, or drop rows",
            )
        own = np.empty(len(ids), np.int64)
        own[order] = np.arange(len(ids)) - np.repeat(starts, counts)
        source = np.repeat(np.arange(len(ids)), theirs)
        other = np.tile(np.arange(theirs), len(ids))
        places = (own[source], other) if me == call.holders[0] else (other, own[source])
        distinct = ids[source] ^ _tweaks(call)[places]
        return cls(distinct, {name: column[source] for name, column in columns.items()}, other == 0)


def _tweaks(call: _Call) -> Blocks:
    """What makes ids of pairs of rows, shape (left, right, 32): ids are digests, so no two of different ids meet."""
    left, right = (call.repeats[name] for name in call.holders)
    words = [
        hashlib.sha256(_DOMAIN + f"{i}/{j}".encode()).digest() for i in range(left) for j in range(right)
    ]
    return np.frombuffer(b"".join(words), np.uint8).reshape(left, right, -1)


def _meet(call: _Call, brought: _Brought | None, *, table: str | None, of: tuple[str, ...]) -> Hidden:
    """The intersection, with the columns of these holders."""
    me = call.engine.protocol.party.name
    return hidden(
        call.engine,
        None if brought is None else brought.ids,
        None if brought is None else brought.values if me in of else {},
        sizes=call.spread,
        columns={name: call.kinds.get(name, {}) for name in of},
        table=table,
    )


def _inner(call: _Call, brought: _Brought | None) -> Rows:
    found = _meet(call, brought, table=None, of=call.holders)
    return Rows(found.member, found.member, found.columns)


def _outer(call: _Call, brought: _Brought | None, *, keep: str) -> Rows:
    """All rows of one holder, with the other's where there are any."""
    found = _meet(call, brought, table=keep, of=(call.other(keep),))
    first = _first(call, brought, found, of=keep)
    # a row is at each place where it has a partner, or else at its first
    member = first if call.repeats[call.other(keep)] == 1 else found.member ^ (first & ~found.member)
    own = _own(call, brought, found, of=keep)
    if member is not first:
        own = {name: call.engine.select(member, column) for name, column in own.items()}
    return Rows(member, found.member, {**found.columns, keep: own})


def _rest(call: _Call, brought: _Brought | None, *, of: str) -> Rows:
    """The rows of one holder that have no partner."""
    found = _meet(call, brought, table=of, of=())
    member = _first(call, brought, found, of=of) & ~found.member
    own = _own(call, brought, found, of=of)
    nobody = call.engine.lift(np.zeros(found.size, np.bool_))
    kept = {name: call.engine.select(member, column) for name, column in own.items()}
    return Rows(member, nobody, {of: kept})


def _first(call: _Call, brought: _Brought | None, found: Hidden, *, of: str) -> SecretArray:
    """Whether the table's holder has a row at this place that stands there if it has no partner."""
    mine = None
    if call.engine.protocol.party.name == of and brought is not None and found.rows is not None:
        mine = np.zeros(found.size, np.bool_)
        there = found.rows >= 0
        mine[there] = brought.first[found.rows[there]]
    return call.engine.share(mine, owner=of, shape=(found.size,), dtype=bool)


def _own(call: _Call, brought: _Brought | None, found: Hidden, *, of: str) -> dict[str, SecretArray]:
    """The columns of the table's holder at its places, 0 where it has no row."""
    out = {}
    for name, kind in call.kinds.get(of, {}).items():
        mine = None
        if call.engine.protocol.party.name == of and brought is not None and found.rows is not None:
            mine = np.zeros(found.size)
            there = found.rows >= 0
            mine[there] = brought.values[name][found.rows[there]]
        shared = float if kind is float else int
        out[name] = call.engine.share(mine, owner=of, shape=(found.size,), dtype=shared)
    return out


def _stacked(engine: Engine, one: Rows, other: Rows) -> Rows:
    """The places of both, one after the other; columns that a part lacks are 0 there."""
    columns = {}
    for holder, named in one.columns.items():
        rest = other.columns.get(holder, {})
        columns[holder] = {
            name: engine.concatenate([column, rest.get(name, engine.lift(np.zeros(other.size), column.bits))])
            for name, column in named.items()
        }
    both = [(getattr(one, name), getattr(other, name)) for name in ("member", "matched")]
    member, matched = (engine.concatenate(list(pair)) for pair in both)
    return Rows(member, matched, columns)
