"""Arithmetic modulo the order of ristretto255, on Python's integers, for commitments and proofs.

Python's integers take time that depends on their size, so whoever can measure this process to the microsecond may learn
something about a prover's scalars. All of them are uniform or under uniform masks but for the values themselves; products with
group elements, which take nearly all the time, are constant time (:mod:`unseen.crypto.group`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from operator import index
from typing import SupportsIndex

from unseen.core.errors import UsageError, VerificationError
from unseen.crypto.group import SCALAR_BYTES, Elements, to_array

ORDER = 2**252 + 27742317777372353535851937790883648493


def random_scalar() -> int:
    """Uniform below the order."""
    return secrets.randbelow(ORDER)


def random_scalars(count: int) -> list[int]:
    """`count` of them."""
    return [secrets.randbelow(ORDER) for _ in range(count)]


def whole(number: SupportsIndex) -> int:
    """Python's integer of one of Python or NumPy, whose own are too short for products modulo the order.

    Raises
    ------
    UsageError
        It is a fraction, or no number.
    """
    try:
        return index(number)
    except TypeError as error:
        raise UsageError(
            f"A {type(number).__name__} is no whole number: only those can be committed to and proved about.",
            mend="multiply fractions by a public power of two and round them",
        ) from error


def to_bytes(number: int) -> bytes:
    """A number of any size and sign, modulo the order, as 32 bytes."""
    return (whole(number) % ORDER).to_bytes(SCALAR_BYTES, "little")


def to_rows(numbers: Iterable[int]) -> Elements:
    """Numbers of any size and sign, modulo the order, shape (n, 32)."""
    return to_array([to_bytes(number) for number in numbers])


def from_bytes(data: bytes, *, what: str) -> int:
    """A scalar of a proof.

    Raises
    ------
    VerificationError
        Not 32 bytes, or not below the order: a number has one encoding.
    """
    number = int.from_bytes(data, "little")
    if len(data) != SCALAR_BYTES or number >= ORDER:
        raise VerificationError(f"{what} has a number that is not written in its one way.")
    return number


def powers(base: int, count: int, *, start: int = 1) -> list[int]:
    """As many numbers: start, start * base, start * base^2 and so on."""
    out, value = [], start % ORDER
    for _ in range(count):
        out.append(value)
        value = value * base % ORDER
    return out


def inner(left: Sequence[int], right: Sequence[int]) -> int:
    """The inner product of two vectors of one length."""
    return sum(a * b for a, b in zip(left, right, strict=True)) % ORDER


def inverse(number: int) -> int:
    """1 / number; the number is not 0."""
    return pow(number, -1, ORDER)
