"""Silent correlated transfers: millions from a few hundred kilobytes, by learning parity with noise.

What
    The halves of :mod:`unseen.ot.correlation`, under one Delta, in any number: :class:`Sender` and :class:`Receiver` are
    sources like those of :mod:`unseen.ot.softspoken`, with a hundredth of the traffic and a third of the speed.
How
    A round takes k + t d transfers (and 128 if malicious) and makes N = t 2^d. From t d of them come t punctured trees, whose
    leaves are transfers with one choice of 1 in each tree. To leaf i both add ten rows, named by public AES, of the table of
    k: linear, so correlation stays correlation, and choices become pseudo-random. Part of a round's transfers feeds
    the next one; the first is fed by SoftSpoken. Delta's lowest bit is 1, and the lowest bit of a receiver's row is its choice.
Source
    Yang, Weng, Lan, Zhang, Wang, "Ferret" (CCS 2020) with the trees of "Half-Tree" (EUROCRYPT 2023); parameters of 2025
    from :mod:`unseen.ot.lpn_params`.
Against whom
    "semi-honest": parties that follow the protocol. "malicious": parties that deviate in any way; the receiver compares a
    random linear combination of all leaves before it uses them, the tree hash is tweakable, and the transfers below are
    malicious-secure too. A sender that guesses positions and is right goes undetected and learns, on average, one bit of
    the noise.
What it leaks
    Nothing beyond the number of transfers.
Assumption
    Learning parity with regular noise for a ten-sparse code; AES under a public key as a random permutation; and those of
    SoftSpoken.
Memory
    Of a round only the table, the trees' roots or corrections and what the next one's trees take are kept, 1.4 MB with b10: leaves are
    expanded :data:`TOGETHER` at a time, by the sender for the second time, as it needed the sums of all for its corrections.
    Against parties that deviate a round is there as a whole, as the check is of all leaves.
Cost
    Per round 16 d t bytes from the sender, half a round; malicious one round and 80 bytes more. With b11: 0.2 MB
    for 2.25 million transfers, 0.7 bits each; set-up 0.3 MB. A call costs the receiver half a round: whether it brings
    choices (then 1 bit each).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.kernels import ggm, lpn
from unseen.ot import check, lpn_params, punctured, softspoken
from unseen.ot.correlation import (
    BLOCK_BYTES,
    Bits,
    Blocks,
    ReceiverCorrelation,
    Security,
    SenderCorrelation,
    require_bits,
)
from unseen.party import Masked, Message, Party, require

DEFAULT = "b11"
TREE_DEPTH = 8  # of the transfers' set-up
TOGETHER = (
    1 << 14
)  # leaves that are expanded at a time: a quarter of a megabyte, in the cache beside b10's table
_UPPER, _LOWEST = np.uint8(0xFE), np.uint8(1)


def transfer_bytes(parameters: str = DEFAULT) -> float:
    """What a transfer of a random bit takes of its round, in bytes."""
    of = lpn_params.primal(parameters)
    sums = of.noise * of.depth
    return sums * BLOCK_BYTES / (of.outputs - (1 << of.table_bits) - sums)


class Choices(Message, frozen=True, tag="ot-silent.choices/1"):
    """Where the receiver's own choices differ from its random ones, eight to a byte; empty if it has none."""

    bits: Masked


@dataclass(frozen=True, slots=True, repr=False)
class _Round:
    """What the transfers of a round are made from."""

    key: Blocks  # of the code
    table: Blocks
    leaves: punctured.Leaves


