"""How secrets become plaintext under protocols whose parties hold summands: parts through the gate, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from unseen.mpc.fixed import Ring
from unseen.mpc.shares import Share
from unseen.party import Party, Reveal


@dataclass(frozen=True, slots=True)
class Wanted:
    """A secret that is to become plaintext: its name in the contract, its shares (zeros at a helper), its receivers."""

    name: str
    values: Share
    to: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The secret's shape."""
        return self.values.shape[1:]


def summed(
    party: Party, wanted: Sequence[Wanted], parts: Sequence[Ring | None], *, givers: Sequence[str]
) -> list[Ring | None]:
    """Send this giver's parts (None elsewhere), which tell nothing but their sum; what a receiver adds up, None elsewhere."""
    reveals = [
        Reveal(item.name, None if part is None else np.array(part, order="C"), item.to, item.shape)
        for item, part in zip(wanted, parts, strict=True)
    ]
    return [
        None if told is None else reduce(np.add, told.values(), np.zeros(item.shape, np.uint64))
        for item, told in zip(wanted, party.reveal_all(reveals, givers=givers), strict=True)
    ]
