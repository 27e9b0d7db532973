"""Sums of secret numbers by codes that one holder each knows, and secret numbers kept where a holder says so.

    tally = open_tally(engine, mine, widths, rows=n)      # `mine`: this holder's codes, (columns, n)
    taken = tally.take(numbers)                           # secret, (vectors, n)
    taken.sums()                                          # secret, (vectors, sum of all widths)
    taken.kept(answers)                                   # secret, (vectors, n): 0 where every holder's answer is "no"
    tally.spread(entries)                                 # secret, (vectors, n): of entries (vectors, codes) those of a row's codes

What a histogram of trees is made of: the codes are bins, the numbers are derivatives. The codes are told to nobody; that
is a product with a one-hot matrix of which its owner knows every place, and it costs what the numbers are long, however
many codes there are.

A protocol that gains from the owner's knowledge has a way of its own (:mod:`.dealer`, :mod:`.replicated`); under the others
codes are shared like any secret (:mod:`.shared`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.mpc.protocols.replicated3.sharing import Replicated3
from unseen.mpc.tally.blocks import Blocks
from unseen.mpc.tally.dealer import DealerTally
from unseen.mpc.tally.replicated import ReplicatedTally
from unseen.mpc.tally.rows import Codes, Raw, RawTally
from unseen.mpc.tally.shared import SharedTally

__all__ = ["Codes", "Taken", "Tally", "open_tally"]

MOST_CODES = 1 << 16


class Engines(Interface):
    """How a protocol opens its way: its own codes (None without any), everybody's blocks, and how many rows."""

    def __call__(self, protocol: Any, mine: Codes | None, blocks: Blocks) -> RawTally:
        """Masks codes where the protocol does."""


class Taken:
    """Secret numbers by row that are ready for sums and choices; see the module."""

    def __init__(self, engine: Engine, raw: Raw, bits: int) -> None:
        self._engine = engine
        self._raw = raw
        self._bits = bits

    def sums(self) -> SecretArray:
        """By code of all holders, in their order and that of their columns; shape (vectors, codes)."""
        return self._engine.number(self._raw.sums(), self._bits)

    def kept(self, answers: NDArray[np.bool_] | None) -> SecretArray:
        """The numbers where a holder says so, else 0.

        `answers` (vectors, rows) are this holder's, of whom one at most says yes to a number; None without columns.
        """
        return self._engine.number(self._raw.kept(answers), self._bits)

    def less(self, other: Taken) -> Taken:
        """The difference, ready without a message."""
        return Taken(self._engine, self._raw.less(other._raw), self._bits)

    def beside(self, other: Taken) -> Taken:
        """Vectors of this and of the other in turn."""
        return Taken(self._engine, self._raw.beside(other._raw), self._bits)


class Tally:
    """Everybody's codes, masked where the protocol masks them; see the module."""

    def __init__(self, engine: Engine, raw: RawTally) -> None:
        self._engine = engine
        self._raw = raw

    def prepare(self, vectors: int) -> None:
        """Make what that many vectors will need before they are known: cheaper together than one by one."""
        self._raw.prepare(vectors)

    def take(self, numbers: SecretArray) -> Taken:
        """Make numbers (vectors, rows) ready, once for all that is done with them."""
        return Taken(self._engine, self._raw.take(numbers.share), numbers.bits)

    def spread(self, entries: SecretArray) -> SecretArray:
        """For each row the sum of the entries (vectors, codes of all) at its codes, shape (vectors, rows)."""
        return self._engine.number(self._raw.spread(entries.share), entries.bits)


def open_tally(
    engine: Engine, mine: Codes | None, widths: Mapping[str, Sequence[int]], *, rows: int
) -> Tally:
    """Bring in everybody's codes.

    Parameters
    ----------
    mine
        This holder's, shape (columns, rows), unsigned integers below the column's width; None without columns.
    widths
        Holder -> for each of its columns the number of codes: public.

    Raises
    ------
    UsageError
        More codes than there can be.
    LocalProtocolError
        Codes of another shape, or beyond the width.
    """
    blocks = Blocks({name: tuple(each) for name, each in widths.items()}, rows)
    for name in blocks.widths:
        if blocks.width(name) > MOST_CODES:
            raise UsageError(
                f"{name} has {blocks.width(name)} codes where {MOST_CODES} can be.", mend="take fewer bins"
            )
    own = blocks.checked(engine.protocol.party.name, mine)
    protocol = engine.protocol
    way: Any = SharedTally
    if isinstance(protocol, Dealer):
        way = DealerTally
    elif type(protocol) is Replicated3:
        way = ReplicatedTally
    if not blocks.names:
        raise LocalProtocolError("Nobody has a code.")
    return Tally(engine, way(protocol, own, blocks))