class _Source:
    """What both sides have in common: the stock of transfers, and what a round takes from the one before."""

    def __init__(self, party: Party, peer: str, security: Security, parameters: str) -> None:
        if security not in {"semi-honest", "malicious"}:
            raise UsageError(f"Security is 'semi-honest' or 'malicious', not '{security}'.")
        self._party, self._peer = party, peer
        self._malicious = security == "malicious"
        self._set = lpn_params.primal(parameters)
        self._shape = punctured.Shape(self._set.noise, self._set.depth, 0, tweaked=self._malicious)
        self._table = 1 << self._set.table_bits
        self._fed = self._table + self._shape.transfers + check.SPARE * self._malicious
        self._stock = np.empty((0, BLOCK_BYTES), np.uint8)  # rows that are made and not used
        self._marks = np.empty(0, np.uint8)  # their lowest bits
        self._feed = self._rest = self._stock  # rows for the next round: its trees and check; its table
        self._left = 0  # of the round, but for what feeds the next one
        self._trees = 0  # of the round that are expanded
        self._round: _Round | None = None
        self._rounds = 0
        self._dead = False

    def _require(self, count: int) -> None:
        if count < 0:
            raise LocalProtocolError(f"{count} transfers cannot be made.")
        if self._dead:
            raise LocalProtocolError(
                "These silent transfers ended in an error and are of no further use.",
                why="another try under the same Delta would tell the peer more of it",
                mend="start a new attempt",
            )

    def _take(self, count: int) -> tuple[Blocks, Bits]:
        """Rows that nobody else has been given, and their lowest bits."""
        self._require(count)
        self._dead = True  # until this call ends well
        rows, marks, done = np.empty((count, BLOCK_BYTES), np.uint8), np.empty(count, np.uint8), 0
        while done < count:
            if not self._left:
                self._begin()
            here = slice(done, min(count, done + self._left))
            self._fill(rows[here], marks[here])
            self._left -= here.stop - here.start
            done = here.stop
        self._dead = False
        return rows, marks

    def _fill(self, rows: Blocks, marks: Bits) -> None:
        """The next rows of the round, and their lowest bits."""
        done, count = 0, len(rows)
        while done < count:
            if not len(self._marks):
                leaves = self._leaves()
                if len(leaves) <= count - done:  # straight to where they are wanted
                    here = slice(done, done + len(leaves))
                    marks[here] = self._code(leaves, rows[here])
                    done = here.stop
                    continue
                self._stock, self._marks = leaves, self._code(leaves, leaves)
            some = min(count - done, len(self._marks))
            rows[done : done + some], self._stock = self._stock[:some], self._stock[some:]
            marks[done : done + some], self._marks = self._marks[:some], self._marks[some:]
            done += some

    def _begin(self) -> None:
        """Go over to the next round. Its first rows feed the one after; so do its last ones, of which there are more, when it ends."""
        if self._round is not None:
            self._rest = self._reserved(self._table)
        key, leaves = self._next()
        self._round, self._trees = _Round(key, self._rest, leaves), 0
        self._rest = self._rest[:0]
        self._feed = self._reserved(self._fed - self._table)
        self._left = self._set.outputs - self._fed

    def _reserved(self, count: int) -> Blocks:
        rows = np.empty((count, BLOCK_BYTES), np.uint8)
        self._fill(rows, np.empty(count, np.uint8))
        return rows

    def _leaves(self) -> Blocks:
        """Of the next trees of the round."""
        assert self._round is not None
        at_once = max(1, TOGETHER >> self._shape.depth)
        self._trees += at_once
        return self._round.leaves(slice(self._trees - at_once, self._trees)).reshape(-1, BLOCK_BYTES)

    def _code(self, leaves: Blocks, out: Blocks) -> Bits:
        """The rows of the leaves that were made last, and their lowest bits."""
        assert self._round is not None
        first = self._trees - max(1, TOGETHER >> self._shape.depth)
        return lpn.primal_add(self._round.key, self._round.table, leaves, first << self._shape.depth, out=out)

    def _next(self) -> tuple[Blocks, punctured.Leaves]:
        """The key of the next round's code, and its leaves."""
        raise NotImplementedError

    def _keys(self, receiver: str) -> Blocks:
        self._rounds += 1
        return punctured.public_keys(
            self._party, self._peer, f"silent transfers to {receiver}, round {self._rounds}"
        )

    def _fed_by(self, rows: Blocks) -> None:
        """What the first round takes."""
        self._rest, self._feed = rows[: self._table].copy(), rows[self._table :].copy()

    def _parts(self) -> tuple[Blocks, Blocks]:
        """What a round takes besides its table: for the trees, for the check."""
        return self._feed[: self._shape.transfers], self._feed[self._shape.transfers :]

    def _whole(self, leaves: Blocks) -> punctured.Leaves:
        """The rows of trees that are there already."""
        by_tree = leaves.reshape(self._shape.trees, -1, BLOCK_BYTES)
        return lambda trees: by_tree[trees]


