"""The holder of the label: encrypts derivatives, reads sums, chooses splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError
from unseen.crypto.additive import SecretKey
from unseen.kernels.montgomery import Words
from unseen.learn.prepare.cuts import MOST_BINS
from unseen.learn.vertical.checkpoints import Keeper
from unseen.learn.vertical.trees import objectives, search
from unseen.learn.vertical.trees.federated.exchange import (
    MEMBERS,
    SPLITS,
    STOP,
    Chosen,
    Columns,
    Derivatives,
    EarlyStop,
    Floats,
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
from unseen.learn.vertical.trees.packing import Packing, quantised
from unseen.learn.vertical.trees.search import Best, Level
from unseen.party import Message, Party
from unseen.party.messages import require


class Leader:
    """The label holder: encrypts derivatives, reads sums, chooses splits."""

    def __init__(
        self,
        party: Party,
        holders: Sequence[str],
        codes: Codes,
        bins: Sequence[int],
        ways: Sequence[int],
        settings: Settings,
        secret: SecretKey,
    ) -> None:
        self.party, self.holders, self.codes, self.bins = party, tuple(holders), codes, tuple(bins)
        self.others = tuple(holder for holder in holders if holder != party.name)
        self.settings, self.rows, self.secret, self.key = settings, codes.shape[1], secret, secret.public
        self.packing = Packing.of(self.rows, self.key)
        self.key.prepare(self.packing.message_bits)
        for other in self.others:
            party.send(other, Key(self.key.to_bytes()))
        self.widths, self.left_out = {party.name: self.bins}, dict[str, NDArray[np.int64]]()
        told = {party.name: np.array(ways, np.int64)}
        for other in self.others:
            self.widths[other], self.left_out[other], told[other] = self._columns_of(other)
        self.splits = Splits.none(settings.trees, settings.nodes)
        self.gains = {holder: np.zeros((settings.trees, len(self.widths[holder]))) for holder in self.holders}
        self.columns = {}
        first = 0
        for holder in self.holders:
            self.columns[holder] = slice(first, first + len(self.widths[holder]))
            first += len(self.widths[holder])
        self.ways = np.concatenate([told[holder] for holder in self.holders])

    def _columns_of(self, other: str) -> tuple[tuple[int, ...], NDArray[np.int64], NDArray[np.int64]]:
        told = self.party.recv(other, Columns)
        bins, left_out, ways = told.bins.value, told.left_out.value, told.ways.value
        fits = (
            bins.ndim == 1
            and bins.shape == left_out.shape == ways.shape
            and {bins.dtype, left_out.dtype, ways.dtype} == {np.dtype(np.int64)}
        )
        if not fits or not ((bins >= 1) & (bins <= MOST_BINS) & (left_out >= 0) & (left_out <= bins)).all():
            raise RemoteProtocolError(f"{other} has impossible bins.", party=other)
        if not np.isin(ways, (-1, 0, 1)).all():
            raise RemoteProtocolError(f"{other} has columns that are monotone in no known way.", party=other)
        return tuple(int(count) for count in bins), left_out, ways

    def train(
        self,
        labels: Floats,
        report: Report,
        keep: Keeper,
        *,
        seen: NDArray[np.bool_] | None,
        columns: NDArray[np.bool_] | None,
        stop: EarlyStop | None,
    ) -> Grown:
        """All trees; parameters as those of :func:`unseen.learn.vertical.trees.federated.fit`."""
        settings = self.settings
        learned = np.ones(self.rows, bool) if stop is None else ~stop.held_out
        weights = np.zeros((settings.trees, 2**settings.depth))
        scores = np.full((settings.classes, self.rows), settings.base_score)
        losses: list[float] = []
        done, held = keep.resume()
        if done:
            scores, weights, losses = held["scores"], held["weights"], held["losses"].tolist()
            self.splits = Splits.restored(held)
            self.gains = {holder: held[f"gains {holder}"] for holder in self.holders}
        while done < settings.rounds and not _enough(losses, stop):
            gradients = objectives.derivatives(scores, labels, settings.objective)
            for kind, tree in enumerate(range(done * settings.classes, (done + 1) * settings.classes)):
                used = learned if seen is None else learned & seen[tree]
                pair = np.stack([gradient[kind] * used for gradient in gradients])
                allowed = np.ones(len(self.ways), bool) if columns is None else columns[tree]
                leaf, weights[tree] = self._grow(tree, pair, allowed)
                scores[kind] += weights[tree][leaf]
                report(tree + 1, settings.trees)
            if stop is not None:
                out = stop.held_out
                losses.append(objectives.loss(scores[:, out], labels[out], settings.objective))
            done += 1
            state = {"scores": scores, "weights": weights, "losses": np.array(losses, np.float64)}
            gained = {f"gains {holder}": table for holder, table in self.gains.items()}
            keep.save(done, {**state, **gained, **self.splits.stored()})
        rounds = int(np.argmin(losses)) + 1 if losses else settings.rounds
        kept = rounds * settings.classes
        nothing = np.zeros((0, self.key.modulus.words), np.uint64)
        self._tell(Derivatives(nothing, self.party.release(STOP, kept, to=self.others, elements=1)))
        gains = {holder: table[:kept].sum(axis=0) for holder, table in self.gains.items()}
        settings = replace(settings, rounds=rounds)
        return Grown(first_trees(self.splits, kept), settings, weights[:kept], gains, tuple(losses))

    def _tell(self, message: Message) -> None:
        for other in self.others:
            self.party.send(other, message)

    def _encrypted(self, codes: NDArray[np.int64]) -> Words:
        packing, key = self.packing, self.key
        numbers, exponents = packing.words(codes), key.draw_short(self.party.rng, self.rows)

        def encrypted(part: slice) -> Words:
            rows = key.encrypt(
                numbers[part], exponents[part], message_bits=packing.message_bits, minus=packing.offset
            )
            return key.to_wire(rows)

        return spread(self.party, self.rows, encrypted)

    def _grow(self, tree: int, pair: Floats, allowed: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """One tree; the leaf of each row, and the weights."""
        settings, party = self.settings, self.party
        codes, units = quantised(pair, party.output_rng)
        words = self._encrypted(codes)
        self._tell(Derivatives(words, party.release(STOP, 0, to=self.others, elements=1)))
        where, level = Members(self.rows), Level.root(pair.sum(axis=1)[:, None])
        above: dict[str, list[NDArray[np.int64]]] = {}
        for depth in range(settings.depth):
            start, width = 2**depth - 1, 2**depth
            found = {party.name: self._best(party.name, self._own(where, pair, width), level, allowed)}
            totals = _sums(codes.astype(np.float64), where.place, width)
            for other in self.others:
                above[other] = self._read(other, where, above.get(other), totals)
                tables = [table * units[:, None, None] for table in above[other]]
                theirs = Level(totals * units[:, None], level.low, level.high)
                found[other] = self._best(other, tables, theirs, allowed)
            left, ways = self._choose(tree, start, found, where)
            where.descend(left)
            if depth + 1 < settings.depth:
                told = party.release(MEMBERS, bits_of(left), to=self.others, elements=self.rows)
                self._tell(Ways(told))
            level = search.children(level, _sums(pair, where.place, 2 * width), ways, settings)
        made = search.weights(level.sums, settings, level.low, level.high)
        return where.place, settings.learning_rate * made

    def _own(self, where: Members, pair: Floats, width: int) -> list[Floats]:
        """Sums by node and bin of the own columns, (2, nodes, bins + 1) each."""

        def table(column: int) -> Floats:
            size = self.bins[column] + 1
            lots = where.place * size + self.codes[column]
            return _sums(pair, lots, width * size).reshape(2, width, size)

        return self.party.pool.map(table, range(len(self.bins)))

    def _best(self, holder: str, tables: list[Floats], level: Level, allowed: NDArray[np.bool_]) -> Best:
        mine = self.columns[holder]
        return search.best_splits(tables, level, self.settings, ways=self.ways[mine], allowed=allowed[mine])

    def _read(
        self, other: str, where: Members, above: list[NDArray[np.int64]] | None, totals: Floats
    ) -> list[NDArray[np.int64]]:
        """Codes summed up by node and bin, missing values last, of the other's columns: (2, nodes, bins + 1) each."""
        bins, due, nodes = self.widths[other], where.due(), len(where.alive)
        count = len(due) * sum(bins)
        groups = -(-count // self.packing.slots)
        words = self.party.recv(other, Sums).packed.value
        require(words, shape=(groups, self.key.modulus.words), dtype=np.uint64, sender=other)
        most = self.packing.slots * self.packing.slot
        each = max(-(-groups // self.party.pool.workers), 1)
        parts = [words[at : at + each] for at in range(0, groups, each)]
        read = self.party.pool.map(lambda part: self.secret.decrypt(part, bits=most, sender=other), parts)
        numbers = [number for part in read for number in part]
        sums = self.packing.sums(numbers, count)
        tables, first = [], 0
        for column, size in enumerate(bins):
            table = np.zeros((2, nodes, size + 1), np.int64)
            told = sums[:, first : first + len(due) * size].reshape(2, len(due), size)
            rest = totals[:, due].astype(np.int64) - told.sum(axis=2)
            table[:, due] = np.insert(told, self.left_out[other][column], rest, axis=2)
            if above is not None:
                table[:, due ^ 1] = above[column][:, due // 2] - table[:, due]
            tables.append(table)
            first += len(due) * size
        if any((table[1] < 0).any() for table in tables):
            raise RemoteProtocolError(f"{other} sent sums that cannot be.", party=other)
        return tables

    def _choose(
        self, tree: int, start: int, found: dict[str, Best], where: Members
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which rows go left, and the way of the column that each node is split on."""
        party, width = self.party, len(where.alive)
        nodes = slice(start, start + width)
        gains = np.stack([found[holder].gain for holder in self.holders])
        winner = np.where((gains.max(axis=0) > 0) & where.alive, search.first_of_largest(gains.T), -1)
        ways = np.zeros(width, np.int64)
        answers = np.zeros(self.rows, bool)
        for index, holder in enumerate(self.holders):
            best, wins = found[holder], winner == index
            column = np.where(wins, best.column, -1)
            if len(self.widths[holder]):
                ways[wins] = self.ways[self.columns[holder]][best.column[wins]]
                np.add.at(self.gains[holder][tree], best.column[wins], best.gain[wins])
            if holder != party.name:
                splits = np.stack([column, np.where(wins, best.bin, 0), wins & best.missing_left])
                told = party.release(SPLITS, splits.astype(np.int64), to=(holder,), elements=3 * width)
                party.send(holder, Chosen(told))
                continue
            self.splits.column[tree, nodes] = column
            self.splits.bin[tree, nodes] = np.where(wins, best.bin, 0)
            self.splits.missing_left[tree, nodes] = wins & best.missing_left
            left = self.splits.left(self.codes, self.bins, tree, nodes)
            answers |= left[where.place, np.arange(self.rows)]
        for other in self.others:
            theirs = flags_of(party.recv(other, Ways).left.value, self.rows, other)
            if (theirs & (winner[where.place] != self.holders.index(other))).any():
                raise RemoteProtocolError(f"{other} answers for nodes that are not its own.", party=other)
            answers |= theirs
        return answers, ways


def _enough(losses: list[float], stop: EarlyStop | None) -> bool:
    """Whether so many rounds as wanted came after the best one."""
    return stop is not None and bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= stop.patience


def _sums(pair: Floats, lots: NDArray[np.int64], size: int) -> Floats:
    """Sums (2, size) of derivatives (2, rows) by lot."""
    return np.stack([np.bincount(lots, values, minlength=size) for values in pair])
