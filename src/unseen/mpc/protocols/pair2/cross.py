"""What shares have to be multiplied across: x0 y1 + x1 y0, where x0 and y0 are one party's and x1 and y1 the other's.

Two functions, and all that products of secrets need besides what each party computes alone. They are made from transfers
here.
"""

from __future__ import annotations

import numpy as np

from unseen.kernels import transfers
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.products import OFFERED, PIECE, WORD, products
from unseen.mpc.protocols.pair2.wires import Wires


def elementwise(wires: Wires, x: Ring, y: Ring) -> Ring:
    """This party's share of x0 * y1 + x1 * y0, of parts x and y of any equal shape."""
    given, taken = products(wires, x.reshape(-1, 1), y.reshape(-1))
    return (given + taken).reshape(x.shape)


def matrix(wires: Wires, x: Ring, y: Ring) -> Ring:
    """This party's share of x0 @ y1 + x1 @ y0, of parts (n, k) and (k, m).

    The numbers of the smaller matrix choose, those of the larger one are offered row by row.
    """
    if x.size > y.size:
        return np.ascontiguousarray(matrix(wires, y.T, x.T).T)
    (rows, inner), width = x.shape, y.shape[1]
    out = np.zeros((rows, width), np.uint64)
    # as many inner places at a time as make a piece of transfers, or of offers
    each = transfers.product_bytes(WORD, WORD)
    at_once = max(1, min(PIECE // (WORD * rows), OFFERED // (rows * width * each))) if rows * width else 1
    for begin in range(0, inner, at_once):
        part = np.ascontiguousarray(y[begin : begin + at_once])
        numbers = np.ascontiguousarray(x[:, begin : begin + at_once])
        words = np.broadcast_to(part, (rows, *part.shape)).reshape(-1, width)
        for product in products(wires, words, numbers.reshape(-1)):
            out += product.reshape(rows, len(part), width).sum(axis=1, dtype=np.uint64)
    return out
