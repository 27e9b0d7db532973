"""A holder without the label: adds up what it cannot read, by the bins of its own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError
from unseen.crypto.additive import PublicKey
from unseen.kernels.montgomery import Rows, Words
from unseen.learn.vertical.checkpoints import Keeper
from unseen.learn.vertical.trees.federated.exchange import (
    BINS,
    SUMS,
    WAYS,
    Chosen,
    Columns,
    Derivatives,
    Grown,
    Key,
    Members,
    Report,
    Sums,
    Ways,
    bits_of,
    first_trees,
    flags_of,
    spread,
)
from unseen.learn.vertical.trees.model import Codes, Settings, Splits
from unseen.learn.vertical.trees.packing import Packing
from unseen.party import Party
from unseen.party.messages import require


class Adder:
    """A holder that adds up ciphertexts by the bins of its own columns."""

    def __init__(
        self,
        party: Party,
        label_holder: str,
        codes: Codes,
        bins: Sequence[int],
        ways: Sequence[int],
        settings: Settings,
    ) -> None:
        self.party, self.label_holder, self.codes, self.bins = party, label_holder, codes, tuple(bins)
        self.settings, self.rows = settings, codes.shape[1]
        self.splits = Splits.none(settings.trees, settings.nodes)
        counts = [
            np.bincount(mine, minlength=count + 1) for mine, count in zip(codes, self.bins, strict=True)
        ]
        self.left_out = np.array([count.argmax() for count in counts], np.int64)
        facts = (np.array(self.bins, np.int64), self.left_out, np.array(ways, np.int64))
        told = (party.release(BINS, fact, to=(label_holder,), elements=len(fact)) for fact in facts)
        party.send(label_holder, Columns(*told))
        self.key = PublicKey.from_bytes(party.recv(label_holder, Key).key, sender=label_holder)
        self.packing = Packing.of(self.rows, self.key)
        self.key.prepare_full()

    def train(self, report: Report, keep: Keeper) -> Grown:
        """Add up, level by level, until the label holder says that it is enough."""
        classes = self.settings.classes
        done, held = keep.resume()
        if done:
            self.splits = Splits.restored(held)
        for tree in range(done * classes, self.settings.trees + 1):
            told = self.party.recv(self.label_holder, Derivatives)
            if not len(told.rows):
                return self._done(tree, told.trees.value)
            if tree == self.settings.trees:
                break
            self._grow(tree, self._received(told.rows))
            report(tree + 1, self.settings.trees)
            if (tree + 1) % classes == 0:
                keep.save((tree + 1) // classes, self.splits.stored())
        raise RemoteProtocolError(
            f"{self.label_holder} grows more trees than agreed.", party=self.label_holder
        )

    def _done(self, grown: int, kept: int) -> Grown:
        classes = self.settings.classes
        if not 0 < kept <= grown or kept % classes:
            raise RemoteProtocolError(
                f"{self.label_holder} keeps {kept} of {grown} trees.", party=self.label_holder
            )
        return Grown(first_trees(self.splits, kept), replace(self.settings, rounds=kept // classes))

    def _received(self, words: Words) -> Rows:
        shape = (self.rows, self.key.modulus.words)
        require(words, shape=shape, dtype=np.uint64, sender=self.label_holder)
        return spread(
            self.party, self.rows, lambda part: self.key.from_wire(words[part], sender=self.label_holder)
        )

    def _grow(self, tree: int, rows: Rows) -> None:
        where = Members(self.rows)
        for depth in range(self.settings.depth):
            start, width = 2**depth - 1, 2**depth
            self._tell_sums(rows, where)
            chosen = self.party.recv(self.label_holder, Chosen).splits.value
            self._take(tree, slice(start, start + width), chosen)
            answers = self.splits.left(self.codes, self.bins, tree, slice(start, start + width))
            mine = answers[where.place, np.arange(self.rows)]
            told = self.party.release(WAYS, bits_of(mine), to=(self.label_holder,), elements=self.rows)
            self.party.send(self.label_holder, Ways(told))
            if depth + 1 < self.settings.depth:
                left = self.party.recv(self.label_holder, Ways).left.value
                where.descend(flags_of(left, self.rows, self.label_holder))

    def _tell_sums(self, rows: Rows, where: Members) -> None:
        due = where.due()
        order, starts = self._members(where, due)
        sums = spread(
            self.party,
            len(starts) - 1,
            lambda part: self.key.sums(rows, order, starts[part.start : part.stop + 1]),
        )
        slots, bits = self.packing.slots, self.packing.slot
        groups = -(-len(sums) // slots)
        exponents = self.key.draw_full(self.party.rng, groups)

        def packed(part: slice) -> Words:
            mine = sums[part.start * slots : part.stop * slots]
            fresh = self.key.rerandomise(self.key.packed(mine, slots, bits), exponents[part])
            return self.key.to_wire(fresh)

        words = spread(self.party, groups, packed)
        told = self.party.release(SUMS, words, to=(self.label_holder,), elements=2 * len(sums))
        self.party.send(self.label_holder, Sums(told))

    def _members(self, where: Members, due: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows by column, due node and code but the one left out: all behind one another, and where each of these lots starts."""
        numbered = np.full(len(where.alive), -1, np.int64)
        numbered[due] = np.arange(len(due))
        within = numbered[where.place]
        inside = np.flatnonzero(within >= 0)
        within = within[inside]
        orders, counts = [np.zeros(0, np.int64)], [np.zeros(1, np.int64)]
        for codes, bins, left_out in zip(self.codes, self.bins, self.left_out, strict=True):
            mine = codes[inside]
            has = np.flatnonzero(mine != left_out)
            lot = within[has] * bins + mine[has] - (mine[has] > left_out)
            small = lot.astype(np.uint16) if len(due) * bins <= 1 << 16 else lot  # sorted much faster
            orders.append(inside[has[np.argsort(small, kind="stable")]])
            counts.append(np.bincount(lot, minlength=len(due) * bins))
        return np.concatenate(orders), np.cumsum(np.concatenate(counts))

    def _take(self, tree: int, nodes: slice, chosen: NDArray[np.int64]) -> None:
        require(chosen, shape=(3, nodes.stop - nodes.start), dtype=np.int64, sender=self.label_holder)
        column, last, missing_left = chosen
        most = np.array([*self.bins, 1])[np.clip(column, -1, len(self.bins))]
        fine = (column >= -1) & (column < len(self.bins)) & (last >= -1) & (last < most)
        if not (fine & (missing_left >= 0) & (missing_left <= 1)).all():
            raise RemoteProtocolError(
                f"{self.label_holder} chose a split that there is not.", party=self.label_holder
            )
        self.splits.column[tree, nodes] = column
        self.splits.bin[tree, nodes] = np.where(column < 0, 0, last)
        self.splits.missing_left[tree, nodes] = (column >= 0) & (missing_left == 1)
