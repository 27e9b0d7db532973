"""Products of a number that one party knows and a number that the other knows, by one transfer for each bit of the latter.

The taker's bit i chooses between a pad and the pad plus the offerer's word; added up with the weights 2^i the takers'
values are the product plus what the offerer can compute. Modulo 2^ring bit i needs ring - i bits.

Source: Gilboa, "Two Party RSA Key Generation" (CRYPTO 1999).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import transfers
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.wires import Wires, bits_of

WORD = 64
PIECE = 1 << 18  # transfers of a direction that are under way at a time: four megabytes of rows
OFFERED = 1 << 24  # bytes of offers likewise


def products(
    wires: Wires, words: Ring, numbers: Ring, *, bits: int = WORD, ring: int = WORD
) -> tuple[Ring, Ring]:
    """Multiply in both directions at once.

    Parameters
    ----------
    words
        What this party offers: (n, width), one row for each of the other's numbers.
    numbers
        What it multiplies the other's words by: (m,), below 2^bits. The other calls with (m, width) and (n,).

    Returns
    -------
    This party's shares, modulo 2^ring, of its words times the other's numbers, (n, width), and of the other's words times
    its numbers, (m, width).
    """
    width = words.shape[1]
    wires.prepare(bits * (len(words) + len(numbers)))
    at_once = max(1, min(PIECE // bits, OFFERED // (width * transfers.product_bytes(bits, ring))))
    given, taken = [], []
    for begin in range(0, max(len(words), len(numbers)), at_once):
        one, other = _piece(
            wires, words[begin : begin + at_once], numbers[begin : begin + at_once], bits=bits, ring=ring
        )
        given.append(one)
        taken.append(other)
    return _joined(given, width), _joined(taken, width)


def _joined(parts: list[Ring], width: int) -> Ring:
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else np.zeros((0, width), np.uint64)


def _piece(wires: Wires, words: Ring, numbers: Ring, *, bits: int, ring: int) -> tuple[Ring, Ring]:
    width = words.shape[1]
    rows: NDArray[np.uint8] | None = None
    given = taken = np.zeros((0, width), np.uint64)
    if len(numbers):
        rows = wires.choose(bits * len(numbers), bits_of(numbers, bits)).rows
    if len(words):
        half = wires.answer(bits * len(words))
        offers, given = transfers.offer_products(
            half.rows, half.delta, np.ascontiguousarray(words), bits, ring
        )
        wires.offer(offers)
    if rows is not None:
        offers = wires.take((len(numbers), width, transfers.product_bytes(bits, ring)))
        taken = transfers.take_products(rows, np.ascontiguousarray(numbers), offers, bits, ring)
    return given, taken


def roles(wires: Wires, mine: Ring, *, step: int = 1) -> tuple[Ring, Ring]:
    """What this party offers for and what it chooses with: party 0 offers for the first half, a multiple of `step`."""
    half = step * ((-(-len(mine) // step) + 1) // 2)
    parts = np.ascontiguousarray(mine[:half]), np.ascontiguousarray(mine[half:])
    return parts if wires.place == 0 else (parts[1], parts[0])


def in_order(wires: Wires, given: NDArray[Any], taken: NDArray[Any], *, axis: int = 0) -> NDArray[Any]:
    """Both halves of a result, in the order of :func:`roles`' argument."""
    return np.concatenate((given, taken) if wires.place == 0 else (taken, given), axis=axis)


def halves(wires: Wires, mine: Ring, *, ring: int) -> Ring:
    """Shares of the products of bits that both know, (n,), modulo 2^ring: one transfer each."""
    words, numbers = roles(wires, mine)
    given, taken = products(wires, words[:, None], numbers, bits=1, ring=ring)
    return in_order(wires, given, taken)[:, 0]