class Sender(_Source):
    """Supplies the sender's halves. Made at both ends at once: making one is the set-up with the peer.

    Parameters
    ----------
    parameters
        "b10" to "b13": more transfers in a round for the larger ones, fewer bytes for each.
    ahead
        A receiver finds what it needs for a call of up to so many transfers before this party joins in that call: so two
        parties who are senders and receivers to one another may both begin as receivers. "semi-honest" only, as nothing is
        waited for.

    Raises
    ------
    UsageError
        No such parameters, or a round is too small to be that far ahead.
    """

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        security: Security = "malicious",
        parameters: str = DEFAULT,
        ahead: int = 0,
    ) -> None:
        super().__init__(party, peer, security, parameters)
        if ahead > (0 if self._malicious else self._set.outputs - self._fed):
            raise UsageError(
                f"No round of {self._set.name} is {ahead} transfers ahead.",
                why="it makes fewer, or waits for a check",
                mend="ask for fewer, of semi-honest parties",
            )
        self._ahead = ahead
        self._ready: tuple[Blocks, punctured.Leaves] | None = None
        delta = np.frombuffer(party.rng.bytes(BLOCK_BYTES), np.uint8).copy()
        delta[0] |= 1
        self.delta = delta
        source = softspoken.Sender(party, peer, k=TREE_DEPTH, security=security, delta=delta)
        rows = source.correlated(self._fed).rows.copy()
        rows[:, 0] &= _UPPER
        self._fed_by(rows)
        self._prepare()

    def correlated(self, count: int) -> SenderCorrelation:
        """The next `count` rows.

        Raises
        ------
        RemoteProtocolError
            The peer sent something else than is due.
        """
        rows, _ = self._take(count)
        self._prepare()
        different = self._party.recv(self._peer, Choices).bits
        if len(different):
            require(different, shape=(-(-count // 8),), dtype=np.uint8, sender=self._peer)
            bits = np.unpackbits(different, count=count, bitorder="little")
            for begin in range(0, count, TOGETHER):  # in place: nobody else has the rows
                here = slice(begin, begin + TOGETHER)
                masks = np.uint64(0) - bits[here].astype(np.uint64)
                for half, word in zip(rows[here].view(np.uint64).T, self.delta.view(np.uint64), strict=True):
                    np.bitwise_xor(half, masks & word, out=half)
        return SenderCorrelation(self.delta, rows)

    def _prepare(self) -> None:
        """Send the corrections of the next round, unless they are sent or what is left will do."""
        if self._ready is None and self._left < self._ahead:
            self._ready = self._make()

    def _next(self) -> tuple[Blocks, punctured.Leaves]:
        ready, self._ready = self._ready, None
        return self._make() if ready is None else ready

    def _make(self) -> tuple[Blocks, punctured.Leaves]:
        trees, spare = self._parts()
        keys = self._keys(self._peer)
        transfers = SenderCorrelation(self.delta, trees)
        if not self._malicious:
            later = punctured.own_later(self._party, self._peer, self._shape, keys, transfers)
            return keys[2], later
        none = np.empty((self._shape.trees, 0, BLOCK_BYTES), np.uint8)
        leaves = punctured.own(self._party, self._peer, self._shape, keys, transfers, none)
        element = ggm.pack(spare, check.SPARE)[0]
        check.prove(
            self._party,
            self._peer,
            keys,
            self.delta,
            element,
            lambda key: ggm.fold_marked(key, leaves[:, 0])[1],
        )
        return keys[2], self._whole(leaves)


class Receiver(_Source):
    """Supplies the receiver's halves; see :class:`Sender`."""

    def __init__(
        self, party: Party, peer: str, *, security: Security = "malicious", parameters: str = DEFAULT
    ) -> None:
        super().__init__(party, peer, security, parameters)
        made = softspoken.Receiver(party, peer, k=TREE_DEPTH, security=security).correlated(self._fed)
        rows = made.rows.copy()
        rows[:, 0] = rows[:, 0] & _UPPER | made.choices
        self._fed_by(rows)

    def correlated(self, count: int, choices: Bits | None = None) -> ReceiverCorrelation:
        """The next `count` rows, for `choices` (count,) of 0 and 1, or for fresh random ones.

        Raises
        ------
        RemoteProtocolError
            The peer deviated. Nothing is returned, and this object is of no further use.
        """
        wanted = None if choices is None else require_bits(choices, count)
        rows, bits = self._take(count)
        if wanted is None:
            self._party.send(self._peer, Choices(np.empty(0, np.uint8)))
            return ReceiverCorrelation(bits, rows)
        self._party.send(self._peer, Choices(np.packbits(bits ^ wanted, bitorder="little")))
        return ReceiverCorrelation(wanted, rows)

    def _next(self) -> tuple[Blocks, punctured.Leaves]:
        trees, spare = self._parts()
        keys = self._keys(self._party.name)
        transfers = ReceiverCorrelation(trees[:, 0] & _LOWEST, trees)
        later = punctured.lack_later(self._party, self._peer, self._shape, keys, transfers)
        if not self._malicious:
            return keys[2], later
        leaves = later(slice(None))
        factor = np.packbits(spare[:, 0] & 1, bitorder="little")
        element = np.stack([factor, ggm.pack(spare, check.SPARE)[0]])
        check.verify(self._party, self._peer, keys, element, lambda key: ggm.fold_marked(key, leaves[:, 0]))
        return keys[2], self._whole(leaves)
