"""Intersection by Diffie-Hellman: each side masks every id with a secret exponent; equal ids stay equal.

Each of two holders maps its ids to elements H(id) of ristretto255 and raises them to a fresh secret exponent: H(id)^a.
The other raises what it receives to its own: H(id)^ab. Now both can compare without seeing ids.

Against whom
    Two semi-honest holders; nobody else takes part. A holder that deviates can put in ids it does not have (as it can
    with any table), or break its own result; it learns no id of the other that it did not put in.
What it leaks
    The sizes of both sets, and to each holder which of its own ids the other has too. Masked lists are in a fresh
    random order, and the common rows are ordered by H(id)^ab, which is uniform to both.
Assumption
    Decisional Diffie-Hellman in ristretto255, and SHA-512 with the map of RFC 9496 as a random oracle.
Cost
    Two multiplications per id at each holder; 64 bytes per id sent by its owner and returned; 2 rounds.

Source: Meadows, "A more efficient cryptographic matchmaking protocol" (S&P 1986); Huberman, Franklin and Hogg,
"Enhancing Privacy and Trust in Electronic Communities" (EC 1999).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.crypto import group
from unseen.party import Ciphertext, Message, Party, Released, require
from unseen.psi.protocol import DISCLOSURE, Aligned, Mode, Security

_DOMAIN = b"unseen/psi-dh/ristretto255/v1\n"
_CHUNK = 2000


class MaskedIds(Message, frozen=True, tag="psi-dh.masked-ids/1"):
    """The sender's ids under its exponent, in random order: elements of the group, shape (n, 32)."""

    elements: Ciphertext


class DoublyMasked(Message, frozen=True, tag="psi-dh.doubly-masked/1"):
    """The receiver's own ids under both exponents, in the order it sent them: tells which ones are common."""

    elements: Released[NDArray[np.uint8]]


SUMMARY = "Diffie-Hellman: slow, few bytes, easy to audit"
SECURITIES: tuple[Security, ...] = ("semi-honest",)
LEAKS = "each holder learns the size of the other's set, and which of its own ids the other has too if it gets the result"

_SECONDS_PER_ID = 80e-6
_ROUNDS = 2


def assumption(_mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    return "decisional Diffie-Hellman in ristretto255; SHA-512 as a random oracle"


def estimate(sizes: tuple[int, int], _mode: Mode, network: Network) -> Cost:
    """Two multiplications per id at each holder; two lists of points each way."""
    ids = sum(sizes)
    sent = 2 * ids * group.ELEMENT_BYTES
    seconds = ids * _SECONDS_PER_ID + _ROUNDS * network.latency_s + sent / 2 / network.bytes_per_s
    return Cost(seconds, sent, _ROUNDS, 400 * max(sizes))


def intersect(
    party: Party,
    ids: NDArray[np.uint8],
    *,
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,  # noqa: ARG001 - there is only one
) -> Aligned | None:
    """See :class:`unseen.psi.protocol.Protocol`."""
    if set(to) != set(sizes):
        raise UsageError(
            "This protocol gives the result to both holders.",
            mend="choose another protocol, or let both have it",
        )
    peer = next(name for name in sizes if name != party.name)
    exponent = group.scalar_random()
    order = party.rng.permutation(len(ids))
    party.progress(0, 3, "masking own ids")
    own = _masked(party, exponent, _hashed(party, ids[order]), sender=party.name)
    theirs = party.exchange(MaskedIds(own), MaskedIds, peers=(peer,))[peer].elements
    require(theirs, shape=(len(theirs), group.ELEMENT_BYTES), dtype=np.uint8, sender=peer)
    party.progress(1, 3, "masking the other's ids")
    returned = _masked(party, exponent, theirs, sender=peer)
    told = party.release(DISCLOSURE, returned, to=(peer,), elements=len(returned))
    mine = party.exchange(DoublyMasked(told), DoublyMasked, peers=(peer,))[peer].elements.value
    require(mine, shape=own.shape, dtype=np.uint8, sender=peer)
    party.progress(2, 3, "comparing")
    rows = order[_common(mine, returned, peer)]
    party.progress(3, 3, f"{len(rows)} rows in common")
    return Aligned(rows)


def _hashed(party: Party, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    def hash_chunk(chunk: NDArray[np.uint8]) -> NDArray[np.uint8]:
        digests = b"".join(hashlib.sha512(_DOMAIN + row.tobytes()).digest() for row in chunk)
        return group.from_uniform(np.frombuffer(digests, np.uint8).reshape(len(chunk), group.HASH_BYTES))

    return _spread(party, hash_chunk, ids)


def _masked(party: Party, exponent: bytes, elements: NDArray[np.uint8], *, sender: str) -> NDArray[np.uint8]:
    return _spread(party, lambda chunk: group.scalar_mult(exponent, chunk, sender=sender), elements)


def _spread(
    party: Party, work: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], rows: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    chunks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    parts = party.pool.map(work, chunks)
    return np.concatenate(parts) if parts else np.zeros((0, group.ELEMENT_BYTES), np.uint8)


def _common(mine: NDArray[np.uint8], theirs: NDArray[np.uint8], peer: str) -> NDArray[np.int64]:
    """Places in `mine` of the values that are in both, ordered by value."""
    left, right = _as_words(mine), _as_words(theirs)
    for values in (left, right):
        if len(np.unique(values)) != len(values):
            raise RemoteProtocolError(
                f"{peer} sent the same masked id twice.", why="ids are unique, so masked ids are", party=peer
            )
    _, places, _ = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return places.astype(np.int64)


def _as_words(elements: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    rows = np.ascontiguousarray(elements)
    words: NDArray[np.bytes_] = rows.view(f"S{group.ELEMENT_BYTES}").reshape(len(rows))
    return words
