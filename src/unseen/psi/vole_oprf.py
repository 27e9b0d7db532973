"""An oblivious pseudo-random function on a whole set (RR22): one side gets F(x) for its ids, the other can compute F of any id.

The *evaluator* holds ids X and encodes them into an oblivious key-value store P with Decode(P, x) = H(x). The *key holder*
holds Δ. From a subfield VOLE the evaluator has vectors A', C and the key holder B with C = A'Δ + B. The evaluator sends
A = P + A', and the key holder has K = B + AΔ = C + PΔ. Decoding is linear, so

    F(y) = hash(Decode(K, y) - Δ H(y)) = hash(Decode(C, y) + Δ (Decode(P, y) - H(y)))

which the evaluator computes as hash(Decode(C, x)) where Decode(P, x) = H(x): for its own ids, and for no other.

Against whom
    `semi-honest`: parties that follow the protocol. `malicious`: parties that deviate, with abort; the hash is then a random
    oracle over value and id, salted by a coin toss that the key holder commits to first, and the VOLE is checked.
What it leaks
    The evaluator's public size, in the length of A. A is uniform to the key holder: A' masks it.
    A malicious evaluator can put more ids into P than it says, up to about the length of P (1.24 to 1.4 times the size).
Assumption
    Learning parity with noise for the VOLE (or none beyond AES, `assumption="symmetric"`), correlation robustness of the
    AES-based hash (semi-honest) or SHA-256 as a random oracle (malicious). The chance that an id outside X gets the value of
    one inside is 2^-128 per pair in `gf128`; in the compact mode Decode(P, y) = H(y) for y outside X happens with 2^-96
    per id, see docs/protocols/psi-vole.md for the argument.
Cost
    16 bytes (12 in the compact mode) per slot of the store, about 1.35 (1.24) slots an id; 2 rounds beside the VOLE's.

Source: Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE" (CCS 2022), figure 11; malicious:
Rindal and Schoppmann, "VOLE-PSI: Fast OPRF and Circuit-PSI from Vector-OLE" (Eurocrypt 2021).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import blocks, okvs, oprf, rows
from unseen.ot.vole import DeltaSide, VectorSide
from unseen.party import Masked, Message, Party, Pool, Public, require
from unseen.psi.protocol import Mode

Blocks = NDArray[np.uint8]
Prepared: TypeAlias = tuple[Blocks, Blocks]
"""The public seed of a store, shape (16,), and the store, shape (slots, 16)."""

BLOCK_BYTES = 16
_NARROW_BYTES = 12
SEED_BYTES = 16
_SALT_BYTES = 32
_TRIES = 8
_PIECE = 1 << 15
_ORACLE = b"unseen/psi-vole/oracle/v1\n"
_COMMITMENT = b"unseen/psi-vole/salt/v1\n"


class SaltCommitment(Message, frozen=True, tag="psi-vole.salt-commitment/1"):
    """The key holder's hash of its half of the salt (malicious mode)."""

    digest: Public[bytes]


class Encoding(Message, frozen=True, tag="psi-vole.encoding/1"):
    """The evaluator's store under the VOLE's mask, shape (slots, 16 or 12), with the seed of the store's positions.

    `salt` is the evaluator's half of the salt, empty in the semi-honest mode.
    """

    seed: Public[bytes]
    salt: Public[bytes]
    slots: Masked


class SaltOpening(Message, frozen=True, tag="psi-vole.salt-opening/1"):
    """The key holder's half of the salt."""

    salt: Public[bytes]


@dataclass(frozen=True, slots=True)
class OprfKey:
    """What the key holder holds: enough to compute F of any id."""

    shape: okvs.OkvsShape
    seed: Blocks
    salt: bytes
    delta: Blocks
    store: Blocks

    def __repr__(self) -> str:
        return "OprfKey(<secret>)"

    def evaluate(self, ids: Blocks, pool: Pool, *, width: int = BLOCK_BYTES) -> Blocks:
        """The first `width` bytes of F of each id: ids of shape (n, 32), values of shape (n, width)."""

        def of(piece: Blocks) -> Blocks:
            keys = keys_of(piece)
            decoded = okvs.decode(self.shape, self.seed, self.store, keys)
            targets = okvs.hash_to_field(self.seed, keys, field=self.shape.field)
            shifted = oprf.add_scaled(decoded, targets, self.delta, field=self.shape.field)
            return _finish(shifted, piece, self.salt)

        return _piece_by_piece(of, ids, width, pool)


