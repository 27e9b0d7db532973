"""Polynomials modulo X^n + 1 and a few primes: negacyclic transform, products, sampling, rounding.

A polynomial modulo Q = q_0 q_1 ... is held by its residues, a uint64 array (limbs, n); most functions take many at once,
(count, limbs, n). Primes are 1 modulo 2 n and lie between 2^40 and 2^50.

A *transformed* polynomial a is its values at the odd powers of a 2n-th root of unity psi, so that products are taken value
by value: place 64 b + 8 k + g (k, g < 8) holds a(psi^(2 r + 1)), r being 64 b + 8 g + k with its log2 n bits reversed.
psi is g^((q - 1) / 2n) for the least g >= 2 for which psi^n = -1.

:mod:`unseen.kernels.reference.ntt` defines every function here. No branch and no address depends on coefficients, but
for the search of :func:`uniform`, whose result is public.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels.native import native
from unseen.kernels.reference import ntt as reference

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

LEAST_COEFFICIENTS = 8
MOST_TERMS = 4096
NOISE_MOST = 21  # the largest absolute value that noise() gives
NOISE_VARIANCE = 10.5
_SIDE, _BLOCK = 8, 64
_PRIME_BITS = (40, 50)
_SHOUP, _FRACTION, _WORD = 52, 192, 64

_native = native()


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """Z_Q[X] / (X^n + 1), with what the kernels want to know of it; made by :func:`ring`."""

    degree: int
    primes: tuple[int, ...]
    moduli: Words
    inverses: Words
    weights: Words

    @property
    def tables(self) -> list[Words]:
        """Powers of the roots for the kernels, (4, degree) for each limb; made when they are first asked for."""
        return [_table(self.degree, prime) for prime in self.primes]

    @property
    def limbs(self) -> int:
        """How many primes there are."""
        return len(self.primes)

    @property
    def modulus(self) -> int:
        """Q, the product of the primes."""
        return prod(self.primes)


def root_of_unity(prime: int, degree: int) -> int:
    """psi: of order 2 * degree modulo the prime."""
    for base in range(2, prime):
        psi = pow(base, (prime - 1) // (2 * degree), prime)
        if pow(psi, degree, prime) == prime - 1:
            return psi
    raise LocalProtocolError(f"{prime} has no root of unity of order {2 * degree}.")


@lru_cache(maxsize=32)
def ring(degree: int, primes: tuple[int, ...]) -> Ring:
    """The ring of that degree (a power of two from 64 to 2^15) and those primes.

    Raises
    ------
    LocalProtocolError
        Primes that are equal, out of range or not 1 modulo 2 * degree.
    """
    low, high = (1 << bits for bits in _PRIME_BITS)
    fits = all(low < q < high and q % (2 * degree) == 1 for q in primes)
    if not fits or len(set(primes)) != len(primes) or not primes:
        raise LocalProtocolError(f"No transform of {degree} coefficients modulo {primes}.")
    whole = prod(primes)
    inverses = [pow(whole // q, -1, q) for q in primes]
    weights = [(1 << _FRACTION) // q for q in primes]
    word = (1 << _WORD) - 1
    return Ring(
        degree,
        primes,
        np.array(primes, np.uint64),
        np.array(inverses, np.uint64),
        np.array([[w >> _WORD * i & word for i in range(3)] for w in weights], np.uint64),
    )


@lru_cache(maxsize=32)
def _table(degree: int, prime: int) -> Words:
    """The four rows of a limb's table, (4, degree); see native/include/unseen/ntt.hpp."""
    psi = root_of_unity(prime, degree)
    bits = degree.bit_length() - 1
    order = np.zeros(degree, np.intp)
    for place in range(bits):
        order |= (np.arange(degree) >> place & 1) << (bits - 1 - place)
    forth, back = (_in_blocks(_powers(root, prime, degree)[order]) for root in (psi, pow(psi, -1, prime)))
    share = pow(degree, -1, prime)
    back[:2] = share, int(back[1]) * share % prime
    return np.stack([forth, _quotient(forth, prime), back, _quotient(back, prime)])


def _powers(base: int, prime: int, count: int) -> Words:
    """1, base, base^2, ..., a power of two of them."""
    run = np.ones(1, np.uint64)
    while len(run) < count:
        factor = np.uint64(pow(base, len(run), prime))
        # the quotient is off by one at most, as numbers are below 2^50; the rest is right modulo 2^64
        turns = (run.astype(np.float64) * float(factor) / prime).astype(np.uint64)
        run = np.concatenate([run, _settled(run * factor - turns * np.uint64(prime), turns, prime)[0]])
    return run


def _quotient(words: Words, prime: int) -> Words:
    """The words times 2^52, divided by the prime."""
    turns = (words.astype(np.float64) / prime * 2.0**_SHOUP).astype(np.uint64)
    return _settled((words << np.uint64(_SHOUP)) - turns * np.uint64(prime), turns, prime)[1]


