"""A programmable oblivious PRF: the receiver gets the programmed value at ids that the sender chose, noise at all others.

The sender holds ids Y with a value t(y) each, the receiver ids X. From :mod:`unseen.psi.vole_oprf` the receiver has F(x) for its
ids and the sender F's key. The sender encodes y -> t(y) ^ F(y) into a second key-value store and sends it; the receiver
decodes it at x and adds F(x): t(x) if x is in Y, and a value that looks random if not. It cannot tell which, if the t(y) are
uniform: nobody learns the intersection. This is the brick of hidden intersections: with t(y) a share of the sender's choosing,
"x is in Y" becomes an equality test between shares.

Against whom
    Semi-honest parties. (A deviating sender could put in more ids than it says, or make values fail at ids of its choice.)
What it leaks
    Both public sizes. The store is uniform to the receiver wherever the values are.
Assumption
    Those of :mod:`unseen.psi.vole_oprf`; F(y) masks the store's values.
Cost
    Beside the OPRF's: 16 bytes a slot, about 1.35 slots an id of the sender; one more message.

Source: Kolesnikov, Matania, Pinkas, Rosulek and Trieu, "Practical Multi-party Private Set Intersection from Symmetric-Key
Techniques" (CCS 2017), with the store of Raghuraman and Rindal (CCS 2022).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import okvs
from unseen.party import Masked, Message, Party, Public, require
from unseen.psi import vole_oprf
from unseen.psi.protocol import Mode

Blocks = NDArray[np.uint8]


class Program(Message, frozen=True, tag="opprf.program/1"):
    """The sender's store of values under F, shape (slots, 16), and the seed of its positions."""

    seed: Public[bytes]
    slots: Masked


def receive(party: Party, peer: str, ids: Blocks, *, size: int, programmed: int, mode: Mode) -> Blocks:
    """The programmed values at the own ids, noise where `peer` programmed nothing: shape (n, 16).

    Parameters
    ----------
    ids
        Distinct, uint8 of shape (n, 32), n at most `size`.
    size, programmed
        Public sizes of the own set and of the sender's.
    """
    _check(mode)
    values = vole_oprf.evaluate(party, peer, ids, size=size, mode=mode)
    shape = okvs.shape(programmed)
    program = party.recv(peer, Program)
    require(program.slots, shape=(shape.slots, vole_oprf.BLOCK_BYTES), dtype=np.uint8, sender=peer)
    if len(program.seed) != vole_oprf.SEED_BYTES:
        raise RemoteProtocolError(f"{peer} sent a seed of another length.", party=peer)
    seed = np.frombuffer(program.seed, np.uint8)
    decoded = okvs.decode(shape, seed, program.slots, vole_oprf.keys_of(ids))
    return np.bitwise_xor(decoded, values)


def send(
    party: Party, peer: str, ids: Blocks, values: Blocks, *, size: int, programmed: int, mode: Mode
) -> None:
    """Program `values` at `ids`.

    Parameters
    ----------
    ids, values
        Distinct ids, shape (n, 32), and what the peer gets at them, shape (n, 16), n at most `programmed`. Values that are not
        uniform show the peer where it met one.
    size, programmed
        Public sizes of the peer's set and of the own.
    """
    _check(mode)
    if len(ids) != len(values) or len(ids) > programmed:
        raise LocalProtocolError(f"{len(values)} values for {len(ids)} ids, of at most {programmed}.")
    key = vole_oprf.hold_key(party, peer, size=size, mode=mode)
    shape = okvs.shape(programmed)
    masked = np.bitwise_xor(key.evaluate(ids, party.pool), values)
    seed, slots = vole_oprf.store(party, shape, vole_oprf.keys_of(ids), lambda _seed: masked)
    party.send(peer, Program(seed.tobytes(), slots))


def _check(mode: Mode) -> None:
    if mode.security != "semi-honest":
        raise UsageError("A programmable OPRF is secure against semi-honest parties only.")
