"""Bits of many elements at once: packing them into planes, and the trees of ANDs that additions are made of.

A plane holds one place of all elements, 64 elements a word (see :data:`unseen.mpc.shares.Planes`). The trees are the
same for all protocols; only the AND is the protocol's.

Sources: Sklansky, "Conditional-Sum Addition Logic" (1960) for the prefix tree; Brent and Kung, "A Regular Layout for
Parallel Adders" (1982) for generate and propagate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.shares import join_places, split_places
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Bits, Planes, Share

WORD = 64


def pack(bits: Bits) -> Planes:
    """One plane a component of bits of any shape: (components, 1, words)."""
    flat = bits.reshape(len(bits), -1)
    count = flat.shape[1]
    packed = np.zeros((len(bits), 8 * -(-count // WORD)), np.uint8)
    packed[:, : -(-count // 8)] = np.packbits(flat, axis=1, bitorder="little")
    return packed.view(np.uint64)[:, None, :]


def unpack(planes: Planes, shape: tuple[int, ...]) -> Bits:
    """The bits of (components, k, words), shape (components, k, *shape); see :func:`pack`."""
    count = int(np.prod(shape))
    data = np.ascontiguousarray(planes).view(np.uint8)
    bits = np.unpackbits(data, axis=2, count=count, bitorder="little") if count else data[..., :0]
    return bits.reshape(*planes.shape[:2], *shape)


def places_of(values: Share, places: int = WORD) -> Planes:
    """Words of any shape to planes, lowest place first."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    return np.stack([split_places(component, places) for component in flat])


def words_of(planes: Planes, shape: tuple[int, ...]) -> Share:
    """Planes to words; the inverse of :func:`places_of`."""
    count = int(np.prod(shape))
    return np.stack([join_places(component, count) for component in planes]).reshape(len(planes), *shape)


def carry_out(protocol: Protocol, generate: Planes, propagate: Planes) -> Planes:
    """The carry out of the highest place, one plane; any number of places, ceil(log2(places)) rounds."""
    while generate.shape[1] > 1:
        odd = generate.shape[1] % 2  # the lowest place has no neighbour: it goes up unchanged
        g_low, g_high = generate[:, odd::2], generate[:, odd + 1 :: 2]
        p_low, p_high = propagate[:, odd::2], propagate[:, odd + 1 :: 2]
        if g_high.shape[1] == 1 and not odd:
            (carried,) = protocol.and_both(p_high, (g_low,))
            return g_high ^ carried
        carried, passed = protocol.and_both(p_high, (g_low, p_low))
        generate = np.concatenate([generate[:, :odd], g_high ^ carried], axis=1)
        propagate = np.concatenate([propagate[:, :odd], passed], axis=1)
    return generate


def carries(protocol: Protocol, generate: Planes, propagate: Planes) -> Planes:
    """The carry *into* every place, lowest first; ceil(log2(places)) rounds."""
    g, p = generate.copy(), propagate.copy()
    places = g.shape[1]
    step = 1
    while step < places:
        upper = np.flatnonzero(np.arange(places) & step)
        below = (upper & ~(2 * step - 1)) + step - 1
        # The lowest block needs no propagate any more: nothing comes into it.
        inner = upper >= 2 * step
        g_new, p_new = protocol.and_both(p[:, upper], (g[:, below], p[:, below]))
        g[:, upper] ^= g_new
        p[:, upper[inner]] = p_new[:, inner]
        step *= 2
    return np.concatenate([np.zeros_like(g[:, :1]), g[:, :-1]], axis=1)


def bits_of(protocol: Protocol, values: Share, places: int) -> Planes:
    """The lowest `places` bits of a secret, as planes."""
    generate, propagate, half = protocol.adder(values, places)
    return half ^ carries(protocol, generate, propagate)


def or_from_top(protocol: Protocol, planes: Planes) -> Planes:
    """Plane i: whether any of the places i and above is set."""
    out = planes.copy()
    places = out.shape[1]
    step = 1
    while step < places:
        lower = np.flatnonzero(~np.arange(places) & step)
        above = (lower | (2 * step - 1)) - step + 1
        lower, above = lower[above < places], above[above < places]
        (both,) = protocol.and_both(out[:, lower], (out[:, above],))
        out[:, lower] ^= out[:, above] ^ both
        step *= 2
    return out


def highest(protocol: Protocol, planes: Planes) -> Planes:
    """One-hot: plane i tells whether place i is the highest that is set; all zero if none is."""
    seen = or_from_top(protocol, planes)
    above = np.concatenate([seen[:, 1:], np.zeros_like(seen[:, :1])], axis=1)
    one: Planes = seen ^ above
    return one


def conjunction(protocol: Protocol, planes: Planes) -> Planes:
    """Whether all places are set, one plane; ceil(log2(places)) rounds."""
    while planes.shape[1] > 1:
        half, odd = planes.shape[1] // 2, planes.shape[1] % 2
        (both,) = protocol.and_both(planes[:, :half], (planes[:, half : 2 * half],))
        planes = np.concatenate([both, planes[:, 2 * half :]], axis=1) if odd else both
    return planes


def flip(protocol: Protocol, bits: NDArray[np.uint8] | NDArray[np.uint64]) -> NDArray[np.uint8]:
    """NOT of unpacked bits."""
    ones = protocol.public_bits(np.ones(bits.shape[1:], np.uint8))
    flipped: NDArray[np.uint8] = bits.astype(np.uint8) ^ ones
    return flipped
