"""Numbers as bits and back, from products alone: truncation, additions, waves.

Each component x_j of a number is known to two parties, so any function of it is shared without a message, with zero for the
other components (:meth:`CheckedWires.alone`), and both parties hold it alike. Nothing here takes one party's word for
anything; what semi-honest protocols make of x0 + x1, which party 0 alone knows, is not used.

*Three summands into two* (carry-save): x0 + x1 + x2 = s + 2 m with s = x0 ^ x1 ^ x2, which is shared already, and m the
majority of the three, m = (x0 ^ x2)(x1 ^ x2) ^ x2: one AND.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import shares as kernels
from unseen.mpc import planes
from unseen.mpc.protocols.replicated3.replicated import public
from unseen.mpc.protocols.replicated3.wires import PARTIES
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires
from unseen.mpc.shares import Bits, Planes, Share

if TYPE_CHECKING:
    from unseen.mpc.protocols.replicated3_malicious.sharing import Replicated3Malicious

_ONE = 30
_FACTORS = (
    23,
    19,
    19,
)  # fraction bits of the components' factors of a wave; each harmonic's error of the first counts whole
_WAVED = 1 << 12
TRUNCATED = 1 << 15
"""How many numbers are truncated at a time, so that what is needed on the way stays small."""


def majority(protocol: Replicated3Malicious, words: Planes) -> Planes:
    """The majority of the three components of a secret, place by place; one round."""
    wires = protocol.wires
    third = wires.alone(words, 2)
    left, right = wires.alone(words, 0) ^ third, wires.alone(words, 1) ^ third
    (both,) = protocol.and_both(left, (right,))
    out: Planes = both ^ third
    return out


def summands(protocol: Replicated3Malicious, values: Share, places: int) -> tuple[Planes, Planes]:
    """Two secrets whose sum is the value mod 2^places, as planes."""
    words = planes.places_of(values, places)
    carried = np.zeros_like(words)
    if places > 1:
        carried[:, 1:] = majority(protocol, words[:, :-1])
    return words, carried


def sign(protocol: Replicated3Malicious, values: Share) -> Planes:
    """The top place, one plane."""
    one, other = summands(protocol, values, planes.WORD)
    half = one ^ other
    (generate,) = protocol.and_both(one[:, :-1], (other[:, :-1],))
    top: Planes = half[:, -1:] ^ planes.carry_out(protocol, generate, half[:, :-1])
    return top


# ---------------------------------------------------------------------- truncation


def truncate(protocol: Replicated3Malicious, values: Share, drop: int, *, exact: bool) -> Share:
    """(value + offset) >> drop for a uniform offset below 2^drop that all know, none if `exact`; |value| < 2^62.

    With X = value + 2^62 < 2^63, and h_j, l_j the high and low places of X's components,

        X >> drop = h0 + h1 + h2 - 2^(64 - drop) W + C,

    where the components wrap round W times and C is the carry of l0 + l1 + l2 + offset. With s and 2 m as above, W is the top
    place of m, plus one if s + (2 m mod 2^64) wraps: which it does exactly if the top place of either is set, as X < 2^63.
    """
    flat = values.reshape(2, -1)
    out = np.empty_like(flat)
    for begin in range(0, flat.shape[1], TRUNCATED):
        here = slice(begin, begin + TRUNCATED)
        out[:, here] = _truncate(protocol, flat[:, here], drop, exact=exact)
    return out.reshape(values.shape)


def _truncate(protocol: Replicated3Malicious, values: Share, drop: int, *, exact: bool) -> Share:
    wires = protocol.wires
    mask = np.uint64((1 << drop) - 1)
    shifted = values + public(wires.place, np.full(values.shape[1], 1 << 62, np.uint64))
    low = shifted & mask
    if not exact:
        low += public(wires.place, wires.common(wires.use(), low.shape[1:]) & mask)
    high = (shifted >> np.uint64(drop)) + (low >> np.uint64(drop))
    wraps = _wraps_and_carries(protocol, shifted, low & mask, drop)
    bits = protocol.to_ring(planes.unpack(wraps, (low.shape[1],)))
    top = np.uint64(1 << (64 - drop))
    out = high - top * (bits[:, 0] + bits[:, 1]) + bits[:, 2] + bits[:, 3]
    kept: Share = out - public(wires.place, np.full(low.shape[1], 1 << (62 - drop), np.uint64))
    return kept


def _wraps_and_carries(protocol: Replicated3Malicious, shifted: Share, low: Share, drop: int) -> Planes:
    """Four planes: two bits whose sum is W, two whose sum is C; see :func:`truncate`."""
    top = planes.places_of(shifted >> np.uint64(62), 2)
    words = np.concatenate([planes.places_of(low, drop), top], axis=1)
    majorities = majority(protocol, words)
    below, carried, topmost = (majorities[:, place : place + 1] for place in (drop - 1, drop, drop + 1))
    # Places of l0 + l1 + l2 as two summands, and the two top places of which either means a wrap.
    one = np.concatenate([words[:, 1:drop], top[:, 1:]], axis=1)
    other = np.concatenate([majorities[:, : drop - 1], carried], axis=1)
    (both,) = protocol.and_both(one, (other,))
    half = one ^ other
    wrap = half[:, -1:] ^ both[:, -1:]
    carry = planes.carry_out(protocol, both[:, :-1], half[:, :-1]) if drop > 1 else np.zeros_like(wrap)
    return np.concatenate([topmost, wrap, below, carry], axis=1)


# ---------------------------------------------------------------------- bits to numbers


def to_ring(protocol: Replicated3Malicious, bits: Bits) -> Share:
    """b0 ^ b1 ^ b2 in numbers: a ^ b = a + b - 2 a b, twice."""
    wires = protocol.wires
    numbers = bits.astype(np.uint64)
    total = wires.alone(numbers, 0)
    for component in (1, 2):
        other = wires.alone(numbers, component)
        total = total + other - np.uint64(2) * protocol.multiply(total, other)
    return total


# ---------------------------------------------------------------------- waves


def harmonics(
    protocol: Replicated3Malicious, values: Share, period_bits: int, sine: NDArray[np.float64], bits: int
) -> Share:
    """Sum of sine[k-1] sin(k w (x0 + x1 + x2)), by the addition theorem twice; for sums below 2 in size.

    The three components' factors have 61 fraction bits together, and so has the sum before it is truncated.
    """
    flat = values.reshape(2, -1)
    parts = [
        _waves(protocol, flat[:, begin : begin + _WAVED], period_bits, sine)
        for begin in range(0, flat.shape[1], _WAVED)
    ]
    total = np.concatenate([flat[:, :0], *parts], axis=1).reshape(values.shape)
    return protocol.truncate(total, sum(_FACTORS) - bits)


def _waves(
    protocol: Replicated3Malicious, values: Share, period_bits: int, sine: NDArray[np.float64]
) -> Share:
    weights = np.rint(sine * 2.0**_ONE).astype(np.int64)
    (s0, c0), (s1, c1), (s2, c2) = _turned(protocol.wires, values, period_bits, weights)
    # Sine and cosine of x0 + x1 with three products (Gauss), then the sine of it plus x2.
    both = protocol.multiply(np.stack([s0, c0, s0 + c0], axis=1), np.stack([s1, c1, s1 + c1], axis=1))
    cosine, sines = both[:, 1] - both[:, 0], both[:, 2] - both[:, 0] - both[:, 1]
    last = protocol.multiply(np.stack([sines, cosine], axis=1), np.stack([c2, s2], axis=1))
    return np.asarray(last.sum(axis=(1, 2), dtype=np.uint64))


def _turned(
    wires: CheckedWires, values: Share, period_bits: int, weights: NDArray[np.int64]
) -> list[tuple[Share, Share]]:
    """Sines and cosines of each component, shape (2, harmonics, n) each; the first one's times the weights."""
    plain = (weights != 0) * np.int64(1 << _ONE)
    made = []
    for mine in range(2):
        component = (wires.place + mine) % PARTIES
        factor = weights if component == 0 else plain
        angles = np.ascontiguousarray(values[mine])
        made.append(kernels.waves(angles, period_bits, factor, _FACTORS[component]))
    known = [wires.alone(np.stack(made), component) for component in range(PARTIES)]
    return [(one[:, 0], one[:, 1]) for one in known]
