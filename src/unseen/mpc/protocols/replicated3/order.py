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

Rows = NDArray[Any]
Kind = tuple[int, tuple[int, ...], type[Any]]
"""Of a pad: its use, shape and dtype."""


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


def move(wires: Wires, columns: list[Rows], first: int, order: NDArray[np.int64] | None) -> list[Rows]:
    """Parties `first` and `first` + 1 apply an order of theirs (:func:`draw`). The list is emptied: rows are let go as they move."""
    turn = (wires.place - first) % PARTIES
    kinds = [(wires.use(), column.shape[1:], column.dtype.type) for column in columns]
    if order is None:
        columns.clear()
        return [_drawn(wires, (wires.place, first), kind) for kind in kinds]
    partner, key = (
        first + 1 - turn,
        first + 2 * turn,
    )  # the key of the component that the two do not have in common
    sent: list[Rows] = []
    for kind in kinds:
        share = columns.pop(0)
        rows = _sum(share[0], share[1]) if turn == 0 else share[1]
        del share
        sent.append(_less(rows.take(order, axis=0), wires.pad(key, *kind)))
        wires.send(partner, sent[-1])
    moved = []
    for kind in kinds:
        mine = sent.pop(0)
        made = np.empty((2, *mine.shape), mine.dtype)
        made[turn] = wires.pad(key, *kind)
        _group(mine)[0](mine, wires.recv(partner, *kind[1:]), out=made[1 - turn])
        moved.append(made)
    return moved


def _drawn(wires: Wires, keys: tuple[int, int], kind: Kind) -> Rows:
    """The components of who only draws them."""
    made = np.empty((2, *kind[1]), kind[2])
    for component, key in zip(made, keys, strict=True):
        component[...] = wires.pad(key, *kind)
    return made


def _group(rows: Rows) -> tuple[np.ufunc, np.ufunc]:
    """Bytes are shared by XOR, wider words by addition."""
    return (np.bitwise_xor, np.bitwise_xor) if rows.dtype == np.uint8 else (np.add, np.subtract)


def _sum(left: Rows, right: Rows) -> Rows:
    total: Rows = _group(left)[0](left, right)
    return total


def _less(rows: Rows, pad: Rows) -> Rows:
    """In place."""
    rest: Rows = _group(rows)[1](rows, pad, out=rows)
    return rest
