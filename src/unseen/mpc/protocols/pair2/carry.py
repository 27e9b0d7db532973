"""The carry of an addition whose summands two parties know, one each: what comparisons and exact truncation are made of.

Places are taken three by three. In each three one party knows its places a, the other b; whether a + b makes a carry, and
whether it would pass one on, are bits that the first can tabulate for all eight values of b, of which the second takes
one by a transfer of eight, made from three transfers. Shares of these bits are combined by the tree of
:func:`unseen.mpc.planes.carry_out`. The parties change roles between two halves of the elements.

Source: Rathee et al., "CrypTFlow2" (CCS 2020), its millionaires' protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unseen.kernels import transfers
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.products import in_order, roles
from unseen.mpc.protocols.pair2.wires import Wires, bits_of
from unseen.mpc.shares import Planes

if TYPE_CHECKING:
    from unseen.mpc.protocols.pair2.sharing import Pair2

WORD = 64
LEAF = 3
PIECE = 1 << 12  # elements at a time whose transfers are under way: two megabytes of rows in each direction
TOGETHER = 1 << 16  # elements that go through the tree of ANDs together: a megabyte of triples


def carry(protocol: Pair2, mine: Ring, places: int) -> Planes:
    """Whether the `places` highest places of the two parties' words, (n,), make a carry: one plane, (1, 1, words)."""
    parts = [
        _tree(protocol, mine[begin : begin + TOGETHER], places) for begin in range(0, len(mine), TOGETHER)
    ]
    return np.concatenate([np.empty((1, 1, 0), np.uint64), *parts], axis=2)


def _tree(protocol: Pair2, mine: Ring, places: int) -> Planes:
    leaves = -(-places // LEAF)
    if places % LEAF:  # the places below are nobody's
        mine = mine & ~np.uint64((1 << (WORD - places)) - 1)
    words = -(-len(mine) // WORD)
    nodes = leaves - 1
    protocol.gates.prepare(nodes * words)
    protocol.wires.prepare(LEAF * leaves * len(mine))
    pieces = [
        _leaves(protocol.wires, mine[begin : begin + PIECE], leaves) for begin in range(0, len(mine), PIECE)
    ]
    generate, propagate = (np.concatenate(parts, axis=1) for parts in zip(*pieces, strict=True))
    return planes.carry_out(protocol, generate[None], propagate[None])


def _leaves(wires: Wires, mine: Ring, leaves: int) -> tuple[Ring, Ring]:
    """Shares of generate and propagate of each leaf, (leaves, words)."""
    offering, choosing = roles(wires, mine, step=WORD)
    none = np.zeros((leaves, 0), np.uint64)
    rows, given, taken = None, (none, none), (none, none)
    if len(choosing):
        rows = wires.choose(
            LEAF * leaves * len(choosing),
            bits_of(choosing >> np.uint64(WORD - LEAF * leaves), LEAF * leaves),
        ).rows
    if len(offering):
        offered = wires.answer(LEAF * leaves * len(offering))
        offers, *made = transfers.offer_carries(offered.rows, offered.delta, offering, leaves)
        wires.offer(offers)
        given = made[0], made[1]
    if rows is not None:
        taken = transfers.take_carries(rows, choosing, wires.take((len(choosing), leaves), np.uint16))
    generate, propagate = (in_order(wires, given[which], taken[which], axis=1) for which in (0, 1))
    return generate, propagate
