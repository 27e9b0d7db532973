"""Trees of keys of which one party knows every leaf and the other every leaf but one: (N - 1)-out-of-N transfer.

How
    A tree has depth k and N = 2^k leaves; a node's children are two hashes of it. The owner knows the tree. The peer has
    a secret leaf number delta for each tree; by base transfers it gets, for every level, the sum of those nodes whose
    last bit is *not* that of the path to delta, which gives it one unknown sibling per level and so all leaves but
    delta. The two nodes of level 1 are keys of base transfers as they are; the sums of lower levels travel under others.
    The peer stores leaf x at place x ^ delta: the unknown one is at 0 and what it does next does not depend on delta.
    Nothing here branches on delta or takes it as an index.
Source
    Roy, "SoftSpokenOT" (CRYPTO 2022), figures 13 and 14; the check is that of Boyle, Couteau, Gilboa, Ishai, Kohl, Rindal
    and Scholl, "Efficient Two-Round OT Extension and Silent Non-Interactive Secure Computation" (CCS 2019).
Against whom
    Semi-honest parties; with `malicious` parties that deviate. An owner that sends wrong sums is found out unless it
    guessed bits of the deltas: each guessed bit is wrong with probability 1/2, and a wrong one ends everything. That is
    what the extension allows for.
What it leaks
    Nothing more.
Assumption
    AES-128 under a public key as a random permutation; SHA-256 collision resistant (in the check).
Cost
    Half a round after the base transfers; 32 (k - 1) bytes per tree from the owner, 32 more per tree in the check.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError
from unseen.kernels.blocks import hash_blocks
from unseen.ot import base
from unseen.ot.correlation import BLOCK_BYTES, Blocks
from unseen.party import Masked, Message, Party, require

SIDE = 128  # base transfers: depth times number of trees
_PROOF = b"unseen/ot-trees/proof/v1\n"
_PROOF_BYTES = 32
_KEY_TWEAK = 0xFF


class TreeSums(Message, frozen=True, tag="ot-trees.sums/1"):
    """For each tree and level from the second, the sums of its left and right nodes, each under a base key."""

    sums: Masked


class TreeProof(Message, frozen=True, tag="ot-trees.proof/1"):
    """The XOR of the proofs of each tree's leaves, shape (trees, 32), and the hash of all proofs, shape (32,)."""

    totals: Masked
    digest: Masked


