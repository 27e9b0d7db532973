"""curve25519 and ristretto255 on batches: the native kernel where it was built, else Python's integers.

Rows are uint8 arrays: points, elements and scalars of 32 bytes, little-endian. One scalar, shape (1, 32), serves all
points; else there is one for each. The native kernels are constant time in everything but shapes.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import curve as reference

Rows: TypeAlias = NDArray[np.uint8]
Flags: TypeAlias = NDArray[np.bool_]

_native = native()


def is_native() -> bool:
    """Whether the fast, constant-time kernels are there."""
    return _native is not None


def x25519(scalars: Rows, points: Rows) -> Rows:
    """X25519 of RFC 7748: shapes (1 or n, 32) and (n, 32) to (n, 32).

    Scalars are clamped, bit 255 of a point is ignored. A point of small order gives 32 zero bytes: refuse them.
    """
    if _native is None:
        return reference.x25519(scalars, points)
    out: Rows = _native.x25519(scalars, points)
    return out


def x_on_curve(points: Rows) -> Flags:
    """Which rows (n, 32) are numbers below p and x of a point of the curve, not of its twist."""
    if _native is None:
        return reference.x_on_curve(points)
    flags: Rows = _native.x_on_curve(points)
    return flags.view(np.bool_)


def hash_to_x(messages: Rows, domain: bytes) -> Rows:
    """Messages of one length, (n, length), to x of points: (n, 32).

    hash_to_curve of RFC 9380 in suite curve25519_XMD:SHA-512_ELL2_RO_, with `domain` as DST (1 to 255 bytes).
    """
    if _native is None:
        return reference.hash_to_x(messages, domain)
    out: Rows = _native.hash_to_x(messages, domain)
    return out


def sha512(messages: Rows, *, head: bytes = b"") -> Rows:
    """SHA-512 of head | message: (n, length) to (n, 64)."""
    if _native is None:
        return reference.sha512(messages, head)
    out: Rows = _native.sha512(messages, head)
    return out


def expand_message(messages: Rows, domain: bytes, length: int) -> Rows:
    """expand_message_xmd with SHA-512 (RFC 9380): (n, any) to (n, length), 1 to 16,320 bytes."""
    if _native is None:
        return reference.expand_message(messages, domain, length)
    out: Rows = _native.expand_message(messages, domain, length)
    return out


def ristretto_map(uniform: Rows) -> Rows:
    """The one-way map of RFC 9496: (n, 64) uniform bytes to (n, 32) elements."""
    if _native is None:
        return reference.ristretto_map(uniform)
    out: Rows = _native.ristretto_map(uniform)
    return out


def ristretto_multiply(scalars: Rows, elements: Rows) -> tuple[Rows, Flags]:
    """Scalar times element, shapes (1 or n, 32) and (n, 32), and which rows encode an element.

    Where a row does not, its product means nothing. The identity (32 zero bytes) is an element.
    """
    if _native is None:
        return reference.ristretto_multiply(scalars, elements)
    out, flags = _native.ristretto_multiply(scalars, elements)
    return out, flags.view(np.bool_)


def ristretto_multiply_base(scalars: Rows) -> Rows:
    """Scalar times the generator: (n, 32) to (n, 32)."""
    if _native is None:
        return reference.ristretto_multiply_base(scalars)
    out: Rows = _native.ristretto_multiply_base(scalars)
    return out


def ristretto_add(left: Rows, right: Rows, *, minus: bool = False) -> tuple[Rows, Flags]:
    """Sum left + right, or difference left - right, of shapes (n, 32), and where both rows encode elements."""
    if _native is None:
        return reference.ristretto_add(left, right, minus=minus)
    out, flags = _native.ristretto_add(left, right, minus)
    return out, flags.view(np.bool_)


def ristretto_sum(scalars: Rows, elements: Rows) -> tuple[Rows, Flags]:
    """The sum of all scalars times their elements, shapes (n, 32) to (1, 32), and which rows encode an element.

    Where one does not, the sum means nothing. The sum of nothing is the identity.
    """
    if _native is None:
        return reference.ristretto_sum(scalars, elements)
    out, flags = _native.ristretto_sum(scalars, elements)
    return out, flags.view(np.bool_)


def ristretto_valid(elements: Rows) -> Flags:
    """Which rows (n, 32) are canonical encodings of elements."""
    if _native is None:
        return reference.ristretto_valid(elements)
    flags: Rows = _native.ristretto_valid(elements)
    return flags.view(np.bool_)
