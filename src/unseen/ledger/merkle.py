"""Merkle trees as in RFC 6962 (and RFC 9162): roots, inclusion and consistency proofs.

:func:`root` is the definition, over a list of leaf hashes. :class:`Tree` keeps the hashes of all full subtrees, so that
heads and proofs of a growing log cost a logarithm. Checks need neither: sizes, hashes and a proof.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

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


class Tree:
    """A growing tree. Not thread-safe.

    `levels[h][i]` is the hash of the full subtree over leaves i·2^h to (i+1)·2^h - 1.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def leaves(self) -> Sequence[bytes]:
        """All leaf hashes; not to be changed."""
        return self._levels[0]

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self._levels[0].append(leaf)
        height, count = 0, len(self._levels[0])
        while count % 2 == 0:
            pair = self._levels[height][count - 2 :]
            height, count = height + 1, count // 2
            if len(self._levels) == height:
                self._levels.append([])
            self._levels[height].append(node_hash(*pair))

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` leaves (default: all).

        Raises
        ------
        VerificationError
            There are fewer.
        """
        size = len(self) if size is None else size
        if not 0 <= size <= len(self):
            raise VerificationError(f"A log of {len(self)} entries never had {size}.")
        return self._root(0, size) if size else EMPTY_ROOT

    def _root(self, start: int, end: int) -> bytes:
        """Root over leaves `start` to `end` - 1, where `start` is a multiple of a power of two ≥ `end` - `start`."""
        size = end - start
        if size & (size - 1) == 0:
            height = size.bit_length() - 1
            return self._levels[height][start >> height]
        middle = start + _split(size)
        return node_hash(self._root(start, middle), self._root(middle, end))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Audit path of leaf `index` in the tree over the first `size` leaves, from the leaf upwards.

        Raises
        ------
        VerificationError
            There is no such leaf, or there are fewer leaves.
        """
        size = len(self) if size is None else size
        if not 0 <= index < size <= len(self):
            raise VerificationError(f"There is no entry {index} among the first {size} of {len(self)}.")
        return self._inclusion(index, 0, size)

    def _inclusion(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._inclusion(index, start, middle), self._root(middle, end)]
        return [*self._inclusion(index, middle, end), self._root(start, middle)]

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Proof that the first `old_size` leaves are a beginning of the first `size` (RFC 6962 section 2.1.2).

        Raises
        ------
        VerificationError
            There are fewer leaves.
        """
        size = len(self) if size is None else size
        if not 0 <= old_size <= size <= len(self):
            raise VerificationError(f"A log of {min(size, len(self))} entries never had {old_size}.")
        return [] if old_size in {0, size} else self._consistency(old_size, 0, size, whole=True)

    def _consistency(self, old_size: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if old_size == end:
            return [] if whole else [self._root(start, end)]
        middle = start + _split(end - start)
        if old_size <= middle:
            return [*self._consistency(old_size, start, middle, whole=whole), self._root(middle, end)]
        return [*self._consistency(old_size, middle, end, whole=False), self._root(start, middle)]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """See :meth:`Tree.inclusion`."""
    return Tree(leaves).inclusion(index)


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """See :meth:`Tree.consistency`."""
    return Tree(leaves).consistency(old_size)


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that `leaf` stands at `index` of the tree of that size and root (RFC 9162 section 2.1.3.2).

    Raises
    ------
    VerificationError
        It does not.
    """
    problem = VerificationError(f"The proof that entry {index} is in a log of {size} does not hold.")
    if not 0 <= index < size or not _are_hashes((leaf, *proof)):
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


def check_consistency(
    old_size: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a log of `size` continues one of `old_size` ≥ 1 (RFC 9162 section 2.1.4.2).

    From an empty log nothing follows, so a proof from it is refused: whoever knows nothing of a log yet has nothing to check.

    Raises
    ------
    VerificationError
        It does not: something that stood in the log was changed.
    """
    problem = VerificationError(f"The log of {size} entries does not continue the one of {old_size}.")
    if not 0 < old_size <= size or not _are_hashes(proof):
        raise problem
    if old_size == size:
        if proof or not hmac.compare_digest(old_root, new_root):
            raise problem
        return
    if not proof:
        raise problem
    first, second, last = _climb(old_size, old_root, size, proof)
    if last != 0 or not (hmac.compare_digest(first, old_root) and hmac.compare_digest(second, new_root)):
        raise problem


def _are_hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)


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
