"""Shuffles: each party in turn puts the rows into an order of its own, which the other does not learn.

The orders are walked through a network of switches (Benes'), each of which exchanges two rows or leaves them. The party
whose order it is has rows under masks that the other knows; for every switch it takes, by a transfer, the differences
between the masks before and after: those of rows that stay, or those of rows that are exchanged. The masks after a switch
are made from one pad of the transfer, so only the other pad's differences are sent.

Sources: Benes, "Optimal Rearrangeable Multistage Connecting Networks" (1964); Mohassel and Sadeghian, "How to Hide Circuits
in MPC" (EUROCRYPT 2013) for the transfers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import network
from unseen.kernels.blocks import Blocks, hash_blocks
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.pair2.wires import Wires

PIECE = 1 << 20  # switches at a time


@dataclass(frozen=True, slots=True)
class Group:
    """How rows are shared."""

    add: np.ufunc
    subtract: np.ufunc


NUMBERS, BITS = Group(np.add, np.subtract), Group(np.bitwise_xor, np.bitwise_xor)


def shuffle(wires: Wires, *columns: NDArray[Any]) -> list[NDArray[Any]]:
    """This party's shares of rows, each (n, width), in a uniform order that neither knows; bytes are shared by XOR."""
    count = len(columns[0])
    groups = [BITS if column.dtype == np.uint8 else NUMBERS for column in columns]
    rows = [_words(column) for column in columns]
    size = 1 << max(count - 1, 0).bit_length()  # rows beyond the last stay where they are
    wires.prepare(len(columns) * (2 * size.bit_length() - 3) * size if count > 1 else 0)
    for mover in (0, 1) if count > 1 else ():
        if wires.place != mover:
            rows = [_hide(wires, mine, size, group) for mine, group in zip(rows, groups, strict=True)]
            continue
        order = wires.party.rng.permutation(count)
        whole = np.concatenate([order, np.arange(count, size)])
        rows = [
            group.add(mine[order], _move(wires, whole, mine.shape, group))
            for mine, group in zip(rows, groups, strict=True)
        ]
    return [_narrowed(made, column) for made, column in zip(rows, columns, strict=True)]


def _words(column: NDArray[Any]) -> Ring:
    """Numbers of any width as words; bytes eight to the word."""
    if column.dtype != np.uint8:
        return column.astype(np.uint64)
    width = -(-column.shape[1] // 8)
    padded = np.zeros((len(column), 8 * width), np.uint8)
    padded[:, : column.shape[1]] = column
    return padded.view(np.uint64)


def _narrowed(rows: Ring, like: NDArray[Any]) -> NDArray[Any]:
    if like.dtype != np.uint8:
        return rows.astype(like.dtype)
    return np.ascontiguousarray(np.ascontiguousarray(rows).view(np.uint8)[:, : like.shape[1]])


def _columns(size: int) -> Iterator[list[int]]:
    """How far apart the rows of the switches of each column are, some columns at a time."""
    halves = [size >> level for level in range(1, size.bit_length())]
    apart = halves + halves[-2::-1]
    at_once = max(1, PIECE // (size // 2))
    for begin in range(0, len(apart), at_once):
        yield apart[begin : begin + at_once]


def _move(wires: Wires, order: NDArray[np.int64], shape: tuple[int, ...], group: Group) -> Ring:
    """The other's rows in this order, under masks that become its share."""
    count, width = shape
    size = len(order)
    switches = network.route(order)
    rows: Ring | None = None
    first = 0
    for apart in _columns(size):
        chosen = switches[first : first + len(apart)]
        first += len(apart)
        half = wires.choose(chosen.size, chosen.reshape(-1))
        if rows is None:
            rows = np.zeros((size, width), np.uint64)
            rows[:count] = wires.take(shape, np.uint64)
        pads = _pads(half.rows, 2 * width).reshape(len(apart), size // 2, 2, width)
        offers = wires.take((len(apart), size // 2, 2, width), np.uint64)
        for distance, exchanged, pad, offer in zip(apart, chosen, pads, offers, strict=True):
            upper, lower = _ends(rows, distance)
            swap = np.uint64(0) - exchanged.astype(np.uint64).reshape(*upper.shape[:2], 1)
            flip = (upper ^ lower) & swap
            mine, given = (item.reshape(*upper.shape[:2], 2, width) for item in (pad, offer))
            # minus the pad where rows stay; minus what is offered under the pad where they are exchanged
            due = np.where(swap[:, :, None] != 0, group.subtract(given, mine), mine)
            new = [group.subtract(side ^ flip, due[:, :, end]) for end, side in enumerate((upper, lower))]
            upper[...], lower[...] = new
    if rows is None:
        return np.zeros(shape, np.uint64)
    return rows[:count]


def _hide(wires: Wires, mine: Ring, size: int, group: Group) -> Ring:
    """Let the other put this party's rows into its order; this party's share of them after that."""
    count, width = mine.shape
    masks = np.zeros((size, width), np.uint64)  # rows beyond the last are nothing, which both know
    masks[:count] = wires.party.rng.u64((count, width))
    started = False
    for apart in _columns(size):
        half = wires.answer(len(apart) * (size // 2))
        if not started:
            wires.offer(group.add(mine, masks[:count]))
            started = True
        both = (half.rows, half.rows ^ half.delta)
        stay, leave = (_pads(rows, 2 * width).reshape(len(apart), size // 2, 2, width) for rows in both)
        offers = np.empty((len(apart), size // 2, 2, width), np.uint64)
        for place, distance in enumerate(apart):
            upper, lower = _ends(masks, distance)
            kept, gone, offer = (
                item[place].reshape(*upper.shape[:2], 2, width) for item in (stay, leave, offers)
            )
            after = [group.subtract(upper, kept[:, :, 0]), group.subtract(lower, kept[:, :, 1])]
            offer[:, :, 0] = group.add(group.subtract(lower, after[0]), gone[:, :, 0])
            offer[:, :, 1] = group.add(group.subtract(upper, after[1]), gone[:, :, 1])
            upper[...], lower[...] = after
        wires.offer(offers)
    minus: Ring = group.subtract(np.uint64(0), masks[:count])
    return minus


def _ends(rows: Ring, distance: int) -> tuple[Ring, Ring]:
    """Views of the upper and the lower rows of a column's switches, (blocks, distance, width)."""
    blocks = rows.reshape(-1, 2, distance, rows.shape[1])
    return blocks[:, 0], blocks[:, 1]


def _pads(rows: Blocks, words: int) -> Ring:
    """So many words for each row: the two of its hash, or of hashes made from it as a key."""
    hashed = hash_blocks(np.ascontiguousarray(rows))
    if words > 2:  # noqa: PLR2004 - words of a block
        blocks = -(-words // 2)
        inputs = np.repeat(hashed[:, None], blocks, axis=1).view("<u8")
        inputs[:, :, 0] ^= np.arange(1, blocks + 1, dtype=np.uint64)
        hashed = hash_blocks(inputs.view(np.uint8).reshape(-1, 16))
    return hashed.view("<u8").astype(np.uint64, copy=False).reshape(len(rows), -1)[:, :words]
