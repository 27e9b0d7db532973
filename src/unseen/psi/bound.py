"""How full a partition can be: the public size behind which its true one is hidden.

Ids are digests, so a set of n ids falls into P partitions like balls into bins, a partition's size being binomial. The
bound c is the smallest with P * Pr[B(n, 1/P) > c] <= 2^-40 by Chernoff's inequality,
Pr[B(n, p) >= c] <= exp(-n * D(c/n || p)) with D the relative entropy (Hoeffding 1963, theorem 1). A set that does not fit
is refused before anything of that partition is sent.
"""

from __future__ import annotations

import math

FAILURE_BITS = 40


def capacity(count: int, parts: int) -> int:
    """The least bound on the size of every one of `parts` partitions of `count` ids."""
    if parts == 1 or count == 0:
        return count
    low, high = math.ceil(count / parts), count
    while low < high:
        middle = (low + high) // 2
        if _exceeds(count, parts, middle + 1):
            high = middle
        else:
            low = middle + 1
    return low


def _exceeds(count: int, parts: int, least: int) -> bool:
    """Whether a partition of `least` or more is as improbable as it shall be."""
    share, chance = least / count, 1 / parts
    if share <= chance:
        return False
    if share > 1:
        return True
    divergence = share * math.log(share / chance)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - chance))
    return math.log(parts) - count * divergence <= -FAILURE_BITS * math.log(2)