def own(party: Party, peer: str, depth: int, *, malicious: bool) -> Blocks:
    """Be the owner: keys of all leaves, shape (128 / depth, 2^depth, 16)."""
    keys = base.send(party, peer, SIDE).reshape(SIDE // depth, depth, 2, BLOCK_BYTES)
    nodes, sums = keys[:, 0], []
    for level in range(1, depth):
        children = np.stack([_child(nodes, level, 0), _child(nodes, level, 1)], axis=2)
        sums.append(np.bitwise_xor.reduce(children, axis=1))
        nodes = children.reshape(len(keys), -1, BLOCK_BYTES)
    party.send(peer, TreeSums(np.stack(sums, axis=1) ^ keys[:, 1:]))
    if malicious:
        proofs = _proofs(nodes)
        party.send(peer, TreeProof(np.bitwise_xor.reduce(proofs, axis=1), _digest(proofs)))
    return _leaf_keys(nodes)


def own_but_one(party: Party, peer: str, delta: Blocks, depth: int, *, malicious: bool) -> Blocks:
    """Be the peer: key x of each tree is the owner's x ^ delta_i, shape (128 / depth, 2^depth, 16), key 0 unknown.

    `delta` has shape (16,); delta_i is its i-th `depth` bits, lowest first.

    Raises
    ------
    RemoteProtocolError
        The owner's trees are not trees (only if `malicious`).
    """
    trees = SIDE // depth
    # The first level decides the highest bit of a leaf's number.
    path = np.unpackbits(delta, bitorder="little").reshape(trees, depth)[:, ::-1]
    keys = base.receive(party, peer, (1 - path).reshape(-1)).reshape(trees, depth, BLOCK_BYTES)
    sums = party.recv(peer, TreeSums).sums
    require(sums, shape=(trees, depth - 1, 2, BLOCK_BYTES), dtype=np.uint8, sender=peer)
    nodes = np.stack([np.zeros_like(keys[:, 0]), keys[:, 0]], axis=1)
    for level in range(1, depth):
        turn = _mask(path[:, level])
        left, right = _child(nodes, level, 0), _child(nodes, level, 1)
        swap = (left ^ right) & turn[:, None]
        children = np.stack([left ^ swap, right ^ swap], axis=2)
        pair = sums[:, level - 1]
        off_path = pair[:, 1] ^ (pair[:, 0] ^ pair[:, 1]) & turn
        children[:, 0, 0] = 0
        children[:, 0, 1] = off_path ^ keys[:, level] ^ np.bitwise_xor.reduce(children[:, 1:, 1], axis=1)
        nodes = children.reshape(trees, -1, BLOCK_BYTES)
    if malicious:
        _check(party, peer, nodes, path)
    return _leaf_keys(nodes)


def _check(party: Party, peer: str, nodes: Blocks, path: NDArray[np.uint8]) -> None:
    """There is one tree that gives what the owner sent, whatever delta is.

    The proof of a leaf binds it (SHA-256). The owner fixed all of them by one hash, so for two values of delta the peer
    would have the same leaves or see another hash.
    """
    proof = party.recv(peer, TreeProof)
    require(proof.totals, shape=(len(nodes), _PROOF_BYTES), dtype=np.uint8, sender=peer)
    require(proof.digest, shape=(_PROOF_BYTES,), dtype=np.uint8, sender=peer)
    proofs = _proofs(nodes)
    proofs[:, 0] = proof.totals ^ np.bitwise_xor.reduce(proofs[:, 1:], axis=1)
    depth = path.shape[1]
    for bit in range(depth):  # from place x ^ delta to place x
        pairs = proofs.reshape(len(nodes), -1, 2, 1 << bit, _PROOF_BYTES)
        swap = (pairs[:, :, 0] ^ pairs[:, :, 1]) & _mask(path[:, depth - 1 - bit])[:, :, None, None]
        pairs ^= swap[:, :, None]
    if not compare_digest(_digest(proofs).tobytes(), proof.digest.tobytes()):
        raise RemoteProtocolError(
            f"{peer} set up oblivious transfer with keys that do not fit together.",
            why="the proof of its trees fails: it deviates from the protocol, or its messages were changed on the way",
            party=peer,
        )


def _mask(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0 or 255 per tree, shape (trees, 1)."""
    return (np.uint8(0) - bits)[:, None]


def _child(nodes: Blocks, level: int, side: int) -> Blocks:
    return _hashed(nodes, 2 * level + side)


def _leaf_keys(leaves: Blocks) -> Blocks:
    return _hashed(leaves, _KEY_TWEAK)


def _hashed(nodes: Blocks, tweak: int) -> Blocks:
    """A hash of each node; those with different tweaks are independent."""
    tweaked = nodes.copy()
    tweaked[..., 0] ^= np.uint8(tweak)
    return hash_blocks(tweaked.reshape(-1, BLOCK_BYTES)).reshape(nodes.shape)


def _proofs(leaves: Blocks) -> NDArray[np.uint8]:
    """32 bytes for each leaf that bind it, shape (trees, leaves, 32)."""
    rows = leaves.reshape(-1, BLOCK_BYTES).tobytes()
    digests = b"".join(
        hashlib.sha256(_PROOF + rows[start : start + BLOCK_BYTES]).digest()
        for start in range(0, len(rows), BLOCK_BYTES)
    )
    return np.frombuffer(digests, np.uint8).reshape(*leaves.shape[:2], _PROOF_BYTES).copy()


def _digest(proofs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.frombuffer(hashlib.sha256(proofs.tobytes()).digest(), np.uint8)
