"""Pairs of derivatives as whole numbers for additive encryption, several sums of them in one plaintext.

A pair (first, second) is written G 2^b + H: G = first / a 2^f rounded, H = second / c 2^f rounded, with a and c the largest of
the tree up to a power of two, which only the label holder knows; sums of codes times units are exact in float64. Sums over n rows have |G| and H below 2^(f + bits of n), so b = f + bits of n, and
a slot of 2 b + 1 bits holds any sum; sums of slots are told apart from the lowest up, signs included.

Rounding is at random, up with the probability that is rounded off: sums of equal derivatives would else all err the same way.

Source: Chen et al., "SecureBoost+" (PAKDD 2023), section 4; signs instead of an offset, so that nobody must tell how many rows
a bin has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.crypto.additive import PublicKey
from unseen.crypto.prg import Prg
from unseen.kernels.montgomery import Words

FRACTION_BITS = 26
MOST_ROWS = 1 << 26  # sums of codes stay below 2^52, exact in float64

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Packing:
    """How wide the parts are, for a number of rows and a key: known to all."""

    part: int
    slots: int

    @classmethod
    def of(cls, rows: int, key: PublicKey) -> Packing:
        """For sums over up to `rows` rows.

        Raises
        ------
        UsageError
            Too many rows.
        """
        if not 0 < rows < MOST_ROWS:
            raise UsageError(f"Sums over {rows} rows cannot be packed.", why=f"fewer than {MOST_ROWS} can")
        part = FRACTION_BITS + rows.bit_length()
        return cls(part, (key.shape.plain_bits - 1) // (2 * part + 1))

    @property
    def slot(self) -> int:
        """Bits of a slot."""
        return 2 * self.part + 1

    @property
    def offset(self) -> int:
        """Added to a row's number so that it is not negative."""
        return 1 << (FRACTION_BITS + self.part)

    @property
    def message_bits(self) -> int:
        """Of a row's number with the offset."""
        return FRACTION_BITS + 2 + self.part

    def words(self, codes: Integers) -> Words:
        """Numbers G 2^part + H + offset of codes (2, rows), as 64-bit words."""
        first = (codes[0] + (1 << FRACTION_BITS)).astype(np.uint64)
        second = codes[1].astype(np.uint64)
        low = second + (first << np.uint64(self.part))  # modulo 2^64
        high = first >> np.uint64(64 - self.part)
        return np.stack([low, high + (low < second)], axis=1)

    def sums(self, numbers: Sequence[int], count: int) -> Integers:
        """Pairs (2, count) of what was decrypted: the first of `slots` sums is in the lowest bits of the first number."""
        half, whole, low = 1 << (self.slot - 1), (1 << self.slot) - 1, (1 << self.part) - 1
        pairs = []
        for number in numbers:
            rest = number
            for _ in range(self.slots):
                value = ((rest + half) & whole) - half
                rest = (rest - value) >> self.slot
                pairs.append((value >> self.part, value & low))
        return np.array(pairs[:count], np.int64).reshape(count, 2).T


def quantised(pair: Floats, rng: Prg) -> tuple[Integers, Floats]:
    """Codes (2, rows) of derivatives (2, rows), |G| and H at most 2^f; and what a code of 1 stands for, (2,)."""
    largest = np.maximum(np.abs(pair).max(axis=1), 2.0**-900)
    units = 2.0 ** (np.ceil(np.log2(largest)) - FRACTION_BITS)
    dice = (rng.u64(pair.shape) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    codes = np.floor(pair / units[:, None] + dice).astype(np.int64)
    return np.clip(codes, -(1 << FRACTION_BITS), 1 << FRACTION_BITS), units
