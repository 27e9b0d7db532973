"""Which parameters lattice encryption uses, where they come from, and the bounds that follow from them.

Security: the table for ternary secrets and classical attacks in Albrecht et al., "Homomorphic Encryption Security
Standard" (HomomorphicEncryption.org, November 2018), table 1: the largest log2 Q for a degree. It takes errors
of standard deviation 8 / sqrt(2 pi) = 3.19 or more; ours is the centred binomial of 42 coins, 3.24.

Notation: Q is the product of the primes, t the plaintext modulus, N the degree. A ciphertext decrypts to m / t + noise / Q
modulo 1. All noise of encryptions is sub-Gaussian with variance proxy 10.75 (10.5 of the binomial, 0.25 of rounding q m / t
up or down at random), so a coefficient of noise * y has at most the proxy 10.75 |y|^2, |y| being the Euclidean norm of
all plaintext coefficients that are multiplied and summed up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log2, prod, sqrt
from typing import Final

from unseen.core.errors import UsageError

STANDARD: Final = {4096: {128: 109, 192: 75}, 8192: {128: 218, 192: 152}}
NOISE_PROXY: Final = 10.75
SIGMAS: Final = 10.0  # what bounds of rounding errors allow for: passed with probability 2 exp(-50)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One set.

    Parameters
    ----------
    flood
        An answer's noise gets a uniform summand in [-2^-flood, 2^-flood).
    first_bits, second_bits
        To how many bits the two polynomials of an answer are rounded; even.
    plain_bits
        Plaintext moduli are at most 2^plain_bits.
    """

    name: str
    degree: int
    primes: tuple[int, ...]
    security: int
    plain_bits: int
    flood: int
    first_bits: int
    second_bits: int
    source: str
    date: str

    def __post_init__(self) -> None:
        if log2(self.modulus) > STANDARD[self.degree][self.security]:
            raise UsageError(f"Lattice parameters {self.name}: Q is too large for {self.security} bits.")
        if self.margin <= 0:
            raise UsageError(f"Lattice parameters {self.name}: decryption would fail.")

    @property
    def modulus(self) -> int:
        """Q."""
        return prod(self.primes)

    @property
    def rounding(self) -> float:
        """What rounding an answer adds to its noise, as a part of 1, but for probability 2 exp(-50).

        The first polynomial's errors, uniform in half a unit, meet the secret's at most N numbers of size 1.
        """
        return SIGMAS * sqrt(self.degree / 12) * 2.0**-self.first_bits + 2.0 ** -(self.second_bits + 1)

    @property
    def margin(self) -> float:
        """How much of 1 is left for the noise of encryptions in an answer: 1 / (2 t) less flood and rounding."""
        return 2.0 ** -(self.plain_bits + 1) - 2.0**-self.flood - self.rounding

    def noise(self, norm: float) -> float:
        """The root of the variance proxy of an answer's noise before flooding, as a part of 1; `norm` is |y|.

        The encryption of zero that is added brings two products of a binomial with a ternary polynomial.
        """
        fresh = 2 * self.degree
        return float(2.0 ** (log2(NOISE_PROXY * (norm**2 + fresh)) / 2 - log2(self.modulus)))

    def leak(self, norm: float) -> float:
        """Statistical distance of one coefficient of an answer from one that does not depend on y but by the result.

        A uniform flood of half-width w moved by d is at distance |d| / 2 w; the mean of |noise| is at most the root
        of its proxy. 2^-126 is for what the fractions of 128 bits cut off.
        """
        return (self.noise(norm) + 2.0**-126) / 2.0 ** (1 - self.flood)

    def failure(self, norm: float) -> float:
        """log2 of a bound on the probability that one coefficient of an answer decrypts wrongly."""
        sigmas = min(self.margin / self.noise(norm), SIGMAS)
        return 2 - sigmas**2 / 2 / log(2)

    @property
    def limbs(self) -> int:
        """How many primes Q has."""
        return len(self.primes)


_STANDARD_NAME = "HomomorphicEncryption.org standard, table 1 (ternary secret, classical)"

# Plaintexts modulo 2^64; log2 Q = 200.
MATRICES: Final = Parameters(
    name="matrices/1",
    degree=8192,
    primes=(0x3FFFFFFFFC001, 0x3FFFFFFFCC001, 0x3FFFFFFEF4001, 0x3FFFFFFE94001),
    security=128,
    plain_bits=64,
    flood=66,
    first_bits=76,
    second_bits=68,
    source=_STANDARD_NAME,
    date="2018-11",
)

# Plaintexts modulo the primes of PLAIN; log2 Q = 150.
SLOTS: Final = Parameters(
    name="slots/1",
    degree=8192,
    primes=(0x3FFFFFFFFC001, 0x3FFFFFFFCC001, 0x3FFFFFFEF4001),
    security=192,
    plain_bits=44,
    flood=46,
    first_bits=56,
    second_bits=48,
    source=_STANDARD_NAME,
    date="2018-11",
)
PLAIN: Final = (0xFFFFFFFC001, 0xFFFFFF6C001, 0xFFFFFEBC001, 0xFFFFFE44001)
