"""Pairs of primes of one length, from OpenSSL's generator of RSA keys, and when they will do."""

from __future__ import annotations

import warnings

from cryptography.hazmat.primitives.asymmetric import rsa

from unseen.core.errors import UsageError
from unseen.crypto.additive.public import BITS

_EXPONENT = 65537


def check_size(bits: int) -> None:
    """Refuse other sizes than 2048 and 3072; warn of the former.

    Raises
    ------
    UsageError
        Another size.
    """
    if bits not in BITS:
        raise UsageError(f"Keys of {bits} bits are not offered.", mend="use 3072, or 2048")
    if bits == min(BITS):
        warnings.warn(
            "A key of 2048 bits gives about 112 bits of security; 3072 are the default.", stacklevel=4
        )


def pair(bits: int) -> tuple[int, int]:
    """Two secret primes of `bits` bits each with the upper two set, independent and far apart."""
    numbers = rsa.generate_private_key(_EXPONENT, 2 * bits).private_numbers()
    return numbers.p, numbers.q
