"""Tallying with a helper: a holder's codes are masked once, and each vector of numbers once.

M is the one-hot matrix of holder p, which p knows; v = sum of v_q the numbers, of which each holder q has a share.

Once: the helper and p draw A from a seed; p gives D = M - A to the other holders.
Vectors: every holder q draws b_q with the helper, and the holders open e = v - b, where b is the sum of the b_q. Then

    M v = M (e + b_p)  +  sum over q != p of D b_q  +  A (b - b_p)

which p, each q and the helper know in this order; the helper deals shares of the last.
Choices: answers t of holder p are bits that it sends under bits r of the helper's, d = t ^ r. With z = r (b - b_p), which the
helper deals,

    t v = t (e + b_p)  +  sum over q != p of d b_q  +  (1 - 2 d) z.

Against whom
    Semi-honest parties, as the protocol. A masks M alone and is used for one M; b masks v alone and e is opened once; r and
    the dealt shares are fresh at every use. What a party receives is uniform: D, d, e, corrections. Who watches the caches of
    p learns codes of p: sums are added where the codes say.
Tables of codes, whose entries at a row's codes are summed (`spread`), are the same with M transposed.
Bytes
    Once n W to each other holder, W codes. Vectors: n from each holder to each other, and for `kept` n / 64 more, and n for
    each holder from the helper; sums cost W. (In words of 8 bytes.)

Source: protocol for products with an operand that is masked once, as :mod:`unseen.mpc.protocols.dealer.operands`; that its
owner knows it makes the product local, and a mask that one party less knows enough.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import amount
from unseen.core.errors import UnavailableError
from unseen.crypto.prg import SEED_BYTES, Prg
from unseen.kernels import additive as kernels
from unseen.kernels import matmul
from unseen.kernels.tally import tally
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.dealer.dealing import draw
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.mpc.shares import Share
from unseen.mpc.tally.blocks import Blocks, gathered, one_hot
from unseen.mpc.tally.rows import Answers, in_turn
from unseen.party import Masked, Message, require

IN_MEMORY_BYTES = 1 << 29


class MaskedCodes(Message, frozen=True, tag="mpc.tally.codes/1"):
    """One-hot codes of the sender for some rows, less a mask of its own and the helper's."""

    values: Masked


class MaskedAnswers(Message, frozen=True, tag="mpc.tally.answers/1"):
    """Answers of the sender under bits of its own and the helper's, eight to the byte."""

    hidden: Masked


