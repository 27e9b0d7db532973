"""Pads and messages of three parties: what two have in common, and what goes to the neighbour.

Key number j is known to parties j - 1 and j (mod 3), the holders of component j. Every draw has a use number of its
own, counted alike at all parties, and a use is never repeated: there is no way to rewind.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.kernels import shares as kernels
from unseen.mpc.fixed import Ring
from unseen.party import Masked, Message, Party, Public, require

U = TypeVar("U", bound=np.unsignedinteger[Any])
KEY_BYTES = 16
PARTIES = 3


class Piece(Message, frozen=True, tag="mpc.replicated3.piece/1"):
    """Numbers under a pad of the two other parties, or of the sender and the third."""

    values: Masked


class CommonKey(Message, frozen=True, tag="mpc.replicated3.common-key/1"):
    """Of words that all three know, which hide nothing."""

    key: Public[bytes]


class Wires:
    """See the module. `place` is this party's number."""

    def __init__(self, party: Party, members: tuple[str, ...]) -> None:
        self.party = party
        self.place = members.index(party.name)
        self._members = members
        self._uses = 0
        before, after = self.name(self.place - 1), self.name(self.place + 1)
        self.mine = party.shared_rng(before).bytes(KEY_BYTES)
        self.next = party.shared_rng(after).bytes(KEY_BYTES)
        self._common = self._agree()

    def _agree(self) -> bytes:
        """A key that all three have, which party 0 draws."""
        if self.place != 0:
            key = self.party.recv(self.name(0), CommonKey).key
            require(np.frombuffer(key, np.uint8), shape=(KEY_BYTES,), dtype=np.uint8, sender=self.name(0))
            return key
        key = self.party.rng.bytes(KEY_BYTES)
        for place in (1, 2):
            self.party.send(self.name(place), CommonKey(key))
        return key

    def common(self, use: int, shape: tuple[int, ...]) -> Ring:
        """Uniform words that all three know: for randomness that hides nothing, such as that of rounding."""
        return kernels.pad(self._common, use, math.prod(shape)).reshape(shape)

    def name(self, place: int) -> str:
        """The party of that number, mod 3."""
        return self._members[place % PARTIES]

    def use(self) -> int:
        """The number of the next draw. Every party must call it, whether it draws or not."""
        self._uses += 1
        return self._uses

    def pad(self, key: int, use: int, shape: tuple[int, ...], dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """Uniform words that the holders of component `key` have in common."""
        size = math.prod(shape)
        count = -(-size * np.dtype(dtype).itemsize // 8)
        words = kernels.pad(self.mine if key % PARTIES == self.place else self.next, use, count)
        pad: NDArray[Any] = words.view(dtype)[:size].reshape(shape)
        return pad

    def send(self, place: int, values: NDArray[Any]) -> None:
        """To the party of that number."""
        self.party.send(self.name(place), Piece(values))

    def pace(self, place: int) -> None:
        """Where a step begins, let the party of that number catch up; see :meth:`unseen.party.Party.pace`."""
        self.party.pace(self.name(place))

    def recv(self, place: int, shape: tuple[int, ...], dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """What the party of that number sent, which must have this shape and dtype."""
        peer = self.name(place)
        values = self.party.recv(peer, Piece).values
        require(values, shape=shape, dtype=dtype, sender=peer)
        return values

    def around(self, part: NDArray[U]) -> NDArray[U]:
        """Re-share: give the own part of a sum to the party before, take that of the party after."""
        self.send(self.place - 1, part)
        return np.stack([part, self.recv(self.place + 1, part.shape, part.dtype.type)])
