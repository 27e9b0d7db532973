"""Polynomials modulo X^n + 1 and primes, in NumPy and plain Python; see :mod:`unseen.kernels.ntt` for shapes.

The transform is a sum over powers of the root, split into even and odd coefficients again and again; products and
fractions are Python's integers.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.reference.shares import pad

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Primes = tuple[int, ...]

_TRY, _SLOTS = 1 << 48, 8
_HALF_NOISE = 21
_WORD, _FRACTION = 64, 192


def _product(a: Words, b: Words, q: int) -> Words:
    """A b mod q for a, b < q < 2^50: the quotient by floating point is off by one at most."""
    quotient = (a.astype(np.float64) * b.astype(np.float64) / q).astype(np.uint64)
    left = (a * b - quotient * np.uint64(q)).view(np.int64)
    left = np.where(left < 0, left + q, left)
    return np.where(left >= q, left - q, left).astype(np.uint64)


@lru_cache(maxsize=256)
def _powers(base: int, count: int, q: int) -> Words:
    run = [1]
    for _ in range(count - 1):
        run.append(run[-1] * base % q)
    return np.array(run, np.uint64)


@lru_cache(maxsize=64)
def _root(q: int, degree: int) -> int:
    candidates = (pow(base, (q - 1) // (2 * degree), q) for base in range(2, q))
    return next(psi for psi in candidates if pow(psi, degree, q) == q - 1)


def _values(a: Words, root: int, q: int) -> Words:
    """a(root^(2 i + 1)) for i below the length m of the last axis, root^m being -1."""
    m = a.shape[-1]
    if m == 1:
        return a
    even, odd = _values(np.stack([a[..., ::2], a[..., 1::2]]), root * root % q, q)
    turned = _product(odd, _powers(root, m, q)[1::2], q)
    back = np.where(turned == 0, turned, np.uint64(q) - turned)
    return np.concatenate([(even + turned) % np.uint64(q), (even + back) % np.uint64(q)], axis=-1)


@lru_cache(maxsize=16)
def _order(degree: int) -> NDArray[np.int64]:
    """Which odd power stands at each place."""
    bits = degree.bit_length() - 1
    reverse = np.array([int(f"{i:0{bits}b}"[::-1], 2) for i in range(degree)])
    return reverse.reshape(-1, 8, 8).transpose(0, 2, 1).reshape(-1)


def forward(primes: Primes, degree: int, residues: Words) -> Words:
    """See :func:`unseen.kernels.ntt.forward`."""
    count, limbs, length = residues.shape
    if limbs != len(primes) or not 8 <= length <= degree or length & (length - 1):  # noqa: PLR2004
        raise ValueError("as many coefficients as the table has, or a smaller power of two from 8 on")
    full = np.zeros((count, limbs, degree), np.uint64)
    full[..., :length] = residues
    out = np.empty_like(full)
    for limb, q in enumerate(primes):
        out[:, limb] = _values(full[:, limb], _root(q, degree), q)[:, _order(degree)]
    return out


def inverse(primes: Primes, degree: int, values: Words) -> Words:
    """See :func:`unseen.kernels.ntt.inverse`: coefficient j is psi^-j / n times the sum of values[i] psi^(-2 i j)."""
    if values.shape[1:] != (len(primes), degree):
        raise ValueError("as many values as the table has")
    out = np.empty_like(values)
    for limb, q in enumerate(primes):
        back = pow(_root(q, degree), -1, q)
        natural = np.empty_like(values[:, limb])
        natural[:, _order(degree)] = values[:, limb]
        # As a polynomial in psi^-2: value j of the odd powers of a root of order 2n, at even ones by a twist.
        twisted = _product(natural, _powers(pow(back, -1, q), degree, q), q)
        sums = _values(
            twisted, back, q
        )  # at psi^-(2 j + 1): sum_i v_i psi^i psi^-(2 j + 1) i = sum_i v_i psi^(-2 i j)
        share = pow(degree, -1, q)
        scale = _product(_powers(back, degree, q), np.full(degree, share, np.uint64), q)
        out[:, limb] = _product(sums, np.broadcast_to(scale, sums.shape), q)
    return out


def inner(primes: Primes, left: Words, right: Words, add: Words | None) -> Words:
    """See :func:`unseen.kernels.ntt.inner`."""
    terms, rows, limbs, degree = left.shape
    if right.shape != (terms, limbs, degree) or limbs != len(primes):
        raise ValueError("as many factors on either side")
    out = np.zeros((rows, limbs, degree), np.uint64)
    if add is not None:
        out += add
    for limb, q in enumerate(primes):
        for t in range(terms):
            out[:, limb] = (out[:, limb] + _product(left[t, :, limb], right[t, limb], q)) % np.uint64(q)
    return out


def residues(primes: Primes, small: Integers, message: Words | None, factors: Words | None) -> Words:
    """See :func:`unseen.kernels.ntt.residues`."""
    rows = []
    for limb, q in enumerate(primes):
        row = (small % q).astype(np.uint64)
        if message is not None and factors is not None:
            by = np.full(message.shape, factors[limb] % np.uint64(q), np.uint64)
            row = (row + _product(message % np.uint64(q), by, q)) % np.uint64(q)
        rows.append(row)
    return np.stack(rows, axis=1)


def uniform(primes: Primes, degree: int, key: bytes, first: int, count: int) -> Words:
    """See :func:`unseen.kernels.ntt.uniform`."""
    out = np.empty((count, len(primes), degree), np.uint64)
    for c in range(count):
        for limb, q in enumerate(primes):
            mask, use = np.uint64((1 << (q - 1).bit_length()) - 1), (first + c) * _SLOTS + limb
            row = pad(key, use, degree) & mask
            while (row >= q).any():
                use += _TRY
                row = np.where(row >= q, pad(key, use, degree) & mask, row)
            out[c, limb] = row
    return out


def noise(words: Words) -> Integers:
    """See :func:`unseen.kernels.ntt.noise`."""
    bits = words[:, None] >> np.arange(2 * _HALF_NOISE, dtype=np.uint64) & np.uint64(1)
    ones = bits.astype(np.int64).reshape(len(words), 2, _HALF_NOISE).sum(axis=2)
    return np.asarray(ones[:, 0] - ones[:, 1])


def ternary(words: Words) -> Integers:
    """See :func:`unseen.kernels.ntt.ternary`."""
    third = np.uint64(
        ((1 << _WORD) + 2) // 3
    )  # 3 word reaches 2^64 from here on, and 2 * 2^64 from twice that less one
    return (words >= third).astype(np.int64) + (words >= 2 * third - np.uint64(1)).astype(np.int64) - 1


def fraction(primes: Primes, residues: Words, small: Integers | None) -> Words:
    """See :func:`unseen.kernels.ntt.fraction`."""
    whole = prod(primes)
    added = np.int64(0) if small is None else small
    total: NDArray[np.object_] = np.zeros((len(residues), residues.shape[2]), object)
    for limb, q in enumerate(primes):
        moved = ((residues[:, limb].view(np.int64) + added) % q).astype(np.uint64)
        inverse_of_rest = np.full(moved.shape, pow(whole // q, -1, q), np.uint64)
        total += _product(moved, inverse_of_rest, q).astype(object) * ((1 << _FRACTION) // q)
    word = (1 << _WORD) - 1
    return np.stack([(total >> shift & word).astype(np.uint64) for shift in (2 * _WORD, _WORD)])


def pack(words: Words, bits: int) -> NDArray[np.uint8]:
    """See :func:`unseen.kernels.ntt.pack`."""
    rows = np.unpackbits(words.astype("<u8").view(np.uint8).reshape(len(words), 8), axis=1, bitorder="little")
    return np.packbits(rows[:, :bits].reshape(-1), bitorder="little")


def unpack(packed: NDArray[np.uint8], count: int, bits: int) -> Words:
    """See :func:`unseen.kernels.ntt.unpack`."""
    if len(packed) != -(-count * bits // 8):
        raise ValueError("so many words have another number of bytes")
    rows = np.zeros((count, _WORD), np.uint8)
    rows[:, :bits] = np.unpackbits(packed, count=count * bits, bitorder="little").reshape(count, bits)
    return np.packbits(rows, axis=1, bitorder="little").reshape(-1).view("<u8").astype(np.uint64)