def _settled(rest: Words, turns: Words, prime: int) -> tuple[Words, Words]:
    """Rest and quotient, of a quotient that may be a few too large or too small."""
    over = rest.view(np.int64) // np.int64(prime)
    return rest - over.view(np.uint64) * np.uint64(prime), turns + over.view(np.uint64)


def _in_blocks(roots: Words) -> Words:
    """The roots of the last two layers in the order in which lanes take them: eight blocks side by side."""
    half, quarter = len(roots) // 2, len(roots) // 4
    second = roots[quarter:half].reshape(-1, _SIDE, 2).transpose(0, 2, 1)
    third = roots[half:].reshape(-1, _SIDE, 4).transpose(0, 2, 1)
    return np.concatenate([roots[:quarter], second.reshape(-1), third.reshape(-1)])


def forward(of: Ring, residues: Words) -> Words:
    """Transform (count, limbs, m) to (count, limbs, n): coefficients from m on, a power of two, at least 8, are zero."""
    if _native is None:
        return reference.forward(of.primes, of.degree, residues)
    out: Words = _native.ntt_forward(of.tables, of.moduli, residues)
    return out


def inverse(of: Ring, values: Words) -> Words:
    """The inverse of :func:`forward`, (count, limbs, n)."""
    if _native is None:
        return reference.inverse(of.primes, of.degree, values)
    out: Words = _native.ntt_inverse(of.tables, of.moduli, values)
    return out


def inner(of: Ring, left: Words, right: Words, add: Words | None = None) -> Words:
    """Row by row the sum over t of left[t, row] * right[t], value by value: (rows, limbs, n), `add` added.

    `left` is (terms, rows, limbs, n), `right` (terms, limbs, n), with at most 4096 terms.
    """
    if _native is None:
        return reference.inner(of.primes, left, right, add)
    out: Words = _native.ntt_inner(of.moduli, left, right, add)
    return out


def residues(of: Ring, small: Integers, message: Words | None = None, factors: Words | None = None) -> Words:
    """Residues (count, limbs, m) of small + factors[l] * message, both (count, m); m is a multiple of eight."""
    if _native is None:
        return reference.residues(of.primes, small, message, factors)
    out: Words = _native.ntt_residues(of.moduli, small, message, factors)
    return out


def uniform(of: Ring, key: bytes, first: int, count: int) -> Words:
    """Uniform polynomials (count, limbs, n), those numbered from `first` (below 2^45), from a public 16-byte key.

    Coefficient i of limb l of polynomial c is the first number below q_l among words i of the pads
    (:func:`unseen.kernels.shares.pad`) of uses 8 c + l, 2^48 + 8 c + l, 2 * 2^48 + 8 c + l, ..., each cut to the length of q_l.
    """
    if _native is None:
        return reference.uniform(of.primes, of.degree, key, first, count)
    out: Words = _native.ntt_uniform(of.moduli, key, first, count, of.degree)
    return out


def noise(words: Words) -> Integers:
    """A centred binomial from each uniform word: ones among bits 0-20 less ones among bits 21-41; variance 10.5."""
    if _native is None:
        return reference.noise(words)
    out: Integers = _native.ntt_noise(words)
    return out


def ternary(words: Words) -> Integers:
    """-1, 0 or 1 from each uniform word, floor(3 word / 2^64) - 1: within 2^-62 of uniform."""
    if _native is None:
        return reference.ternary(words)
    out: Integers = _native.ntt_ternary(words)
    return out


def fraction(of: Ring, residues: Words, small: Integers | None = None) -> Words:
    """X / Q mod 1 to 128 bits after the point, too low by less than limbs * 2^50 * 2^-192 + 2^-128.

    x is given by residues (count, limbs, n), to which `small` (count, n), absolutely below 2^40, is added. The result is
    (2, count, n): upper words, lower words.
    """
    if _native is None:
        return reference.fraction(of.primes, residues, small)
    out: Words = _native.ntt_fraction(of.moduli, of.inverses, of.weights, residues, small)
    return out


def pack(words: Words, bits: int) -> NDArray[np.uint8]:
    """The lowest `bits` (1 to 56) of each of n words, one after the other, in ceil(n bits / 8) little-endian bytes."""
    if _native is None:
        return reference.pack(words, bits)
    out: NDArray[np.uint8] = _native.ntt_pack(words, bits)
    return out


def unpack(packed: NDArray[np.uint8], count: int, bits: int) -> Words:
    """The inverse of :func:`pack`.

    Raises
    ------
    ValueError
        So many words have another number of bytes.
    """
    if _native is None:
        return reference.unpack(packed, count, bits)
    out: Words = _native.ntt_unpack(packed, count, bits)
    return out
