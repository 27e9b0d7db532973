"""Products of powers of fixed numbers, by tables: an exponent of k windows costs k products and no squaring.

Which table rows are read depends on the exponents, each of which is used once: whoever shares this processor's caches might
learn something about some of them.

Source: Brickell, Gordon, McCurley and Wilson, "Fast exponentiation with precomputation" (EUROCRYPT 1992).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import montgomery
from unseen.kernels.montgomery import Modulus, Rows, Words

TABLE_BYTES = 48 << 20
_WORD = 64


class FixedBases:
    """base_1^e_1 base_2^e_2 ... mod n for many exponents; `bits` says how long those of each base are."""

    def __init__(self, modulus: Modulus, bases: Sequence[int], bits: Sequence[int]) -> None:
        self.modulus = modulus
        self.bits = tuple(bits)
        self.window = _window(modulus, sum(bits))
        tables = [self._table(base, length) for base, length in zip(bases, bits, strict=True)]
        self._table_rows = np.concatenate(tables)

    def _windows(self, bits: int) -> int:
        return -(-bits // self.window)

    def _table(self, base: int, bits: int) -> Rows:
        """Rows j 2^window + d = base^(d 2^(window j))."""
        of, count = self.modulus, self._windows(bits)
        steps = [base % of.value]
        for _ in range(count - 1):
            steps.append(pow(steps[-1], 1 << self.window, of.value))
        first, _ = montgomery.enter(of, montgomery.to_words(steps, of.words))
        one = np.repeat(of.constants[1:2], count, axis=0)
        table = one[:, None]
        power = first
        while table.shape[1] < 1 << self.window:  # twice as many powers each time
            factor = np.repeat(power, table.shape[1], axis=0)
            more = montgomery.multiply(of, table.reshape(-1, of.limbs), factor)
            table = np.concatenate([table, more.reshape(table.shape)], axis=1)
            power = montgomery.square(of, power, 1)
        return table.reshape(-1, of.limbs)

    def power(self, *exponents: Words) -> Rows:
        """One product a row; exponents[i] is (rows, words) of uint64, lowest first, below 2^bits[i]."""
        rows = len(exponents[0])
        size, first, columns = 1 << self.window, 0, []
        for words, bits in zip(exponents, self.bits, strict=True):
            for j in range(self._windows(bits)):
                columns.append(_digit(words, self.window * j, self.window, bits) + first)
                first += size
        order = np.stack(columns, axis=1).reshape(-1) if columns else np.zeros(0, np.int64)
        starts = np.arange(rows + 1, dtype=np.int64) * len(columns)
        return montgomery.products(self.modulus, self._table_rows, order, starts)


def _window(modulus: Modulus, bits: int) -> int:
    """The largest window of which the tables fit into TABLE_BYTES, at most 12 bits."""
    row = 8 * modulus.limbs
    fitting = (w for w in range(12, 1, -1) if -(-bits // w) * row << w <= TABLE_BYTES)
    return next(fitting, 2)


def _digit(words: Words, at: int, window: int, bits: int) -> NDArray[np.int64]:
    """Bits `at` to at + window of each row, as far as there are so many."""
    word, shift = divmod(at, _WORD)
    digit = words[:, word] >> np.uint64(shift)
    if shift + window > _WORD and word + 1 < words.shape[1]:
        digit = digit | words[:, word + 1] << np.uint64(_WORD - shift)
    return (digit & np.uint64((1 << min(window, bits - at)) - 1)).astype(np.int64)
