"""Shuffles that the helper deals, and the opening of places among the holders alone.

Every holder in turn puts the rows into an order of its own. A holder's order is known to it and to the helper, so the whole
order is known to the helper only, who receives no message and has no row. What `open_shuffled` opens is seen by the
holders only, to whom the order is uniform as long as one of them keeps its own to itself. So whoever knows the order sees
no opened place, and whoever sees the places does not know the order; the two would have to collude, which the protocol
excludes. The helper goes on dealing without a word from the holders: what comes next does not depend on what they opened.

Source: Chase, Ghosh, Poburinnaya, "Secret-Shared Shuffle" (ASIACRYPT 2020), with the correlation dealt by the helper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.protocols.dealer.dealing import draw
from unseen.mpc.supply import Supply
from unseen.party import Masked, Message, Party, Public, require

U = TypeVar("U", bound=np.unsignedinteger[Any])
Words = NDArray[Any]


class Moved(Message, frozen=True, tag="mpc.dealer.moved/1"):
    """A share under a fresh mask, on its way to the holder who puts the rows into another order."""

    values: Masked


class Places(Message, frozen=True, tag="mpc.dealer.places/1"):
    """A share of places of rows in an order that no holder knows: what they tell is that order alone."""

    values: Public[NDArray[Any]]


def open_shuffled(party: Party, peers: Sequence[str], mine: NDArray[U]) -> NDArray[U]:
    """The sum (of bytes: the XOR) of all holders' shares. They are fresh: the shuffle made them."""
    combine = np.bitwise_xor if mine.dtype == np.uint8 else np.add
    total = mine.copy()
    for peer, told in party.exchange(Places(mine), Places, peers=peers).items():
        require(told.values, shape=mine.shape, dtype=mine.dtype.type, sender=peer)
        combine(total, told.values, out=total)
    return total


def move(
    party: Party, supply: Supply, holders: Sequence[str], helper: str, shares: list[Words], *, mover: str
) -> list[Words]:
    """The others mask their shares with a, keep b; the mover gets (a in the new order) - b from the helper.

    The list is emptied: shares are let go as they move.
    """
    others = [name for name in holders if name != mover]
    kinds = [(share.shape, share.dtype.type) for share in shares]
    for kind in kinds:
        supply.note(f"order of {mover}", *kind)
    if party.name == helper:
        order = supply.rng(mover).permutation(kinds[0][0][0])
        for kind in kinds:
            hidden, kept = (draw(supply.rng(others[0]), *kind) for _ in range(2))
            add, take = _group(hidden)
            for name in others[1:]:
                for total in (hidden, kept):
                    add(total, draw(supply.rng(name), *kind), out=total)
            hidden = hidden.take(order, axis=0)
            supply.send(mover, Moved(take(hidden, kept, out=hidden)))
        return [shares.pop(0) for _ in kinds]
    if party.name != mover:
        ours = []
        for kind in kinds:
            a, b = (draw(supply.rng(helper), *kind) for _ in range(2))
            party.send(mover, Moved(_group(a)[1](shares.pop(0), a, out=a)))
            ours.append(b)
        return ours
    order = supply.rng(helper).permutation(kinds[0][0][0])
    placed = []
    for kind in kinds:
        mine = shares.pop(0)
        add, _ = _group(mine)
        for name in others:
            mine = add(mine, _checked(party.recv(name, Moved), name, kind))
        mine = mine.take(order, axis=0)
        placed.append(add(mine, _checked(supply.recv(helper, Moved), helper, kind), out=mine))
    return placed


def _group(share: Words) -> tuple[np.ufunc, np.ufunc]:
    """Bytes are shared by XOR, wider words by addition."""
    return (np.bitwise_xor, np.bitwise_xor) if share.dtype == np.uint8 else (np.add, np.subtract)


def _checked(message: Moved, sender: str, kind: tuple[tuple[int, ...], type[Any]]) -> Words:
    require(message.values, shape=kind[0], dtype=kind[1], sender=sender)
    return message.values
