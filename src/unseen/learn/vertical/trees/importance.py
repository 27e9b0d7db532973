"""How much each column gains over a tree, on secret numbers (特征重要性): the sum of XGBoost's gains of the splits on it ("total_gain").

Of the split that won a node, z is chosen by its one-hot vector; its gain is (z^2 - penalty G^2 / H') / (H + 2 penalty) (:mod:`.gains`).
Which column it was says the same vector, added up by columns. Nothing is told: the sums stay secret.

Rounds
    7 a tree; of monotone columns 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.learn.vertical.trees.bins import Bins, Candidates
from unseen.learn.vertical.trees.model import Settings
from unseen.mpc import Engine, SecretArray

_BITS = 16  # of the root of a gain, which is below 2^12: so that its square fits


@dataclass(frozen=True, slots=True)
class Measure:
    """What gains are made of, at the nodes of a level.

    Attributes
    ----------
    values
        z of each candidate, or its gain, shape (nodes, candidates).
    own, inverse
        Where `values` are z: G / sqrt(H') and 1 / sqrt(H + 2 penalty) of the nodes, shape (nodes,).
    """

    values: SecretArray
    own: SecretArray | None = None
    inverse: SecretArray | None = None


def by_column(
    engine: Engine,
    hot: Sequence[SecretArray],
    measures: Sequence[Measure],
    choices: Candidates,
    bins: Bins,
    settings: Settings,
) -> SecretArray:
    """Gains of a tree by column of all holders, shape (columns,); `hot` of each level, (nodes, 1 + candidates), as numbers."""
    won = engine.concatenate([one[:, 1:] for one in hot])
    gain = _won(engine, won, measures, settings)
    starts = np.cumsum([0, *bins.columns.values()])
    member = np.zeros((len(choices), starts[-1]), np.uint64)
    member[np.arange(len(choices)), starts[choices.owner] + choices.column] = 1
    column = won.share @ member
    spread = np.broadcast_to(gain.share[..., None], column.shape)
    return engine.number(
        engine.protocol.inner(np.ascontiguousarray(column), np.ascontiguousarray(spread)), engine.bits
    )


def _won(engine: Engine, won: SecretArray, measures: Sequence[Measure], settings: Settings) -> SecretArray:
    """The gain of each node's split, 0 where there is none, shape (nodes,)."""
    values = engine.concatenate([one.values for one in measures])
    first, second = (np.ascontiguousarray(np.moveaxis(one.share, -1, 1)) for one in (won, values))
    chosen = engine.number(engine.protocol.inner(first, second), values.bits)
    own = [one.own for one in measures if one.own is not None]
    inverse = [one.inverse for one in measures if one.inverse is not None]
    if not own:
        return chosen
    sides = _times(engine, engine.concatenate([chosen, *own]), engine.concatenate([*inverse] * 2), _BITS)
    squares = _times(engine, sides, sides, engine.bits)
    nodes = len(chosen)
    made: SecretArray = squares[:nodes] - squares[nodes:] * settings.penalty
    return made


def _times(engine: Engine, left: SecretArray, right: SecretArray, bits: int) -> SecretArray:
    made = engine.protocol.multiply(left.share, right.share, drop=left.bits + right.bits - bits)
    return engine.number(made, bits)
