"""How full the fullest of many bins gets: the size to which all are padded, so that sizes tell nothing.

`count` keys fall into `bins` bins by a pseudo-random function. The number X in one of them is binomial, and for c above
the mean Chernoff's bound (in Hoeffding's form) is P[X >= c] <= exp(-count * D(c / count || 1 / bins)), D being the
divergence of two coins in nats; a union bound over the bins follows.
"""

from __future__ import annotations

import math


def capacity(count: int, bins: int, *, statistical: int = 40) -> int:
    """The least size that a bin outgrows with probability below 2^-statistical, whichever of the bins.

    Raises
    ------
    ValueError
        A negative count, or no bins.
    """
    if count < 0 or bins < 1:
        raise ValueError("a capacity is of 0 or more keys in 1 or more bins")
    if bins == 1 or count == 0:
        return count
    bits = statistical + math.log2(bins)
    low, high = count // bins, count
    while low < high:  # the tail falls as the size grows: the first size whose tail is small enough
        middle = (low + high) // 2
        if tail_bits(count, bins, middle + 1) >= bits:
            high = middle
        else:
            low = middle + 1
    return low


def tail_bits(count: int, bins: int, size: int) -> float:
    """-log2 of the bound on P[a bin gets `size` keys or more]; infinite beyond `count`."""
    if size > count:
        return math.inf
    if size * bins <= count:
        return 0.0
    share, mean = size / count, 1 / bins
    divergence = share * math.log(share / mean)
    if size < count:
        divergence += (1 - share) * (math.log1p(-share) - math.log1p(-mean))
    return count * divergence / math.log(2)