def evaluate(
    party: Party,
    peer: str,
    ids: Blocks,
    *,
    size: int,
    mode: Mode,
    width: int = BLOCK_BYTES,
    prepared: Prepared | None = None,
) -> Blocks:
    """F of each of the own ids, under the key that `peer` gets from its :func:`hold_key`.

    Parameters
    ----------
    ids
        Distinct, uint8 of shape (n, 32), n at most `size`.
    size
        The public size of the set, the same at both ends.
    width
        How many bytes of each value are wanted.
    prepared
        The store of these ids from :func:`prepare`, if several peers get it; else one is made here.

    Returns
    -------
    uint8 of shape (n, width).

    Raises
    ------
    RemoteProtocolError
        The peer opened another salt than it committed to, or failed the VOLE's check.
    """
    malicious = mode.security == "malicious"
    shape = shape_of(size, mode)
    commitment = party.recv(peer, SaltCommitment).digest if malicious else b""
    side = VectorSide(party, peer, security=mode.security, field=shape.field, assumption=mode.assumption)
    stored = _begin_store(party, shape, keys_of(ids)) if prepared is None else lambda: prepared
    vector = side.expand(shape.slots)
    seed, encoded = stored()
    ours = secrets.token_bytes(_SALT_BYTES) if malicious else b""
    masked = np.bitwise_xor(encoded, vector.a, out=encoded if prepared is None else None)
    party.send(peer, Encoding(seed.tobytes(), ours, np.ascontiguousarray(masked[:, : slot_bytes(mode)])))
    salt = _both(ours, _opened(party, peer, commitment)) if malicious else b""

    def of(piece: Blocks) -> Blocks:
        return _finish(okvs.decode(shape, seed, vector.c, keys_of(piece)), piece, salt)

    return _piece_by_piece(of, ids, width, party.pool)


def prepare(party: Party, ids: Blocks, *, size: int, mode: Mode) -> Prepared:
    """The store of a set: for :func:`evaluate` with several key holders, each of whom gets it under a mask of its own.

    Raises
    ------
    UsageError
        The mode is not semi-honest: a salt is due between the store and the key then.
    """
    if mode.security != "semi-honest":
        raise UsageError("One store for several key holders is secure against semi-honest parties only.")
    shape, keys = shape_of(size, mode), keys_of(ids)
    return store(party, shape, keys, _targets(shape, keys))


def hold_key(party: Party, peer: str, *, size: int, mode: Mode) -> OprfKey:
    """A fresh key, of whose function `peer` gets the values at its ids by :func:`evaluate`.

    Parameters
    ----------
    size
        The public size of the peer's set, the same at both ends.

    Raises
    ------
    RemoteProtocolError
        The peer sent a store of another shape, or failed the VOLE's check.
    """
    malicious = mode.security == "malicious"
    shape = shape_of(size, mode)
    ours = secrets.token_bytes(_SALT_BYTES) if malicious else b""
    if malicious:
        party.send(peer, SaltCommitment(_commit(ours)))
    side = DeltaSide(party, peer, security=mode.security, field=shape.field, assumption=mode.assumption)
    held = side.expand(shape.slots)
    encoding = party.recv(peer, Encoding)
    width = slot_bytes(mode)
    require(encoding.slots, shape=(shape.slots, width), dtype=np.uint8, sender=peer)
    if len(encoding.seed) != SEED_BYTES or len(encoding.salt) != (_SALT_BYTES if malicious else 0):
        raise RemoteProtocolError(f"{peer} sent a seed or salt of another length.", party=peer)
    if malicious:
        party.send(peer, SaltOpening(ours))
    slots = encoding.slots
    if width < BLOCK_BYTES:
        slots = np.pad(slots, ((0, 0), (0, BLOCK_BYTES - width)))
    keyed = held.b
    for first in range(0, len(keyed), _PIECE):  # in place: fresh memory costs more than the products
        piece = slice(first, first + _PIECE)
        keyed[piece] = oprf.add_scaled(keyed[piece], slots[piece], held.delta, field=shape.field)
    seed = np.frombuffer(encoding.seed, np.uint8)
    return OprfKey(shape, seed, _both(ours, encoding.salt), held.delta, keyed)


