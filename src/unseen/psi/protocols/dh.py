"""Intersection by Diffie-Hellman: each side masks every id with a secret exponent; equal ids stay equal.

Each holder maps its ids to points H(id) of curve25519 (hash_to_curve of RFC 9380, suite curve25519_XMD:SHA-512_ELL2_RO_)
and sends x of a H(id) for a fresh secret a, in random order. Of what it receives it makes x of ab H(id), and of that a
short tag. One holder, the *comparer*, gets its own tags back in the order of its list, compares them with those it
made of the other's list, and tells the other which places of its list matched, if it is to know.

Against whom
    Two semi-honest holders; nobody else takes part. A holder that deviates can put in ids it does not have (as it can
    with any table), or break the other's result; it learns of no id of the other that it did not put in.
What it leaks
    The public sizes (a set smaller than its bound is filled up with points that nobody has an id for), and to those
    who get the result which of their own ids the other has too. Lists are in a fresh random order, so places tell
    nothing. The common rows are in the order of the other's shuffled list: uniform to both.
Assumption
    Decisional Diffie-Hellman in the prime-order subgroup of curve25519; SHA-512 with RFC 9380's map, and SHA-512 of
    the tags, as random oracles.
Cost
    Two multiplications per id at each holder. 32 bytes per id each way, one tag per id of the comparer, one bit per
    id of the other; lists go in pieces while the next piece is computed. 3 messages one after another.

Points that are none of ours
    x alone also names points of the twist, and half of all numbers do. The ladder is safe on them (the twist's order is
    4 times a prime), but whether a number is of the curve or of the twist survives every multiplication: were ids
    taken as x directly, that bit of each id would show under any mask. Hence a true hash to the curve, after which
    every honest number is of the curve's prime-order subgroup; a received number that is not a canonical x of the
    curve is refused, so that secret exponents only ever meet one group. Points of small order hide in no exponent:
    exponents are multiples of 8 (clamped), which takes any component of small order away and leaves nothing
    (32 zero bytes, refused) of a point that is nothing else.

False matches
    Tags of t bytes of n and m ids agree by chance with probability at most n m / 2^(8t). Short tags (`compact`) take
    t = ceil((40 + log2(n m)) / 8), so at most 2^-40; else t = 16, so at most 2^-88 for a million ids each.

Source: Meadows, "A more efficient cryptographic matchmaking protocol" (S&P 1986); Huberman, Franklin and Hogg,
"Enhancing Privacy and Trust in Electronic Communities" (EC 1999); RFC 7748, RFC 9380.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError
from unseen.crypto.prg import SEED_BYTES, Prg
from unseen.kernels import curve
from unseen.kernels.tags import match_tags, sort_tags
from unseen.party import Ciphertext, Masked, Message, Party, Released, require
from unseen.psi import tags
from unseen.psi.protocol import DISCLOSURE, Aligned, Mode, Output, Security

Rows = NDArray[np.uint8]
T = TypeVar("T")

_DOMAIN = b"unseen-psi-dh-curve25519_XMD:SHA-512_ELL2_RO_"
_TAG_HEAD = b"unseen/psi-dh/tag/2\n"
_POINT_BYTES = 32
_PIECE = 1 << 14  # ids in one message: both sides must cut alike

SUMMARY = "Diffie-Hellman: slow, few bytes, easy to audit"
OUTPUT: Output = "rows"
SECURITIES: tuple[Security, ...] = ("semi-honest",)
HOLDERS = range(2, 3)
LEAKS = "each holder learns the size of the other's set, and which of its own ids the other has too if it gets the result"

# Measured, per id of both sets together, at each holder: two multiplications, half of a hash and of a check.
_SECONDS_PER_ID = 4e-6
_ROUNDS = 3


class MaskedIds(Message, frozen=True, tag="psi-dh.masked-ids/2"):
    """A piece of the sender's list: x of its ids' points times its exponent, in random order, shape (n, 32)."""

    points: Ciphertext


class SealedTags(Message, frozen=True, tag="psi-dh.sealed-tags/1"):
    """Tags of a piece of the receiver's list, in its order, under a one-time pad: shape (n, tag bytes)."""

    tags: Masked


