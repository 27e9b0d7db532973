"""The split of a number, x = a + b with a at party 0 and b at parties 1 and 2, and what is made from it.

`known` is a at party 0 and b at the others, everywhere below. See the package for why each step is right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import shares as kernels
from unseen.kernels.powers import powers_of_fraction
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.replicated3.wires import U, Wires
from unseen.mpc.shares import Bits, Planes, Share

_ONE = 30
_PIECE = 1 << 14
_EIGHT = 8
PART = 20  # fraction bits of each factor of 2^fraction


def known_part(wires: Wires, share: Share) -> Ring:
    """A or b of a replicated share."""
    if wires.place == 0:
        return np.asarray(share[0] + share[1])
    return np.asarray(share[2 - wires.place])


def spread(wires: Wires, values: NDArray[U], *, xor: bool = False) -> tuple[NDArray[U], NDArray[U]]:
    """Share what party 0 knows: (this party's part of it, its share's shape filled in by :func:`close`).

    Party 0 gets (part 0, part 1), party 1 (part 1, nothing), party 2 (nothing, part 0). Component 2 is left to b.
    """
    use = wires.use()
    shape, dtype = values.shape, values.dtype.type
    if wires.place == 1:
        return wires.pad(1, use, shape, dtype), np.zeros(0, dtype)
    if wires.place == 2:  # noqa: PLR2004 - party 2
        return np.zeros(0, dtype), wires.recv(0, shape, dtype)
    one = wires.pad(1, use, shape, dtype)
    other = values ^ one if xor else values - one
    wires.pace(2)  # party 0 gives and takes nothing
    wires.send(2, other)
    return other, one


def close(
    wires: Wires,
    part: NDArray[Any] | None,
    shape: tuple[int, ...],
    *,
    xor: bool = False,
    dtype: type[Any] = np.uint64,
) -> NDArray[Any]:
    """Share the sum of what parties 1 and 2 have: they exchange their parts under pads that party 0 takes away.

    The part is masked in place.
    """
    use_one, use_two = wires.use(), wires.use()
    out = np.empty((2, *shape), dtype)
    if wires.place == 0 or part is None:
        out[0], out[1] = wires.pad(0, use_two, shape, dtype), wires.pad(1, use_one, shape, dtype)
        return out if xor else np.subtract(dtype(0), out, out=out)
    add, take = (np.bitwise_xor, np.bitwise_xor) if xor else (np.add, np.subtract)
    key, use = (1, use_one) if wires.place == 1 else (0, use_two)
    mask = out[wires.place - 1]
    mask[...] = wires.pad(key, use, shape, dtype)
    mine = add(part, mask, out=part)
    wires.send(3 - wires.place, mine)
    take(dtype(0), mask, out=mask)
    add(mine, wires.recv(3 - wires.place, shape, dtype), out=out[2 - wires.place])  # component 2
    return out


# ---------------------------------------------------------------------- truncation


def moved(wires: Wires, known: Ring) -> Ring:
    """Another split of the same number: a + r and b - r for an r that all know.

    A split need not be random (where party 0 shared the number itself, b is 0). The carry of the low places must be, for
    the rounding to be right on average.
    """
    offset = wires.common(wires.use(), known.shape)
    return np.asarray(known + offset if wires.place == 0 else known - offset)


def truncate(wires: Wires, known: Ring, drop: int, *, carry: Share | None = None) -> Share:
    """Shares of (a + b) >> drop, one more by chance; with the carry of the low places given, exactly."""
    shape, flat = known.shape, np.ascontiguousarray(known).reshape(-1)
    small = np.uint32 if drop <= kernels.HALF_WORD else np.uint64
    uses = (wires.use(), wires.use(), wires.use(), wires.use())
    use_bit, use_rest, use_one, use_two = uses
    if wires.place == 0:
        offset = (1 << (62 - drop)) - (carry is None)
        out, rest, bit = kernels.truncate_first(flat, drop, offset, wires.mine, wires.next, uses)
        wires.pace(2)
        wires.pace(1)
        wires.send(2, bit)
        wires.send(1, rest)
    elif wires.place == 1:
        mine = kernels.truncate_part(flat, wires.pad(1, use_bit, flat.shape, small), wires.mine, use_one)
        wires.send(2, mine)
        rest, theirs = wires.recv(0, flat.shape), wires.recv(2, flat.shape, small)
        out = kernels.truncate_last(flat, drop, mine, theirs, rest, wires.mine, use_one, alone_first=True)
    else:
        mine = kernels.truncate_part(flat, wires.recv(0, flat.shape, small), wires.next, use_two)
        wires.send(1, mine)
        rest, theirs = wires.pad(0, use_rest, flat.shape), wires.recv(1, flat.shape, small)
        out = kernels.truncate_last(flat, drop, mine, theirs, rest, wires.next, use_two, alone_first=False)
    out = out.reshape(2, *shape)
    return out if carry is None else out + carry


# ---------------------------------------------------------------------- bits


def start_of_sign(wires: Wires, known: Ring, places: int) -> tuple[Planes, Planes, Planes]:
    """Generate and propagate of the places below the top, two by two, and the top places' sum; an even number of places.

    Pair j is places 2 j and 2 j - 1. With h, l for the places of a, H, L for those of b:
    generate = h H + (h l) L + l (H L), propagate = h l + h L + l H + H L.
    """
    planes = kernels.split_places(known.reshape(-1), places)
    del known  # a temporary of the caller
    high, low, top = planes[0:-1:2], planes[1:-1:2], planes[-1:]
    both = high[1:] & low
    highs, pairs, words = len(high), len(low), planes.shape[1]
    generate_propagate: Ring | None = None
    if wires.place == 0:
        given = np.concatenate([high, low, both, top])
        top = top.copy()
        del planes, high, low, both
        parts = spread(wires, given, xor=True)
        del given
    else:
        parts = spread(wires, np.broadcast_to(np.uint64(0), (highs + 2 * pairs + 1, words)), xor=True)
        mine = parts[wires.place - 1]
        h, l, hl = np.split(mine[:-1], [highs, highs + pairs])  # noqa: E741 - as above
        generate = h & high
        generate[1:] ^= (hl & low) ^ (l & both)
        propagate = hl ^ (h[1:] & low) ^ (l & high[1:])
        if wires.place == 1:
            propagate ^= both
        generate_propagate = np.concatenate([generate, propagate])
        top = top.copy()
        del planes, high, low, both, mine, h, l, hl, generate, propagate
    ends = _fill(wires, parts, top, slice(-1, None))
    del parts
    shared = close(wires, generate_propagate, (highs + pairs, words), xor=True)
    propagate = np.concatenate([np.zeros((2, 1, words), np.uint64), shared[:, highs:]], axis=1)
    return shared[:, :highs], propagate, ends


def addition(wires: Wires, known: Ring, places: int) -> tuple[Planes, Planes, Planes]:
    """Generate, propagate and half sum of a + b, place by place."""
    planes = kernels.split_places(known.reshape(-1), places)
    parts = spread(wires, planes, xor=True)
    product = None if wires.place == 0 else parts[wires.place - 1] & planes
    generate = close(wires, product, planes.shape, xor=True)
    half = _fill(wires, parts, planes, slice(None))
    return generate, half, half


def _fill(wires: Wires, parts: tuple[Ring, Ring], planes: Ring, rows: slice) -> Planes:
    """The share whose components 0 and 1 are those of :func:`spread` and whose component 2 is b's planes."""
    if wires.place == 0:
        return np.stack([parts[0][rows], parts[1][rows]])
    if wires.place == 1:
        return np.stack([parts[0][rows], planes])
    return np.stack([planes, parts[1][rows]])


