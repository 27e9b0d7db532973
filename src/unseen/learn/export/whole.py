"""A whole model in clear, and how it scores rows: the definition that exported files are held against.

Linear: scores are a link of columns times weights. Trees: see :mod:`unseen.learn.vertical.trees.model`; here the columns of all
holders are counted through, and a split is at a value: a row goes left below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Whole:
    """A model of one score a row.

    Attributes
    ----------
    kind, family
        "linear" with the family "logistic", "linear" or "poisson"; "trees" with "binary" or "squared".
    columns
        Names of the columns, in the order of the values.
    arrays
        Linear: `weights`, shape (width + 1,), intercept last. Trees: `leaves` (trees, 2^depth), `column` (trees, 2^depth - 1), -1
        where a node does not split, `threshold` and `missing_left` alike, and `scale` (2,): the score is sum * scale[1] + scale[0].
    """

    kind: str
    family: str
    columns: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]

    @property
    def link(self) -> str:
        """How the raw score becomes the score: "logit", "log" or "identity"."""
        return {"logistic": "logit", "binary": "logit", "poisson": "log"}.get(self.family, "identity")

    def raw(self, values: Floats) -> Floats:
        """Scores before the link, shape (rows,), of values (rows, width).

        Raises
        ------
        UsageError
            Another number of columns.
        """
        if values.ndim != 2 or values.shape[1] != len(self.columns):  # noqa: PLR2004
            raise UsageError(
                f"The model takes {len(self.columns)} columns, in this order: {', '.join(self.columns)}."
            )
        if self.kind == "linear":
            weights: Floats = self.arrays["weights"]
            return np.asarray(values @ weights[:-1] + weights[-1])
        return self._trees(values)

    def scores(self, values: Floats) -> Floats:
        """Probabilities, rates or numbers, shape (rows,)."""
        raw = self.raw(values)
        if self.link == "logit":
            return np.asarray(1 / (1 + np.exp(-raw)))
        return np.asarray(np.exp(raw)) if self.link == "log" else raw

    def _trees(self, values: Floats) -> Floats:
        arrays, total = self.arrays, np.zeros(len(values))
        rows = np.arange(len(values))
        for tree, leaves in enumerate(arrays["leaves"]):
            node = np.zeros(len(values), np.int64)
            while node[0] < len(leaves) - 1 if len(node) else False:
                column = arrays["column"][tree][node]
                value = values[rows, np.maximum(column, 0)]
                left = np.where(
                    np.isnan(value),
                    arrays["missing_left"][tree][node],
                    value < arrays["threshold"][tree][node],
                )
                node = 2 * node + np.where(left & (column >= 0), 1, 2)
            total += leaves[node - (len(leaves) - 1)]
        scale = arrays["scale"]
        return np.asarray(total * scale[1] + scale[0])


def require(model: Whole, kind: str, form: str) -> None:
    """Refuse a kind that the format is not for.

    Raises
    ------
    UsageError
        Another kind.
    """
    if model.kind != kind:
        raise UsageError(f"The format '{form}' is for {kind} models; this is one of {model.kind}.")
