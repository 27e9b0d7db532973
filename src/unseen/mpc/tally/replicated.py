"""Tallying among three of whom no two collude: a holder's codes are given out once in two parts, then all is local.

M is the one-hot matrix of party p, which p knows; v = v0 + v1 + v2. Party p has v_p and v_(p+1). What it lacks, v_(p+2), both
others have. Once, p draws A with party p + 1 and gives D = M - A to party p + 2. Then

    M v = M (v_p + v_(p+1))  at p  +  A v_(p+2)  at p + 1  +  D v_(p+2)  at p + 2,

and the sum is re-shared with a zero-share: W words a vector, however many rows. Answers are shared and multiplied as other
secrets.

Against whom
    Semi-honest parties, no two of whom collude: A and D alone are uniform, the parts of the sum are made uniform by zero-shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.prg import SEED_BYTES, Prg
from unseen.kernels import matmul
from unseen.kernels.tally import tally
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.replicated3.sharing import Replicated3
from unseen.mpc.protocols.replicated3.wires import PARTIES
from unseen.mpc.shares import Share
from unseen.mpc.tally.blocks import Blocks, gathered, one_hot
from unseen.mpc.tally.dealer import MaskedCodes, room
from unseen.mpc.tally.rows import Answers, in_turn
from unseen.mpc.tally.shared import shared_answers
from unseen.party import require


class ReplicatedTally:
    """See the module."""

    def __init__(self, protocol: Replicated3, mine: NDArray[np.uint16] | None, blocks: Blocks) -> None:
        self.protocol = protocol
        self.mine = mine
        self.blocks = blocks
        self._seeds: dict[str, list[bytes]] = {}
        self._held: dict[str, list[Ring]] = {}
        for owner in blocks.names:
            self._give_out(owner)

    def _give_out(self, owner: str) -> None:
        protocol, blocks = self.protocol, self.blocks
        party, giver = protocol.party, protocol.holders.index(owner)
        pieces, width = blocks.pieces(owner), blocks.width(owner)
        step = (protocol.place - giver) % PARTIES
        if step < 2:  # noqa: PLR2004 - the owner and the party after
            partner = protocol.wires.name(giver + 1 - step)
            common = party.shared_rng(partner)
            self._seeds[owner] = [common.bytes(SEED_BYTES) for _ in pieces]
        if step == 0:
            assert self.mine is not None  # checked by the blocks
            taker = protocol.wires.name(giver + 2)
            for piece, seed in zip(pieces, self._seeds[owner], strict=True):
                party.pace(taker)  # owners come one after the other at all parties, so that this ends
                masked = one_hot(self.mine[:, piece], width)
                masked -= Prg(seed).u64(masked.shape)
                party.send(taker, MaskedCodes(masked))
        if step == 2:  # noqa: PLR2004 - the party before
            self._held[owner] = room(pieces, width)
            for held in self._held[owner]:
                values = party.recv(owner, MaskedCodes).values
                require(values, shape=held.shape, dtype=np.uint64, sender=owner)
                held[:] = values

    def prepare(self, vectors: int) -> None:
        """Nothing is masked."""

    def spread(self, entries: Share) -> Share:
        """As sums, with the matrices transposed."""
        total = np.zeros((entries.shape[1], self.blocks.rows), np.uint64)
        for owner in self.blocks.names:
            some = np.ascontiguousarray(entries[:, :, self.blocks.block(owner)])
            step = (self.protocol.place - self.protocol.holders.index(owner)) % PARTIES
            if step == 0:
                assert self.mine is not None  # checked by the blocks
                total += gathered(some[0] + some[1], self.mine)
                continue
            for place, piece in enumerate(self.blocks.pieces(owner)):
                total[:, piece] += matmul(some[1 if step == 1 else 0], self._matrix(owner, place, step))
        return self.protocol.reshared(total)

    def _matrix(self, owner: str, place: int, step: int) -> Ring:
        """A at the party after the owner, D at the party before."""
        if step != 1:
            return self._held[owner][place]
        piece = self.blocks.pieces(owner)[place]
        return Prg(self._seeds[owner][place]).u64((self.blocks.width(owner), piece.stop - piece.start))

    def take(self, values: Share) -> Local:
        """Nothing to do."""
        return Local(self, values)

    def part(self, owner: str, values: Share) -> Ring:
        """This party's part of the sums, shape (vectors, width)."""
        width = self.blocks.width(owner)
        step = (self.protocol.place - self.protocol.holders.index(owner)) % PARTIES
        if step == 0:
            assert self.mine is not None  # checked by the blocks
            return tally(self.mine, np.ascontiguousarray((values[0] + values[1]).T), width).T
        lacked = values[1] if step == 1 else values[0]
        total = np.zeros((width, values.shape[1]), np.uint64)
        for place, piece in enumerate(self.blocks.pieces(owner)):
            total += matmul(self._matrix(owner, place, step), lacked[:, piece].T)
        return total.T


@dataclass(frozen=True, slots=True)
class Local:
    """Shares as they are."""

    tally: ReplicatedTally
    values: Share

    def sums(self) -> Share:
        """See the module."""
        parts = [self.tally.part(owner, self.values) for owner in self.tally.blocks.names]
        part = np.ascontiguousarray(np.concatenate(parts, axis=1))
        return self.tally.protocol.reshared(part)

    def kept(self, answers: Answers | None) -> Share:
        """Products of single numbers."""
        protocol, shape = self.tally.protocol, (self.values.shape[1], self.values.shape[2])
        told = shared_answers(protocol, self.tally.blocks, answers, shape)
        flat = (np.ascontiguousarray(one).reshape(len(one), -1) for one in (told, self.values))
        return protocol.multiply(*flat).reshape(self.values.shape)

    def less(self, other: Local) -> Local:
        """Linear."""
        return Local(self.tally, self.values - other.values)

    def beside(self, other: Local) -> Local:
        """Vectors of this and of the other in turn."""
        return Local(self.tally, in_turn(self.values, other.values, axis=1))
