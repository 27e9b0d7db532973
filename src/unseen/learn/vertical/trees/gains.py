"""Which split of each node gains most, on secret sums.

For a node with sums G, H of first and second derivatives, of which a split takes G_l, H_l to the left, XGBoost's gain is

    G_l^2 / H_l' + G_r^2 / H_r' - G^2 / H',      H' = H + penalty.

With z = (G_l H_r' - G_r H_l') / sqrt(H_l' H_r') it is (z^2 - penalty G^2 / H') / (H + 2 penalty): so z^2 says which split of a node
is best, without the difference of nearly equal numbers, and the gain is over `min_gain` where z^2 exceeds

    penalty G^2 / H'  +  (H + 2 penalty) min_gain,

which stands first among the candidates and means: no split.

Numbers. Sums come two in a word (:func:`packed`): G in the upper half, H in the lower. The fields are below 2^30 units, so
that products of two of them stay below 2^60; how many fraction bits that leaves depends on the number of rows (:class:`Scale`).
Splits that part the rows alike, of which small nodes have many, should not be chosen from by rounding: a split that differs from the one
before it by a bin without rows is none (:func:`choosable`), and z^2 is compared with 11 fraction bits, for the others hold what
rounding leaves. So of equal splits the first is taken, as by XGBoost, but for where 11 bits part two that round differently.
Gains under 2^(fraction bits of H - 2 of z), which is 2^-6 at a million rows and 2^-10 at fifty thousand, count as none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unseen.learn.vertical.trees.bins import Candidates
from unseen.learn.vertical.trees.importance import Measure
from unseen.learn.vertical.trees.model import Settings
from unseen.mpc import Engine, SecretArray, rsqrt
from unseen.mpc.functions.compare import below, logical_not, logical_or
from unseen.mpc.functions.largest import one_hot_of_largest

HALF_WORD = np.uint64(32)
_FIELD = 30
_SAFE = 59
_DROP = 16
_MOST = {"binary": (1.0, 0.25), "squared": (1.0, 1.0), "softmax": (1.0, 0.5)}
_FINEST = 20
_PENALTY_BITS = 12
_COMPARED = 11  # fraction bits of z^2
MOST_WEIGHT = 64
"""Of a row."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Fraction bits: of first and second derivatives, of 1/sqrt(H'), and of z.

    Derivatives are at most 1 in size (squared loss: on average, as labels are standardised). z is at most about 2 rows:
    gains beyond 16 a row do not occur where rows bring at most their own loss.
    """

    first: int
    second: int
    root: int
    best: int

    @classmethod
    def of(cls, rows: int, settings: Settings, *, weighted: bool = False) -> Scale:
        """For that many rows; weights are on average at most 1."""
        most_first, most_second = _MOST[settings.objective]
        if (
            weighted and settings.objective == "squared"
        ):  # |sum of w g| is at most that of w^2 and of g^2, both roots
            most_first *= math.sqrt(MOST_WEIGHT)
        first = min(_FINEST, math.floor(_FIELD - 1 - math.log2(rows * most_first + 1)))
        largest = rows * most_second + settings.penalty + 1
        second = min(_FINEST, math.floor(_FIELD - math.log2(largest)))
        root = min(22, math.floor((61 - math.log2(largest)) / 2))
        best = min(18, math.floor(28 - math.log2(rows + 1)))
        return cls(first, second, root, best)


@dataclass(frozen=True, slots=True)
class Sums:
    """Secret sums of derivatives, the same shape both: (nodes, codes) or (nodes,)."""

    first: SecretArray
    second: SecretArray


@dataclass(frozen=True, slots=True)
class Found:
    """The best splits of a level.

    Attributes
    ----------
    hot
        One-hot Booleans (nodes, 1 + candidates), the first for no split.
    left
        The sums that go left by each candidate.
    measure
        What their gains are made of.
    """

    hot: SecretArray
    left: Sums
    measure: Measure


def packed(engine: Engine, first: SecretArray, second: SecretArray) -> SecretArray:
    """Derivatives as integers of their units, two in a word."""
    return engine.number((first.share << HALF_WORD) + second.share, 0)


def unpacked(engine: Engine, both: SecretArray, scale: Scale) -> Sums:
    """Sums of words as sums of their fields: H exactly, G up to one unit.

    Either field is made the upper half of a word, and the lower half cut off; below H there is nothing then.
    """
    halves = np.stack([both.share, both.share << HALF_WORD], axis=1)
    flat = np.ascontiguousarray(halves.reshape(len(halves), -1))
    cut = engine.protocol.truncate(flat, int(HALF_WORD)).reshape(halves.shape)
    return Sums(engine.number(cut[:, 0], scale.first), engine.number(cut[:, 1], scale.second))


def roots(engine: Engine, seconds: SecretArray, settings: Settings, scale: Scale) -> SecretArray:
    """1 / sqrt(H + penalty)."""
    lifted = engine.scaled(seconds, max(scale.root, scale.second)) + settings.penalty
    root: SecretArray = rsqrt(engine.truncate(lifted, scale.root))
    return root


def parted(engine: Engine, sums: Sums, node: Sums, choices: Candidates) -> tuple[Sums, Sums]:
    """What goes left and right by each candidate, (nodes, candidates)."""
    left = Sums(*(engine.number(choices.left(one.share), one.bits) for one in (sums.first, sums.second)))
    return left, Sums(node.first.reshape(-1, 1) - left.first, node.second.reshape(-1, 1) - left.second)


def best(
    engine: Engine, sums: Sums, node: Sums, choices: Candidates, settings: Settings, scale: Scale
) -> Found:
    """Of each node the split that gains most."""
    penalty = settings.penalty
    left, right = parted(engine, sums, node, choices)
    nodes, count = left.first.shape
    whole = node.second.reshape(-1, 1)
    every = engine.concatenate([left.second, right.second, whole, whole + penalty], axis=1)
    root = roots(engine, every, settings, scale)
    of_left, of_right, of_node = root[:, :count], root[:, count : 2 * count], root[:, 2 * count]
    flat = [
        (of_left, of_right),
        (left.first, right.second + penalty),
        (right.first, left.second + penalty),
        (node.first, of_node),
    ]
    ones, others = (
        np.concatenate([pair[side].share.reshape(len(pair[side].share), -1) for pair in flat], axis=1)
        for side in (0, 1)
    )
    product = engine.protocol.multiply(ones, others)
    size = nodes * count
    crossed = product[:, size : 2 * size] - product[:, 2 * size : 3 * size]
    terms = np.concatenate([product[:, :size], crossed, product[:, 3 * size :]], axis=1)
    terms = engine.protocol.truncate(np.ascontiguousarray(terms), _DROP)
    inverse = engine.number(terms[:, :size].reshape(-1, nodes, count), 2 * scale.root - _DROP)
    spread = engine.number(
        terms[:, size : 2 * size].reshape(-1, nodes, count), scale.first + scale.second - _DROP
    )
    own = engine.number(terms[:, 2 * size :], scale.first + scale.root - _DROP)
    z = times(engine, spread, inverse, scale.best)
    z = engine.select(choosable(engine, sums, left, right, choices, settings), z)
    joined = engine.concatenate([engine.truncate(own, scale.best).reshape(-1, 1), z], axis=1)
    squares = times(engine, joined, joined, 2 * scale.best)
    none = _threshold(engine, squares[:, 0], node.second, settings, scale)
    compared = engine.concatenate([none.reshape(-1, 1), squares[:, 1:]], axis=1)
    hot = one_hot_of_largest(engine.truncate(compared, min(_COMPARED, compared.bits)))
    return Found(hot, left, Measure(z, joined[:, 0], root[:, 2 * count + 1]))


def _threshold(
    engine: Engine, own: SecretArray, second: SecretArray, settings: Settings, scale: Scale
) -> SecretArray:
    """What z^2 must exceed; `own` is G^2 / H'."""
    bits = 2 * scale.best
    short = engine.truncate(own, bits - _PENALTY_BITS) if bits > _PENALTY_BITS else own
    weighted = short.share * np.uint64(round(settings.penalty * 2.0**_PENALTY_BITS))
    places = max(0, bits - second.bits)
    # More than any gain there is will do: what it is multiplied with has up to _FIELD bits.
    least = max(1, min(round(settings.min_gain * 2.0**places), 1 << (_SAFE - _FIELD)))
    gained = (engine.scaled(second, second.bits) + 2 * settings.penalty).share * np.uint64(least)
    return engine.number(weighted, bits) + engine.number(gained, second.bits + places)


