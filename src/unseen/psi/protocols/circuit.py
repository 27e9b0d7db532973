"""Intersections that nobody sees (隐藏求交, circuit PSI): shares of which rows are common, and of what is known about them.

One holder, of the *table*, lays its ids into a cuckoo table: every id has three bins and lies in one of them. Each other holder is
a *sender*: it draws a random target for each bin and programs (:mod:`unseen.psi.opprf`) at each of its ids, for each of its
three places, the target of the bin there, and its payload less a random word of that bin. The table's holder evaluates at the
ids and places that it has: what comes out equals the bin's target if the sender has the id, and is noise if not. The XOR of all that it
got is compared with the XOR of all senders' targets, and payloads kept or set to zero, under the engine's protocol, so that the
outcome is shares. With more senders than one nobody learns, or could compute, which of them have an id; asked `apart`, as outer
joins do, that is in shares too, one comparison for each sender.

    found = hidden(engine, ids, {"amount": mine}, sizes={"bank": n, "shop": m}, columns={"bank": {"age": int}, "shop": {"amount": float}})
    total = (found.columns["bank"]["age"] * found.columns["shop"]["amount"]).sum()

Against whom
    Semi-honest holders, as the engine's protocol: two with a helper who colludes with neither (`dealer2`) or alone (`pair2`); two to
    sixteen, all but one of whom may collude, with a helper who colludes with nobody (`dealer`); three of whom no two collude (`replicated3`).
    What comes before the engine resists all holders but one: a sender's words are fresh and go to the table's holder alone.
What it leaks
    The public sizes, or the bounds that the holders agreed on, and the names and types of columns. The table is as long as its
    holder's public size makes it, whatever the ids are.
Assumption
    Those of :mod:`unseen.psi.opprf` and of the engine's protocol. A bin is taken for common by mistake with probability at most
    2^-40 in a whole run: 40 + log2(bins) bits are compared.
Cost
    1.31 n + 105 bins for a table of n. For each sender, of the table's holder the OPRF's 1.35 blocks an id, of the sender 4.05 blocks an
    id for each two columns begun (the first goes with the target); then 39 + log2(bins) ANDs a bin and a product with a bit for
    each column.

An id's three places are three inputs to the OPRF: with one input for all of them, the table's holder could look up the
targets of the two bins where its id does not lie, and meet those of other common ids. Every byte that is programmed is
uniform to it, also where a value has spare ones.

Sources: Pinkas, Schneider, Tkachenko, Yanai, "Efficient Circuit-Based PSI with Linear Communication" (Eurocrypt 2019) for
bins, targets and comparison; Rindal and Schoppmann (Eurocrypt 2021) and Raghuraman and Rindal (CCS 2022) for one OPPRF from
vector OLE over all bins; :mod:`unseen.kernels.cuckoo` for the number of bins.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import blocks, cuckoo, okvs
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.fixed import Ring, encode
from unseen.mpc.shares import Share
from unseen.party import Message, Party, Public
from unseen.psi import opprf, vole_oprf
from unseen.psi.ids import checked
from unseen.psi.places import apart as columns_apart
from unseen.psi.places import rows_first
from unseen.psi.protocol import Hidden, Mode, Output, Security
from unseen.psi.protocols import vole

SUMMARY = "vector OLE, and a comparison under shares; nobody learns which rows are common, or how many"
OUTPUT: Output = "shares"
SECURITIES: tuple[Security, ...] = ("semi-honest",)
HOLDERS = range(2, 17)
LEAKS = "all parties learn the (bounds on the) sizes of the holders' sets, and the names and types of columns"

Blocks = NDArray[np.uint8]

_NOT_SILENT = 1 << 18  # transfers of two holders alone
_STATISTICAL = 40
_BLOCK, _BLOCK_WORDS = 16, 2
_TRIES = 8
_AT_ONCE = 4  # senders: each takes memory
_KINDS = (float, int, bool)
_SETUP_BYTES, _PAIR_BYTES, _SETUP_S, _ROUNDS = 500_000, 60_000, 0.05, 28
_SYMMETRIC_S, _SYMMETRIC_BYTES = 2e-6, 250  # of a place of the table, without LPN
_PAIR = 2


class TableSeed(Message, frozen=True, tag="psi-circuit.table-seed/1"):
    """Under which seed the sender's table was filled, drawn when its ids were fixed."""

    seed: Public[bytes]


