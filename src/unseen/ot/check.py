"""Whether punctured trees fit together: a random linear combination of all rows, held against the owner's.

What
    Rows at the party that lacks leaves are c = a Delta + b, `a` being zero but at the positions, b the owner's. It draws
    a key of random coefficients when it has all corrections, and sends the combination of `a`, hidden by that of one spare
    element of the same relation. The owner answers with a digest of what the combination of c must be.
Source
    Weng, Yang, Katz, Wang, "Wolverine" (S&P 2021); Yang, Weng, Lan, Zhang, Wang, "Ferret" (CCS 2020).
Against whom
    An owner that deviates: it passes with probability about 2^-128, or by guessing the positions that its errors
    depend on. The other party learns a digest of a number that it knows; with a wrong combination, one that tells it
    whether a guess of all of Delta was right.
Cost
    One round, 64 bytes and heads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from hmac import compare_digest

import numpy as np

from unseen.core.errors import RemoteProtocolError
from unseen.kernels.blocks import gf_multiply
from unseen.ot.correlation import BLOCK_BYTES, Blocks
from unseen.party import Masked, Message, Party, Public, require

SPARE = 128  # transfers that the spare element is packed from
_PROOF = b"unseen/ot-check/proof/v1\n"
_PROOF_BYTES = 32

Combine = Callable[[Blocks], Blocks]


class Challenge(Message, frozen=True, tag="ot-check.challenge/1"):
    """Key of the random coefficients, after all corrections; their combination of `a`, under a spare element."""

    seed: Public[bytes]
    combination: Masked


class Proof(Message, frozen=True, tag="ot-check.proof/1"):
    """Digest of what the combination of c must be, (32,)."""

    digest: Masked


def verify(party: Party, peer: str, keys: Blocks, spare: Blocks, combine: Combine) -> None:
    """Check the owner's rows; `spare` is (2, 16), a and c of the spare element; combine(key) is (2, 16) of all rows.

    Raises
    ------
    RemoteProtocolError
        They do not fit together.
    """
    seed = party.rng.bytes(BLOCK_BYTES)
    a, c = combine(np.frombuffer(seed, np.uint8)) ^ spare
    party.send(peer, Challenge(seed, a))
    proof = party.recv(peer, Proof).digest
    require(proof, shape=(_PROOF_BYTES,), dtype=np.uint8, sender=peer)
    if not compare_digest(proof.tobytes(), _digest(keys, c).tobytes()):
        raise RemoteProtocolError(
            f"{peer} sent corrections of trees that do not fit together.",
            why="the check fails: it deviates from the protocol, or its messages were changed on the way",
            party=peer,
        )


def prove(party: Party, peer: str, keys: Blocks, delta: Blocks, spare: Blocks, combine: Combine) -> None:
    """Be checked; `spare` is (16,), b of the spare element; combine(key) is (16,) of all rows."""
    challenge = party.recv(peer, Challenge)
    require(challenge.combination, shape=(BLOCK_BYTES,), dtype=np.uint8, sender=peer)
    if len(challenge.seed) != BLOCK_BYTES:
        raise RemoteProtocolError(
            f"{peer} sent a challenge of {len(challenge.seed)} bytes where {BLOCK_BYTES} are due.",
            party=peer,
        )
    b = combine(np.frombuffer(challenge.seed, np.uint8)) ^ spare
    expected = b ^ gf_multiply(challenge.combination.reshape(1, -1), delta)[0]
    party.send(peer, Proof(_digest(keys, expected)))


def _digest(keys: Blocks, combination: Blocks) -> Blocks:
    """Keys are those of the run, so that a digest is of no use in another."""
    return np.frombuffer(hashlib.sha256(_PROOF + keys.tobytes() + combination.tobytes()).digest(), np.uint8)
