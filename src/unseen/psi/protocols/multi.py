"""Intersection of three and more holders that tells nothing about any fewer of them: no intersection of two, no size of one.

One holder that gets the result *leads*; the others follow. Every two followers i and j get two oblivious pseudo-random functions
(:mod:`unseen.psi.vole_oprf`): F_ij, whose key i holds and which j learns at its own ids, and F_ji the other way. A follower's
*share* of an id is the sum of all functions between it and the other followers,

    s_i(x) = sum over j of F_ij(x) + F_ji(x),

and the shares of an id that all followers have add up to zero, each function being in two of them. Each follower sends its shares
in a key-value store under a mask that the leader knows at its own ids only (a function of the same kind, whose key the follower
holds). The leader adds up what the stores give for each of its ids: zero if all have it, noise if anybody has not. If others get the
result, it tells each of them the values of that one's own function at the common ids, amid as many random ones as hide their number
from the network.

Against whom
    Any coalition of all holders but one, the leader with followers included; all semi-honest. Whoever takes part in a coalition, it
    learns about the others' ids only which of those are common to *all* holders, from the ids that were really put in: what one
    member's ids lack is not made up for by another's. Where nobody of the coalition gets the result, it learns nothing.
What it leaks
    The public sizes (or the bounds that the holders agreed on), and to those who get the result which of their ids all have.
    The common rows are in a random order that the leader draws.
Assumption
    See :mod:`unseen.psi.vole_oprf`. An id counts for common by mistake with probability 2^-128 (compact: 2^-96); a receiver takes one
    for another with probability at most 2^-40 in a whole run.
Cost
    For n ids at each of N holders: 16 bytes x 1.35 n (compact: 12 x 1.24) for each function, (N - 1) (N - 1) of them, and for each of
    N - 1 stores; a tag of about 10 bytes x n to each receiver besides the leader. As a tournament: N - 1 meetings (N if it is odd).

Each follower has a single share of an id, so a coalition cannot combine two; and each share has a function of every other follower
whose key it holds itself: that one, not the functions of the others' keys, keeps a coalition from meeting ids that its follower did
not put in. See docs/protocols/psi-multi.md for the argument.

Sources: Kolesnikov, Matania, Pinkas, Rosulek and Trieu, "Practical Multi-party Private Set Intersection from Symmetric-Key
Techniques" (CCS 2017) for conditional zero-sharing, which takes a programmable function for each two parties; Nevo, Trieu and Yanai,
"Simple, Fast Malicious Multiparty Private Set Intersection" (CCS 2021) for stores of shares from plain functions; Raghuraman and
Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE" (CCS 2022).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError
from unseen.kernels import okvs, tags
from unseen.party import Message, Party, Public, Released, require
from unseen.psi import vole_oprf
from unseen.psi.protocol import DISCLOSURE, Aligned, Mode, Output, Security
from unseen.psi.protocols import vole
from unseen.psi.tags import length

SUMMARY = "vector OLE among three and more holders; nothing about any fewer of them comes out"
OUTPUT: Output = "rows"
SECURITIES: tuple[Security, ...] = ("semi-honest",)
HOLDERS = range(3, 33)
LEAKS = "each holder learns the (bounds on the) sizes of the others' sets; who gets the result learns which of its ids all others have"

Blocks = NDArray[np.uint8]

_AT_ONCE = 4  # meetings of a holder: each takes memory
_ROUNDS = 9
_SETUP_BYTES, _SETUP_S = 600_000, 0.03
_SECONDS_STORE, _SECONDS_STORE_COMPACT, _SECONDS_EVALUATE, _SECONDS_HOLD = 80e-9, 200e-9, 150e-9, 130e-9
_SECONDS_SYMMETRIC, _SYMMETRIC_BYTES = 2e-6, 250


class Shares(Message, frozen=True, tag="psi-multi.shares/1"):
    """A follower's shares of its ids under masks, shape (slots, 16 or 12), which with all others' let the leader see common ids."""

    seed: Public[bytes]
    slots: Released[Blocks]


class Common(Message, frozen=True, tag="psi-multi.common/1"):
    """For each id that the leader said it has, in a random order: the receiver's tag of it if all have it, else noise."""

    tags: Released[Blocks]


