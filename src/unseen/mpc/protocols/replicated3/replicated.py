"""What replicated sharing among three parties is, whoever may deviate: putting values in, public values, fixed operands.

Party i holds components i and i + 1 of every secret. Nothing here needs trust: what an owner sends fixes one component
at one party, and the others follow from keys, so any message of its is an honest message for some value.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc import planes
from unseen.mpc.fixed import Ring
from unseen.mpc.protocol import Protocol
from unseen.mpc.protocols.replicated3.wires import PARTIES, Wires
from unseen.mpc.shares import Bits, Share
from unseen.mpc.unmasked import Unmasked
from unseen.party import Party

M = TypeVar("M", bound=np.generic)


def three(holders: tuple[str, ...], helper: str | None) -> tuple[str, ...]:
    """The members: three holders, or two and a helper.

    Raises
    ------
    LocalProtocolError
        Other than three parties.
    """
    members = holders if helper is None else (*holders, helper)
    if len(set(members)) != PARTIES or len(members) != PARTIES:
        raise LocalProtocolError(
            "This protocol takes three parties.",
            why=f"named are: {', '.join(members)}",
            mend="name a third party that takes part, or choose dealer",
        )
    return members


def public(place: int, values: NDArray[M]) -> NDArray[M]:
    """The shares at party `place` of a value that all know: component 0 has it, the others are zero."""
    share = np.zeros((2, *values.shape), values.dtype)
    if place != 1:
        share[place // 2] = values
    return share


class Replicated:
    """What the protocols of three parties have in common; see the module."""

    components = 2
    holds = True
    radix_up_to = 32
    waved = True

    def __init__(self, party: Party, members: tuple[str, ...], wires: Wires) -> None:
        self.party = party
        self.holders = members
        self.wires = wires
        self.place = wires.place

    # ------------------------------------------------------------------ in and out

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Share:
        """The owner keeps x - pad and pad, and sends x - pad to the party before; component owner + 2 is zero."""
        return self._share(values, owner, shape, np.subtract)

    def share_bits(self, values: NDArray[np.uint8] | None, *, owner: str, shape: tuple[int, ...]) -> Bits:
        """The same by XOR, with 64 bits to the word."""
        packed = None if values is None else planes.pack(values[None])[0, 0]
        words = -(-int(np.prod(shape)) // planes.WORD)
        shared = self._share(packed, owner, (words,), np.bitwise_xor)
        return planes.unpack(shared[:, None], shape)[:, 0]

    def is_zero(self, values: Share, places: int) -> None:
        """By the bits of the value."""

    def _share(self, values: Ring | None, owner: str, shape: tuple[int, ...], take: np.ufunc) -> Share:
        if owner not in self.holders:
            raise LocalProtocolError(f"{owner} is none of the three and cannot share a value.")
        giver = self.holders.index(owner)
        use = self.wires.use()
        if self.place == giver:
            if values is None or values.shape != shape:
                raise LocalProtocolError(f"{owner} has nothing of shape {shape} to share.")
            pad = self.wires.pad(giver + 1, use, shape)
            masked = take(values, pad)
            self.wires.send(giver - 1, masked)
            return np.stack([masked, pad])
        nothing = np.zeros(shape, np.uint64)
        if self.place == (giver + 1) % PARTIES:
            return np.stack([self.wires.pad(giver + 1, use, shape), nothing])
        return np.stack([nothing, self.wires.recv(giver, shape)])

    def collect(self, part: Ring, *, xor: bool = False) -> Share:
        """The shares of all three parts, added."""
        take, add = (np.bitwise_xor, np.bitwise_xor) if xor else (np.subtract, np.add)
        total = np.zeros((self.components, *part.shape), np.uint64)
        for owner in self.holders:
            mine = part if owner == self.party.name else None
            add(total, self._share(mine, owner, part.shape, take), out=total)
        return total

    def public(self, values: Ring) -> Share:
        """Component 0 has the value, the others are zero."""
        return public(self.place, values)

    def public_bits(self, values: NDArray[np.uint8]) -> Bits:
        """The same, in any words."""
        return public(self.place, values)

    def open_masked(self, values: Share, *, owner: str) -> Ring | None:
        """The two others, who have all components between them, exchange what each lacks. The owner has no hand in it."""
        giver = self.holders.index(owner)
        turn = (self.place - giver) % PARTIES
        if not turn:
            return None
        other = giver + PARTIES - turn
        first, second = (np.ascontiguousarray(part) for part in values)
        self.wires.send(other, first if turn == 1 else second)
        opened: Ring = first + second + self.wires.recv(other, first.shape)
        return opened

    def fix(self: Protocol, values: Share) -> Unmasked:
        """Nothing to do: a replicated share is as good the second time."""
        return Unmasked(self, values)