def to_ring(wires: Wires, bits: Bits, dtype: type[U]) -> NDArray[U]:
    """U + v - 2 u v of party 0's bit u and the others' bit v."""
    if wires.place == 0:
        spread(wires, (bits[0] ^ bits[1]).astype(dtype))
        return close(wires, None, bits.shape[1:], dtype=dtype)
    v = bits[2 - wires.place].astype(dtype)
    mine = v << dtype(1)
    np.subtract(dtype(1), mine, out=mine)
    mine *= spread(wires, v)[wires.place - 1]
    if wires.place == 1:
        mine += v
    del v
    return close(wires, mine, bits.shape[1:], dtype=dtype)


# ---------------------------------------------------------------------- powers


def powers(wires: Wires, known: Ring, fraction: int) -> tuple[Share, Share]:
    """2^whole and 2^fraction of (a + b) / 2^fraction, for values from 8 on; see :mod:`unseen.kernels.powers`.

    With a = 8 u + v and b whole places modulo 64, 2^whole is 2^v (which of eight is u) times 2^((8 u + b) mod 64), of
    which b's holders know all eight. The fractions of a and b are added in the exponent: a product of powers. In pieces,
    so that the nine factors of a few numbers at a time are in memory and on their way.
    """
    flat = np.ascontiguousarray(known).reshape(-1)
    made = None if wires.place == 0 else np.empty((2, flat.size), np.uint64)
    for begin in range(0, flat.size, _PIECE):
        x = flat[begin : begin + _PIECE]
        given = _factors(wires.place == 0, x, fraction)
        parts = spread(wires, given)
        if made is not None:
            products = np.multiply(parts[wires.place - 1], given, out=given)
            np.sum(products[:_EIGHT], axis=0, dtype=np.uint64, out=made[0, begin : begin + x.size])
            made[1, begin : begin + x.size] = products[_EIGHT]
    shared = close(wires, made, (2, flat.size)).reshape(2, 2, *known.shape)
    return shared[:, 0], shared[:, 1]


