"""Okamoto and Uchiyama's scheme: n = p^2 q, numbers modulo p.

Keys
    p and q of one length (682 bits for 2048, 1024 for 3072), g with g^(p - 1) of order p modulo p^2, h = x^n.
Reading
    L(c^(p - 1) mod p^2) / L(g^(p - 1) mod p^2) mod p with L(y) = (y - 1) / p: half the work of modulo n, in constant time
    but for the division, which is Python's.
Assumption
    The p-subgroup assumption: products of n-th powers with g are like n-th powers. Breaking it needs no more than factors of n,
    and n = p^2 q may be easier to factor than a product of two primes: elliptic curves look for the small p, and
    sizes that others call as strong differ by 500 bits. Hence 3072 is the default.

Source: Okamoto and Uchiyama, "A new public-key cryptosystem as secure as factoring" (EUROCRYPT 1998).
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


class OkamotoUchiyamaKey:
    """The secret key of one run; never stored, never shown."""

    __slots__ = ("_inverse", "_p", "_square", "public")

    def __init__(self, p: int, q: int, g: int, x: int, *, bits: int) -> None:
        n = p * p * q
        self.public = PublicKey.make("ou", bits, n, g, pow(x, n, n))
        self._p = p
        self._square = montgomery.modulus(p * p)
        self._inverse = pow((pow(g, p - 1, p * p) - 1) // p, -1, p)

    def __repr__(self) -> str:
        return f"OkamotoUchiyamaKey({self.public.bits} bits, <secret>)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise LocalProtocolError("A secret key is not copied or stored.")

    def decrypt(self, words: Words, *, bits: int, sender: str) -> list[int]:
        """See :class:`unseen.crypto.additive.public.SecretKey`."""
        self.public.from_wire(words, sender=sender)
        p, of = self._p, self._square
        reduced = [number % of.value for number in montgomery.to_numbers(words)]
        rows, _ = montgomery.enter(of, montgomery.to_words(reduced, of.words))
        exponent_words = -(-p.bit_length() // 64)
        powers = montgomery.power(of, rows, p - 1, words=exponent_words)
        raised = montgomery.to_numbers(montgomery.leave(of, powers))
        numbers = [(number - 1) // p * self._inverse % p for number in raised]
        return checked_numbers(numbers, p, bits=bits, sender=sender)


def generate(bits: int) -> OkamotoUchiyamaKey:
    """A fresh key of 2048 or 3072 bits.

    Raises
    ------
    UsageError
        Another size.
    """
    primes.check_size(bits)
    while True:
        p, q = primes.pair(bits // 3)
        n = p * p * q
        g, x = (secrets.randbelow(n - 2) + 2 for _ in range(2))
        order = pow(g, p - 1, p * p)  # 1 only with a probability of 1 / p
        if (q - 1) % p and (p - 1) % q and math.gcd(g * x, n) == 1 and order != 1:
            return OkamotoUchiyamaKey(p, q, g, x, bits=bits)
