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
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.prg import Prg
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
    """The others mask their shares with a, keep b; the mover gets (a in the new order) - b from the helper."""
    others = [name for name in holders if name != mover]
    for share in shares:
        supply.note(f"order of {mover}", share.shape, share.dtype.type)
    if party.name == helper:
        order = supply.rng(mover).permutation(len(shares[0]))
        pads = [_pads(supply.rng(name), shares) for name in others]
        for place, share in enumerate(shares):
            add, take = _group(share)
            hidden = reduce(add, [pad[place][0] for pad in pads]).take(order, axis=0)
            supply.send(mover, Moved(take(hidden, reduce(add, [pad[place][1] for pad in pads]))))
        return shares
    if party.name != mover:
        pads_here = _pads(supply.rng(helper), shares)
        for share, (a, _) in zip(shares, pads_here, strict=True):
            party.send(mover, Moved(_group(share)[1](share, a)))
        return [b for _, b in pads_here]
    order = supply.rng(helper).permutation(len(shares[0]))
    placed = []
    for share in shares:
        add, _ = _group(share)
        mine = share
        for name in others:
            mine = add(mine, _checked(party.recv(name, Moved), name, share))
        dealt = _checked(supply.recv(helper, Moved), helper, share)
        placed.append(add(mine.take(order, axis=0), dealt))
    return placed


def _pads(rng: Prg, shares: list[Words]) -> list[tuple[Words, Words]]:
    kinds = [(share.shape, share.dtype.type) for share in shares]
    return [(draw(rng, *kind), draw(rng, *kind)) for kind in kinds]


def _group(share: Words) -> tuple[np.ufunc, np.ufunc]:
    """Bytes are shared by XOR, wider words by addition."""
    return (np.bitwise_xor, np.bitwise_xor) if share.dtype == np.uint8 else (np.add, np.subtract)


def _checked(message: Moved, sender: str, share: Words) -> Words:
    require(message.values, shape=share.shape, dtype=share.dtype.type, sender=sender)
    return message.values
