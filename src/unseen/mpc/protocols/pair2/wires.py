"""Two parties and what they have in common: correlated transfers in both directions, and messages.

One party *offers* (it is the sender of transfers), the other *takes* (its choices are bits that it knows). Both directions
are used at once wherever the work can be divided, so that neither party waits for the other.

Transfers are made without LPN (:mod:`unseen.ot.softspoken`) until :data:`FEW` have been asked for, then, unless LPN is not to be
assumed, as silent ones (:mod:`unseen.ot.silent`): a twentieth of the bytes at twice the processor time, after a third of a
megabyte each way. Both parties say by :meth:`Wires.prepare` what is due, so that they begin at the same place.

Every row of a transfer is used once: a source counts the transfers that it has made and cannot go back, and a party that
starts again, after a crash too, sets up sources of its own. Where transfers were made ahead (:mod:`.dealt`), those are used
first.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import Ring
from unseen.mpc.lattice import Lattice
from unseen.mpc.protocols.pair2.dealt import Dealt
from unseen.ot import silent, softspoken
from unseen.ot.correlation import (
    Assumption,
    Bits,
    ReceiverCorrelation,
    ReceiverSource,
    SenderCorrelation,
    SenderSource,
)
from unseen.party import Masked, Message, Party, require

FEW = 1 << 18  # transfers, of both directions together, that are not worth the set-up of silent ones
PARAMETERS = "b10"  # the smallest rounds, for memory and the second-level cache
AHEAD = 1 << 19  # transfers that a party may choose before it has answered the other's


class Offers(Message, frozen=True, tag="mpc.pair2.offers/1"):
    """What a party offers, under pads of which the other has those of its choices only."""

    values: Masked


class Flips(Message, frozen=True, tag="mpc.pair2.flips/1"):
    """Which bits differ from the random ones that transfers were made for ahead; eight to the byte."""

    bits: Masked


class Masks(Message, frozen=True, tag="mpc.pair2.masks/1"):
    """Values under masks that are half of a correlation."""

    values: Masked


class Wires:
    """See the module. `place` is this party's number, 0 or 1; `dealt` what was made ahead, if anything."""

    def __init__(
        self,
        party: Party,
        holders: tuple[str, ...],
        dealt: Dealt | None = None,
        *,
        assumption: Assumption = "lpn",
    ) -> None:
        self.party = party
        self.dealt = dealt
        self.place = holders.index(party.name)
        self.peer = holders[1 - self.place]
        self.lattice = Lattice(party, self.peer)
        self._left = FEW if assumption == "lpn" else None  # until there are silent ones
        self._set_up(
            lambda: softspoken.Sender(party, self.peer, security="semi-honest"),
            lambda: softspoken.Receiver(party, self.peer, security="semi-honest"),
        )

    def _set_up(self, sender: Callable[[], SenderSource], receiver: Callable[[], ReceiverSource]) -> None:
        self.sender: SenderSource
        self.receiver: ReceiverSource
        if self.place == 0:
            self.sender = sender()
            self.receiver = receiver()
        else:
            self.receiver = receiver()
            self.sender = sender()

    def prepare(self, count: int) -> None:
        """So many transfers are due, of both directions together: called by both parties before they choose and answer."""
        if self._left is None or (self.dealt and self.dealt.left.transfers >= count):
            return
        self._left -= count
        if self._left < 0:
            self._left = None
            # rounds are told ahead of other messages, in either direction: a stream for each
            give, take = (self.party.stream(f"silent-{place}") for place in (self.place, 1 - self.place))
            self._set_up(
                lambda: silent.Sender(
                    give, self.peer, security="semi-honest", parameters=PARAMETERS, ahead=AHEAD
                ),
                lambda: silent.Receiver(take, self.peer, security="semi-honest", parameters=PARAMETERS),
            )

    def choose(self, count: int, choices: Bits | None = None) -> ReceiverCorrelation:
        """The taking side of `count` transfers, for these choices (count,) of 0 and 1 or for random ones.

        Waits for nobody as long as no more than :data:`AHEAD` are chosen before as many are answered.
        """
        ready = self.dealt.taken(count) if self.dealt else None
        if ready is None:
            return self.receiver.correlated(count, choices)
        if choices is None:
            return ready
        flips = np.packbits(ready.choices ^ choices)
        # What is over of the last byte looks like the rest.
        flips[-1:] |= np.uint8(secrets.randbelow(1 << (-count % 8)))
        self.party.send(self.peer, Flips(flips))
        return ReceiverCorrelation(choices, ready.rows)

    def answer(self, count: int, *, random: bool = False) -> SenderCorrelation:
        """The offering side of `count` transfers, when the other has chosen; `random`: it chose at random."""
        ready = self.dealt.offered(count) if self.dealt else None
        if ready is None:
            return self.sender.correlated(count)
        if random:
            return ready
        flips = self.party.recv(self.peer, Flips).bits
        require(flips, shape=(-(-count // 8),), dtype=np.uint8, sender=self.peer)
        exchanged = np.unpackbits(flips, count=count)
        return SenderCorrelation(ready.delta, ready.rows ^ (exchanged[:, None] * ready.delta))

    def products(self, x: Ring, y: Ring) -> Ring | None:
        """This party's share of x0 y1 + x1 y0 for vectors x and y, from what was made ahead; None if that is not enough."""
        ready = self.dealt.products(len(x)) if self.dealt else None
        if ready is None:
            return None
        a, b, share = ready
        mine = np.stack([x - a, y - b])
        e, f = self.exchange(mine)
        # x0 y1 + x1 y0 with x = a + (x - a): each adds what it knows, and party 0 the two products of differences
        made: Ring = share + a * f + b * e
        if self.place == 0:
            made += mine[0] * f + e * mine[1]
        return made

    def offer(self, values: NDArray[Any]) -> None:
        """Send what is under pads."""
        self.party.send(self.peer, Offers(values))

    def take(self, shape: tuple[int, ...], dtype: type[Any] = np.uint8) -> NDArray[Any]:
        """What the other offers, which must have this shape and dtype."""
        values = self.party.recv(self.peer, Offers).values
        require(values, shape=shape, dtype=dtype, sender=self.peer)
        return values

    def exchange(self, values: NDArray[Any], shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """Give masked values and get the other's, of the same shape unless another is named."""
        self.party.send(self.peer, Masks(values))
        theirs = self.party.recv(self.peer, Masks).values
        require(
            theirs, shape=values.shape if shape is None else shape, dtype=values.dtype.type, sender=self.peer
        )
        return theirs

    def common(self, shape: tuple[int, ...]) -> Ring:
        """Uniform words that both know: for randomness that hides nothing, such as that of rounding."""
        return self.party.shared_rng(self.peer).u64(shape)


def bits_of(words: Ring, places: int = 64) -> Bits:
    """The lowest places of words (n,), lowest first, one after another: (places * n,) of 0 and 1."""
    data = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    return np.unpackbits(data, axis=1, bitorder="little", count=places).reshape(-1)
