"""Rows moved by a secret order: shuffle, open the places, put the rows there.

An order is shared as a vector of places. Places and rows are shuffled together into an order that no holder knows; then the
places are opened. They are a uniform permutation, whatever the secret order was, and tell the holders nothing
(:meth:`unseen.mpc.protocol.Protocol.open_shuffled`). That takes a vector in which every place comes once: of another
vector, the opening would tell which places come twice, and it is refused.

Source: Chida, Hamada, Ikarashi, Kikuchi, Kiribuchi, Pinkas, "An Efficient Secure Three-Party Sorting Protocol with an
Honest Majority" (2019), for applying a shared permutation by shuffle and opening.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.protocol import Protocol

Places: TypeAlias = NDArray[Any]
"""Shares of places, shape (components, rows), in words just wide enough (:func:`word_of`)."""

Rows: TypeAlias = NDArray[Any]
"""Shares of rows, shape (components, rows, width): bytes by XOR, wider words by addition."""


def word_of(count: int) -> type[Any]:
    """The narrowest words that hold the places of `count` rows; bytes are not taken, as they are shared by XOR."""
    return next(word for word in (np.uint16, np.uint32, np.uint64) if count <= np.iinfo(word).max + 1)


def move(protocol: Protocol, places: Places, *rows: Rows) -> tuple[Rows, ...]:
    """Row i goes to place places[i].

    Raises
    ------
    LocalProtocolError
        A place comes twice, or is none.
    """
    where, *shuffled = protocol.shuffle(places[..., None], *rows)
    source = order_of(protocol, where[..., 0])
    return tuple(shuffled) if source is None else tuple(take(one, source) for one in shuffled)


def order_of(protocol: Protocol, shuffled: Places) -> NDArray[np.int64] | None:
    """Opened places as an order: which row comes first, second, and so on; None at a party that holds no rows."""
    opened = protocol.open_shuffled(shuffled)
    if not protocol.holds:
        return None
    count = len(opened)
    source = np.full(count, -1, np.int64)
    if count and int(opened.max()) < count:
        source[opened] = np.arange(count)
    if (source < 0).any():
        raise LocalProtocolError(
            "A secret order is none.",
            why="a place comes twice or lies outside",
            mend="take orders from np.argsort, or share a permutation of 0 to n - 1",
        )
    return source


def take(rows: Rows, order: NDArray[Any]) -> Rows:
    """Rows of every component in a known order."""
    return rows.take(order, axis=1)


def inverse(protocol: Protocol, places: Places) -> Places:
    """The places of the inverse order."""
    numbers = np.arange(places.shape[1], dtype=places.dtype)
    (moved,) = move(protocol, places, protocol.public(numbers)[..., None])
    out: Places = moved[..., 0]
    return out


def permute(x: SecretArray, order: SecretArray, *, back: bool = False) -> SecretArray:
    """x[order] for a secret order (what np.argsort gives); with `back`, the array of which x is that.

    `order` must hold every place once; see the module.
    """
    count = len(x)
    if order.ndim != 1 or len(order) != count or order.boolean or order.bits:
        raise LocalProtocolError(f"{order} is no order of {count} rows: it takes as many integers as rows.")
    protocol, rows = x.engine.protocol, rows_of(x)
    places = order.share.astype(word_of(count))
    if not back:
        places = inverse(protocol, places)
    (moved,) = move(protocol, places, rows)
    return array_of(moved, x, x.shape)


def rows_of(x: SecretArray) -> Rows:
    """The shares of an array as rows, whatever its kind."""
    share = x.bit_share if x.boolean else x.share
    return np.ascontiguousarray(share).reshape(len(share), len(x), int(np.prod(x.shape[1:])))


def array_of(rows: Rows, like: SecretArray, shape: tuple[int, ...]) -> SecretArray:
    """The inverse of :func:`rows_of`; a shuffle fills all places of a byte with noise, of which a Boolean has the lowest."""
    share = rows.reshape(len(rows), *shape)
    return like.engine.boolean(share & np.uint8(1)) if like.boolean else like.engine.number(share, like.bits)
