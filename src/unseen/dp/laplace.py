"""Discrete Laplace noise (离散拉普拉斯噪声) for integers, made of coins: exact, without a floating-point number in it.

P(k) = (1 - a) / (1 + a) * a^|k| with a = exp(-epsilon / sensitivity). Added to integers whose sum of absolute changes is
at most the sensitivity, it gives epsilon-differential privacy. It is the difference of two geometric numbers, and the
binary digits of a geometric number are independent coins: digit i is 1 with probability 1 / (1 + a^-(2^i)). So a circuit
can toss them (:mod:`unseen.mpc.noise`), and nobody need know the noise.

Each coin compares 64 uniform bits with a threshold, and digits end where the rest has probability 2^-64 at most: the
distance from the exact law is at most (2 + places) 2^-64 for each number, which `delta` accounts for.

Sources: Ghosh, Roughgarden, Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms" (STOC 2009) for the law;
Dwork, Kenthapadi, McSherry, Mironov, Naor, "Our Data, Ourselves" (Eurocrypt 2006) for the digits; Mironov, "On
Significance of the Least Significant Bits for Differential Privacy" (CCS 2012) for why no floating point; Balcer and
Vadhan, "Differential Privacy on Finite Computers" (2018) for what rounding costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

COIN_BITS = 64
LARGEST_EPSILON = 10
_DIGITS = 60
_MOST_PLACES = 60
_LARGEST_DELTA = 2.0**-40


@dataclass(frozen=True)
class DiscreteLaplace:
    """The mechanism for one vector of integers.

    Attributes
    ----------
    epsilon
        What one use spends.
    sensitivity
        The most that neighbouring inputs change the vector by: the sum of absolute changes, in the vector's own units.

    Raises
    ------
    UsageError
        An epsilon or a sensitivity out of range, or noise that would not fit 64 bits.
    """

    epsilon: float
    sensitivity: int

    def __post_init__(self) -> None:
        if not (0 < self.epsilon <= LARGEST_EPSILON and self.sensitivity > 0):
            raise UsageError(
                f"There is no noise for epsilon {self.epsilon:g} and a sensitivity of {self.sensitivity}.",
                why=f"both must be over 0, and an epsilon over {LARGEST_EPSILON} protects nobody",
                mend="take an epsilon of 1 or so",
            )
        if self.places > _MOST_PLACES or self.delta() > _LARGEST_DELTA:
            raise UsageError(
                f"Noise for epsilon {self.epsilon:g} and a sensitivity of {self.sensitivity} does not fit.",
                why=f"it needs {self.places} binary digits; {_MOST_PLACES} are there",
                mend="clip values more closely, or take a larger epsilon",
            )

    @cached_property
    def places(self) -> int:
        """Binary digits of each of the two geometric numbers."""
        with localcontext(prec=_DIGITS):
            least = COIN_BITS * Decimal(2).ln() * self.sensitivity / Decimal(self.epsilon)
        return max(1, (math.ceil(least) - 1).bit_length())

    @cached_property
    def thresholds(self) -> NDArray[np.uint64]:
        """Of 2^64, how many words make digit i a 1; shape (places,)."""
        with localcontext(prec=_DIGITS):
            rate = Decimal(self.epsilon) / self.sensitivity
            chances = [1 / (1 + (rate * 2**place).exp()) for place in range(self.places)]
            return np.array([int(chance * 2**COIN_BITS + Decimal("0.5")) for chance in chances], np.uint64)

    def delta(self, numbers: int = 1) -> float:
        """What the coins' rounding adds to epsilon, for a vector of so many numbers."""
        return (1 + math.exp(self.epsilon)) * numbers * (2 + self.places) * 2.0**-COIN_BITS

    def of_words(self, words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The noise that uniform words make, shape (..., 2, places) to (...): what is computed under shares elsewhere."""
        digits = (words > ~self.thresholds).astype(
            np.int64
        )  # a word is large enough with chance threshold / 2^64
        numbers = (digits << np.arange(self.places)).sum(axis=-1)
        return np.asarray(numbers[..., 0] - numbers[..., 1])

    def probability(self, noise: NDArray[np.int64]) -> NDArray[np.float64]:
        """The exact law."""
        rate = self.epsilon / self.sensitivity
        return np.asarray(np.tanh(rate / 2) * np.exp(-rate * np.abs(noise)))

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise: sqrt(2 a) / (1 - a)."""
        return math.sqrt(0.5) / math.sinh(self.epsilon / self.sensitivity / 2)