def hidden(
    engine: Engine,
    ids: Blocks | None,
    values: Mapping[str, ArrayLike] | None = None,
    *,
    sizes: Mapping[str, int],
    columns: Mapping[str, Mapping[str, type]] | None = None,
    table: str | None = None,
    apart: bool = False,
    cut: Callable[[SecretArray], int | None] | None = None,
    mode: Mode | None = None,
) -> Hidden:
    """Intersect without anybody learning the intersection. Everyone calls it alike, a helper with None and None.

    Parameters
    ----------
    ids
        Distinct identifiers, uint8 of shape (rows, 32), see :func:`unseen.data.identifiers.identifiers`.
    values
        This holder's columns by name, each of shape (rows,).
    sizes
        Holder -> public size of its set, or a bound that hides it.
    columns
        Holder -> name -> `float`, `int` or `bool` of the columns it brings: public, in this order.
    table
        Whose rows get places: the holder with the smallest public size unless said otherwise.
    apart
        Find for each other holder by itself which rows it has (`having`); its columns are then kept wherever it has the row, and those of
        the table's holder at all of its rows.
    cut
        Given `member`, to how many places the result is cut, None for all; at all parties the same. Rows that are common come first
        then (:func:`unseen.psi.places.rows_first`), and nobody knows which is where. Not with `apart`.
    mode
        Compact or not, and which assumption; semi-honest.

    Raises
    ------
    UsageError
        An engine of one party or against parties that deviate, repeated ids, more ids than the bound, columns other than announced,
        a table too long for targets of 64 bits (12.8 million ids).
    """
    plan = _plan(engine, sizes, columns or {}, table, apart, mode or Mode())
    party = engine.stream("hidden")
    # of the targets, added up (XOR) unless asked apart, and of the senders' columns
    part = np.zeros((plan.bins, plan.targets + plan.columns), np.uint64)
    own = places = None
    if party.name in sizes:
        rows = checked(ids)
        if len(rows) > sizes[party.name]:
            raise UsageError(f"There are {len(rows)} ids where {sizes[party.name]} are the agreed bound.")
        mine = _ring(engine, values or {}, plan.kinds[party.name], len(rows))
        party.progress(0, 2, "looking up what is common")
        if party.name == plan.owner:
            places = _look_up(party, plan, rows, part)
            own = np.zeros((plan.bins, mine.shape[1]), np.uint64)
            own[places >= 0] = mine[places[places >= 0]]
        else:
            _put(part, plan, party.name, _program(party, plan, rows, mine))
        party.progress(1, 2, "comparing under shares")
    met = _none_differs(engine, part[:, : plan.targets], plan)
    having = dict(zip(plan.senders, met, strict=True)) if apart else {}
    member = functools.reduce(operator.and_, met)
    ours = engine.protocol.share(own, owner=plan.owner, shape=(plan.bins, len(plan.kinds[plan.owner])))
    theirs = engine.protocol.collect(np.ascontiguousarray(part[:, plan.targets :]))
    numbers = np.concatenate([ours, theirs], axis=2)
    del ours, theirs, part
    length = None if cut is None else cut(member)
    if length is not None and length < plan.bins:
        party.progress(1, 2, "moving rows to the front")
        member, _, numbers = rows_first(member, (), numbers, length)
        places = None
    return Hidden(plan.owner, member, _kept(engine, plan, member, having, numbers), places, having)


