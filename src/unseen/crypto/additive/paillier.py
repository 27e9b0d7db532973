"""Paillier's scheme with Damgård, Jurik and Nielsen's randomness: n = p q, arithmetic modulo n^2, numbers modulo n.

Keys
    p = q = 3 mod 4 with gcd(p - 1, q - 1) = 2; g = 1 + n, h = (-x^2)^n, exponents of half the length of n.
Reading
    Modulo p^2 and q^2, joined by Chinese remainders.
Assumption
    Decisional composite residuosity; for the short exponents, that powers of h below 2^(|n| / 2) look like all of them.

Sources: Paillier, "Public-key cryptosystems based on composite degree residuosity classes" (EUROCRYPT 1999); Damgård, Jurik
and Nielsen, "A generalization of Paillier's public-key system with applications to electronic voting" (IJIS 2010).
"""

from __future__ import annotations

import math
import secrets
from typing import Any

from unseen.core.errors import LocalProtocolError
from unseen.crypto.additive import primes
from unseen.crypto.additive.public import PublicKey, checked_numbers
from unseen.kernels import montgomery
from unseen.kernels.montgomery import Words


class PaillierKey:
    """The secret key of one run; never stored, never shown."""

    __slots__ = ("_halves", "_joint", "public")

    def __init__(self, p: int, q: int, x: int, *, bits: int) -> None:
        n = p * q
        self.public = PublicKey.make("paillier", bits, n, n + 1, pow(-x * x, n, n * n))
        self._halves = [(r, montgomery.modulus(r * r), _inverse(r, n)) for r in (p, q)]
        self._joint = pow(q, -1, p)

    def __repr__(self) -> str:
        return f"PaillierKey({self.public.bits} bits, <secret>)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise LocalProtocolError("A secret key is not copied or stored.")

    def decrypt(self, words: Words, *, bits: int, sender: str) -> list[int]:
        """See :class:`unseen.crypto.additive.public.SecretKey`."""
        self.public.from_wire(words, sender=sender)
        given = montgomery.to_numbers(words)
        found = []
        for r, of, inverse in self._halves:
            reduced = [number % of.value for number in given]
            rows, _ = montgomery.enter(of, montgomery.to_words(reduced, of.words))
            powers = montgomery.power(of, rows, r - 1, words=-(-r.bit_length() // 64))
            raised = montgomery.to_numbers(montgomery.leave(of, powers))
            found.append([(number - 1) // r * inverse % r for number in raised])
        p, q = (half[0] for half in self._halves)
        numbers = [b + (a - b) * self._joint % p * q for a, b in zip(*found, strict=True)]
        return checked_numbers(numbers, p * q, bits=bits, sender=sender)


def _inverse(prime: int, n: int) -> int:
    """1 / L(g^(prime - 1) mod prime^2) mod prime."""
    return pow((pow(n + 1, prime - 1, prime * prime) - 1) // prime, -1, prime)


def generate(bits: int) -> PaillierKey:
    """A fresh key of 2048 or 3072 bits.

    Raises
    ------
    UsageError
        Another size.
    """
    primes.check_size(bits)
    while True:
        p, q = primes.pair(bits // 2)
        if p % 4 == q % 4 == 3 and math.gcd(p - 1, q - 1) == 2:  # noqa: PLR2004 - as the paper has it
            x = secrets.randbelow(p * q - 2) + 2
            if math.gcd(x, p * q) == 1:
                return PaillierKey(p, q, x, bits=bits)
