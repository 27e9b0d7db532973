"""The definition of :mod:`unseen.kernels.additive`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]

_TOP = np.uint64(63)


def beaver_product(c: Words, a: Words, b: Words, d: Words, e: Words, leads: bool) -> Words:  # noqa: FBT001 - as the native one
    """C + d b + a e, and d e at the party that leads."""
    known = d * e if leads else np.uint64(0)
    out: Words = c + d * b + a * e + known
    return out


def beaver_and(c: Words, a: Words, b: Words, d: Words, e: Words, leads: bool) -> Words:  # noqa: FBT001
    """C ^ d b ^ a e, and d e at the party that leads."""
    known = d & e if leads else np.uint64(0)
    out: Words = c ^ (d & b) ^ (a & e) ^ known
    return out


def lifted_bits(dealt: Words, opened: Bits, leads: bool) -> Words:  # noqa: FBT001
    """See :func:`unseen.kernels.additive.lifted_bits`."""
    v = np.unpackbits(opened, count=len(dealt), bitorder="little").astype(np.uint64)
    out: Words = (np.uint64(1) - np.uint64(2) * v) * dealt + (v if leads else np.uint64(0))
    return out


def selected(x: Words, rho: Words, product: Words, e: Words, v: Bits) -> Words:
    """See :func:`unseen.kernels.additive.selected`."""
    bit = np.unpackbits(v, count=len(x), bitorder="little").astype(np.uint64)
    out: Words = bit * x + (np.uint64(1) - np.uint64(2) * bit) * (rho * e + product)
    return out


def moved_tops(share: Words, offset: Words, mask: Bits, leads: bool) -> tuple[Words, Bits]:  # noqa: FBT001
    """See :func:`unseen.kernels.additive.moved_tops`."""
    moved = share + offset + np.uint64(1 << 62) if leads else share - offset
    return moved, np.packbits((moved >> _TOP).astype(np.uint8), bitorder="little") ^ mask


def without_wrap(
    moved: Words,
    drop: int,
    both: NDArray[Any],
    own: Bits,
    ours: Bits,
    theirs: Bits,
    leads: bool,  # noqa: FBT001
) -> Words:
    """See :func:`unseen.kernels.additive.without_wrap`."""
    small = both.dtype.type
    u, d, e = (
        np.unpackbits(bits, count=len(moved), bitorder="little").astype(small) for bits in (own, ours, theirs)
    )
    one, two = small(1), small(2)
    product = (one - two * (d ^ e)) * both + (one - two * d) * e * u + (d * e if leads else small(0))
    weight = np.uint64(64 - drop)
    shift = np.uint64((1 << (62 - drop)) - 1 if leads else 0)
    quotient = (moved >> np.uint64(drop)) - (moved >> _TOP << weight)
    out: Words = quotient + (product.astype(np.uint64) << weight) - shift
    return out
