"""Arithmetic modulo an odd number of some thousand bits, for many rows at once: what ciphertexts are added up with.

A residue x is held in Montgomery's form, x R mod n with R = 2^(52 L), as L limbs of 52 bits in uint64, lowest first;
L = ceil((bits of n + 2) / 52). The form is the same on every instruction set; numbers come and go as 64-bit words, lowest
first. :mod:`unseen.kernels.reference.montgomery` defines what is computed.

:func:`power` takes the same time and touches the same memory whatever the exponent and the bases are. :func:`products`
reads memory where `order` says: for public numbers, or where nobody shares the processor.

Source: Montgomery, "Modular multiplication without trial division" (1985); Gueron and Krasnov, "Software implementation of
modular exponentiation, using advanced vector instructions" (2012) for radix 2^52 side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import montgomery as reference

Rows = NDArray[np.uint64]  # (n, L), Montgomery's form
Words = NDArray[np.uint64]  # (n, words)

LEAST, MOST_BITS = 3, 128 * 52 - 2

_native = native()


@dataclass(frozen=True, slots=True, eq=False)
class Modulus:
    """An odd number and what goes with it; made by :func:`modulus`."""

    value: int
    constants: NDArray[np.uint64]  # (3, L): n, R mod n, R^2 mod n

    @property
    def limbs(self) -> int:
        """L."""
        return int(self.constants.shape[1])

    @property
    def words(self) -> int:
        """64-bit words of a residue."""
        return -(-self.value.bit_length() // 64)

    def __repr__(self) -> str:
        return f"Modulus({self.value.bit_length()} bits)"


def modulus(value: int) -> Modulus:
    """Of 2 to 6,654 bits.

    Raises
    ------
    ValueError
        An even number, one below 3, or one too large.
    """
    if value < LEAST or value % 2 == 0 or value.bit_length() > MOST_BITS:
        raise ValueError("a modulus is odd and has 2 to 6654 bits")
    limbs = -(-(value.bit_length() + 2) // reference.LIMB_BITS)
    radix = 1 << (limbs * reference.LIMB_BITS)
    return Modulus(value, reference.split([value, radix % value, radix * radix % value], limbs))


def to_words(numbers: Sequence[int], width: int) -> Words:
    """Numbers below 2^(64 width) as words, shape (n, width)."""
    if not numbers:
        return np.zeros((0, width), np.uint64)
    joined = b"".join(number.to_bytes(8 * width, "little") for number in numbers)
    return np.frombuffer(joined, "<u8").astype(np.uint64, copy=False).reshape(len(numbers), width)


def to_numbers(words: Words) -> list[int]:
    """Words (n, width) as numbers."""
    width = 8 * words.shape[1]
    joined = words.astype("<u8", copy=False).tobytes()
    return [int.from_bytes(joined[at : at + width], "little") for at in range(0, len(joined), width)]


def enter(of: Modulus, words: Words) -> tuple[Rows, NDArray[np.bool_]]:
    """Rows of words (n, 1 to 128), and which of them are below the modulus; those that are not become 0."""
    if _native is None:
        return reference.enter(of.value, of.limbs, words)
    rows, flags = _native.montgomery_enter(of.constants, words)
    return rows, flags.view(np.bool_)


def leave(of: Modulus, rows: Rows) -> Words:
    """The residues as words, shape (n, of.words)."""
    if _native is None:
        return reference.leave(of.value, rows, of.words)
    out: Words = _native.montgomery_leave(of.constants, rows, of.words)
    return out


def multiply(of: Modulus, left: Rows, right: Rows) -> Rows:
    """The products of rows side by side; `right` may be one row for all."""
    if _native is None:
        return reference.multiply(of.value, left, right)
    out: Rows = _native.montgomery_multiply(of.constants, left, right)
    return out


def products(of: Modulus, table: Rows, order: NDArray[np.int64], starts: NDArray[np.int64]) -> Rows:
    """Row s is the product of table[order[i]] for starts[s] <= i < starts[s + 1]; of none it is 1.

    Raises
    ------
    ValueError
        A row that is not there, segments that do not follow one another.
    """
    if _native is None:
        return reference.products(of.value, table, order, starts)
    out: Rows = _native.montgomery_products(of.constants, table, order, starts)
    return out


def square(of: Modulus, base: Rows, squarings: int) -> Rows:
    """Rows to the power 2^squarings, at most 65,536."""
    if _native is None:
        return reference.power(of.value, base, 1 << squarings)
    out: Rows = _native.montgomery_square(of.constants, base, squarings)
    return out


def power(of: Modulus, base: Rows, exponent: int, *, words: int) -> Rows:
    """Rows to the power of one exponent below 2^(64 words); time depends on `words` alone (not so in the reference)."""
    if _native is None:
        return reference.power(of.value, base, exponent)
    out: Rows = _native.montgomery_power(of.constants, base, to_words([exponent], words)[0])
    return out
