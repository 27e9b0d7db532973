"""Base oblivious transfer: a hundred or so keys from public-key operations, from which extension makes millions.

For each instance the sender ends up with two random 16-byte keys, the receiver with the one of its choice.

How
    "Endemic" transfer from Diffie-Hellman. For choice c the receiver draws a scalar t and a random element R_{1-c}, sets
    R_c = t G - H_c(R_{1-c}), and sends R_0 and R_1. The sender sends S = a G. Key j is a hash of a (R_j + H_j(R_{1-j}));
    the receiver knows t S, which is that of c. H_j hashes session, instance and j into the group, so a receiver can fix
    R_0 + H_0(R_1) or R_1 + H_1(R_0), never both.
Source
    Masny and Rindal, "Endemic Oblivious Transfer" (CCS 2019). One `a` serves all instances, which is safe because the
    instance's number and both its elements enter H and the key (McQuoid, Rosulek and Roy, "Batching Base Oblivious
    Transfers", ASIACRYPT 2021, break batches without them).
Against whom
    Parties that deviate in any way. A party that deviates may *choose* its own keys ("endemic"); they serve as seeds, for
    which that does no harm, and must not be handed out as the result of a random transfer.
What it leaks
    Nothing: the choices are hidden perfectly (R_0 and R_1 are uniform elements whatever c is).
Assumption
    Computational Diffie-Hellman in ristretto255; SHA-512 into the group and SHA-256 as random oracles. A quantum computer
    breaks it.
Cost
    One round (both messages cross); 64 bytes per instance from the receiver, 32 bytes in all from the sender; four
    multiplications and four maps into the group per instance for both together.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError
from unseen.crypto import group
from unseen.ot.correlation import BLOCK_BYTES, Bits, Blocks, require_bits
from unseen.party import Ciphertext, Message, Party, require

_HASH = b"unseen/ot-base/hash-to-group/v1\n"
_KEY = b"unseen/ot-base/key/v1\n"
_INSTANCE_BYTES = 4


class Offers(Message, frozen=True, tag="ot-base.offers/1"):
    """The receiver's R_0 and R_1 of every instance, shape (count, 2, 32): uniform elements."""

    elements: Ciphertext


class PublicKey(Message, frozen=True, tag="ot-base.public-key/1"):
    """The sender's S, shape (1, 32)."""

    element: Ciphertext


def send(party: Party, peer: str, count: int) -> Blocks:
    """Be the sender of `count` instances: both keys of each, shape (count, 2, 16).

    Raises
    ------
    RemoteProtocolError
        `peer` sent something that is no element of the group, or the identity.
    """
    session = _session(party, sender=party.name, receiver=peer)
    secret = _scalars(party, 1)[0].tobytes()
    public = group.scalar_mult_base(secret)
    party.send(peer, PublicKey(group.to_array([public])))
    offers = party.recv(peer, Offers).elements
    require(offers, shape=(count, 2, group.ELEMENT_BYTES), dtype=np.uint8, sender=peer)
    _refuse_identity(offers, peer)
    keys = np.empty((count, 2, BLOCK_BYTES), np.uint8)
    for which in (0, 1):
        hashed = _into_group(session, np.full(count, which, np.uint8), offers[:, 1 - which])
        points = group.add(offers[:, which], hashed, sender=peer)
        shared = group.scalar_mult(secret, points, sender=peer)
        keys[:, which] = _derive(session, np.full(count, which, np.uint8), offers, public, shared)
    return keys


def receive(party: Party, peer: str, choices: Bits) -> Blocks:
    """Be the receiver: the key of its choice of each instance, shape (count, 16); `choices` are (count,) of 0 and 1.

    Raises
    ------
    RemoteProtocolError
        `peer` sent something that is no element of the group, or the identity.
    """
    count = len(choices)
    bits = require_bits(choices, count)
    session = _session(party, sender=peer, receiver=party.name)
    exponents = _scalars(party, count)
    other = group.from_uniform(_random_rows(party, count, group.HASH_BYTES))
    chosen = group.subtract(
        group.base_mult_each(exponents), _into_group(session, bits, other), sender=party.name
    )
    offers = _placed(bits, chosen, other)
    party.send(peer, Offers(offers))
    public = party.recv(peer, PublicKey).element
    require(public, shape=(1, group.ELEMENT_BYTES), dtype=np.uint8, sender=peer)
    shared = group.scalar_mult_each(exponents, np.repeat(public, count, axis=0), sender=peer)
    return _derive(session, bits, offers, public.tobytes(), shared)


def _session(party: Party, *, sender: str, receiver: str) -> bytes:
    """32 bytes that both ends know and that no other run, stream or direction has."""
    peer = receiver if party.name == sender else sender
    return party.shared_seed(peer, f"ot-base {sender} to {receiver}")


def _random_rows(party: Party, count: int, width: int) -> NDArray[np.uint8]:
    return np.frombuffer(party.rng.bytes(count * width), np.uint8).reshape(count, width)


def _scalars(party: Party, count: int) -> NDArray[np.uint8]:
    """Uniform scalars, shape (count, 32); each is 0 with probability 2^-252, which is refused where it is used."""
    rows = _random_rows(party, count, group.HASH_BYTES)
    return group.to_array([group.scalar_reduce(row.tobytes()) for row in rows])


def _placed(bits: Bits, chosen: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`chosen` in the place that the bit says and `other` in the other, without branching on it."""
    swap = (chosen ^ other) & (np.uint8(0) - bits)[:, None]
    return np.stack([chosen ^ swap, other ^ swap], axis=1)


def _into_group(session: bytes, which: Bits, elements: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H_j of one element per instance."""
    digests = b"".join(
        hashlib.sha512(b"".join([_HASH, session, _number(index), which[index], element])).digest()
        for index, element in enumerate(np.ascontiguousarray(elements))
    )
    return group.from_uniform(np.frombuffer(digests, np.uint8).reshape(len(elements), group.HASH_BYTES))


def _derive(
    session: bytes, which: Bits, offers: NDArray[np.uint8], public: bytes, shared: NDArray[np.uint8]
) -> Blocks:
    """The key of each instance, from everything that was said about it."""
    keys = b"".join(
        hashlib.sha256(
            b"".join([_KEY, session, _number(index), which[index], offers[index].data, public, shared[index]])
        ).digest()[:BLOCK_BYTES]
        for index in range(len(shared))
    )
    return np.frombuffer(keys, np.uint8).reshape(len(shared), BLOCK_BYTES)


def _number(index: int) -> bytes:
    return index.to_bytes(_INSTANCE_BYTES, "little")


def _refuse_identity(offers: NDArray[np.uint8], peer: str) -> None:
    if not offers.any(axis=2).all():
        raise RemoteProtocolError(
            f"{peer} sent the identity where a group element is due.",
            why="an honest party does so with probability 2^-252",
            party=peer,
        )
