"""Shuffles of replicated rows, and the opening of what may be seen after one.

Each two neighbours in turn hold the rows between them and put them into an order that the third does not know; then they
share them anew, of which the third only draws its components. So no party knows the whole order.

Source: Laur, Willemson, Zhang, "Round-Efficient Oblivious Database Manipulation" (ISC 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.protocols.replicated3.wires import PARTIES, U, Wires
from unseen.party import Message, Public, require

Columns = tuple[NDArray[Any], ...]


class Told(Message, frozen=True, tag="mpc.replicated3.told/1"):
    """A component of places, or of comparisons, of rows in an order nobody knows: what they tell is that order alone."""

    values: Public[NDArray[Any]]


def open_shuffled(wires: Wires, values: NDArray[U]) -> NDArray[U]:
    """The sum of all components, or the XOR where they are bits in bytes, which are sent eight to the byte."""
    bits = values.dtype == np.uint8
    given = np.packbits(values[0].reshape(-1)) if bits else np.ascontiguousarray(values[0])
    wires.party.send(wires.name(wires.place + 1), Told(given))
    giver = wires.name(wires.place - 1)
    missing = wires.party.recv(giver, Told).values
    require(missing, shape=given.shape, dtype=given.dtype.type, sender=giver)
    if bits:
        missing = np.unpackbits(missing, count=values[0].size).reshape(values.shape[1:])
    opened: NDArray[U] = _sum(_sum(values[0], values[1]), missing)
    return opened


def draw(wires: Wires, first: int, count: int) -> NDArray[np.int64] | None:
    """A fresh order of parties `first` and `first` + 1; None at the third."""
    turn = (wires.place - first) % PARTIES
    if turn == 2:  # noqa: PLR2004 - the third
        return None
    return wires.party.shared_rng(wires.name(first + 1 - turn)).permutation(count)


def move(wires: Wires, columns: Columns, first: int, order: NDArray[np.int64] | None) -> Columns:
    """Parties `first` and `first` + 1 apply an order of theirs (:func:`draw`)."""
    turn = (wires.place - first) % PARTIES
    keys = ((first,), (first + 2,), (wires.place, first))[turn]
    uses = [wires.use() for _ in columns]
    pads = [
        [wires.pad(key, use, column.shape[1:], column.dtype.type) for key in keys]
        for use, column in zip(uses, columns, strict=True)
    ]
    if order is None:
        return tuple(np.stack(pair) for pair in pads)
    partner = first + 1 - turn
    sent = []
    for share, (kept,) in zip(columns, pads, strict=True):
        rows = _sum(share[0], share[1]) if turn == 0 else share[1]
        sent.append(_difference(rows.take(order, axis=0), kept))
        wires.send(partner, sent[-1])
    moved = []
    for mine, (kept,) in zip(sent, pads, strict=True):
        common = _sum(mine, wires.recv(partner, mine.shape, mine.dtype.type))
        moved.append(np.stack([kept, common] if turn == 0 else [common, kept]))
    return tuple(moved)


def _sum(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """Bytes are shared by XOR, wider words by addition."""
    total: NDArray[Any] = left ^ right if left.dtype == np.uint8 else left + right
    return total


def _difference(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    rest: NDArray[Any] = left ^ right if left.dtype == np.uint8 else left - right
    return rest