def shape_of(size: int, mode: Mode) -> okvs.OkvsShape:
    """The store for a set of that public size."""
    return okvs.shape(size, compact=mode.compact, field="gf96" if _narrow(mode) else "gf128")


def slot_bytes(mode: Mode) -> int:
    """Bytes of a slot on the wire."""
    return _NARROW_BYTES if _narrow(mode) else BLOCK_BYTES


def _narrow(mode: Mode) -> bool:
    return mode.compact and mode.security == "semi-honest"


def _targets(shape: okvs.OkvsShape, keys: Blocks) -> Callable[[Blocks], Blocks]:
    """What the evaluator's store holds at its ids, of the seed."""
    return lambda seed: okvs.hash_to_field(seed, keys, field=shape.field)


def _begin_store(party: Party, shape: okvs.OkvsShape, keys: Blocks) -> Callable[[], Prepared]:
    """The evaluator's store, made beside what follows: calling what is returned waits for the result."""
    values, draw = _targets(shape, keys), _draw(party)
    first_try = party.pool.aside(lambda: _encoded(shape, keys, values, draw))

    def finish() -> Prepared:
        with contextlib.suppress(okvs.OkvsFailedError):
            return first_try()
        return store(party, shape, keys, values)

    return finish


def store(
    party: Party, shape: okvs.OkvsShape, keys: Blocks, values: Callable[[Blocks], Blocks]
) -> tuple[Blocks, Blocks]:
    """The public seed, shape (16,), under which encoding succeeded, and the store of `values(seed)` at `keys`.

    A second try, needed about once in 2^40 runs, is seen by nobody.
    """
    for _ in range(_TRIES):
        with contextlib.suppress(okvs.OkvsFailedError):
            return _encoded(shape, keys, values, _draw(party))
    raise LocalProtocolError(f"A store of {len(keys)} ids could not be built in {_TRIES} tries.")


def _draw(party: Party) -> tuple[Blocks, Blocks]:
    """The public seed and the secret randomness of a store."""
    return (
        np.frombuffer(party.rng.bytes(SEED_BYTES), np.uint8),
        np.frombuffer(party.rng.bytes(SEED_BYTES), np.uint8),
    )


def _encoded(
    shape: okvs.OkvsShape, keys: Blocks, values: Callable[[Blocks], Blocks], draw: tuple[Blocks, Blocks]
) -> tuple[Blocks, Blocks]:
    seed, randomness = draw
    return seed, okvs.encode(shape, seed, keys, values(seed), randomness)


def _piece_by_piece(of: Callable[[Blocks], Blocks], ids: Blocks, width: int, pool: Pool) -> Blocks:
    """`of` pieces of the ids that stay in the cache, spread over the pool; the first `width` bytes of each value."""
    values = np.empty((len(ids), width), np.uint8)

    def compute(first: int) -> None:
        piece = slice(first, first + _PIECE)
        values[piece] = of(ids[piece])[:, :width]

    pool.map(compute, range(0, len(ids), _PIECE))
    return values


def keys_of(ids: Blocks) -> Blocks:
    """What a store knows an id by: its first 16 bytes, which are uniform."""
    return np.ascontiguousarray(ids[:, :BLOCK_BYTES])


def _commit(salt: bytes) -> bytes:
    return hashlib.sha256(_COMMITMENT + salt).digest()


def _opened(party: Party, peer: str, commitment: bytes) -> bytes:
    salt = party.recv(peer, SaltOpening).salt
    if len(salt) != _SALT_BYTES or not hmac.compare_digest(_commit(salt), commitment):
        raise RemoteProtocolError(f"{peer} opened another salt than it committed to.", party=peer)
    return salt


def _both(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _finish(values: Blocks, ids: Blocks, salt: bytes) -> Blocks:
    """The hash of F: of one block, correlation robust, from AES; else SHA-256 of salt, value and id."""
    if not salt and values.ndim == 2:  # noqa: PLR2004 - (n, 16)
        return blocks.hash_blocks(values)
    parts = np.concatenate([values.reshape(len(values), math.prod(values.shape[1:])), ids], axis=1)
    ends = np.arange(len(parts) + 1, dtype=np.int64) * parts.shape[1]
    digests = rows.digest_rows(_ORACLE + salt, [(ends, parts.reshape(-1))])
    return np.ascontiguousarray(digests[:, :BLOCK_BYTES])