class DealerTally:
    """See the module."""

    def __init__(self, protocol: Dealer, mine: NDArray[np.uint16] | None, blocks: Blocks) -> None:
        self.protocol = protocol
        self.mine = mine
        self.blocks = blocks
        self.seeds: dict[str, list[bytes]] = {}
        self._held: dict[str, list[Ring]] = {}
        self._ready: list[Mask] = []
        for name in blocks.names:
            self._agree(name)
        self._mask()

    def _agree(self, owner: str) -> None:
        """The owner and the helper draw seeds of A; others make room for D."""
        protocol, blocks = self.protocol, self.blocks
        pieces, width = blocks.pieces(owner), blocks.width(owner)
        supply, me = protocol.dealing.supply, protocol.party.name
        supply.note(f"mask of codes of {owner}", (width, blocks.rows), np.uint64)
        if me in (owner, protocol.helper):
            rng = supply.rng(owner if me == protocol.helper else protocol.helper)
            self.seeds[owner] = [rng.bytes(SEED_BYTES) for _ in pieces]
        elif protocol.holds:
            self._held[owner] = room(pieces, width)

    def _mask(self) -> None:
        """Give D, piece by piece: all owners in turn, so that no piece waits for long at a sender."""
        protocol, blocks = self.protocol, self.blocks
        party = protocol.party
        if not protocol.holds:
            return
        most = max((len(blocks.pieces(owner)) for owner in blocks.names), default=0)
        for place in range(most):
            owners = [owner for owner in blocks.names if place < len(blocks.pieces(owner))]
            if party.name in owners:
                message = MaskedCodes(self._masked(place))
                for peer in protocol.peers:
                    party.send(peer, message)
            for owner in owners:
                if owner != party.name:
                    held = self._held[owner][place]
                    values = party.recv(owner, MaskedCodes).values
                    require(values, shape=held.shape, dtype=np.uint64, sender=owner)
                    held[:] = values

    def _masked(self, place: int) -> Ring:
        """D of some rows, at the owner."""
        assert self.mine is not None  # checked by the blocks
        name = self.protocol.party.name
        masked = one_hot(self.mine[:, self.blocks.pieces(name)[place]], self.blocks.width(name))
        masked -= Prg(self.seeds[name][place]).u64(masked.shape)
        return masked

    def prepare(self, vectors: int) -> None:
        """Draw masks, and multiply the masked codes with them: one product for all."""
        protocol, masks = self.protocol, self._masks((vectors, self.blocks.rows))
        products = {}
        for owner in self.blocks.names:
            parts = [mask for name, mask in masks.items() if name != owner]
            shape_of = (vectors, self.blocks.width(owner))
            made = self._of_masks(owner, reduce(np.add, parts)) if parts else np.zeros(shape_of, np.uint64)
            products[owner] = protocol.dealing.dealt(shape_of, made.copy) + made
        for vector in range(vectors):
            self._ready.append(
                Mask(
                    {name: mask[vector] for name, mask in masks.items()},
                    {name: product[vector] for name, product in products.items()},
                )
            )

    def spread(self, entries: Share) -> Share:
        """The same with the matrices transposed: M^T v, where v has an entry for each code."""
        protocol, shape = self.protocol, entries.shape[1:]
        masks = self._masks(shape)
        opened = np.zeros(shape, np.uint64)
        if protocol.holds:
            opened = protocol.open_values(entries[0] - masks[protocol.party.name])
        total = np.zeros((1, shape[0], self.blocks.rows), np.uint64)
        for owner in self.blocks.names:
            block = self.blocks.block(owner)
            dealt = protocol.dealing.dealt(total.shape[1:], partial(self._spread, owner, masks))
            if not protocol.holds:
                continue
            total[0] += dealt
            if owner == protocol.party.name:
                assert self.mine is not None  # checked by the blocks
                total[0] += gathered((opened + masks[owner])[:, block], self.mine)
            else:
                total[0] += self._spread(owner, masks)
        return total

    def _spread(self, owner: str, masks: dict[str, Ring]) -> Ring:
        """A^T (b - b_p) at the helper, D^T b at another holder: shape (vectors, rows)."""
        parts = [mask for name, mask in masks.items() if name != owner]
        entries = np.ascontiguousarray(reduce(np.add, parts)[:, self.blocks.block(owner)])
        made = [
            matmul(entries, self._matrix(owner, place)) for place, _ in enumerate(self.blocks.pieces(owner))
        ]
        return np.concatenate(made, axis=1)

    def _masks(self, shape: tuple[int, ...]) -> dict[str, Ring]:
        """Fresh masks: this holder's own, at the helper those of all."""
        protocol, supply = self.protocol, self.protocol.dealing.supply
        supply.note("masks of vectors", shape, np.uint64)
        if protocol.holds:
            return {protocol.party.name: draw(supply.rng(protocol.helper), shape, np.uint64)}
        return {name: draw(supply.rng(name), shape, np.uint64) for name in protocol.holders}

    def _matrix(self, owner: str, place: int) -> Ring:
        """D of some rows at a holder, A at the helper."""
        if self.protocol.holds:
            return self._held[owner][place]
        piece = self.blocks.pieces(owner)[place]
        return Prg(self.seeds[owner][place]).u64((self.blocks.width(owner), piece.stop - piece.start))

    def take(self, values: Share) -> Opened:
        """Open them under a mask of every holder's."""
        protocol, vectors = self.protocol, values.shape[1]
        if len(self._ready) < vectors:
            self.prepare(vectors - len(self._ready))
        masks, self._ready = self._ready[:vectors], self._ready[vectors:]
        numbers = {name: np.stack([one.numbers[name] for one in masks]) for name in masks[0].numbers}
        products = {name: np.stack([one.products[name] for one in masks]) for name in masks[0].products}
        opened = np.zeros(values.shape[1:], np.uint64)
        if protocol.holds:
            opened = protocol.open_values(values[0] - numbers[protocol.party.name])
        return Opened(self, numbers, products, opened)

    def _of_masks(self, owner: str, vectors: Ring) -> Ring:
        """A b for the helper's A, D b for another holder's D: shape (vectors, width)."""
        blocks, width = self.blocks, self.blocks.width(owner)
        total = np.zeros((width, len(vectors)), np.uint64)
        for place, piece in enumerate(blocks.pieces(owner)):
            total += matmul(self._matrix(owner, place), np.ascontiguousarray(vectors[:, piece].T))
        return np.ascontiguousarray(total.T)


@dataclass(frozen=True, slots=True)
class Mask:
    """Of one vector to come: numbers (rows) of this holder, at the helper of all; this party's parts of M b (codes), by owner."""

    numbers: dict[str, Ring]
    products: dict[str, Ring]


