"""The compression function of SHA-256 as a circuit (FIPS 180-4, section 6.2).

Two inputs, a block of 512 bits and a state of 256, one output: the next state. Words of 32 bits in the standard's order,
each with its lowest bit first: bit i of word k is bit 32 k + i.
"""

from __future__ import annotations

from functools import cache
from math import isqrt

from unseen.mpc.circuits.circuit import Circuit
from unseen.mpc.circuits.words import Word, trace

_ROUNDS = 64
_WORD = 32


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle)
    return low


CONSTANTS = tuple(_cube_root(prime << 3 * _WORD) % (1 << _WORD) for prime in _primes(_ROUNDS))
"""The first 32 bits of the fractions of the cube roots of the first 64 primes."""

INITIAL = tuple(isqrt(prime << 2 * _WORD) % (1 << _WORD) for prime in _primes(8))
"""The same of the square roots of the first eight: the state before the first block."""


@cache
def sha256_compression() -> Circuit:
    """The circuit."""
    return trace(_compress, 16 * _WORD, 8 * _WORD)


def _compress(block: Word, state: Word) -> Word:
    schedule = [block[_WORD * t : _WORD * (t + 1)] for t in range(16)]
    for t in range(16, _ROUNDS):
        w15, w2 = schedule[t - 15], schedule[t - 2]
        small = w15.rotated(7) ^ w15.rotated(18) ^ (w15 >> 3)
        large = w2.rotated(17) ^ w2.rotated(19) ^ (w2 >> 10)
        schedule.append(large + schedule[t - 7] + small + schedule[t - 16])
    before = [state[_WORD * k : _WORD * (k + 1)] for k in range(8)]
    a, b, c, d, e, f, g, h = before
    for t in range(_ROUNDS):
        high = e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)
        choice = g ^ (e & (f ^ g))
        one = h + high + choice + (schedule[t] + CONSTANTS[t])
        low = a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)
        majority = a ^ ((a ^ b) & (a ^ c))
        a, b, c, d, e, f, g, h = one + (low + majority), a, b, c, d + one, e, f, g
    after = [old + new for old, new in zip(before, (a, b, c, d, e, f, g, h), strict=True)]
    return after[0].joined(*after[1:])
