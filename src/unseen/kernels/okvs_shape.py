"""How large an oblivious key-value store has to be.

Source: Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE" (CCS 2022), section 3: experiments
with stores of three sparse columns a key give the bits of security as a line in the expansion e = sparse columns / keys,

    lambda = a e - b,    a = 2^(0.555 log2 n + 0.093 W^3 - 1.01 W^2 + 2.925 W - 0.133),    b = 9.2 + 1.223 a,

W = log2 3 being that of the weight, and dense columns for the few keys that peeling leaves: each further one makes failure
about e n times rarer, so lambda / log2(e n) of them.

The fit is for 2^10 keys and more and holds down to some 2^9. Below, a store is `count + statistical` columns of random bits
for each key: a random n x (n + s) matrix of bits lacks rank n with probability below 2^-s.

Clusters share the budget: with beta of them each fails with 2^-lambda / beta. Their size is the Chernoff bound of
:mod:`unseen.kernels.capacity`, again of lambda + log2 beta bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unseen.kernels.capacity import capacity

Field = Literal["gf128", "gf96"]

CLUSTER = 1 << 14  # keys: a cluster's work then fits a second-level cache of 1 MiB
COMPACT_CLUSTER = 1 << 20
SMALL = 1 << 9  # below: binary columns
_MOST = 1 << 32
_MOST_IN_CLUSTER = 1 << 24
_LEAST_STATISTICAL, _MOST_STATISTICAL = 1, 128


@dataclass(frozen=True, slots=True)
class OkvsShape:
    """Public: both ends compute it from the number of keys.

    Attributes
    ----------
    count
        The most keys that an encoding may hold.
    clusters, sparse, dense
        Each of the clusters has so many sparse and dense columns; without sparse ones, dense ones hold bits.
    statistical
        Encoding fails with probability below 2^-statistical.
    field
        What values and dense columns are elements of: `gf128`, or `gf96` in blocks with four zero bytes at the end.
    """

    count: int
    clusters: int
    sparse: int
    dense: int
    statistical: int
    field: Field

    @property
    def slots(self) -> int:
        """Blocks of an encoding."""
        return self.clusters * (self.sparse + self.dense)


def shape(
    count: int,
    *,
    clusters: int | None = None,
    statistical: int = 40,
    field: Field = "gf128",
    compact: bool = False,
) -> OkvsShape:
    """Sizes for `count` keys; `clusters` of about 2^14 keys each (`compact`: of 2^20, some 9 % smaller and slower).

    Raises
    ------
    ValueError
        Sizes beyond what is built for: 2^32 keys, 2^24 in a cluster; statistical security outside 1 to 128 bits.
    """
    if not 0 <= count < _MOST:
        raise ValueError("a store holds 0 to 2^32 - 1 keys")
    if not _LEAST_STATISTICAL <= statistical <= _MOST_STATISTICAL:
        raise ValueError("statistical security is 1 to 128 bits")
    if field not in {"gf128", "gf96"}:
        raise ValueError("the field is gf128 or gf96")
    if clusters is None:
        clusters = max(1, round(count / (COMPACT_CLUSTER if compact else CLUSTER)))
    if clusters < 1:
        raise ValueError("a store has a cluster or more")
    if count < SMALL:
        return OkvsShape(count, 1, 0, count + statistical, statistical, field)
    most = max(capacity(count, clusters, statistical=statistical), SMALL)
    bits = statistical + math.log2(clusters)
    expansion = _expansion(most, bits)
    sparse, dense = math.ceil(expansion * most), max(1, math.floor(bits / math.log2(expansion * most)))
    if sparse >= _MOST_IN_CLUSTER or clusters >= _MOST_IN_CLUSTER:
        raise ValueError("a cluster has less than 2^24 columns; ask for more clusters")
    return OkvsShape(count, clusters, sparse, dense, statistical, field)


def _expansion(keys: int, bits: float) -> float:
    weight = math.log2(3)
    slope = 2 ** (0.555 * math.log2(keys) + 0.093 * weight**3 - 1.01 * weight**2 + 2.925 * weight - 0.133)
    return (bits + 9.2 + 1.223 * slope) / slope
