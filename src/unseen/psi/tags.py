"""Short tags that stand for ids: how long they must be, what a list from a peer must be, and finding a few in many.

Tags are the fronts of uniform digests, 5 to 16 bytes. Lists of like size are sorted and merged by
:mod:`unseen.kernels.tags`. A few are found in a large list by binary search on pairs of big-endian words, shape (2, n):
first words nearly always decide, so the second are looked at only where first ones agree.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.tags import sort_tags

Words = NDArray[np.uint64]

MOST_BYTES = 16
STATISTICAL_BITS = 40


def length(sizes: tuple[int, ...], *, compact: bool) -> int:
    """Bytes of a tag for two sets of n and m: 16, or so many that a false match has probability 2^-40 at most.

    Tags of t bytes of different ids agree with probability at most n m / 2^(8t).
    """
    if not compact:
        return MOST_BYTES
    return min(-(-(STATISTICAL_BITS + max(math.prod(sizes) - 1, 0).bit_length()) // 8), MOST_BYTES)


def as_words(tags: NDArray[np.uint8]) -> Words:
    """Tags of shape (n, width) as pairs of words, shape (2, n)."""
    wide = np.zeros((len(tags), MOST_BYTES), np.uint8)
    wide[:, : tags.shape[1]] = tags
    return np.ascontiguousarray(wide.view(">u8").T.astype(np.uint64))


def repeated(tags: NDArray[np.uint8]) -> bool:
    """Whether a sorted list, shape (n, width), has a tag twice."""
    return bool((tags[1:] == tags[:-1]).all(axis=1).any())


def strictly_sorted(tags: NDArray[np.uint8]) -> bool:
    """Whether each tag, shape (n, width), is above the one before: sorted, and none twice."""
    ordered, _ = sort_tags(tags)
    return np.array_equal(ordered, tags) and not repeated(ordered)


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
