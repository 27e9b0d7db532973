"""Boosted trees in secret shares: derivatives, sums, gains, weights and the way of every row stay secret (纵向梯度提升树).

Grows the trees of :mod:`.plain` (XGBoost's `hist` on the same codes), up to fixed-point rounding of gains.

What is told
    Each holder, unless `hide`: its own splits, that is which node takes which of its columns, bin and way of missing values; at a node that is
    not its own, that it is not. With two holders, that says that the node is the other's or has no split. Nobody else learns a
    holder's splits, and nobody sums, gains, weights, scores, or which rows are where. A holder does know where its own
    splits send rows that reach the node.
    All: numbers of rows, columns and bins, and which columns lack values (:mod:`.bins`). With :class:`Watch`, after every round
    the mean loss of the rows set aside.
Security
    Otherwise that of the engine's protocol and of :mod:`unseen.mpc.tally`.
Method
    A level at a time: sums by bin for the left children (the right ones' are the difference), gains of all candidates of all
    nodes at once, the largest by comparing within groups, its place to its owner; then the owners' answers keep the
    derivatives of the rows that go left. Leaves of rows are looked up by two one-hot halves of their places.
Rounds
    About 90 a level and 80 a tree; more where 1/sqrt and sigmoids are taken in pieces, and where more candidates are searched.

Sources: Chen and Guestrin, "XGBoost" (KDD 2016); Fang et al., "Large-scale Secure XGB for Vertical Federated Learning" (CIKM
2021) for trees on shares; packing, products and search are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.checkpoints import FORGETFUL, SecretKeeper
from unseen.learn.vertical.trees import gains, hidden, importance, monotone, told
from unseen.learn.vertical.trees.bins import Bins, Candidates, candidates
from unseen.learn.vertical.trees.gains import Scale, Sums
from unseen.learn.vertical.trees.grown import Grown
from unseen.learn.vertical.trees.importance import Measure
from unseen.learn.vertical.trees.model import Codes, Settings, Splits
from unseen.learn.vertical.trees.monotone import Bounds
from unseen.mpc import Engine, SecretArray, planes, softmax
from unseen.mpc.functions.compare import clip
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.shares import Planes, Share
from unseen.mpc.tally import Taken, Tally, open_tally
from unseen.mpc.tally.rows import in_turn

Report = Callable[[int, int], None]
_VECTORS, _NUMBERS = 64, 1 << 25
LOSS = "loss"
_LISTS = ("tables", "gained")


@dataclass(frozen=True, slots=True)
class Watch:
    """When to stop: after `patience` rounds in which the loss of rows set aside was not less than ever before.

    The loss is the mean of (p - y)^2, summed over classes, or of squared errors of "squared". All parties are told it after every
    round but the last (disclosure "loss"). Trees after the best round are dropped.

    Attributes
    ----------
    rows
        Rows that no tree is grown on, shape (rows,), known to all.
    patience
        At least 1.
    """

    rows: NDArray[np.bool_]
    patience: int


def fit(
    engine: Engine,
    codes: Codes | None,
    bins: Bins,
    labels: SecretArray,
    settings: Settings,
    *,
    rows: NDArray[np.bool_] | None = None,
    columns: NDArray[np.bool_] | None = None,
    weights: SecretArray | None = None,
    start: SecretArray | None = None,
    watch: Watch | None = None,
    hide: bool = False,
    measure: bool = False,
    report: Report = lambda _done, _total: None,
    keep: SecretKeeper = FORGETFUL,
) -> Grown:
    """Grow trees.

    Parameters
    ----------
    codes
        Of this holder's columns, shape (columns, rows), 0 to bins - 1, and bins where the value is missing.
    labels
        Shape (classes, rows): 0 and 1 (one-hot of several classes), or numbers with mean 0 and deviation 1.
    rows, columns
        Which ones each tree sees, known to all, shape (trees, rows) and (trees, columns of all holders); None: all.
    weights
        Of rows, shape (rows,): 0 to :data:`.gains.MOST_WEIGHT`, on average at most 1. None: 1 each.
    start
        Scores (classes, rows) to go on from, of an earlier model; its trees are not among those that are grown. None: `base_score`.
    watch
        When to stop early; there are fewer trees than asked for then. The loss has no weights.
    hide
        Tell nobody any split.
    measure
        Work out the gains by column; nobody is told.
    report
        Called after each tree with (done, total).
    keep
        Where trees and scores are stored after a round.
    """
    scale = Scale.of(bins.rows, settings, weighted=weights is not None)
    forest = _Forest(engine, codes, bins, settings, scale, hide=hide, measure=measure)
    scores = engine.lift(np.full((settings.classes, bins.rows), settings.base_score))
    scores = scores if start is None else start
    leaves: list[SecretArray] = []
    losses: list[float] = []
    done, held = keep.resume()
    if done:
        scores, losses = held["scores"], keep.own["losses"].tolist()
        leaves = [held["leaves"][place] for place in range(done * settings.classes)]
        forest.go_on(done * settings.classes, held, keep.own)
    for tree in range(done * settings.classes, settings.trees):
        kind = tree % settings.classes
        if kind == 0:
            words, errors = _derivatives(engine, scores, labels, settings, scale, weights)
            made: list[SecretArray] = []
            if watch is not None and tree:
                losses.append(_loss(engine, errors, watch.rows))
                if len(losses) - int(np.argmin(losses)) > watch.patience:
                    break
        seen = words[kind : kind + 1]
        mask = _mask(None if rows is None else rows[tree], watch)
        if mask is not None:
            seen = engine.number(seen.share * mask, 0)
        allowed = None if columns is None else columns[tree]
        places, weight = forest.grow(tree, seen, allowed)
        leaves.append(weight)
        if tree + settings.classes < settings.trees:
            made.append(looked_up(engine, places, weight, bins.rows))
            if kind == settings.classes - 1:
                scores = scores + engine.number(np.stack([one.share for one in made], axis=1), engine.bits)
        report(tree + 1, settings.trees)
        if kind == settings.classes - 1:
            state = {"scores": scores, "leaves": _stacked(leaves), **forest.secrets()}
            keep.save(
                tree // settings.classes + 1, state, {"losses": np.array(losses, np.float64), **forest.own()}
            )
    tables, gained = (_stacked(some) if some else None for some in (forest.tables, forest.gained))
    grown = Grown(forest.splits, _stacked(leaves), tuple(losses), tables, gained)
    stopped = len(leaves) < settings.trees
    return grown.first(settings.classes * (int(np.argmin(losses)) + 1)) if stopped else grown


def _stacked(some: Sequence[SecretArray]) -> SecretArray:
    """Secrets of one shape, of each tree, as one."""
    return some[0].engine.number(np.stack([one.share for one in some], axis=1), some[0].bits)


def _mask(rows: NDArray[np.bool_] | None, watch: Watch | None) -> NDArray[np.uint64] | None:
    """1 for the rows that a tree is grown on; None: all."""
    if watch is not None:
        rows = ~watch.rows if rows is None else rows & ~watch.rows
    return None if rows is None else rows.astype(np.uint64)


def _loss(engine: Engine, errors: SecretArray, rows: NDArray[np.bool_]) -> float:
    """Tell all parties the mean square of the errors (classes, rows) of some rows."""
    some = np.ascontiguousarray(errors.share[:, :, rows]).reshape(len(errors.share), -1, 1)
    total = engine.number(engine.protocol.inner(some, some), 2 * errors.bits)
    mean = engine.reveal(LOSS, total, to=engine.protocol.party.everyone)
    assert mean is not None  # it is for everyone
    return float(mean[0]) / max(1, int(rows.sum()))


def scores(
    engine: Engine,
    grown: Grown,
    codes: Codes | None,
    missing: Sequence[int],
    settings: Settings,
    *,
    holders: Sequence[str],
    rows: int,
) -> SecretArray:
    """Scores (classes, rows) of other rows. Nothing is told: answers, ways and weights stay secret.

    Parameters
    ----------
    missing
        For each own column the code of a missing value.
    holders
        Those with columns.
    """
    total = [engine.lift(np.full(rows, settings.base_score)) for _ in range(settings.classes)]
    for tree in range(len(grown.weights)):
        here = _everywhere(engine, rows)
        for depth in range(settings.depth):
            nodes = slice(2**depth - 1, 2 ** (depth + 1) - 1)
            mine = None
            if grown.splits is not None and codes is not None:
                mine = grown.splits.left(codes, missing, tree, nodes)
            here = _parted(engine, here, answered(engine, mine, holders, (2**depth, rows)))
        kind = tree % settings.classes
        total[kind] = total[kind] + looked_up(engine, here, grown.weights[tree], rows)
    return engine.number(np.stack([one.share for one in total], axis=1), engine.bits)


def hidden_scores(
    engine: Engine,
    grown: Grown,
    codes: Codes | None,
    widths: Mapping[str, Sequence[int]],
    settings: Settings,
    *,
    rows: int,
) -> SecretArray:
    """:func:`scores` by trees whose splits are hidden; `widths` as in training (:class:`.bins.Bins`)."""
    assert grown.tables is not None  # asked only then
    mine = widths.get(engine.protocol.party.name, ())
    own = hidden.known_codes(codes, mine) if codes is not None and len(mine) else None
    tally = open_tally(engine, own, widths, rows=rows)
    total = [engine.lift(np.full(rows, settings.base_score)) for _ in range(settings.classes)]
    for tree in range(len(grown.weights)):
        sides = hidden.low_bits(tally.spread(grown.tables[tree]))
        here = _everywhere(engine, rows)
        for depth in range(settings.depth):
            here = _parted(engine, here, sides[:, 2**depth - 1 : 2 ** (depth + 1) - 1])
        kind = tree % settings.classes
        total[kind] = total[kind] + looked_up(engine, here, grown.weights[tree], rows)
    return engine.number(np.stack([one.share for one in total], axis=1), engine.bits)


def probabilities(scores: SecretArray, settings: Settings) -> SecretArray:
    """What scores (classes, rows) stand for."""
    if settings.objective == "binary":
        return sigmoid(scores, precise=True)
    return softmax(scores, axis=0) if settings.objective == "softmax" else scores


def _derivatives(
    engine: Engine,
    scores: SecretArray,
    labels: SecretArray,
    settings: Settings,
    scale: Scale,
    weights: SecretArray | None,
) -> tuple[SecretArray, SecretArray]:
    """Packed derivatives (classes, rows), and the first ones by themselves, without weights."""
    guessed = probabilities(scores, settings)  # a quick sigmoid tips choices between splits
    first = guessed - labels
    if settings.objective == "squared":
        if weights is None:
            ones = engine.lift(np.ones(first.shape), scale.second)
            return gains.packed(engine, engine.truncate(first, scale.first), ones), first
        each = weights.reshape(1, -1)
        weighted = gains.times(engine, first, each, scale.first)
        return gains.packed(engine, weighted, engine.truncate(each, scale.second)), first
    flat = [np.ascontiguousarray(one.share).reshape(len(one.share), -1) for one in (guessed, 1 - guessed)]
    one: Share = first.share.reshape(flat[0].shape)
    doubled = settings.objective == "softmax"  # the second derivatives
    if weights is None:
        drop = 2 * engine.bits - scale.second - doubled
        one, other = one << np.uint64(scale.first + drop - engine.bits), engine.protocol.multiply(*flat)
    else:
        drop = 2 * engine.bits - scale.first
        both = np.concatenate([one, engine.protocol.multiply(*flat, drop=engine.bits)], axis=1)
        rows = np.tile(weights.share, (1, both.shape[1] // weights.size))
        one, other = np.split(engine.protocol.multiply(both, rows), 2, axis=1)
        other = other << np.uint64(scale.second + doubled - scale.first)
    cut = engine.protocol.truncate(np.concatenate([one, other], axis=1), drop)
    parts = (engine.number(part.reshape(first.share.shape), 0) for part in np.split(cut, 2, axis=1))
    return gains.packed(engine, *parts), first


class _Forest:
    """What all trees have in common."""

    def __init__(
        self,
        engine: Engine,
        codes: Codes | None,
        bins: Bins,
        settings: Settings,
        scale: Scale,
        *,
        hide: bool,
        measure: bool,
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.scale = scale
        self.bins = bins
        self.codes = codes
        self.choices = candidates(bins)
        self.tally: Tally = open_tally(engine, codes, bins.widths, rows=bins.rows)
        me = engine.protocol.party.name
        self.missing = bins.bins.get(me, ())
        self.owners = tuple(name for name, each in bins.bins.items() if each)  # others have nothing to answer
        self.first_width = next(each[0] for each in bins.widths.values() if each)
        self.hide = hide
        self.measure = measure
        self.tables: list[SecretArray] = []  # of each tree, where splits are hidden
        self.gained: list[SecretArray] = []  # of each tree, where they are measured
        tells = bool(bins.bins.get(me)) and not hide
        self.splits = Splits.none(settings.trees, settings.nodes) if tells else None
        self.begun = 0

    def secrets(self) -> dict[str, SecretArray]:
        """What a checkpoint holds of the trees so far, in shares."""
        lists = zip(_LISTS, (self.tables, self.gained), strict=True)
        return {name: _stacked(some) for name, some in lists if some}

    def own(self) -> dict[str, NDArray[Any]]:
        """What it holds of them at this party alone."""
        return {} if self.splits is None else self.splits.stored()

    def go_on(self, tree: int, held: Mapping[str, SecretArray], own: Mapping[str, NDArray[Any]]) -> None:
        """Begin with this tree; what comes before it is held."""
        self.begun = tree
        lists = ([held[name][place] for place in range(tree)] if name in held else [] for name in _LISTS)
        self.tables, self.gained = lists
        if self.splits is not None:
            self.splits = Splits.restored(own)

    def grow(
        self, tree: int, words: SecretArray, allowed: NDArray[np.bool_] | None
    ) -> tuple[Planes, SecretArray]:
        """Which rows are in which leaf, one plane a leaf, and the leaves' weights."""
        engine, settings, scale = self.engine, self.settings, self.scale
        choices = self.choices if allowed is None else self.choices.among(allowed)
        self._prepare(tree)
        taken = self.tally.take(words)
        words_of_codes = taken.sums()
        levels: list[SecretArray] = []
        won: list[tuple[SecretArray, Measure]] = []
        here = _everywhere(engine, self.bins.rows)
        ways = settings.monotone if settings.monotone and any(settings.monotone) else None
        bounds = None if ways is None else Bounds.of_root(engine)
        way = np.zeros(0, np.int64) if ways is None else monotone.ways(choices, self.bins, ways)
        for depth in range(settings.depth):
            sums = gains.unpacked(engine, words_of_codes, scale)
            node = Sums(*(one[:, : self.first_width].sum(axis=1) for one in (sums.first, sums.second)))
            if bounds is None:
                found, middle = gains.best(engine, sums, node, choices, settings, scale), None
            else:
                found, middle = monotone.best(engine, sums, node, bounds, choices, way, settings, scale)
            numbers, mine = engine.as_number(found.hot), None
            if not self.hide:
                mine = told.tell(engine, numbers, choices, self.bins)
                numbers = told.winner(engine, numbers, mine, choices, self.bins)
            if bounds is not None and middle is not None:
                bounds = monotone.below(engine, numbers, bounds, middle, way)
            won.append((numbers, found.measure))
            last = depth + 1 == settings.depth
            if self.hide:
                levels.append(hidden.table(engine, numbers, choices, words_of_codes.shape[1]))
                sides = self.tally.spread(levels[-1])
                here = _parted(engine, here, hidden.low_bits(sides))
                gone = None if last else engine.multiply(sides, words)
                words = (
                    words
                    if gone is None
                    else engine.number(in_turn(gone.share, (words - gone).share, axis=1), 0)
                )
            else:
                answers = self._answers(tree, depth, mine, choices)
                shape = (2**depth, self.bins.rows)
                here = _parted(engine, here, answered(engine, answers, self.owners, shape))
                gone = None if last else taken.kept(answers)
            if gone is not None:
                taken, words_of_codes = self._below(taken, words_of_codes, gone)
        if self.hide:
            self.tables.append(engine.concatenate(levels))
        if self.measure:
            hot, measures = zip(*won, strict=True)
            self.gained.append(importance.by_column(engine, hot, measures, choices, self.bins, settings))
        leaves = _children(engine, numbers, found.left, node)
        root = gains.roots(engine, leaves.second, settings, scale)
        weight = gains.weight(engine, leaves, root, scale)
        if bounds is not None:
            weight = clip(weight, bounds.low, bounds.high)
        return here, weight * settings.learning_rate

    def _prepare(self, tree: int) -> None:
        """Masks for the vectors of some trees at once."""
        vectors = 2 ** (self.settings.depth - 1)  # the root, and every left child but the last level's
        trees = max(1, min(_VECTORS // vectors, _NUMBERS // (vectors * self.bins.rows)))
        if tree in {self.begun, tree // trees * trees}:
            self.tally.prepare(vectors * min(trees - tree % trees, self.settings.trees - tree))

    def _answers(
        self, tree: int, depth: int, mine: NDArray[np.int64] | None, choices: Candidates
    ) -> NDArray[np.bool_] | None:
        """This holder's answers (nodes, rows) by the splits that it was told."""
        if mine is None or self.splits is None or self.codes is None:
            return None
        start = 2**depth - 1
        places = told.places_of(choices, self.bins, self.engine.protocol.party.name)
        for node, number in enumerate(mine):
            if number > 0:
                place = places[number - 1]
                self.splits.column[tree, start + node] = choices.column[place]
                self.splits.bin[tree, start + node] = choices.bin[place]
                self.splits.missing_left[tree, start + node] = choices.missing_left[place]
        return self.splits.left(self.codes, self.missing, tree, slice(start, start + len(mine)))

    def _below(self, taken: Taken, words: SecretArray, gone: SecretArray) -> tuple[Taken, SecretArray]:
        """The children's derivatives and sums: left, right, left, right; `gone` are the left ones' derivatives."""
        left = self.tally.take(gone)
        left_words = left.sums()
        both = in_turn(left_words.share, (words - left_words).share, axis=1)
        return left.beside(taken.less(left)), self.engine.number(both, 0)


def _children(engine: Engine, hot: SecretArray, left: Sums, node: Sums) -> Sums:
    """Sums of the children by the splits that won: left, right, left, right."""
    pairs = [np.moveaxis(one.share, -1, 1) for one in (left.first, left.second)]
    chosen = np.moveaxis(hot.share[..., 1:], -1, 1)
    rights = np.concatenate(pairs, axis=2)
    lefts = np.concatenate([chosen, chosen], axis=2)
    made = engine.protocol.inner(np.ascontiguousarray(lefts), np.ascontiguousarray(rights))
    nodes = node.first.shape[0]
    sides = []
    for one, share in zip((node.first, node.second), (made[:, :nodes], made[:, nodes:]), strict=True):
        both = np.stack([share, one.share - share], axis=2).reshape(len(share), -1)
        sides.append(engine.number(both, one.bits))
    return Sums(*sides)


# ---------------------------------------------------------------------- where rows are


def _everywhere(engine: Engine, rows: int) -> Planes:
    """All rows in one node: a plane of ones."""
    words = -(-rows // planes.WORD)
    ones: Planes = engine.protocol.public_bits(np.full((1, words), ~np.uint64(0)))  # type: ignore[assignment]
    return ones


def answered(
    engine: Engine, mine: NDArray[np.bool_] | None, holders: Sequence[str], shape: tuple[int, int]
) -> Planes:
    """The answers of all holders with columns as secret bits, one plane a node.

    Where a secret is the sum of what holders have, their own answers are shares already: they meet others only under masks.
    """
    protocol = engine.protocol
    words = -(-shape[1] // planes.WORD)
    if protocol.components == 1:
        if mine is None:
            return np.zeros((1, shape[0], words), np.uint64)
        return _per_node(mine.astype(np.uint8)[None])
    total: Planes = np.zeros((protocol.components, shape[0], words), np.uint64)
    for holder in holders:
        own = mine if holder == protocol.party.name else None
        bits = protocol.share_bits(None if own is None else own.astype(np.uint8), owner=holder, shape=shape)
        total ^= _per_node(bits)
    return total


def _per_node(bits: NDArray[np.uint8]) -> Planes:
    """Bits (components, nodes, rows) as planes (components, nodes, words)."""
    flat = planes.pack(bits.reshape(-1, bits.shape[2]))
    return flat.reshape(bits.shape[0], bits.shape[1], -1)


def _parted(engine: Engine, here: Planes, left: Planes) -> Planes:
    """The planes of the children: left, right, left, right."""
    (gone,) = engine.protocol.and_both(here, (left,))
    stayed = here ^ gone
    return in_turn(gone, stayed, axis=1)


def looked_up(engine: Engine, leaves: Planes, weights: SecretArray, rows: int) -> SecretArray:
    """The weight (of 2^depth) of each row's leaf, from one plane a leaf of which every row is in one; shape (rows,)."""
    protocol = engine.protocol
    count = leaves.shape[1]
    low = 1 << ((count.bit_length()) // 2)
    high = count // low
    grid = leaves.reshape(len(leaves), high, low, -1)
    sides = np.concatenate([np.bitwise_xor.reduce(grid, axis=axis) for axis in (1, 2)], axis=1)
    hot = protocol.to_ring(planes.unpack(sides, (rows,)))
    table = np.ascontiguousarray(weights.share.reshape(-1, high, low).transpose(0, 2, 1))
    picked = protocol.matmul(np.ascontiguousarray(hot[:, :low].transpose(0, 2, 1)), table)
    other = np.ascontiguousarray(picked.transpose(0, 2, 1))
    return engine.number(protocol.inner(np.ascontiguousarray(hot[:, low:]), other), weights.bits)
