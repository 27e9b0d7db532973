"""Merkle trees as in RFC 6962 (and RFC 9162): roots, inclusion and consistency proofs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from unseen.core.errors import VerificationError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        level = [node_hash(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)] + odd
    return level[0]


def _split(size: int) -> int:
    """Largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf `index` in the tree over all `leaves`, from the leaf upwards.

    Raises
    ------
    VerificationError
        There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise VerificationError(f"There is no entry {index} among {len(leaves)}.")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root(leaves[:split])]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that `leaf` stands at `index` of the tree of that size and root (RFC 9162 section 2.1.3.2).

    Raises
    ------
    VerificationError
        It does not.
    """
    problem = VerificationError(f"The proof that entry {index} is in a log of {size} does not hold.")
    if not 0 <= index < size:
        raise problem
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise problem
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or not hmac.compare_digest(computed, expected_root):
        raise problem


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Proof that the tree over the first `old_size` leaves is a beginning of the tree over all (RFC 6962 section 2.1.2).

    Raises
    ------
    VerificationError
        There are fewer leaves.
    """
    if not 0 <= old_size <= len(leaves):
        raise VerificationError(f"A log of {len(leaves)} entries never had {old_size}.")
    if old_size in {0, len(leaves)}:
        return []
    return _subproof(leaves, old_size, whole=True)


def _subproof(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, whole=whole), root(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, whole=False), root(leaves[:split])]


def check_consistency(
    old_size: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a log of `size` continues one of `old_size` (RFC 9162 section 2.1.4.2).

    Raises
    ------
    VerificationError
        It does not: something that stood in the log was changed.
    """
    problem = VerificationError(f"The log of {size} entries does not continue the one of {old_size}.")
    if old_size > size or (old_size == size and (old_root != new_root or proof)):
        raise problem
    if old_size in {0, size}:
        return
    if not proof:
        raise problem
    first, second, last = _climb(old_size, old_root, size, proof)
    if last != 0 or not (hmac.compare_digest(first, old_root) and hmac.compare_digest(second, new_root)):
        raise problem


def _climb(old_size: int, old_root: bytes, size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes, int]:
    """Old root, new root and what is left to climb, as the proof gives them; -1 left if it is too long."""
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return first, second, -1
        if place & 1 or place == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, node)
        place, last = place >> 1, last >> 1
    return first, second, last
