"""Cuckoo tables: each key has three bins and lies in one of them, at most one key a bin; whoever looks for it looks in three.

How many bins are enough is proved, not measured: keys have no table exactly if some s of them have fewer than s bins among
them (Hall). A smallest such set has s keys, s - 1 bins, and two places or more in each of these bins. With three distinct random
bins a key, the expected number of such sets is at most

    sum over s of C(n, s) C(m, t) min((t)_3^s, (3 s)! f(z)^t / z^(3 s)) / (m)_3^s,    t = s - 1, f(z) = e^z - 1 - z,

(t)_3 being t (t - 1) (t - 2), for any z > 0: it counts the ways to lay 3 s places into t bins, two or more in each. For
:func:`bins`, m = 1.31 n + 105, it is below 2^-40 at every n (2^-100 at 2^20, where four keys with the same three bins are
what is left to fear); `test_kernels_cuckoo.py` adds it up.

Sources: Pagh and Rodler, "Cuckoo Hashing" (ESA 2001); Fotakis, Pagh, Sanders, Spirakis, "Space Efficient Hash Tables with Worst Case
Constant Access Time" (2005) for several places, insertion breadth first, and the argument by Hall's theorem. Pinkas, Schneider,
Zohner (TOPS 2018) measured 1.27 n.

The seed is public and drawn after the keys are fixed. Filling reads memory at places that depend on the keys.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UnavailableError
from unseen.kernels.native import native
from unseen.kernels.reference import cuckoo as reference

PLACES = 3
STATISTICAL = 40  # a table of `bins(n)` bins does not exist with probability below 2^-STATISTICAL

_PERCENT, _MORE = 131, 105

_native = native()


class CuckooFailedError(UnavailableError):
    """There is no table of these keys under this seed (chance: 2^-40); another seed will do."""


def bins(count: int) -> int:
    """How many bins a table of up to `count` keys has."""
    return -(-_PERCENT * count // 100) + _MORE


def places(seed: NDArray[np.uint8], keys: NDArray[np.uint8], bins: int) -> NDArray[np.uint32]:
    """Three distinct bins of each key, shape (n, 3), by AES under the seed (16,); keys have shape (n, 16).

    Raises
    ------
    ValueError
        Fewer than 3 or more than 2^24 bins.
    """
    if _native is None:
        return reference.places(seed, keys, bins)
    found: NDArray[np.uint32] = _native.cuckoo_places(seed, keys, bins)
    return found


def fill(places: NDArray[np.uint32], bins: int) -> NDArray[np.int64]:
    """A table, shape (bins,): 3 i + j where key i lies in its j-th place, so `places.reshape(-1)[table[b]] == b`; else -1.

    Raises
    ------
    CuckooFailedError
        Bad luck: draw another seed.
    ValueError
        Places that are no bins, more keys than bins.
    """
    table = reference.fill(places, bins) if _native is None else _native.cuckoo_fill(places, bins)
    if table is None:
        raise CuckooFailedError(
            "The keys have no cuckoo table under this seed.",
            why=f"this happens by chance, about once in 2^{STATISTICAL}",
            mend="try again with a fresh seed",
        )
    filled: NDArray[np.int64] = table
    return filled
