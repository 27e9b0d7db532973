"""Tallying under any protocol: codes and answers are shared like other secrets.

Security and cost are those of the protocol's own products. Under a protocol against parties that deviate, a holder may bring
a matrix that is not one-hot: that is another input than its own, and what it learns from it is bounded by what is revealed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.protocol import Fixed, Protocol
from unseen.mpc.shares import Share
from unseen.mpc.tally.blocks import Blocks, one_hot
from unseen.mpc.tally.rows import Answers, in_turn


class SharedTally:
    """See the module."""

    def __init__(self, protocol: Protocol, mine: NDArray[np.uint16] | None, blocks: Blocks) -> None:
        self.protocol = protocol
        self.blocks = blocks
        parts = []
        for owner in blocks.names:
            width = blocks.width(owner)
            hot = one_hot(mine, width) if mine is not None and owner == protocol.party.name else None
            parts.append(protocol.share(hot, owner=owner, shape=(width, blocks.rows)))
        self.codes: Fixed = protocol.fix(np.ascontiguousarray(np.concatenate(parts, axis=1)))

    def prepare(self, vectors: int) -> None:
        """Nothing is masked."""

    def spread(self, entries: Share) -> Share:
        """A matrix product."""
        columns = np.ascontiguousarray(entries.transpose(0, 2, 1))
        made = self.codes.transposed.matmul(columns)
        return np.ascontiguousarray(made.transpose(0, 2, 1))

    def take(self, values: Share) -> Plain:
        """Nothing to do."""
        return Plain(self, values)


def shared_answers(
    protocol: Protocol, blocks: Blocks, answers: Answers | None, shape: tuple[int, int]
) -> Share:
    """The holders' answers together as secret numbers 0 and 1."""
    total: Share | None = None
    for owner in blocks.names:
        mine = answers.astype(np.uint64) if answers is not None and owner == protocol.party.name else None
        part = protocol.share(mine, owner=owner, shape=shape)
        total = part if total is None else total + part
    assert total is not None  # somebody has codes
    return total


@dataclass(frozen=True, slots=True)
class Plain:
    """Shares as they are."""

    tally: SharedTally
    values: Share

    def sums(self) -> Share:
        """A matrix product."""
        columns = np.ascontiguousarray(self.values.transpose(0, 2, 1))
        made = self.tally.codes.matmul(columns)
        return np.ascontiguousarray(made.transpose(0, 2, 1))

    def kept(self, answers: Answers | None) -> Share:
        """Products of single numbers."""
        protocol, shape = self.tally.protocol, (self.values.shape[1], self.values.shape[2])
        told = shared_answers(protocol, self.tally.blocks, answers, shape)
        flat = (np.ascontiguousarray(one).reshape(len(one), -1) for one in (told, self.values))
        return protocol.multiply(*flat).reshape(self.values.shape)

    def less(self, other: Plain) -> Plain:
        """Linear."""
        return Plain(self.tally, self.values - other.values)

    def beside(self, other: Plain) -> Plain:
        """Vectors of this and of the other in turn."""
        return Plain(self.tally, in_turn(self.values, other.values, axis=1))
