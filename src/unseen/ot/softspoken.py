"""SoftSpoken: correlated oblivious transfers by the hundred million a second, from symmetric primitives only.

How
    The receiver owns 128 / k trees of 2^k keys, the sender lacks one key of each, whose number is k bits of its Delta
    (:mod:`unseen.ot.trees`; roles turn round for the set-up). Every key is a stream of bits. For tree i the receiver
    adds up all streams to u_i and the streams weighted by their number to v_i; the sender, whose missing stream has
    weight 0 in *its* numbering, gets v_i + Delta_i u_i. The receiver sends u_i + u for a common u, which is its choices,
    so that the sender can put u in the place of every u_i: then rows across all trees differ by u Delta.
    With security "malicious" the first 128 transfers of a call are sacrificed. When the sender has all corrections it
    draws a random linear hash; the receiver answers with the hash of u, and a digest of the hashes of all columns,
    which the sender computes too. Only then are rows returned, at both ends.
Source
    Roy, "SoftSpokenOT: Quieter OT Extension from Small-Field Silent VOLE in the Minicrypt Model" (CRYPTO 2022), with the
    repetition code. Coefficients of the check are random ones, one for each 128 transfers, not powers of one.
Against whom
    "semi-honest": parties that follow the protocol. "malicious": parties that deviate in any way. A receiver that sends
    inconsistent corrections is found out unless it guessed the parts of Delta that they depend on (k bits each): what it
    learns that way costs it an abort with the probability of having guessed wrong. A sender cannot deviate but in its
    own Delta. After an abort the object is dead: no second try under the same Delta.
What it leaks
    Nothing beyond the number of transfers.
Assumption
    AES-128 is a pseudo-random generator, and what :mod:`unseen.ot.base` and :mod:`unseen.ot.trees` need.
Cost
    Per transfer the receiver sends 128 / k - 1 bits (one more if it brings its own choices): 63, 31, 15 for k = 2, 4,
    8, and each side computes 2^k / k blocks of AES. Half a round per call; with the check one round more and 80 bytes,
    and 128 transfers. Set-up: 12 kB in one and a half rounds.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest

import numpy as np

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.kernels import softspoken as kernel
from unseen.kernels.blocks import gf_combine, transpose_bits
from unseen.ot import trees
from unseen.ot.correlation import (
    BLOCK_BYTES,
    Bits,
    Blocks,
    ReceiverCorrelation,
    Security,
    SenderCorrelation,
    require_bits,
)
from unseen.party import Masked, Message, Party, Public, require

SIDE = 128
DEPTHS = (2, 4, 8)
PIECE = 2048  # blocks of 128 transfers per message: about a megabyte at k = 4
_CHECK = b"unseen/ot-softspoken/check/v1\n"
_DIGEST_BYTES = 32


class Corrections(Message, frozen=True, tag="ot-softspoken.corrections/1"):
    """Of a piece of the call and each tree, u_i + u: shape (trees or trees - 1, blocks, 16)."""

    blocks: Masked


class Challenge(Message, frozen=True, tag="ot-softspoken.challenge/1"):
    """The key of the random coefficients, after all corrections: 16 bytes."""

    seed: Public[bytes]


class Answer(Message, frozen=True, tag="ot-softspoken.answer/1"):
    """The hash of the choices (16,), under that of the sacrificed ones, and the digest of the hashes of columns (32,)."""

    choices: Masked
    columns: Masked


class Sender:
    """Supplies the sender's halves. Made at both ends at once: making one is the set-up with the peer.

    Parameters
    ----------
    k
        Depth of the trees: 2, 4 or 8. 4 is fastest, 8 sends half as much and computes six times as much.
    delta
        Delta, shape (16,), secret and uniform but for bits that a protocol fixes; None: drawn afresh.

    Raises
    ------
    RemoteProtocolError
        The set-up failed, because of the peer.
    """

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        k: int = 4,
        security: Security = "malicious",
        delta: Blocks | None = None,
    ) -> None:
        malicious = _checked(k, security)
        self._party, self._peer, self._malicious = party, peer, malicious
        self.delta = _random_block(party) if delta is None else np.ascontiguousarray(delta)
        self._trees = SIDE // k
        self._keys = trees.own_but_one(party, peer, self.delta, k, malicious=malicious)
        self._next = 0
        self._dead = False

    def correlated(self, count: int) -> SenderCorrelation:
        """The next `count` rows. Whether the choices are the receiver's own shows in the size of its messages.

        Raises
        ------
        RemoteProtocolError
            The peer deviated. Nothing of the call is returned, and this object is of no further use.
        """
        first, blocks = _stretch(self._next, count, self._malicious, dead=self._dead)
        self._dead = True  # until this call ends well
        rows = np.empty((SIDE * blocks, BLOCK_BYTES), np.uint8)
        sent = self._trees - 1
        for begin in range(0, blocks, PIECE):
            size = min(PIECE, blocks - begin)
            corrections = self._party.recv(self._peer, Corrections).blocks
            if begin == 0 and len(corrections) == self._trees:  # the receiver brings its choices
                sent = self._trees
            require(corrections, shape=(sent, size, BLOCK_BYTES), dtype=np.uint8, sender=self._peer)
            piece = rows[SIDE * begin : SIDE * (begin + size)]
            kernel.send(self._keys, self.delta, first + begin, corrections, piece)
        if self._malicious:
            self._check(rows)
        self._next, self._dead = first + blocks, False
        return SenderCorrelation(self.delta, rows[_sacrificed(self._malicious) :][:count])

    def _check(self, rows: Blocks) -> None:
        seed = _random_block(self._party)
        self._party.send(self._peer, Challenge(seed.tobytes()))
        answer = self._party.recv(self._peer, Answer)
        require(answer.choices, shape=(BLOCK_BYTES,), dtype=np.uint8, sender=self._peer)
        require(answer.columns, shape=(_DIGEST_BYTES,), dtype=np.uint8, sender=self._peer)
        bits = np.unpackbits(self.delta, bitorder="little")
        mask = (np.uint8(0) - bits)[:, None]
        expected = _digest(_columns(seed, rows) ^ (mask & answer.choices))
        if not compare_digest(expected.tobytes(), answer.columns.tobytes()):
            raise RemoteProtocolError(
                f"{self._peer} sent corrections of oblivious transfers that do not fit together.",
                why="the check fails: it deviates from the protocol, or its messages were changed on the way",
                party=self._peer,
            )


class Receiver:
    """Supplies the receiver's halves; see :class:`Sender`."""

    def __init__(self, party: Party, peer: str, *, k: int = 4, security: Security = "malicious") -> None:
        malicious = _checked(k, security)
        self._party, self._peer, self._malicious = party, peer, malicious
        self._keys = trees.own(party, peer, k, malicious=malicious)
        self._next = 0
        self._dead = False

    def correlated(self, count: int, choices: Bits | None = None) -> ReceiverCorrelation:
        """The next `count` rows, for `choices` (count,) of 0 and 1, or for fresh random ones.

        Raises
        ------
        RemoteProtocolError
            The peer sent something else than is due.
        """
        packed = None if choices is None else self._packed(require_bits(choices, count))
        first, blocks = _stretch(self._next, count, self._malicious, dead=self._dead)
        self._dead = True
        rows = np.empty((SIDE * blocks, BLOCK_BYTES), np.uint8)
        bits = np.empty((blocks, BLOCK_BYTES), np.uint8)
        for begin in range(0, blocks, PIECE):
            end = min(begin + PIECE, blocks)
            given = None if packed is None else packed[begin:end]
            piece = rows[SIDE * begin : SIDE * end]
            bits[begin:end], corrections = kernel.receive(self._keys, first + begin, piece, given)
            self._party.send(self._peer, Corrections(corrections))
        if self._malicious:
            self._answer(bits, rows)
        self._next, self._dead = first + blocks, False
        skip = _sacrificed(self._malicious)
        if choices is None:
            choices = np.unpackbits(bits.reshape(-1), bitorder="little")[skip:][:count]
        return ReceiverCorrelation(choices, rows[skip:][:count])

    def _packed(self, choices: Bits) -> Blocks:
        """128 choices to a block, after sacrificed ones that are random, and filled up with random ones."""
        skip = _sacrificed(self._malicious)
        blocks = -(-(skip + len(choices)) // SIDE)
        bits = np.unpackbits(
            np.frombuffer(self._party.rng.bytes(2 * BLOCK_BYTES), np.uint8), bitorder="little"
        )
        padding = blocks * SIDE - skip - len(choices)
        together = np.concatenate([bits[:skip], choices, bits[SIDE : SIDE + padding]])
        return np.packbits(together, bitorder="little").reshape(blocks, BLOCK_BYTES)

    def _answer(self, bits: Blocks, rows: Blocks) -> None:
        challenge = self._party.recv(self._peer, Challenge).seed
        if len(challenge) != BLOCK_BYTES:
            raise RemoteProtocolError(
                f"{self._peer} sent a challenge of {len(challenge)} bytes where {BLOCK_BYTES} are due.",
                party=self._peer,
            )
        seed = np.frombuffer(challenge, np.uint8)
        choices = gf_combine(seed, 0, bits[1:]) ^ bits[0]
        self._party.send(self._peer, Answer(choices, _digest(_columns(seed, rows))))


def _checked(k: int, security: str) -> bool:
    """Whether the security is that against parties that deviate."""
    if k not in DEPTHS:
        raise UsageError(f"SoftSpoken has trees of depth 2, 4 or 8, not {k}.")
    if security not in ("semi-honest", "malicious"):
        raise UsageError(f"Security is 'semi-honest' or 'malicious', not '{security}'.")
    return security == "malicious"


def _random_block(party: Party) -> Blocks:
    return np.frombuffer(party.rng.bytes(BLOCK_BYTES), np.uint8)


def _sacrificed(malicious: bool) -> int:  # noqa: FBT001 - one of two securities
    return SIDE if malicious else 0


def _stretch(first: int, count: int, malicious: bool, *, dead: bool) -> tuple[int, int]:  # noqa: FBT001
    """The first block of a call and how many it takes."""
    if dead:
        raise LocalProtocolError(
            "These oblivious transfers ended in an error and are of no further use.",
            why="another try under the same Delta would tell the peer more of it",
            mend="start a new attempt",
        )
    if count < 0:
        raise LocalProtocolError(f"{count} transfers cannot be made.")
    return first, -(-(count + _sacrificed(malicious)) // SIDE)


def _columns(seed: Blocks, rows: Blocks) -> Blocks:
    """The hash of each column, shape (128, 16). The sacrificed block has the coefficient 1 and hides the rest."""
    return kernel.fold(seed, 0, rows[SIDE:]) ^ transpose_bits(rows[:SIDE])


def _digest(columns: Blocks) -> Blocks:
    return np.frombuffer(hashlib.sha256(_CHECK + columns.tobytes()).digest(), np.uint8)
