"""Trees in shares as one party has them."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.learn.vertical.trees.model import Splits
from unseen.mpc import SecretArray


@dataclass(frozen=True, slots=True)
class Grown:
    """Splits of this holder (None without columns), secret weights (trees, 2^depth), learning rate included.

    `losses` are those that were told, after the first round and so on. `tables`: where splits are hidden, which codes of all
    holders go left at each node, secret (trees, nodes, codes). `gains`: where they were asked for, by column of all holders, secret
    (trees, columns).
    """

    splits: Splits | None
    weights: SecretArray
    losses: tuple[float, ...] = ()
    tables: SecretArray | None = None
    gains: SecretArray | None = None

    def first(self, trees: int) -> Grown:
        """That many trees of the first."""
        splits = self.splits
        if splits is not None:
            splits = Splits(splits.column[:trees], splits.bin[:trees], splits.missing_left[:trees])
        tables, gained = (None if one is None else one[:trees] for one in (self.tables, self.gains))
        return Grown(splits, self.weights[:trees], self.losses, tables, gained)

    def followed_by(self, later: Grown) -> Grown:
        """The trees of both; losses and gains are those of the later ones."""
        splits = None
        if self.splits is not None and later.splits is not None:
            splits = self.splits.followed_by(later.splits)
        engine, tables = self.weights.engine, None
        if self.tables is not None and later.tables is not None:
            tables = engine.concatenate([self.tables, later.tables])
        return Grown(
            splits, engine.concatenate([self.weights, later.weights]), later.losses, tables, later.gains
        )
