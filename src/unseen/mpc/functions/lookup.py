"""Looking up secret places in a table: one-hot vectors from the places' bits, and products with the table.

The lower and the upper half of a place's bits are made one-hot each, with about the square root of the table's length; the
table, folded to a square, is multiplied by both. So 2 sqrt(k) bits become numbers for a look-up in k entries. A table of
which every entry is looked up often is cheaper to join by sorting (:func:`unseen.mpc.functions.order.order_by`): look-ups
take time in proportion to the table, each.

Source: Launchbury, Diatchki, DuBuisson, Adams-Moran, "Efficient Lookup-Table Protocol in Secure Multiparty Computation" (ICFP
2012) for one-hot vectors by halves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import encode
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Planes, Share


def one_hot(index: SecretArray, size: int) -> SecretArray:
    """Booleans of shape (*index.shape, size): whether it is this place. Only the lowest bits of the index count."""
    bits = _bits(index, size)
    hot = planes.unpack(_hot(index.engine.protocol, bits)[:, :size], index.shape)
    return index.engine.boolean(np.moveaxis(hot, 1, -1))


def lookup(table: Any, index: SecretArray) -> SecretArray:
    """table[index] for a secret index, of a table that is public or secret, (k,) or (k, ...).

    Of an index outside the table only the lowest bits count; beyond the end of the table there are zeros.

    Raises
    ------
    LocalProtocolError
        An index that is no integer, or a table without entries.
    """
    engine = index.engine
    secret = isinstance(table, SecretArray)
    size = len(table)
    if index.boolean or index.bits or not size:
        raise LocalProtocolError(f"{index} is no index into {size} entries: it takes integers.")
    entries = table if secret else engine.lift(_plain(table))
    entries = engine.as_number(entries)
    bits = _bits(index, size)
    low_bits = bits.shape[1] // 2
    columns, rows = 1 << low_bits, 1 << (bits.shape[1] - low_bits)
    count, width = index.size, int(np.prod(entries.shape[1:]))
    low, high = (_numbers(engine.protocol, part, count) for part in (bits[:, :low_bits], bits[:, low_bits:]))
    folded = _folded(entries.share, rows, columns, width)
    of_rows = np.ascontiguousarray(high.transpose(0, 2, 1))
    if secret:
        picked = engine.protocol.matmul(of_rows, folded)
    else:
        public = _folded(encode(_plain(table), entries.bits)[None], rows, columns, width)[0]
        picked = np.stack([part @ public for part in of_rows])
    # Of the rows that were picked, the columns: (components, columns, count, width).
    sides = np.ascontiguousarray(picked.reshape(len(picked), count, columns, width).transpose(0, 2, 1, 3))
    chosen = np.ascontiguousarray(np.broadcast_to(low[..., None], sides.shape))
    made = engine.protocol.inner(chosen, sides)
    return engine.number(made.reshape(len(made), *index.shape, *entries.shape[1:]), entries.bits)


def _plain(table: Any) -> NDArray[Any]:
    plain = np.asarray(table)
    return plain.astype(np.int64) if plain.dtype == np.bool_ else plain


def _folded(entries: Share, rows: int, columns: int, width: int) -> Share:
    """Entries as a matrix (components, rows, columns * width), filled up with zeros."""
    square = np.zeros((len(entries), rows * columns, width), np.uint64)
    square[:, : entries.shape[1]] = entries.reshape(len(entries), -1, width)
    return square.reshape(len(entries), rows, columns * width)


def _bits(index: SecretArray, size: int) -> Planes:
    places = max(size - 1, 1).bit_length()
    flat = np.ascontiguousarray(index.share).reshape(len(index.share), -1)
    return planes.bits_of(index.engine.protocol, flat, places)


def _hot(protocol: Protocol, bits: Planes) -> Planes:
    """Plane j: whether the bits are those of j. Halves are made one-hot and every pair of theirs is ANDed."""
    places = bits.shape[1]
    if places < 2:  # noqa: PLR2004 - nothing to combine
        ones: NDArray[Any] = protocol.public_bits(np.full((1, bits.shape[2]), ~np.uint64(0)))
        return np.concatenate([ones ^ bits, bits], axis=1) if places else ones
    low, high = _hot(protocol, bits[:, : places // 2]), _hot(protocol, bits[:, places // 2 :])
    left = np.tile(low, (1, high.shape[1], 1))
    right = np.repeat(high, low.shape[1], axis=1)
    (made,) = protocol.and_both(left, (right,))
    return made


def _numbers(protocol: Protocol, bits: Planes, count: int) -> Share:
    """One-hot numbers, shape (components, 2^bits, count)."""
    made: Share = protocol.to_ring(planes.unpack(_hot(protocol, bits), (count,)))
    return made
