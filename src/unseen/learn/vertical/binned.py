"""Logistic models of binned columns whose weights of evidence nobody learns (联合 WOE 建模); a kind of :mod:`unseen.learn.vertical.models`.

What
    Each holder cuts its own columns; the weight of evidence (WOE, :mod:`unseen.learn.prepare.woe`) of each bin is computed from labels of
    another, and stays in shares. A model is trained on the columns with the standardised WOE in the place of the value. What is kept is
    a weight for each bin, the coefficient times the WOE, so that scoring needs of an owner only in which bin a value is.
Over what
    Sums of labels by bin and look-ups of entries by bin are those of :mod:`unseen.mpc.tally`, under any protocol.
Against whom
    As the engine's protocol and the tally.
What it leaks
    Nothing but the number of rows and of columns: every column has as many bins, of which those that it does not need stay empty.
Few rows
    A bin into which fewer than `least_rows` rows of training fall has the weight 0, which is that of the mean of the others, and the others
    are standardised without it: so who is once told the weights of a column is told nothing of the labels in such a bin.
Model
    Public part: `bins` of each column (missing values have one more), `least_rows`. Shares: `weights`, one for each bin of each column
    of each holder, the intercept last. Private: this holder's cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.prepare import joint_bins
from unseen.learn.prepare.cuts import cuts_of_columns, place
from unseen.learn.prepare.woe import SMOOTHING
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.models import Model, Shares
from unseen.mpc import Engine, SecretArray
from unseen.mpc.fixed import FRACTION_BITS
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.tally import Tally, open_tally

MODEL_FORMAT = 1
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Evidence:
    """Columns of all holders as bins with standardised weights of evidence, in shares. All parties of the engine make one.

    Parameters
    ----------
    own, names
        This holder's block (rows, columns), NaN where values are missing, and what its columns are called; None and nothing at a helper.
    least_rows
        Bins with fewer rows say nothing.
    labels
        Secret, 0 or 1, shape (rows,).
    label_counts
        Positives and negatives, at the label holder; None elsewhere.

    Raises
    ------
    UsageError
        A column without a single number; at the label holder: far too few labels of a class.
    """

    def __init__(
        self,
        engine: Engine,
        own: Floats | None,
        names: tuple[str, ...],
        sizes: Layout,
        *,
        bins: int,
        least_rows: int,
        labels: SecretArray,
        label_holder: str,
        label_counts: tuple[float, float] | None,
    ) -> None:
        self._engine, self._sizes, self._bins, self._least_rows = engine, sizes, bins, least_rows
        self.cuts = () if own is None else cuts_of_columns(own, names, bins)
        codes = None if own is None else coded(own, self.cuts, bins)
        self._tally = _open(engine, codes, sizes, bins)
        shape = (sizes.width, bins + 1)
        positives = engine.as_real(self._tally.take(labels.reshape(1, -1)).sums().reshape(*shape))
        totals, filled, parts = self._known(codes)
        ratio = None if label_counts is None else joint_bins.log_ratio(label_counts, SMOOTHING * (bins + 1))
        of_all = engine.share(ratio, owner=label_holder, shape=(1,))
        woe, _ = joint_bins.evidence(
            positives, engine.as_real(totals) - positives, of_all, smoothing=SMOOTHING
        )
        self._entries = joint_bins.standardised(woe, parts) * filled

    def _known(self, codes: Codes | None) -> tuple[SecretArray, SecretArray, SecretArray]:
        """What a bin's owner knows, shape (columns, bins + 1) each.

        Rows in each bin; whether there are enough, 0 or 1; and which part it has of the rows in all bins of the column that have enough.
        """
        engine, per = self._engine, self._bins + 1
        mine = (
            None
            if codes is None
            else np.array([np.bincount(one, minlength=per) for one in codes]).reshape(-1, per)
        )
        whole, parts = [], []
        for owner, count in self._sizes.columns.items():
            both, part = None, None
            if mine is not None and owner == engine.protocol.party.name:
                enough = mine >= self._least_rows
                both = np.stack([mine, enough]).astype(np.int64)
                part = mine * enough / np.maximum(1, (mine * enough).sum(axis=1, keepdims=True))
            if count:
                whole.append(engine.share(both, owner=owner, shape=(2, count, per), dtype=int))
                parts.append(engine.share(part, owner=owner, shape=(count, per)))
        both_of_all = engine.concatenate(whole, axis=1)
        return both_of_all[0], both_of_all[1], engine.concatenate(parts)

    def columns(self) -> SecretArray:
        """The columns to train on, shape (rows, width)."""
        width, per = self._entries.shape
        share = self._entries.share
        table = np.zeros((len(share), width, width, per), np.uint64)
        table[:, np.arange(width), np.arange(width)] = share
        flat = self._engine.number(table.reshape(len(share), width, width * per), self._entries.bits)
        columns: SecretArray = self._tally.spread(flat).transpose(1, 0)
        return columns

    def weights(self, coefficients: SecretArray) -> SecretArray:
        """Of each bin, the intercept last, from coefficients of the columns and the intercept, shape (width + 1,)."""
        width = self._sizes.width
        products = self._entries * coefficients[:width].reshape(width, 1)
        weights: SecretArray = self._engine.concatenate([products.reshape(-1), coefficients[width:]])
        return weights

    def to_model(self, coefficients: SecretArray, *, protocol: str, holders: tuple[str, ...]) -> Model:
        """This holder's part of the model."""
        private = {
            "cuts": np.concatenate([*self.cuts, np.zeros(0)]),
            "ends": np.cumsum([len(cut) for cut in self.cuts], dtype=np.int64),
        }
        shares = {"weights": Shares.of(self.weights(coefficients))}
        public = {"bins": self._bins, "least_rows": self._least_rows}
        return Model("binned", MODEL_FORMAT, protocol, holders, public, shares, private)


