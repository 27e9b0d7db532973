"""A whole model in clear, and how it scores rows: the definition that exported files are held against.

Linear: scores are a link of columns times weights. Binned: of sums of the weights of the bins that values are in. Trees: see :mod:`unseen.learn.vertical.trees.model`; here the columns of all
holders are counted through, and a split is at a value: a row goes left below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.export.before import Chain, Given

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Whole:
    """A model in clear, of one score a row or of one for each class.

    Attributes
    ----------
    kind, family
        "linear" with the family "logistic", "multinomial", "linear" or "poisson"; "binned" with "logistic"; "trees" with "binary",
        "softmax" or "squared".
    columns
        Names of the columns, in the order of the values.
    before
        How each of them came about of the columns of files, where that is known.
    arrays
        Linear: `weights`, shape (width + 1,) or (width + 1, classes), intercept last. Binned: `weights` (width, bins + 1), that of missing
        values last, `intercept` (1,), and the `cuts` of all columns, up to `ends` (width,) each; a value at a cut is in the bin above. Trees: `leaves` (trees, 2^depth), `column` (trees, 2^depth - 1), -1
        where a node does not split, `threshold` and `missing_left` alike, and `scale` (2,): the score is sum * scale[1] + scale[0]; `classes` (1,), of "softmax": tree t is of class t mod classes.
    """

    kind: str
    family: str
    columns: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]
    before: tuple[Chain, ...] = ()

    @property
    def given(self) -> tuple[tuple[str, bool], ...]:
        """What a file takes: columns as they come, and whether each holds text; those of the model where nothing is known of before."""
        if not self.before:
            return tuple((name, False) for name in self.columns)
        return tuple(dict.fromkeys((chain.source, chain.text) for chain in self.before))

    def prepared(self, table: Mapping[str, Given]) -> Floats:
        """The model's columns, shape (rows, width), of columns as they come."""
        return np.column_stack([chain.applied(table[chain.source]) for chain in self.before])

    @property
    def link(self) -> str:
        """How the raw score becomes the score: "logit", "softmax", "log" or "identity"."""
        links = {
            "logistic": "logit",
            "binary": "logit",
            "multinomial": "softmax",
            "softmax": "softmax",
            "poisson": "log",
        }
        return links.get(self.family, "identity")

    @property
    def classes(self) -> int:
        """How many scores a row has."""
        if self.kind == "linear":
            return int(self.arrays["weights"].reshape(len(self.columns) + 1, -1).shape[1])
        return int(self.arrays["classes"][0]) if "classes" in self.arrays else 1

    def raw(self, values: Floats) -> Floats:
        """Scores before the link, shape (rows,) or (rows, classes), of values (rows, width).

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
        return self._binned(values) if self.kind == "binned" else self._trees(values)

    def scores(self, values: Floats) -> Floats:
        """Probabilities, rates or numbers, shape (rows,) or (rows, classes)."""
        raw = self.raw(values)
        if self.link == "softmax":
            powers = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        if self.link == "logit":
            return np.asarray(1 / (1 + np.exp(-raw)))
        return np.asarray(np.exp(raw)) if self.link == "log" else raw

    @property
    def cuts(self) -> list[Floats]:
        """Of a binned model, by column."""
        return np.split(self.arrays["cuts"], self.arrays["ends"])[:-1]

    def _binned(self, values: Floats) -> Floats:
        total: Floats = np.zeros(len(values)) + self.arrays["intercept"]
        for column, cuts, weights in zip(values.T, self.cuts, self.arrays["weights"], strict=True):
            places = np.searchsorted(cuts, column, side="right")
            total += weights[np.where(np.isnan(column), len(weights) - 1, places)]
        return total

    def _trees(self, values: Floats) -> Floats:
        arrays, total = self.arrays, np.zeros((len(values), self.classes))
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
            total[:, tree % self.classes] += leaves[node - (len(leaves) - 1)]
        scale = arrays["scale"]
        scores = total * scale[1] + scale[0]
        return np.asarray(scores if self.link == "softmax" else scores[:, 0])


@dataclass(frozen=True, slots=True)
class Node:
    """Of a tree whose nodes without a split are cut off: a leaf with its value, or a split at a value and where both ways lead."""

    leaf: bool
    value: float
    column: int = 0
    left: int = 0
    right: int = 0
    missing_left: bool = False
    parent: int = -1


Nodes: TypeAlias = list[Node]


def nodes_of(model: Whole, number: int) -> Nodes:
    """The nodes of a tree, the root first, each before those below it; leaves as they are in the arrays."""
    arrays = model.arrays
    leaves, column, threshold = (arrays[name][number] for name in ("leaves", "column", "threshold"))
    inner = len(column)
    made: Nodes = []

    def add(node: int, parent: int) -> int:
        own = len(made)
        made.append(Node(leaf=True, value=0.0, parent=parent))
        if node < inner and column[node] >= 0:
            left, right = add(2 * node + 1, own), add(2 * node + 2, own)
            missing = bool(arrays["missing_left"][number][node])
            made[own] = Node(False, float(threshold[node]), int(column[node]), left, right, missing, parent)
        else:
            while node < inner:  # no split: everything goes right
                node = 2 * node + 2
            made[own] = Node(leaf=True, value=float(leaves[node - inner]), parent=parent)
        return own

    add(0, -1)
    return made


def require(model: Whole, kinds: tuple[str, ...], form: str) -> None:
    """Refuse a kind that the format is not for.

    Raises
    ------
    UsageError
        Another kind.
    """
    if model.kind not in kinds:
        raise UsageError(
            f"The format '{form}' is for models of the kind {' or '.join(kinds)}; this is one of {model.kind}."
        )