def _factors(one_hot: bool, x: Ring, fraction: int) -> Ring:  # noqa: FBT001 - which of the two kinds of holder
    """The nine factors of what a holder knows, shape (9, n): eight of the whole places, one of the fraction."""
    whole = (x >> np.uint64(fraction)) & np.uint64(63)
    given = np.empty((_EIGHT + 1, x.size), np.uint64)
    eight = np.arange(_EIGHT, dtype=np.uint64)[:, None]
    if one_hot:
        np.left_shift(
            (whole >> np.uint64(3) == eight).astype(np.uint64), whole & np.uint64(7), out=given[:_EIGHT]
        )
    else:
        np.left_shift(np.uint64(1), (eight * np.uint64(_EIGHT) + whole) & np.uint64(63), out=given[:_EIGHT])
    given[_EIGHT] = powers_of_fraction(x, fraction, PART)
    return given


# ---------------------------------------------------------------------- waves


def harmonics(wires: Wires, known: Ring, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
    """Sum of sine[k-1] sin(k w x): sin(k w (a + b)) = sin(k w a) cos(k w b) + cos(k w a) sin(k w b).

    In pieces, so that the sines of a few numbers at a time are in memory and on their way.
    """
    weights = np.rint(sine * 2.0**_ONE).astype(np.int64)
    half = bits // 2
    flat, total = np.ascontiguousarray(known).reshape(-1), []
    for begin in range(0, flat.size, _PIECE):
        x = flat[begin : begin + _PIECE]
        if wires.place == 0:
            spread(wires, kernels.waves(x, period_bits, (weights != 0) * np.int64(1 << _ONE), half))
            continue
        parts = spread(wires, np.empty((2, np.count_nonzero(weights), x.size), np.uint64))
        total.append(
            kernels.wave_products(
                x, period_bits, weights, bits - half, np.ascontiguousarray(parts[wires.place - 1])
            )
        )
    return close(wires, np.concatenate(total).reshape(known.shape) if total else None, known.shape)
