"""Ids that come more than once: found by sorting one word of each, without Python objects.

Ids are digests, so their first words are uniform and rarely equal by chance; whole ids are compared only where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows whose id another row has too.

    Attributes
    ----------
    rows
        Those rows, int64, grouped by id; within an id ascending.
    first
        Whether each of them is the first row of its id.
    """

    rows: NDArray[np.int64]
    first: NDArray[np.bool_]

    @property
    def ids(self) -> int:
        """How many different ids they have."""
        return int(np.count_nonzero(self.first))

    @property
    def later(self) -> NDArray[np.int64]:
        """All of them but the first row of each id, ascending."""
        return np.sort(self.rows[~self.first])


def repeats(ids: NDArray[np.uint8]) -> Repeats:
    """The rows of `ids` (uint8 of shape (rows, 32)) that are not unique."""
    words = np.ascontiguousarray(ids).view(np.uint64)
    first_words = words[:, 0] if len(words) else np.zeros(0, np.uint64)
    ordered = np.sort(first_words)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not twice.size:
        return Repeats(np.zeros(0, np.int64), np.zeros(0, np.bool_))
    places = np.searchsorted(twice, first_words)
    suspects = np.flatnonzero(twice[np.minimum(places, len(twice) - 1)] == first_words)
    return _grouped(words, suspects)


def _grouped(words: NDArray[np.uint64], suspects: NDArray[np.int64]) -> Repeats:
    # lexsort is stable, so rows of one id stay in their order
    order = suspects[np.lexsort(words[suspects].T)]
    same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
    starts = np.concatenate([[True], ~same])
    ends = np.concatenate([~same, [True]])
    alone = starts & ends  # a word met by chance, the rest of the id differs
    return Repeats(order[~alone], starts[~alone])
