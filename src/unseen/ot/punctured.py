"""Pseudo-random functions of which one party lacks one point: what silent transfers and VOLE are expanded from.

What
    For each of t trees the owner gets all 2^d leaves, the other party all but one, at a position given by its choices
    in d correlated transfers. Leaves are handed out as they are, differing by Delta at the position, or hashed to
    values, with a correction that sets the value at the position to what the owner's value and `shares` add up to.
How
    The nodes of level i of a tree add up to Delta. Of transfer (q_i, t_i = q_i ^ r_i Delta) the owner sends q_i ^ (sum of
    the even nodes); the other adds t_i and has the even sum if r_i is 0, the odd one if it is 1; so the i-th bit of its
    position is the opposite of r_i.
Source
    Guo, Yang, Wang, Zhang, Xie, Liu, Zhao, "Half-Tree" (EUROCRYPT 2023), tree cGGM.
Against whom
    Semi-honest parties by itself. Against an owner that sends wrong corrections the caller must check the result
    (:mod:`unseen.ot.vole`, :mod:`unseen.ot.silent` do); the hash is then the tweakable one.
Assumption
    AES under a public key, new in every run, is a random permutation (circular correlation robustness).
Cost
    Half a round: 16 (d + w) bytes a tree from the owner, w values a leaf; two or (tweakable) four AES a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import ggm
from unseen.ot.correlation import BLOCK_BYTES, Blocks, ReceiverCorrelation, SenderCorrelation
from unseen.party import Masked, Message, Party, require

_KEYS = 3
_TOGETHER = 1 << 15  # leaves that are expanded at a time where they are not kept: half a megabyte

Leaves = Callable[[slice], Blocks]
"""Makes the rows of some trees, when they are wanted."""


class Corrections(Message, frozen=True, tag="ot-punctured.corrections/1"):
    """Level sums (t, d, 16), each under a row of the owner's that the other lacks; sums of values (t, w, 16)."""

    levels: Masked
    values: Masked


@dataclass(frozen=True, slots=True)
class Shape:
    """`trees` of 2^depth leaves; `width` values of a leaf (0: the leaf itself, but for its lowest bit)."""

    trees: int
    depth: int
    width: int
    tweaked: bool
    truncated: bool = False

    @property
    def transfers(self) -> int:
        """Correlated transfers that the positions take."""
        return self.trees * self.depth


def public_keys(party: Party, peer: str, label: str) -> Blocks:
    """The AES keys (3, 16) of one run, that both ends know and that no other run has.

    Raises
    ------
    LocalProtocolError
        `label` was used before on this stream.
    """
    seed = party.shared_seed(peer, label)
    keys = b"".join(sha256(b"unseen/ot-punctured/key/v1\n%d" % i + seed).digest()[:16] for i in range(_KEYS))
    return np.frombuffer(keys, np.uint8).reshape(_KEYS, BLOCK_BYTES)


def own(
    party: Party, peer: str, shape: Shape, keys: Blocks, transfers: SenderCorrelation, shares: Blocks
) -> Blocks:
    """Be the owner: all rows, (t 2^d, max(w, 1), 16). `shares` are (t, w, 16)."""
    roots = np.frombuffer(party.rng.bytes(shape.trees * BLOCK_BYTES), np.uint8).reshape(-1, BLOCK_BYTES)
    rows, sums, totals = ggm.expand(
        keys,
        roots,
        transfers.delta,
        shape.depth,
        shape.width,
        tweaked=shape.tweaked,
        truncated=shape.truncated,
    )
    party.send(peer, Corrections(sums ^ transfers.rows.reshape(sums.shape), totals ^ shares))
    return rows


def own_later(party: Party, peer: str, shape: Shape, keys: Blocks, transfers: SenderCorrelation) -> Leaves:
    """Be the owner of trees of width 0 of which only the roots are kept: leaves are expanded a second time when they are wanted."""
    roots = np.frombuffer(party.rng.bytes(shape.trees * BLOCK_BYTES), np.uint8).reshape(-1, BLOCK_BYTES)

    def expanded(trees: slice) -> tuple[Blocks, Blocks]:
        rows, sums, _ = ggm.expand(
            keys, roots[trees], transfers.delta, shape.depth, shape.width, tweaked=shape.tweaked
        )
        return rows, sums

    at_once = max(1, _TOGETHER >> shape.depth)
    sums = [expanded(slice(begin, begin + at_once))[1] for begin in range(0, shape.trees, at_once)]
    levels = np.concatenate(sums) ^ transfers.rows.reshape(shape.trees, shape.depth, BLOCK_BYTES)
    party.send(peer, Corrections(levels, np.empty((shape.trees, 0, BLOCK_BYTES), np.uint8)))
    return lambda trees: expanded(trees)[0]


def lack(
    party: Party,
    peer: str,
    shape: Shape,
    keys: Blocks,
    transfers: ReceiverCorrelation,
    shares: Blocks,
    noise: Blocks,
) -> Blocks:
    """Be the one who lacks a leaf of each tree: rows (t 2^d, 1 + w, 16), with `noise` (t, 16) at the position and 0 else.

    `shares` are (t, w, 16): the value at the position is the owner's ^ owner's share ^ ours.
    """
    levels, positions, values = _corrected(party, peer, shape, transfers)
    return ggm.puncture(
        keys, levels, positions, values ^ shares, noise, tweaked=shape.tweaked, truncated=shape.truncated
    )


def lack_later(party: Party, peer: str, shape: Shape, keys: Blocks, transfers: ReceiverCorrelation) -> Leaves:
    """The same of trees of width 0, expanded when they are wanted: rows (t 2^d, 1, 16) are the owner's but for Delta at the position.

    Delta's lowest bit must be set, and marks the position.
    """
    levels, positions, values = _corrected(party, peer, shape, transfers)
    noise = np.zeros((shape.trees, BLOCK_BYTES), np.uint8)

    def expanded(trees: slice) -> Blocks:
        return ggm.puncture(
            keys, levels[trees], positions[trees], values[trees], noise[trees], tweaked=shape.tweaked
        )

    return expanded


def _corrected(
    party: Party, peer: str, shape: Shape, transfers: ReceiverCorrelation
) -> tuple[Blocks, NDArray[np.uint64], Blocks]:
    """What the owner says: of each level the sum that this party may know, the positions, and the sums of values."""
    corrections = party.recv(peer, Corrections)
    levels, values = corrections.levels, corrections.values
    require(levels, shape=(shape.trees, shape.depth, BLOCK_BYTES), dtype=np.uint8, sender=peer)
    require(values, shape=(shape.trees, shape.width, BLOCK_BYTES), dtype=np.uint8, sender=peer)
    weights = np.uint64(1) << np.arange(shape.depth - 1, -1, -1, dtype=np.uint64)
    bits = (transfers.choices ^ 1).reshape(shape.trees, shape.depth).astype(np.uint64)
    positions = (bits * weights).sum(axis=1, dtype=np.uint64)
    return levels ^ transfers.rows.reshape(levels.shape), positions, values