def assumption(mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    return vole.assumption(mode)


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """See :class:`unseen.psi.protocol.Protocol`; constants measured on one core a party."""
    few, many, others = min(sizes), max(sizes), len(sizes) - 1
    slots = [vole_oprf.shape_of(size, mode).slots for size in sizes]
    symmetric = mode.assumption != "lpn"
    per_function = vole_oprf.slot_bytes(mode) + symmetric * _SYMMETRIC_BYTES
    told = few * length((few, many), compact=True)
    functions = others * min(slots) + (others - 1) * (sum(slots) - min(slots))
    stores = (sum(slots) - min(slots)) * vole_oprf.slot_bytes(mode)
    setups = _SETUP_BYTES * others * others
    sent = functions * per_function + stores + others * told + setups
    store = _SECONDS_STORE_COMPACT if mode.compact else _SECONDS_STORE
    one_meeting = _SECONDS_EVALUATE + _SECONDS_HOLD + symmetric * _SECONDS_SYMMETRIC
    busy = many * (2 * store + others * one_meeting) + others * _SETUP_S
    wire = (others * max(slots) * per_function + told) / network.bytes_per_s
    rounds = 2 * _ROUNDS * -(-others // _AT_ONCE)
    memory = 200 * min(others, _AT_ONCE) * many + (64 << 20)
    return Cost(busy + wire + rounds * network.latency_s, sent, rounds, memory)


def meetings(names: Sequence[str], me: str) -> Iterator[str]:
    """Whom `me` meets, one after the other, so that every two meet once and nobody waits in a circle: a round-robin tournament."""
    seats = [*names, *[""] * (len(names) % 2)]
    for _ in range(len(seats) - 1):
        peer = seats[len(seats) - 1 - seats.index(me)]
        if peer:
            yield peer
        seats = [seats[0], seats[-1], *seats[1:-1]]


def leading(sizes: Mapping[str, int], to: Sequence[str]) -> tuple[str, ...]:
    """All holders, the one that leads first: of those who get the result the one with the fewest ids."""
    leader = min(to, key=lambda name: (sizes[name], name))
    return leader, *sorted(name for name in sizes if name != leader)


def intersect(
    party: Party,
    ids: NDArray[np.uint8],
    *,
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned | None:
    """See :class:`unseen.psi.protocol.Protocol`."""
    if not to:
        return None
    if not all(sizes.values()):
        return Aligned(np.zeros(0, np.int64)) if party.name in to else None
    names, keys = leading(sizes, to), vole_oprf.keys_of(ids)
    if party.name == names[0]:
        return _lead(party, names, keys, sizes, to, mode)
    return _follow(party, names, keys, sizes, to, mode)


def _lead(
    party: Party,
    names: tuple[str, ...],
    keys: Blocks,
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned:
    me, steps = party.name, 2 * len(names) - 1
    stored = vole_oprf.prepare(party, keys, size=sizes[me], mode=mode)

    def meet(room: Party, peer: str) -> tuple[str, Blocks]:
        side = room.stream(f"at ids of {me}")
        return peer, vole_oprf.evaluate(side, peer, keys, size=sizes[me], mode=mode, prepared=stored)

    total = np.zeros((len(keys), vole_oprf.slot_bytes(mode)), np.uint8)
    told: dict[str, Blocks] = {}
    for step, (peer, values) in enumerate(_meet(party, names, meet)):
        party.progress(step, steps, "evaluating")
        total ^= values[:, : total.shape[1]]
        if peer in to:
            told[peer] = values[:, : _tag_bytes(sizes, me, peer)].copy()
    for step, peer in enumerate(names[1:], len(names)):
        party.progress(step, steps, "waiting for shares")
        total ^= _shares_at(party, peer, keys, sizes[peer], mode)
    common = np.zeros(sizes[me], np.bool_)
    common[: len(keys)] = functools.reduce(np.bitwise_or, total.view(np.uint32).T) == 0
    order = party.rng.permutation(sizes[me])
    places = np.flatnonzero(common[order])
    rows = order[places]
    _tell(party, told, sizes[me], places, rows)
    party.progress(steps, steps, f"{len(rows)} rows in common")
    return Aligned(rows)


def _shares_at(party: Party, peer: str, keys: Blocks, size: int, mode: Mode) -> Blocks:
    """What a follower's store gives for each of the own ids, its mask still on."""
    received = party.recv(peer, Shares)
    shape, seed, slots = _shape(size, mode), received.seed, received.slots.value
    require(slots, shape=(shape.slots, vole_oprf.slot_bytes(mode)), dtype=np.uint8, sender=peer)
    if len(seed) != vole_oprf.SEED_BYTES:
        raise RemoteProtocolError(f"{peer} sent a seed of another length.", party=peer)
    return okvs.decode(shape, np.frombuffer(seed, np.uint8), _wide(slots), keys)[:, : slots.shape[1]]


def _tell(
    party: Party,
    told: Mapping[str, Blocks],
    count: int,
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    """To each receiver besides the leader: the tags of the common `rows` at `places` of a list, noise at the others."""
    if not told:
        return
    lists: dict[str, Blocks] = {}
    for peer, values in told.items():
        noise = bytearray(party.rng.bytes(count * values.shape[1]))
        lists[peer] = np.frombuffer(noise, np.uint8).reshape(count, -1)
        lists[peer][places] = values.take(rows, axis=0)
    let_out = party.release(DISCLOSURE, lists, to=tuple(lists), elements=count)
    for peer in lists:
        party.send(peer, Common(let_out.part(operator.itemgetter(peer))))


def _follow(
    party: Party,
    names: tuple[str, ...],
    keys: Blocks,
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned | None:
    me, leader, steps = party.name, names[0], len(names) + 1
    width = vole_oprf.slot_bytes(mode)
    stored = vole_oprf.prepare(party, keys, size=sizes[me], mode=mode)

    def meet(room: Party, peer: str) -> tuple[str, Blocks]:
        functions = []
        for evaluator in (leader,) if peer == leader else sorted((me, peer)):
            side = room.stream(f"at ids of {evaluator}")
            if evaluator == me:
                at = vole_oprf.evaluate(side, peer, keys, size=sizes[me], mode=mode, prepared=stored)
            else:
                key = vole_oprf.hold_key(side, peer, size=sizes[peer], mode=mode)
                at = key.evaluate(keys, party.pool)
            functions.append(at)
        values = functions[0]
        for other in functions[1:]:
            values ^= other
        return peer, values

    masked, mine = np.zeros((len(keys), width), np.uint8), np.zeros((0, 0), np.uint8)
    for step, (peer, values) in enumerate(_meet(party, names, meet)):
        party.progress(step, steps, "agreeing on keys")
        masked ^= values[:, :width]
        if peer == leader and me in to:
            mine = values[:, : _tag_bytes(sizes, leader, me)].copy()
    _send_shares(party, leader, keys, masked, sizes[me], mode)
    if me not in to:
        party.progress(steps, steps, "done")
        return None
    party.progress(steps - 1, steps, "waiting for the result")
    rows = _learn(party, leader, mine, sizes[leader], _tag_bytes(sizes, leader, me))
    party.progress(steps, steps, f"{len(rows)} rows in common")
    return Aligned(rows)


def _send_shares(party: Party, leader: str, keys: Blocks, masked: Blocks, size: int, mode: Mode) -> None:
    shape, wide = _shape(size, mode), _wide(masked)
    seed, slots = vole_oprf.store(party, shape, keys, lambda _seed: wide)
    sent = np.ascontiguousarray(slots[:, : masked.shape[1]])
    party.send(leader, Shares(seed.tobytes(), party.release(DISCLOSURE, sent, to=(leader,), elements=size)))


def _learn(party: Party, leader: str, mine: Blocks, count: int, width: int) -> NDArray[np.int64]:
    """The own rows whose tags the leader sent, in the order of its list."""
    ours, rows = tags.sort_tags(mine)  # while the leader is at work
    told = party.recv(leader, Common).tags.value
    require(told, shape=(count, width), dtype=np.uint8, sender=leader)
    theirs, places = tags.sort_tags(told)
    at_ours, at_theirs = tags.match_tags(ours, theirs)
    found = np.full(count, -1, np.int64)
    found[places[at_theirs]] = rows[at_ours]
    return found[found >= 0]


def _meet(
    party: Party, names: tuple[str, ...], meet: Callable[[Party, str], tuple[str, Blocks]]
) -> Iterator[tuple[str, Blocks]]:
    """What came of each meeting with another holder, as it comes: the holder, and values at the own ids."""

    def conversation(peer: str) -> Callable[[], tuple[str, Blocks]]:
        room = party.group((peer,))
        return lambda: meet(room, peer)

    yield from party.pool.talk([conversation(peer) for peer in meetings(names, party.name)], most=_AT_ONCE)


def _shape(size: int, mode: Mode) -> okvs.OkvsShape:
    """A follower's store: that of its functions, as both hold as many ids and as wide values."""
    return vole_oprf.shape_of(size, mode)


def _wide(values: Blocks) -> Blocks:
    """Values of 12 or 16 bytes as the blocks that stores take."""
    if values.shape[1] == vole_oprf.BLOCK_BYTES:
        return values
    return np.pad(values, ((0, 0), (0, vole_oprf.BLOCK_BYTES - values.shape[1])))


def _tag_bytes(sizes: Mapping[str, int], leader: str, peer: str) -> int:
    """Bytes of a tag: at most 2^-40 for any two different ids to meet."""
    return length((sizes[leader], sizes[peer]), compact=True)