def choosable(
    engine: Engine, sums: Sums, left: Sums, right: Sums, choices: Candidates, settings: Settings
) -> SecretArray:
    """Booleans (nodes, candidates): both sides have the weight that is asked for, and the split is not the one before it again.

    It is where the bin by which they differ has no rows, or where no missing values are there to go left.
    """
    unit = 2.0**-sums.second.bits
    least = max(settings.min_child_weight, unit)
    lifted = engine.concatenate([left.second, right.second, sums.second + (least - unit)], axis=1)
    few = below(lifted, (least,))[0]
    count = len(choices)
    no_rows, back = few[:, 2 * count :], np.flatnonzero(choices.missing_left)
    alike = no_rows[:, choices.apart]
    one = engine.concatenate([few[:, :count], alike[:, back]], axis=1)
    other = engine.concatenate([few[:, count : 2 * count], no_rows[:, choices.absent[back]]], axis=1)
    either = logical_or(one, other)
    place = np.arange(count)
    place[back] = count + np.arange(len(back))
    alike = engine.concatenate([alike, either[:, count:]], axis=1)[:, place]
    return logical_not(logical_or(either[:, :count], alike))


def times(engine: Engine, left: SecretArray, right: SecretArray, bits: int) -> SecretArray:
    """The product with `bits` fraction bits."""
    one, other = (np.ascontiguousarray(side.share).reshape(len(side.share), -1) for side in (left, right))
    made = engine.protocol.multiply(one, other, drop=left.bits + right.bits - bits)
    return engine.number(made.reshape(left.share.shape), bits)


def weight(engine: Engine, sums: Sums, root: SecretArray, scale: Scale) -> SecretArray:
    """-G / H' with the engine's fraction bits, of sums and 1 / sqrt(H') of one shape."""
    half = times(engine, sums.first, root, min(scale.first + scale.root, _FINEST + 4))
    return -times(engine, half, root, engine.bits)
