"""Truncation between two holders: a product of two bits is all that is needed.

The holders' shares are a and b, and x + 2^62 = a + b mod 2^64 lies below 2^63: so a + b wraps round exactly if the top bit
of a or of b is set. The floor is (a >> f) + (b >> f) - 2^(64 - f) (a_63 or b_63), off by the carry of the low places. The
product of the two bits is a Beaver product of bits that the helper deals: u at the first holder, v at the second, and
shares of u v; each holder opens its bit under its own.

Source: Rathee et al., "SIRNN" (S&P 2021) for the wrap of a number whose top bit is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import additive as kernels
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.party import Masked, Message, Party, require

_HALF_WORD = 32


class TopBits(Message, frozen=True, tag="mpc.dealer.top-bits/1"):
    """The sender's top bits under its mask, eight to the byte."""

    hidden: Masked


def truncate(party: Party, holders: tuple[str, ...], dealing: Dealing, values: Ring, drop: int) -> Ring:
    """This holder's share of values >> drop or one more; at the helper, zeros of that shape."""
    small: type[Any] = np.uint32 if drop <= _HALF_WORD else np.uint64
    shape, count = values.shape, values.size
    masks = [dealing.private_bits(holder, count) for holder in holders]
    both = dealing.dealt((count,), lambda: _bits(masks[0] & masks[1], count).astype(small), small)
    if party.name not in holders:
        return np.zeros(shape, np.uint64)
    place = holders.index(party.name)
    peer = holders[1 - place]
    # Both move their shares by the same number, for the carry to be random whatever the shares are.
    offset = party.shared_rng(peer).u64(count)
    # The mask covers the places beyond the last value too: what is sent is uniform throughout.
    share = np.ascontiguousarray(values).reshape(-1)
    moved, hidden = kernels.moved_tops(share, offset, masks[place], leads=place == 0)
    party.send(peer, TopBits(hidden))
    message = party.recv(peer, TopBits)
    require(message.hidden, shape=hidden.shape, dtype=np.uint8, sender=peer)
    # (d ^ u)(e ^ v), d and e opened: u times what is known of the other, and u v with the sign of both.
    out = kernels.without_wrap(moved, drop, both, masks[place], hidden, message.hidden, leads=place == 0)
    return out.reshape(shape)


def _bits(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    return np.unpackbits(packed, count=count, bitorder="little")
