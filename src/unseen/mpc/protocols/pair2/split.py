"""What is made from the split of a number: x = a + b, a at party 0 and b at party 1, `mine` below.

Truncation: x + 2^62 lies below 2^63, so a + b wraps round exactly if the top bit of a or of b is set. The floor is
(a >> f) + (b >> f) - 2^(64 - f) (a_63 or b_63), off by the carry of the low places: one product of two bits, modulo 2^f.

Source: Rathee et al., "SIRNN" (S&P 2021) for the wrap of a number whose top bit is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import shares as kernels
from unseen.kernels.powers import powers_of_fraction
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.carry import carry
from unseen.mpc.protocols.pair2.products import halves, in_order, products, roles
from unseen.mpc.protocols.pair2.wires import Wires
from unseen.mpc.shares import Bits

if TYPE_CHECKING:
    from unseen.mpc.protocols.pair2.sharing import Pair2

_TOP = np.uint64(63)
_ONE = 30
_PIECE = 1 << 12  # elements at a time, each of which takes dozens of products
PART = 20  # fraction bits of each factor of 2^fraction
_NUMBER_BITS = 20  # of sines that choose, at most: where few places are asked for, both have half


def truncate(protocol: Pair2, mine: Ring, drop: int, *, exact: bool) -> Ring:
    """This party's share of (a + b) >> drop, (n,), or one more; with `exact` never one more."""
    wires = protocol.wires
    # Both move their shares by the same number, for the carry to be random whatever the shares are.
    offset = wires.common(mine.shape)
    mine = mine + offset + np.uint64(1 << 62) if wires.place == 0 else mine - offset
    top = mine >> _TOP
    weight = np.uint64(64 - drop)
    out: Ring = (mine >> np.uint64(drop)) - (top << weight) + (halves(wires, top, ring=drop) << weight)
    if exact:
        carried = planes.unpack(carry(protocol, mine << weight, drop), mine.shape)[0, 0]
        out += to_ring(wires, carried)
    if wires.place == 0:
        out -= np.uint64((1 << (62 - drop)) - (not exact))
    return out


def to_ring(wires: Wires, mine: NDArray[np.uint8], places: int = 64) -> Ring:
    """This party's share of u + v - 2 u v, the XOR of bits u and v as a number modulo 2^places, (n,)."""
    words = mine.astype(np.uint64)
    return words - (halves(wires, words, ring=places - 1) << np.uint64(1))


def select(wires: Wires, bits: Ring, mine: Ring) -> Ring:
    """This party's share of (u xor v)(a + b) = u a + v b + v a (1 - 2 u) + u b (1 - 2 v), (n,): `bits` are u or v."""
    given, taken = products(wires, (mine - ((mine * bits) << np.uint64(1)))[:, None], bits, bits=1)
    return mine * bits + given[:, 0] + taken[:, 0]


def sign(protocol: Pair2, mine: Ring, places: int) -> Bits:
    """This party's share of the top bit of a + b, (n,): the top bits and the carry into them, from places below, `places` with them."""
    below = planes.unpack(carry(protocol, mine << np.uint64(1), places - 1), mine.shape)[0, 0]
    bit: Bits = below ^ (mine >> _TOP).astype(np.uint8)
    return bit


def powers(wires: Wires, mine: Ring, fraction: int) -> tuple[Ring, Ring]:
    """2^whole and 2^fraction of (a + b) / 2^fraction, for values from 8 on; see :mod:`unseen.kernels.powers`.

    With a and b whole places modulo 64, b = 8 u + v: u chooses 2^((a + 8 u) mod 64) among eight, as a sum of products of
    bits. Times 2^v, which the chooser knows and is a number of eight bits, nothing wraps, as the value is below 44. The
    fractions of a and b are added in the exponent: a product of powers.
    """
    out = [_powers(wires, mine[begin : begin + _PIECE], fraction) for begin in range(0, len(mine), _PIECE)]
    none = [np.zeros(0, np.uint64)]
    return np.concatenate(none + [part[0] for part in out]), np.concatenate(none + [part[1] for part in out])


def _powers(wires: Wires, mine: Ring, fraction: int) -> tuple[Ring, Ring]:
    one, seven, eight = np.uint64(1), np.uint64(7), np.arange(8, dtype=np.uint64)
    offering, choosing = roles(wires, (mine >> np.uint64(fraction)) & np.uint64(63))
    table = one << ((offering[:, None] + np.uint64(8) * eight) & np.uint64(63))
    chosen = (choosing[:, None] >> np.uint64(3) == eight).astype(np.uint64)
    given, taken = products(wires, table.reshape(-1, 1), chosen.reshape(-1), bits=1)
    steps = [part.reshape(-1, 8).sum(axis=1, dtype=np.uint64) for part in (given, taken)]
    rest = one << (choosing & seven)
    given, taken = products(wires, steps[0][:, None], rest, bits=8)
    whole = in_order(wires, given[:, 0], taken[:, 0] + steps[1] * rest)
    # of powers below 2, the 1 is multiplied locally
    offering, choosing = roles(wires, powers_of_fraction(mine, fraction, PART))
    given, taken = products(wires, offering[:, None], choosing - np.uint64(1 << PART), bits=PART)
    return whole, in_order(wires, given[:, 0] + (offering << np.uint64(PART)), taken[:, 0])


def harmonics(wires: Wires, mine: Ring, period_bits: int, sine: NDArray[np.float64], bits: int) -> Ring:
    """Sum of sine[k-1] sin(k w x): sin(k w (a + b)) = sin(k w a) cos(k w b) + cos(k w a) sin(k w b).

    For one half of the elements party 0's sines, times the weights, are multiplied by numbers of party 1, which has the
    coarser ones; for the other half it is the other way round.
    """
    weights = np.rint(sine * 2.0**_ONE).astype(np.int64)
    ones = (weights != 0) * np.int64(1 << _ONE)
    places = min(_NUMBER_BITS, bits // 2)
    out = []
    for begin in range(0, len(mine), _PIECE):
        x = mine[begin : begin + _PIECE]
        half = (len(x) + 1) // 2
        offering, choosing = (x[:half], x[half:]) if wires.place == 0 else (x[half:], x[:half])
        words = _flat(kernels.waves(np.ascontiguousarray(offering), period_bits, weights, bits - places))
        own = kernels.waves(np.ascontiguousarray(choosing), period_bits, ones, places)
        # numbers are signed: 1 more is chosen with, and what that is too much is the other's alone to know
        numbers = _flat(own[::-1]) + np.uint64(1 << places)
        given, taken = products(wires, words[:, None], numbers, bits=places + 2)
        given = given[:, 0] - (words << np.uint64(places))
        out.append(in_order(wires, _total(given, offering.size), _total(taken[:, 0], choosing.size)))
    return np.concatenate([np.zeros(0, np.uint64), *out])


def _flat(waves: Ring) -> Ring:
    return np.ascontiguousarray(waves).reshape(-1)


def _total(products_: Ring, count: int) -> Ring:
    return np.asarray(products_.reshape(-1, count).sum(axis=0, dtype=np.uint64) if count else products_)