def _kept(
    engine: Engine,
    plan: _Plan,
    member: SecretArray,
    having: Mapping[str, SecretArray],
    numbers: Share,
) -> dict[str, dict[str, SecretArray]]:
    """Columns by holder and name, 0 where there is nothing."""
    ours = len(plan.kinds[plan.owner]) if having else 0  # columns that stay wherever they are
    rest = engine.number(np.ascontiguousarray(numbers[:, :, ours:]), 0)
    if rest.size and having:
        bits = [having[name].reshape(-1, 1) for name in plan.senders for _ in plan.kinds[name]]
        rest = engine.select(engine.concatenate(bits, axis=1), rest)
    elif rest.size:
        rest = engine.select(member[:, None], rest)
    shares = [*columns_apart(numbers[:, :, :ours]), *columns_apart(rest.share)]
    found: dict[str, dict[str, SecretArray]] = {name: {} for name in plan.sizes}
    order = [(holder, *item) for holder in (plan.owner, *plan.senders) for item in plan.kinds[holder].items()]
    for share, (holder, name, kind) in zip(shares, order, strict=True):
        found[holder][name] = engine.number(share, engine.bits if kind is float else 0)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all know beforehand."""

    owner: str
    senders: tuple[str, ...]
    sizes: Mapping[str, int]
    kinds: Mapping[str, Mapping[str, type]]
    apart: bool
    mode: Mode

    @property
    def size(self) -> int:
        return self.sizes[self.owner]

    @property
    def bins(self) -> int:
        return cuckoo.bins(self.size)

    @property
    def targets(self) -> int:
        """How many are compared in a bin."""
        return len(self.senders) if self.apart else 1

    @property
    def columns(self) -> int:
        """How many the senders bring together."""
        return sum(len(self.kinds[name]) for name in self.senders)

    def target(self, sender: str) -> int:
        """Where a sender's target stands."""
        return self.senders.index(sender) if self.apart else 0

    def span(self, sender: str) -> slice:
        """Where a sender's columns stand, behind the targets."""
        before = self.senders[: self.senders.index(sender)]
        first = self.targets + sum(len(self.kinds[name]) for name in before)
        return slice(first, first + len(self.kinds[sender]))

    def words(self, sender: str) -> int:
        """Of a programmed value: the target, the columns, and what fills the last block."""
        return -(-(1 + len(self.kinds[sender])) // _BLOCK_WORDS) * _BLOCK_WORDS

    def empty(self, sender: str) -> bool:
        """Whether nothing can be common with it, as everybody knows."""
        concerned = (self.owner, sender) if self.apart else tuple(self.sizes)
        return not all(self.sizes[name] for name in concerned)

    @property
    def compared(self) -> int:
        """Bits of a target that are compared."""
        return _STATISTICAL + (self.bins * self.targets - 1).bit_length()


def assumption(mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    return f"{vole.assumption(mode)}; that of the engine's protocol"


def estimate(
    sizes: tuple[int, ...],
    mode: Mode,
    network: Network,
    *,
    columns: tuple[int, ...] = (),
    helper: bool = False,
    comparisons: int = 0,
    table: int | None = None,
    apart: bool = False,
    silent: bool = True,
) -> Cost:
    """What a run is expected to cost, with `comparisons` of a column and a reveal after it; one core a party.

    Parameters
    ----------
    sizes, columns
        By holder: public size, and number of columns (none unless given).
    table
        Whose rows get places, if not those of the smallest.
    silent
        Whether two alone make transfers from LPN.
    """
    brought = columns or (0,) * len(sizes)
    owner = sizes.index(min(sizes)) if table is None else table
    senders = [place for place in range(len(sizes)) if place != owner]
    bins, every = cuckoo.bins(sizes[owner]), sum(brought)
    slots, symmetric = okvs.shape(sizes[owner]).slots, mode.assumption != "lpn"
    sent = len(senders) * (_SETUP_BYTES + (_BLOCK + _SYMMETRIC_BYTES * symmetric) * slots)
    for sender in senders:
        blocks = -(-(1 + brought[sender]) // _BLOCK_WORDS)
        sent += _BLOCK * blocks * okvs.shape(cuckoo.PLACES * sizes[sender]).slots
    ands = bins * (_STATISTICAL - 1 + (bins - 1).bit_length()) * (len(senders) if apart else 1)
    links = len(sizes) * len(senders) // 2
    if helper:
        per_and, per_column, per_comparison = 0.4 * links, 32 * links + 16, 62.0 * links + 48
        busy = 3e-9 * ands + 1e-7 * bins * (every + 2 * comparisons)
    elif len(sizes) == _PAIR:
        # The first transfers of a run are not silent yet: two for an AND, some hundred for a comparison.
        transfers = 2 * ands + 100 * bins * comparisons
        loud = min(1.0, _NOT_SILENT / max(1, transfers)) if silent else 1.0
        per_and, per_column, per_comparison = 1.2 + 7.05 * loud, 24, 80 + 390 * loud
        busy = (4e-8 if silent else 1.5e-8) * ands + 1.5e-7 * bins * every + 2.5e-6 * bins * comparisons
    else:
        per_and, per_column, per_comparison = 0.4, 51, 75
        busy = 3e-9 * ands + 1e-7 * bins * (every + 2 * comparisons)
    sent += round(per_and * ands + per_column * bins * every + per_comparison * bins * comparisons)
    seconds = _SETUP_S + 2e-7 * sizes[owner] * len(senders) + 8e-7 * max(sizes[place] for place in senders)
    seconds += _SYMMETRIC_S * symmetric * slots * len(senders)
    alone = not helper and len(sizes) == _PAIR
    sent += _PAIR_BYTES * alone
    rounds = _ROUNDS + 20 * (comparisons > 0) + (bins // (1 << 12) if alone else 0)
    seconds += busy + rounds * network.latency_s + sent / network.bytes_per_s
    memory = 250 * (len(senders) * bins + 3 * max(sizes[place] for place in senders)) + (64 << 20)
    return Cost(seconds, sent, rounds, memory)


def _plan(
    engine: Engine,
    sizes: Mapping[str, int],
    columns: Mapping[str, Mapping[str, type]],
    table: str | None,
    apart: bool,  # noqa: FBT001 - named by its one caller's parameter
    mode: Mode,
) -> _Plan:
    holders = engine.protocol.holders
    if mode.security != "semi-honest" or not engine.semi_honest:
        raise UsageError(
            "A hidden intersection is for holders who follow the protocol.",
            why="it is secure against semi-honest parties only, whatever the engine promises",
            mend="open the engine with protocol dealer (and a helper), pair2 (two holders) or replicated3 (three)",
        )
    if set(sizes) != set(holders) or (table or holders[0]) not in holders or not set(columns) <= set(holders):
        raise UsageError(
            "A hidden intersection takes the public size of each holder's set.",
            why=f"holders are {', '.join(holders)}; sizes are given of {', '.join(sizes)}",
            mend="name the holders in sizes, columns and table",
        )
    owner = table or min(holders, key=lambda name: (sizes[name], holders.index(name)))
    senders = tuple(name for name in holders if name != owner)
    kinds = {name: columns.get(name, {}) for name in holders}
    plan = _Plan(owner, senders, sizes, kinds, apart, mode)
    if plan.compared > planes.WORD:
        raise UsageError(f"A table of {plan.size} ids is too long.", mend="cut the sets into partitions")
    return plan


def _ring(engine: Engine, values: Mapping[str, ArrayLike], kinds: Mapping[str, type], count: int) -> Ring:
    """The columns as ring elements, shape (count, columns)."""
    if set(values) != set(kinds) or not set(kinds.values()) <= set(_KINDS):
        raise UsageError(
            f"The columns are {', '.join(values) or 'none'} where {', '.join(kinds) or 'none'} are announced.",
            why="what each holder brings, as float, int or bool, is public and the same in everybody's call",
        )
    out = np.empty((count, len(kinds)), np.uint64)
    for place, (name, kind) in enumerate(kinds.items()):
        column = np.asarray(values[name])
        if column.shape != (count,):
            raise UsageError(f"The column '{name}' has shape {column.shape} where {count} rows are due.")
        out[:, place] = encode(column, engine.bits if kind is float else 0)
    return out


def _look_up(party: Party, plan: _Plan, ids: Blocks, part: Ring) -> NDArray[np.int64]:
    """The table's holder: the row in each bin, -1 for none; what is programmed there goes into `part`, noise for empty bins."""
    seed, table = _filled(party, plan, ids)
    if all(plan.empty(sender) for sender in plan.senders):
        part[:] = party.rng.u64(part.shape)
        return _rows(table)
    filled = np.flatnonzero(table >= 0)
    entries = table[filled]
    inputs = _keys(ids)[entries // cuckoo.PLACES] ^ _tweaks(seed)[entries % cuckoo.PLACES]
    prepared = vole_oprf.prepare(party, inputs, size=plan.size, mode=plan.mode)

    def ask(room: Party, sender: str) -> tuple[str, Ring]:
        words = _noise(room, plan, sender)
        if plan.empty(sender):
            return sender, words
        room.send(sender, TableSeed(seed.tobytes()))
        got = opprf.receive(
            room,
            sender,
            inputs,
            size=plan.size,
            programmed=cuckoo.PLACES * plan.sizes[sender],
            mode=plan.mode,
            width=8 * plan.words(sender),
            prepared=prepared,
        )
        words[filled] = got.view(np.uint64)
        return sender, words

    rooms = [partial(ask, _room(party, sender), sender) for sender in plan.senders]
    for sender, words in party.pool.talk(rooms, most=_AT_ONCE):
        _put(part, plan, sender, words)
    return _rows(table)


def _put(part: Ring, plan: _Plan, sender: str, words: Ring) -> None:
    """What one sender and the table's holder have in common, where it belongs."""
    part[:, plan.target(sender)] ^= words[:, 0]
    part[:, plan.span(sender)] = words[:, 1 : 1 + len(plan.kinds[sender])]


def _rows(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which row is in each bin, -1 for none."""
    rows: NDArray[np.int64] = np.where(table >= 0, table // cuckoo.PLACES, np.int64(-1))
    return rows


def _filled(party: Party, plan: _Plan, ids: Blocks) -> tuple[Blocks, NDArray[np.int64]]:
    """The table's seed, shape (16,), and which place of which id lies in each bin, counted through; -1 for none."""
    for _ in range(_TRIES):
        seed = np.frombuffer(party.rng.bytes(_BLOCK), np.uint8)
        with contextlib.suppress(cuckoo.CuckooFailedError):
            return seed, cuckoo.fill(cuckoo.places(seed, _keys(ids), plan.bins), plan.bins)
    raise LocalProtocolError(f"A table of {len(ids)} ids could not be filled in {_TRIES} tries.")


def _program(party: Party, plan: _Plan, ids: Blocks, columns: Ring) -> Ring:
    """A sender: its random words for each bin, programmed at its ids wherever they may lie."""
    room = _room(party, plan.owner)
    drawn = _noise(room, plan, party.name)
    if plan.empty(party.name):
        return drawn
    seed = np.frombuffer(room.recv(plan.owner, TableSeed).seed, np.uint8)
    if len(seed) != _BLOCK:
        raise RemoteProtocolError(f"{plan.owner} sent a seed of another length.", party=plan.owner)
    values = _values(drawn, cuckoo.places(seed, _keys(ids), plan.bins), columns)
    inputs = _keys(ids)[:, None] ^ _tweaks(seed)
    opprf.send(
        room,
        plan.owner,
        inputs.reshape(-1, _BLOCK),
        values.reshape(-1, plan.words(party.name)).view(np.uint8),
        size=plan.size,
        programmed=cuckoo.PLACES * plan.sizes[party.name],
        mode=plan.mode,
    )
    return drawn


def _room(party: Party, peer: str) -> Party:
    """Where the table's holder and one sender talk."""
    return party.group((peer,))


def _noise(party: Party, plan: _Plan, sender: str) -> Ring:
    """Uniform words for each bin: a sender's target and masks, and what the table's holder has of them in empty bins."""
    return party.rng.u64((plan.bins, plan.words(sender)))


def _values(drawn: Ring, places: NDArray[np.uint32], columns: Ring) -> Ring:
    """What is programmed at each id's places: the bin's target, the payload less the bin's words, and what fills the block.

    Shape (ids, places, words). Every word is uniform to the table's holder, who meets one value of a bin at most.
    """
    values: Ring = drawn[places]
    payload = values[:, :, 1 : 1 + columns.shape[1]]
    np.subtract(columns[:, None], payload, out=payload)
    return values


def _keys(ids: Blocks) -> Blocks:
    """What an id is known by here: its first 16 bytes, which are uniform."""
    return np.ascontiguousarray(ids[:, :_BLOCK])


def _tweaks(seed: Blocks) -> Blocks:
    """What makes three inputs of an id, shape (3, 16); random after the ids are fixed, so that no two inputs meet."""
    return blocks.aes_ctr(seed, 1, 0, cuckoo.PLACES)


def _none_differs(engine: Engine, targets: Ring, plan: _Plan) -> list[SecretArray]:
    """For each target where the XOR of all holders' words is zero in the places that are compared: it was met."""
    protocol = engine.protocol
    differ = protocol.collect(planes.places_of(targets.T[None], plan.compared)[0], xor=True)
    ones = protocol.public_bits(np.full(differ.shape[1:], ~np.uint64(0)))
    met = engine.boolean(planes.unpack(planes.conjunction(protocol, differ ^ ones), targets.T.shape)[:, 0])
    return [met[place] for place in range(plan.targets)]