@dataclass(frozen=True, slots=True)
class Opened:
    """Vectors v of which e = v - b is open to the holders.

    `masks` has at a holder its own b_q, at the helper those of all holders; `products` what this party has of M (b - b_p), by
    owner p; `opened` is e (zeros at the helper).
    """

    tally: DealerTally
    masks: dict[str, Ring]
    products: dict[str, Ring]
    opened: Ring

    def _others(self, owner: str) -> Ring:
        """At the helper, b - b_p."""
        parts = [mask for name, mask in self.masks.items() if name != owner]
        return reduce(np.add, parts)

    def sums(self) -> Share:
        """See the module."""
        tallied, protocol = self.tally, self.tally.protocol
        parts = []
        for owner in tallied.blocks.names:
            part = self.products[owner] if protocol.holds else np.zeros_like(self.products[owner])
            if protocol.party.name == owner:
                assert tallied.mine is not None  # checked by the blocks
                known = np.ascontiguousarray((self.opened + self.masks[owner]).T)
                part = part + tally(tallied.mine, known, tallied.blocks.width(owner)).T
            parts.append(part)
        return np.concatenate(parts, axis=1)[None]

    def kept(self, answers: Answers | None) -> Share:
        """See the module."""
        protocol, shape = self.tally.protocol, self.opened.shape
        deal, party, count = protocol.dealing, protocol.party, self.opened.size
        total = np.zeros(shape, np.uint64)
        masks, dealt = {}, {}
        for owner in self.tally.blocks.names:
            masks[owner] = deal.private_bits(owner, count)
            dealt[owner] = deal.dealt(shape, partial(self._chosen, masks[owner], owner))
        if not protocol.holds:
            return total[None]
        mine, me = self.masks[party.name], party.name
        if me in masks:
            assert answers is not None  # a holder with columns has answers
            hidden = np.packbits(answers.reshape(-1), bitorder="little") ^ masks[me]
            for peer in protocol.peers:
                party.send(peer, MaskedAnswers(hidden))
            total += np.where(answers, self.opened + mine, np.uint64(0))
            total += _signed(hidden, dealt[me])
        for owner, mask in masks.items():
            if owner == me:
                continue
            hidden = party.recv(owner, MaskedAnswers).hidden
            require(hidden, shape=mask.shape, dtype=np.uint8, sender=owner)
            total += _words(hidden, shape) * mine
            total += _signed(hidden, dealt[owner])
        return total[None]

    def _chosen(self, bits: NDArray[np.uint8], owner: str) -> Ring:
        """At the helper, z."""
        return _words(bits, self.opened.shape) * self._others(owner)

    def less(self, other: Opened) -> Opened:
        """Numbers, masks and what is open are linear."""
        return self._mapped(lambda mine, theirs: mine - theirs, [other])

    def beside(self, other: Opened) -> Opened:
        """Vectors of this and of the other in turn."""
        return self._mapped(in_turn, [other])

    def _mapped(self, change: Callable[..., Ring], others: Sequence[Opened]) -> Opened:
        masks, products = (
            {
                name: change(mine, *(getattr(other, kind)[name] for other in others))
                for name, mine in getattr(self, kind).items()
            }
            for kind in ("masks", "products")
        )
        return Opened(self.tally, masks, products, change(self.opened, *(other.opened for other in others)))


def _words(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> Ring:
    bits = np.unpackbits(packed, count=int(np.prod(shape)), bitorder="little")
    return bits.astype(np.uint64).reshape(shape)


def _signed(hidden: NDArray[np.uint8], dealt: Ring) -> Ring:
    """(1 - 2 d) z."""
    return kernels.lifted_bits(dealt.reshape(-1), hidden, leads=False).reshape(dealt.shape)


def room(pieces: Sequence[slice], width: int) -> list[Ring]:
    """Room for a masked matrix, by pieces: in memory, or in a file without a name where it is large.

    Masked, it tells nothing: so the file is as good as the messages that it came in. All of it is set aside at once: a map of a
    file that the disk has no room for would kill the process where it is written.

    Raises
    ------
    UnavailableError
        The disk is too small.
    """
    shapes = [(width, piece.stop - piece.start) for piece in pieces]
    if sum(8 * width * count for _, count in shapes) <= IN_MEMORY_BYTES:
        return [np.empty(shape, np.uint64) for shape in shapes]
    size = sum(8 * width * count for _, count in shapes)
    try:
        with tempfile.TemporaryFile() as file:
            set_aside(file.fileno(), size)
            starts = [8 * width * piece.start for piece in pieces]
            return [
                np.memmap(file, np.uint64, "r+", offset=start, shape=shape)
                for start, shape in zip(starts, shapes, strict=True)
            ]
    except OSError as error:
        raise UnavailableError(
            f"There is no room for {amount(size)} of temporary files in {tempfile.gettempdir()}.",
            why=str(error.strerror),
            mend="free space on its disk, or let temporary files go to another one: jobs.scratch in node.toml, TMPDIR elsewhere",
        ) from error


def set_aside(handle: int, size: int) -> None:
    """Make an empty file `size` bytes long, and have the disk keep them for it."""
    if sys.platform != "darwin":
        os.posix_fallocate(handle, 0, size)
        return
    chunk = bytes(1 << 20)
    for start in range(0, size, len(chunk)):
        os.pwrite(handle, chunk[: size - start], start)
