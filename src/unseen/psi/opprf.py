"""A programmable oblivious PRF: the receiver gets the programmed value at ids that the sender chose, noise at all others.

The sender holds ids Y with a value t(y) each, the receiver ids X. From :mod:`unseen.psi.vole_oprf` the receiver has F(x) for its
ids and the sender F's key. The sender encodes y -> t(y) ^ F(y) into a second key-value store and sends it; the receiver
decodes it at x and adds F(x): t(x) if x is in Y, and a value that looks random if not. It cannot tell which, if the t(y) are
uniform: nobody learns the intersection. This is the brick of hidden intersections (:mod:`unseen.psi.protocols.circuit`): with t(y) a share
of the sender's choosing, "x is in Y" becomes an equality test between shares. Values wider than a block are stored block by
block, under masks that a hash makes of F(y).

Against whom
    Semi-honest parties. (A deviating sender could put in more ids than it says, or make values fail at ids of its choice.)
What it leaks
    Both public sizes. The store is uniform to the receiver wherever the values are.
Assumption
    Those of :mod:`unseen.psi.vole_oprf`; F(y) masks the store's values; for wider ones AES under a fixed key is correlation robust.
Cost
    Beside the OPRF's: the values' width a slot, about 1.35 slots an id of the sender; one more message.

Source: Kolesnikov, Matania, Pinkas, Rosulek and Trieu, "Practical Multi-party Private Set Intersection from Symmetric-Key
Techniques" (CCS 2017), with the store of Raghuraman and Rindal (CCS 2022).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import blocks, okvs
from unseen.party import Masked, Message, Party, Public, require
from unseen.psi import vole_oprf
from unseen.psi.protocol import Mode

Blocks = NDArray[np.uint8]


class Program(Message, frozen=True, tag="opprf.program/1"):
    """The sender's store of one block of each value under F, shape (slots, 16), and the seed of its positions."""

    seed: Public[bytes]
    slots: Masked


def receive(
    party: Party,
    peer: str,
    ids: Blocks,
    *,
    size: int,
    programmed: int,
    mode: Mode,
    width: int = vole_oprf.BLOCK_BYTES,
    prepared: vole_oprf.Prepared | None = None,
) -> Blocks:
    """The programmed values at the own ids, noise where `peer` programmed nothing: shape (n, width).

    Parameters
    ----------
    ids
        Distinct, uint8 of shape (n, 16 or more), of which 16 bytes count; n at most `size`.
    size, programmed
        Public sizes of the own set and of the sender's.
    width
        Bytes of a value, a multiple of 16.
    prepared
        As for :func:`unseen.psi.vole_oprf.evaluate`.
    """
    _check(mode)
    known = vole_oprf.evaluate(party, peer, ids, size=size, mode=mode, prepared=prepared)
    values = _masks(known, width)
    shape, keys = okvs.shape(programmed), vole_oprf.keys_of(ids)
    for place in range(values.shape[1]):
        program = party.recv(peer, Program)
        require(program.slots, shape=(shape.slots, vole_oprf.BLOCK_BYTES), dtype=np.uint8, sender=peer)
        if len(program.seed) != vole_oprf.SEED_BYTES:
            raise RemoteProtocolError(f"{peer} sent a seed of another length.", party=peer)
        values[:, place] ^= okvs.decode(shape, np.frombuffer(program.seed, np.uint8), program.slots, keys)
    return values.reshape(len(ids), width)


def send(
    party: Party, peer: str, ids: Blocks, values: Blocks, *, size: int, programmed: int, mode: Mode
) -> None:
    """Program `values` at `ids`.

    Parameters
    ----------
    ids, values
        Distinct ids, shape (n, 16 or more), and what the peer gets at them, shape (n, width), n at most `programmed`. Values that
        are not uniform, in every byte, show the peer where it met one.
    size, programmed
        Public sizes of the peer's set and of the own.
    """
    _check(mode)
    if len(ids) != len(values) or len(ids) > programmed or values.shape[1] % vole_oprf.BLOCK_BYTES:
        raise LocalProtocolError(
            f"Values of shape {values.shape} for {len(ids)} ids, of at most {programmed}.",
            why="each id has one value, of a multiple of 16 bytes",
        )
    key = vole_oprf.hold_key(party, peer, size=size, mode=mode)
    shape, keys = okvs.shape(programmed), vole_oprf.keys_of(ids)
    masked = _masks(key.evaluate(ids, party.pool), values.shape[1])
    masked ^= values.reshape(masked.shape)
    for place in range(masked.shape[1]):
        party.send(peer, _stored(party, shape, keys, np.ascontiguousarray(masked[:, place])))


def _stored(party: Party, shape: okvs.OkvsShape, keys: Blocks, masked: Blocks) -> Program:
    seed, slots = vole_oprf.store(party, shape, keys, lambda _seed: masked)
    return Program(seed.tobytes(), slots)


def _masks(values: Blocks, width: int) -> Blocks:
    """One block for each of a value of `width` bytes, (n, blocks, 16): F itself for a single one, else hashes of F ^ 1, F ^ 2, ..."""
    wide = width // vole_oprf.BLOCK_BYTES
    if wide == 1:
        return values[:, None]
    masks = np.empty((len(values), wide, vole_oprf.BLOCK_BYTES), np.uint8)
    for place in range(wide):
        tweak = np.frombuffer((place + 1).to_bytes(vole_oprf.BLOCK_BYTES, "little"), np.uint8)
        masks[:, place] = blocks.hash_blocks(values ^ tweak)
    return masks


def _check(mode: Mode) -> None:
    if mode.security != "semi-honest":
        raise UsageError("A programmable OPRF is secure against semi-honest parties only.")