class TagSeed(Message, frozen=True, tag="psi-dh.tag-seed/1"):
    """The seed of that pad: with it the comparer learns which of its ids are common."""

    seed: Released[bytes]


class Common(Message, frozen=True, tag="psi-dh.common/1"):
    """A bit for each place of the receiver's list: whether that id is common."""

    bits: Released[NDArray[np.uint8]]


def assumption(_mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    return "decisional Diffie-Hellman in curve25519; SHA-512 as a random oracle"


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """Two multiplications per id at each holder; a list of points each way, and the comparer's tags."""
    ids, fewer = sum(sizes), min(sizes)
    returned = fewer * tags.length(sizes, compact=mode.compact)
    sent = ids * _POINT_BYTES + returned + max(sizes) // 8
    wire = (max(sizes) * _POINT_BYTES + returned) / network.bytes_per_s
    # pieces travel while the next are computed: the slower of the two decides
    seconds = max(ids * _SECONDS_PER_ID, wire) + _ROUNDS * network.latency_s
    return Cost(seconds, sent, _ROUNDS, 160 * max(sizes))


def comparer(sizes: Mapping[str, int], to: tuple[str, ...]) -> str:
    """Who compares: the one that gets the result; if both do, the one whose tags are fewer."""
    return min(to, key=lambda name: (sizes[name], name))


def intersect(
    party: Party, ids: Rows, *, sizes: Mapping[str, int], to: tuple[str, ...], mode: Mode
) -> Aligned | None:
    """See :class:`unseen.psi.protocol.Protocol`."""
    peer = next(name for name in sizes if name != party.name)
    run = _Run(
        party,
        peer,
        dict(sizes),
        tags.length((sizes[party.name], sizes[peer]), compact=mode.compact),
        _exponent(party),
    )
    order = party.rng.permutation(sizes[party.name])
    filling = np.frombuffer(party.rng.bytes(_POINT_BYTES * (len(order) - len(ids))), np.uint8)
    _send_masked(run, np.concatenate([ids, filling.reshape(-1, _POINT_BYTES)])[order])
    if comparer(sizes, to) == party.name:
        places, theirs = _compare(run)
        if peer in to:
            _tell(run, theirs)
    else:
        places = _be_compared(run, result=party.name in to)
    party.progress(3, 3, f"{len(places)} rows in common")
    return Aligned(order[places]) if party.name in to else None


@dataclass(frozen=True, slots=True)
class _Run:
    party: Party
    peer: str
    sizes: Mapping[str, int]
    tag_bytes: int
    exponent: Rows

    @property
    def mine(self) -> int:
        return self.sizes[self.party.name]

    @property
    def theirs(self) -> int:
        return self.sizes[self.peer]


def _exponent(party: Party) -> Rows:
    """A fresh secret; the kernel clamps it to a multiple of 8 between 2^254 and 2^255."""
    return np.frombuffer(party.rng.bytes(_POINT_BYTES), np.uint8).reshape(1, _POINT_BYTES)


def _send_masked(run: _Run, ids: Rows) -> None:
    """Hash and mask the own list, piece by piece; a piece is on its way while the next ones are computed."""

    def mask(piece: Rows) -> Rows:
        return curve.x25519(run.exponent, curve.hash_to_x(piece, _DOMAIN))

    for done, pieces in _several(run.party, [ids[start : start + _PIECE] for start in _starts(len(ids))]):
        run.party.progress(0, 3, f"masking own ids: {done * _PIECE} of {len(ids)}")
        for points in run.party.pool.map(mask, pieces):
            run.party.send(run.peer, MaskedIds(points))


def _received_tags(run: _Run, use: Callable[[Rows], None]) -> None:
    """Mask the other's list, piece by piece, and hand over the tags."""
    peer = run.peer

    def tag(points: Rows) -> Rows:
        if not curve.x_on_curve(points).all():
            raise RemoteProtocolError(
                f"{peer} sent something that is no masked id.",
                why="it is not x of a point of curve25519, or not written canonically",
                party=peer,
            )
        doubly = curve.x25519(run.exponent, points)
        if not doubly.any(axis=1).all():
            raise RemoteProtocolError(
                f"{peer} sent something that is no masked id.", why="its order is small", party=peer
            )
        return curve.sha512(doubly, head=_TAG_HEAD)[:, : run.tag_bytes]

    for done, starts in _several(run.party, _starts(run.theirs)):
        run.party.progress(1, 3, f"masking the other's ids: {done * _PIECE} of {run.theirs}")
        pieces = []
        for start in starts:
            points = run.party.recv(peer, MaskedIds).points
            due = (min(_PIECE, run.theirs - start), _POINT_BYTES)
            require(points, shape=due, dtype=np.uint8, sender=peer)
            pieces.append(points)
        for piece in run.party.pool.map(tag, pieces):
            use(piece)


def _compare(run: _Run) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """At the comparer: places of the common ids in both lists, in the order of the other's."""
    made: list[Rows] = []
    _received_tags(run, made.append)
    sealed = [run.party.recv(run.peer, SealedTags).tags for _ in _starts(run.mine)]
    for start, piece in zip(_starts(run.mine), sealed, strict=True):
        due = (min(_PIECE, run.mine - start), run.tag_bytes)
        require(piece, shape=due, dtype=np.uint8, sender=run.peer)
    seed = run.party.recv(run.peer, TagSeed).seed.value
    if len(seed) != SEED_BYTES:
        raise RemoteProtocolError(f"{run.peer} sent a seed of {len(seed)} bytes.", party=run.peer)
    pad = Prg(seed)
    mine = [piece ^ _pad(pad, len(piece), run.tag_bytes) for piece in sealed]
    run.party.progress(2, 3, "comparing")
    none = np.zeros((0, run.tag_bytes), np.uint8)
    return _matches(np.concatenate([none, *mine]), np.concatenate([none, *made]), run.peer)


def _be_compared(run: _Run, *, result: bool) -> NDArray[np.int64]:
    """At the other: return the comparer's tags, then hear which places of the own list are common."""
    seed = run.party.rng.bytes(SEED_BYTES)
    pad = Prg(seed)

    def seal(piece: Rows) -> None:
        run.party.send(run.peer, SealedTags(piece ^ _pad(pad, len(piece), run.tag_bytes)))

    _received_tags(run, seal)
    told = run.party.release(DISCLOSURE, seed, to=(run.peer,), elements=run.theirs)
    run.party.send(run.peer, TagSeed(told))
    if not result:
        return np.zeros(0, np.int64)
    bits = run.party.recv(run.peer, Common).bits.value
    require(bits, shape=(-(-run.mine // 8),), dtype=np.uint8, sender=run.peer)
    flags = np.unpackbits(bits, bitorder="little")
    if flags[run.mine :].any():
        raise RemoteProtocolError(f"{run.peer} marks ids beyond the list as common.", party=run.peer)
    return np.flatnonzero(flags)


def _tell(run: _Run, places: NDArray[np.int64]) -> None:
    flags = np.zeros(run.theirs, np.bool_)
    flags[places] = True
    bits = np.packbits(flags, bitorder="little")
    told = run.party.release(DISCLOSURE, bits, to=(run.peer,), elements=len(places))
    run.party.send(run.peer, Common(told))


def _starts(count: int) -> range:
    return range(0, count, _PIECE)


def _several(party: Party, items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    """As many at a time as there are workers, with how many were before."""
    for first in range(0, len(items), party.pool.workers):
        yield first, items[first : first + party.pool.workers]


def _pad(pad: Prg, rows: int, width: int) -> Rows:
    return np.frombuffer(pad.bytes(rows * width), np.uint8).reshape(rows, width)


def _matches(mine: Rows, theirs: Rows, peer: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in both lists where tags are equal, in the order of `theirs`."""
    (mine, left), (theirs, right) = sort_tags(mine), sort_tags(theirs)
    if tags.repeated(mine) or tags.repeated(theirs):
        raise RemoteProtocolError(
            f"{peer} sent the same masked id twice.", why="ids are unique, so masked ids are", party=peer
        )
    at_mine, at_theirs = match_tags(mine, theirs)
    ours, others = left[at_mine], right[at_theirs]
    by_place = np.argsort(others)
    return ours[by_place], others[by_place]
