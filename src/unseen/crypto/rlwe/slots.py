"""Products of words number by number: 8192 at a time, as integers, by residues modulo four primes.

Words x are read as integers from -2^63 to 2^63 - 1. Modulo a plaintext prime p = 1 mod 2N a polynomial is its N values
at the roots of X^N + 1, its slots; so four ciphertexts hold 8192 integers modulo P = p_0 p_1 p_2 p_3 > 2^175.9.

The other party's products are masked by r + 2^127, r uniform below 2^175. For at most two products a slot the sum lies
between 0 and 2^175 + 2^128 < P and never wraps, so what is decrypted is that sum as an integer, at statistical distance
2^127 / 2^175 = 2^-48 from one that does not depend on the products. Modulo 2^64 it is product + r, and -r is the other's share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.crypto.prg import Prg
from unseen.crypto.rlwe.params import PLAIN, SLOTS
from unseen.crypto.rlwe.plain import Prime
from unseen.kernels import ntt

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

COUNT = SLOTS.degree
MOST_TERMS = 2  # products summed up in a slot
MASK_BITS = 175
_LOW = np.uint64((1 << 63) - 1)
_TOP_BITS = MASK_BITS - 2 * 63
_WHOLE = ntt.ring(COUNT, PLAIN)
_MODULI = np.array(PLAIN, np.uint64)[:, None]
_WORD = 1 << 64

FIELDS = tuple(Prime(ntt.ring(COUNT, (prime,))) for prime in PLAIN)


def _constants(values: list[int]) -> Words:
    """One number a prime, as transformed polynomials that are constant: (1, primes, n)."""
    rows = np.array(values, np.uint64)[:, None]
    return np.broadcast_to(rows, (len(values), COUNT))[None].copy()


_RESTS = _constants([pow(_WHOLE.modulus // p, -1, p) for p in PLAIN])


def require(words: Words) -> None:
    """Refuse what is not (count, 8192) words."""
    if words.ndim != 2 or words.shape[1] != COUNT or words.dtype != np.uint64:  # noqa: PLR2004
        raise LocalProtocolError(f"Slots take (count, {COUNT}) words, not {words.shape} of {words.dtype}.")


def encode(words: Words) -> Words:
    """The polynomials whose slots are those integers: (count, 8192) words to (count, primes, n), below the primes."""
    require(words)
    return ntt.inverse(_WHOLE, ntt.residues(_WHOLE, words.view(np.int64)))


def signed(polynomials: Words) -> Integers:
    """The same with coefficients between -p / 2 and p / 2, as factors of ciphertexts."""
    moduli = _MODULI.view(np.int64)
    coefficients = polynomials.view(np.int64)
    return np.where(coefficients > moduli // 2, coefficients - moduli, coefficients)


def mask(rng: Prg) -> tuple[Words, Words]:
    """A mask r + 2^127 for 8192 slots: (its polynomials (primes, n), -r mod 2^64 (n,))."""
    drawn = rng.u64((3, 1, COUNT))
    low, middle = drawn[0] & _LOW, drawn[1] & _LOW
    top = (drawn[2] >> np.uint64(64 - _TOP_BITS)) + np.uint64(2)  # 2 * 2^126 = 2^127
    by = [np.array([(1 << shift) % p for p in PLAIN], np.uint64) for shift in (63, 126)]
    part = ntt.residues(_WHOLE, low.view(np.int64), middle, by[0])
    other = ntt.residues(_WHOLE, np.zeros((1, COUNT), np.int64), top, by[1])
    total = part + other
    values = np.minimum(total, total - _MODULI)
    share = np.uint64(0) - (low[0] + (middle[0] << np.uint64(63)))
    return ntt.inverse(_WHOLE, values)[0], share


def decode(polynomials: Words) -> Words:
    """The integers below 2^175 + 2^128 in the slots of (primes, n), mod 2^64: (n,).

    By the remainder theorem v = sum y_i P / p_i - k P with y_i = v_i (P / p_i)^-1 mod p_i and k = floor(sum y_i / p_i); the sum's
    fraction is v / P < 0.51, so that floating point finds k.
    """
    values = ntt.forward(_WHOLE, polynomials[None])
    y = ntt.inner(_WHOLE, values[None], _RESTS)[0]
    turns = np.floor((y.astype(np.float64) / _MODULI.astype(np.float64)).sum(axis=0) + 0.25).astype(np.uint64)
    parts = np.array([_WHOLE.modulus // p % _WORD for p in PLAIN], np.uint64)[:, None]
    total: Words = (y * parts).sum(axis=0) - turns * np.uint64(_WHOLE.modulus % _WORD)
    return total
