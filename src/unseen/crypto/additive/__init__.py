"""Additively homomorphic encryption under a public key: Okamoto and Uchiyama's, and Paillier's.

Whoever has the public key adds up numbers that it cannot read; whoever has the secret key reads the sum. Both schemes have
one shape, c = g^m h^r mod N (:mod:`unseen.crypto.additive.public`), and differ in how keys are made and how c is read.
"""

from collections.abc import Callable

from unseen.core.errors import UsageError
from unseen.crypto.additive import okamoto_uchiyama, paillier
from unseen.crypto.additive.public import PublicKey, SecretKey

SCHEMES: dict[str, Callable[[int], SecretKey]] = {
    "ou": okamoto_uchiyama.generate,
    "paillier": paillier.generate,
}


def generate(scheme: str, bits: int) -> SecretKey:
    """A fresh key: `scheme` "ou" or "paillier", 2048 or 3072 bits.

    Raises
    ------
    UsageError
        Another scheme or size.
    """
    if scheme not in SCHEMES:
        raise UsageError(f"There is no scheme '{scheme}'.", mend=f"use one of {', '.join(SCHEMES)}")
    return SCHEMES[scheme](bits)


__all__ = ["SCHEMES", "PublicKey", "SecretKey", "generate"]
