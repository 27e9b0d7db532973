"""Fractions of 128 bits modulo 1: uint64 arrays (2, ...), upper words and lower words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Torus = Words
Integers = NDArray[np.int64]

_WORD = 64
_HALF = np.uint64(1 << 63)


def add(a: Torus, b: Torus) -> Torus:
    """A + b mod 1."""
    out = a + b
    out[0] += out[1] < a[1]
    return out


def scaled(x: Integers, bits: int) -> Torus:
    """X * 2^-bits mod 1 for integers absolutely below 2^63; 0 < bits <= 128."""
    up = 128 - bits
    out = np.empty((2, *x.shape), np.uint64)
    words = x.view(np.uint64)
    if up >= _WORD:
        out[0], out[1] = words << np.uint64(up - _WORD), 0
        return out
    out[1] = words << np.uint64(up)
    out[0] = (x >> np.int64(_WORD - up) if up else x >> np.int64(63)).view(np.uint64)
    return out


def uniform(words: Words, bits: int) -> Torus:
    """Uniform in [-2^-bits, 2^-bits) from uniform words (2, ...); 0 < bits < 128."""
    places = 129 - bits
    out = words.copy()
    if places > _WORD:
        out[0] &= np.uint64((1 << (places - _WORD)) - 1)
    else:
        out[0] = 0
        out[1] &= np.uint64((1 << places) - 1)
    below = np.array(divmod(-(1 << (places - 1)) % (1 << 128), 1 << _WORD), np.uint64)
    return add(out, np.broadcast_to(below.reshape(2, *[1] * (out.ndim - 1)), out.shape))


def split(x: Torus, bits: int) -> Words:
    """The nearest multiple of 2^-bits, bits even and at most 112, as two halves of bits / 2 each, (2, ...), upper first."""
    half = bits // 2
    unit = 1 << (127 - bits)
    upper, lower = divmod(unit, 1 << _WORD)
    rounded = add(
        x, np.broadcast_to(np.array([upper, lower], np.uint64).reshape(2, *[1] * (x.ndim - 1)), x.shape)
    )
    out = np.empty_like(rounded)
    out[0] = rounded[0] >> np.uint64(_WORD - half)
    if bits <= _WORD:
        out[1] = rounded[0] >> np.uint64(_WORD - bits)
    else:
        out[1] = rounded[0] << np.uint64(bits - _WORD) | rounded[1] >> np.uint64(128 - bits)
    out[1] &= np.uint64((1 << half) - 1)
    return out


def signed_halves(halves: Words, bits: int) -> Integers:
    """Halves (2, ...) of bits / 2 each, made signed: of the same value modulo 2^bits, absolutely at most 2^(bits/2 - 1)."""
    half = bits // 2
    top, mask = np.int64(1 << (half - 1)), np.int64((1 << half) - 1)
    out = halves.view(np.int64).copy()
    for part in (1, 0):
        lifted = out[part] + top
        if part:
            out[0] += lifted >> np.int64(half)
        out[part] = (lifted & mask) - top
    return out


def nearest_word(x: Torus) -> Words:
    """X * 2^64 to the nearest integer, mod 2^64."""
    out: Words = x[0] + (x[1] >> np.uint64(63))
    return out


def nearest(x: Torus, modulus: int) -> Words:
    """X * modulus to the nearest integer, modulo it, from the upper words; modulus below 2^62."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    t0, t1 = np.uint64(modulus & 0xFFFFFFFF), np.uint64(modulus >> 32)
    x0, x1 = x[0] & mask, x[0] >> half
    low = x0 * t0
    middle = x1 * t0 + (low >> half)
    other = x0 * t1 + (middle & mask)
    upper = x1 * t1 + (middle >> half) + (other >> half)
    rounded = upper + (other >> np.uint64(31) & np.uint64(1))
    return np.where(rounded == modulus, np.uint64(0), rounded)
