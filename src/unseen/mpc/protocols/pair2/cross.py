"""What shares have to be multiplied across: x0 y1 + x1 y0, where x0 and y0 are one party's and x1 and y1 the other's.

Two functions, and all that products of secrets need besides what each party computes alone. Many products at once are made
by lattice encryption (:mod:`unseen.mpc.lattice`), few by transfers (:mod:`.products`): a ciphertext holds thousands of
numbers and costs the same for one.
"""

from __future__ import annotations

import numpy as np

from unseen.crypto.rlwe import matrices, slots
from unseen.kernels import transfers
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.products import OFFERED, PIECE, WORD, products
from unseen.mpc.protocols.pair2.wires import Wires

BATCH = slots.COUNT
LEAST = 2048  # products that are worth a batch: transfers would take more bytes and more time
EACH = transfers.product_bytes(WORD, WORD)
_SMALLEST = 1 << 18  # bytes: a ciphertext and its answer are more
_FEW = 16  # places for which transfers take less
_CHOICE = 4 * WORD  # bytes of 64 transfers whose choices are given


def elementwise(wires: Wires, x: Ring, y: Ring, places: int = WORD) -> Ring:
    """This party's share of x0 * y1 + x1 * y0 modulo 2^places, of parts x and y of any equal shape, below 2^places."""
    one, other = np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(y).reshape(-1)
    made = wires.products(one, other)
    if made is not None:
        return made.reshape(x.shape)
    count = in_batches(one.size) if places > _FEW else 0
    parts = [wires.lattice.multiply(one[:count], other[:count])] if count else []
    if count < one.size:
        given, taken = products(wires, one[count:, None], other[count:], bits=places, ring=places)
        parts.append((given + taken)[:, 0])
    return np.concatenate([np.zeros(0, np.uint64), *parts]).reshape(x.shape)


def in_batches(count: int) -> int:
    """How many of so many products are made in batches; transfers make the rest."""
    rest = count % BATCH
    return count if rest >= LEAST else count - rest


def matrix(wires: Wires, x: Ring, y: Ring) -> Ring:
    """This party's share of x0 @ y1 + x1 @ y0, of parts (n, k) and (k, m)."""
    if not encrypts(x.shape[0], *y.shape):
        return _by_transfers(wires, x, y)
    return wires.lattice.matmul(x, y)


def encrypts(rows: int, inner: int, columns: int) -> bool:
    """Whether a product of matrices of these sides takes fewer bytes by encryption."""
    by_transfers = _CHOICE * inner * min(rows, columns) + EACH * rows * inner * columns
    if by_transfers < _SMALLEST:
        return False
    plans = (matrices.plan(rows, inner, columns), matrices.plan(columns, inner, rows))
    return min(plan.size_bytes for plan in plans) < by_transfers


def _by_transfers(wires: Wires, x: Ring, y: Ring) -> Ring:
    """The numbers of the smaller matrix choose, those of the larger one are offered row by row."""
    if x.size > y.size:
        return np.ascontiguousarray(_by_transfers(wires, y.T, x.T).T)
    (rows, inner), width = x.shape, y.shape[1]
    out = np.zeros((rows, width), np.uint64)
    # as many inner places at a time as make a piece of transfers, or of offers
    at_once = max(1, min(PIECE // (WORD * rows), OFFERED // (rows * width * EACH))) if rows * width else 1
    for begin in range(0, inner, at_once):
        part = np.ascontiguousarray(y[begin : begin + at_once])
        numbers = np.ascontiguousarray(x[:, begin : begin + at_once])
        words = np.broadcast_to(part, (rows, *part.shape)).reshape(-1, width)
        for product in products(wires, words, numbers.reshape(-1)):
            out += product.reshape(rows, len(part), width).sum(axis=1, dtype=np.uint64)
    return out