def check_least_rows(model: Model, least_rows: int) -> None:
    """Refuse a model whose weights may be of bins of fewer rows.

    Raises
    ------
    UsageError
        They may.
    """
    known = int(model.public.get("least_rows", 1))
    if known < least_rows:
        raise UsageError(
            f"Points of bins with fewer than {least_rows} rows are not to be told.",
            why=f"the model was trained with `woe_least_rows` {known}",
            mend="train with as many `woe_least_rows`, or agree on smaller `least_rows` here",
        )


def coded(values: Floats, cuts: tuple[Floats, ...], bins: int) -> Codes:
    """The bin of each value of a block (rows, columns), shape (columns, rows); `bins` where it is missing."""
    made = [np.where(np.isnan(one), bins, place(one, cut)) for one, cut in zip(values.T, cuts, strict=True)]
    return np.array(made, np.int64).reshape(len(made), len(values))


def _open(engine: Engine, codes: Codes | None, sizes: Layout, bins: int) -> Tally:
    mine = None if codes is None or not len(codes) else codes
    widths = {name: (bins + 1,) * count for name, count in sizes.columns.items()}
    return open_tally(engine, mine, widths, rows=sizes.rows)


def shapes(public: Mapping[str, Any], sizes: Layout) -> dict[str, tuple[tuple[int, ...], int]]:
    """The weights of bins, and the intercept last."""
    return {"weights": ((sizes.width * (int(public["bins"]) + 1) + 1,), FRACTION_BITS)}


def scoring_cost(public: Mapping[str, Any], columns: int) -> tuple[float, int]:
    """Bytes a row and rounds of scoring between two holders and a helper; measured."""
    return 649 + 8.0 * columns * (int(public["bins"]) + 1), 17


def raw(engine: Engine, model: Model, own: Floats | None, sizes: Layout) -> SecretArray:
    """Sums of weights, exact, shape (rows,)."""
    bins = int(model.public["bins"])
    codes = None if own is None else codes_of(model, own)[0]
    weights = model.secret(engine, "weights")
    total: SecretArray = (
        _open(engine, codes, sizes, bins).spread(weights[:-1].reshape(1, -1))[0] + weights[-1:]
    )
    return total


def codes_of(model: Model, own: Floats) -> tuple[Codes, tuple[Floats, ...]]:
    """The bin of each value of this holder's block by its part of a model, and its cuts."""
    cuts = cuts_of(model)
    return coded(own, cuts, int(model.public["bins"])), cuts


def cuts_of(model: Model) -> tuple[Floats, ...]:
    """The cuts of this holder's columns."""
    return tuple(np.split(model.private["cuts"], model.private["ends"])[:-1])


def expected(engine: Engine, model: Model, raw: SecretArray) -> SecretArray:  # noqa: ARG001
    """Probabilities of 1."""
    return sigmoid(raw, precise=True)
