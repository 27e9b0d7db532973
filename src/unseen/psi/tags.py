"""Short tags that stand for ids: sorting them, and finding those of one list in another.

Tags are the fronts of uniform digests, up to 16 bytes. They are compared as pairs of big-endian words, shape (2, n):
first words nearly always decide, so the second are looked at only where first ones agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

MOST_BYTES = 16
STATISTICAL_BITS = 40


def length(sizes: tuple[int, int], *, compact: bool) -> int:
    """Bytes of a tag for sets of n and m: 16, or so many that a false match has probability 2^-40 at most.

    Tags of t bytes of different ids agree with probability at most n m / 2^(8t).
    """
    if not compact:
        return MOST_BYTES
    return min(-(-(STATISTICAL_BITS + max(sizes[0] * sizes[1] - 1, 0).bit_length()) // 8), MOST_BYTES)


def as_words(pieces: Sequence[NDArray[np.uint8]]) -> Words:
    """Pieces of tags, each (n, width), as one list of pairs of words, shape (2, n)."""
    tags = np.zeros((sum(map(len, pieces)), MOST_BYTES), np.uint8)
    start = 0
    for piece in pieces:
        tags[start : start + len(piece), : piece.shape[1]] = piece
        start += len(piece)
    return np.ascontiguousarray(tags.view(">u8").T.astype(np.uint64))


def order(tags: Words) -> NDArray[np.int64]:
    """The permutation that sorts them."""
    found = np.argsort(tags[0])
    if (tags[0, found[1:]] == tags[0, found[:-1]]).any():
        found = np.lexsort((tags[1], tags[0]))
    return found.astype(np.int64, copy=False)


def strictly_sorted(tags: Words) -> bool:
    """Whether each is above the one before: sorted, and none twice."""
    first, second = tags
    above = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (second[1:] > second[:-1]))
    return bool(above.all())


def places(table: Words, tags: Words) -> NDArray[np.int64]:
    """Where in the strictly sorted `table` each of `tags` is; -1 for nowhere. Fastest if `tags` are sorted too."""
    found = np.full(tags.shape[1], -1, np.int64)
    if not table.shape[1]:
        return found
    start = np.searchsorted(table[0], tags[0], side="left")
    while True:  # once, and once more for each further entry with the same first word
        inside = start < table.shape[1]
        place = np.minimum(start, table.shape[1] - 1)
        alike = inside & (table[0, place] == tags[0])
        if not alike.any():
            return found
        equal = alike & (table[1, place] == tags[1])
        found[equal] = place[equal]
        if not (alike & ~equal).any():
            return found
        start = start + 1
