"""Boosted trees on the same rows with columns at different holders (纵向梯度提升树); a kind of :mod:`unseen.learn.vertical.models`.

Public part: the settings (:class:`.model.Settings`), and `widths`, holder -> codes of each column, where splits are hidden. Shares:
`weights`, shape (trees, 2^depth); of "squared" also `label`, the mean and the deviation of the labels; `tables` (trees, nodes, codes)
where splits are hidden. Private: this holder's splits, unless they are hidden, and the cuts of its columns; at who has the labels of
"squared" what they were scaled by.

Trees that were grown under additive encryption (:mod:`.federated`) have no shares: the public part says whose the leaves are
(`leaves_at`), and there they are private.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.prepare.cuts import place
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.models import Model, Shares
from unseen.learn.vertical.trees import shared
from unseen.learn.vertical.trees.bins import Bins
from unseen.learn.vertical.trees.grown import Grown
from unseen.learn.vertical.trees.model import Codes, Settings, Splits
from unseen.mpc import Engine, SecretArray
from unseen.mpc.fixed import FRACTION_BITS

MODEL_FORMAT = 1
LEAVES_AT = "leaves_at"
HIDDEN = "widths"  # of everybody's codes: needed, and there, where splits are hidden
OWN_SCALE = "label_scale"
Floats = NDArray[np.float64]


def settings_of(public: Mapping[str, Any]) -> Settings:
    """The settings of a model's public part.

    Raises
    ------
    UsageError
        They are none.
    """
    try:
        plain = {name: value for name, value in public.items() if name != HIDDEN}
        plain.pop(LEAVES_AT, None)
        plain["monotone"] = None if plain.get("monotone") is None else tuple(plain["monotone"])
        return Settings(**plain)
    except TypeError as error:
        raise UsageError("The public part of a model of trees does not fit.", why=str(error)) from error


def coded(values: Floats, cuts: tuple[Floats, ...]) -> Codes:
    """Codes of a holder's block (rows, columns), shape (columns, rows)."""
    codes = [place(values[:, column], cut) for column, cut in enumerate(cuts)]
    return np.stack(codes) if codes else np.zeros((0, len(values)), np.uint8)


def to_model(
    grown: Grown,
    cuts: tuple[Floats, ...],
    settings: Settings,
    *,
    protocol: str,
    holders: tuple[str, ...],
    bins: Bins,
    label: SecretArray | None = None,
    own_scale: Floats | None = None,
) -> Model:
    """This holder's part of trees as a model in shares; `own_scale` at who has the labels, mean and deviation."""
    public: dict[str, Any] = asdict(settings)
    shares, splits = {"weights": Shares.of(grown.weights)}, grown.splits
    if label is not None:
        shares["label"] = Shares.of(label)
    if grown.tables is not None:
        shares["tables"] = Shares.of(grown.tables)
        public[HIDDEN] = {name: list(each) for name, each in bins.widths.items()}
    elif splits is None:
        splits = Splits.none(settings.trees, settings.nodes)
    private = _private(splits, cuts) | ({} if own_scale is None else {OWN_SCALE: own_scale})
    return Model("trees", MODEL_FORMAT, protocol, holders, public, shares, private)


def model_with_leaves(
    splits: Splits,
    weights: Floats | None,
    cuts: tuple[Floats, ...],
    settings: Settings,
    *,
    leaves_at: str,
    holders: tuple[str, ...],
) -> Model:
    """A holder's part of trees of which one holder knows the leaves: it gives `weights` (trees, 2^depth), others None."""
    private = _private(splits, cuts) | ({} if weights is None else {"weights": weights})
    return Model("trees", MODEL_FORMAT, "", holders, {**asdict(settings), LEAVES_AT: leaves_at}, {}, private)


def _private(splits: Splits | None, cuts: tuple[Floats, ...]) -> dict[str, NDArray[Any]]:
    made: dict[str, NDArray[Any]] = {
        "cuts": np.concatenate([*cuts, np.zeros(0)]),
        "ends": np.cumsum([len(cut) for cut in cuts], dtype=np.int64),
    }
    if splits is not None:
        made["column"], made["bin"] = splits.column.astype(np.int64), splits.bin.astype(np.int64)
        made["missing_left"] = splits.missing_left
    return made


def leaves(engine: Engine, model: Model) -> SecretArray:
    """Weights of the leaves (trees, 2^depth), which who knows them in clear shares."""
    settings = settings_of(model.public)
    if LEAVES_AT not in model.public:
        return model.secret(engine, "weights")
    shape = (settings.trees, 2**settings.depth)
    return engine.share(model.private.get("weights"), owner=model.public[LEAVES_AT], shape=shape)


def cuts_of(model: Model) -> tuple[Floats, ...]:
    """The cuts of each of this holder's columns."""
    if "cuts" not in model.private:
        return ()
    return tuple(np.split(model.private["cuts"], model.private["ends"])[:-1])


def shapes(public: Mapping[str, Any], sizes: Layout) -> dict[str, tuple[tuple[int, ...], int]]:  # noqa: ARG001
    """The weights of leaves, and what labels were scaled by."""
    settings = settings_of(public)
    if LEAVES_AT in public:
        return {}
    made: dict[str, tuple[tuple[int, ...], int]] = {}
    made["weights"] = ((settings.trees, 2**settings.depth), FRACTION_BITS)
    if settings.objective == "squared":
        made["label"] = ((2,), FRACTION_BITS)
    if HIDDEN in public:
        codes = sum(sum(each) for each in public[HIDDEN].values())
        made["tables"] = ((settings.trees, settings.nodes, codes), 0)
    return made


def scoring_cost(public: Mapping[str, Any], _columns: int) -> tuple[float, int]:
    """Bytes a row and rounds of scoring between two holders and a helper; measured at depths 2 to 5.

    A leaf is looked up by two halves of its place. Where splits are hidden, masked codes of all columns and a bit for each node come to it.
    """
    settings = settings_of(public)
    depth, count = settings.depth, settings.trees
    each = 4 + 26.0 * 2 ** (depth // 2 + depth % 2) + 50.0 * 2 ** (depth // 2)
    if HIDDEN not in public:
        return 634 + count * each, 15 + count * (depth + 3)
    codes = sum(sum(widths) for widths in public[HIDDEN].values())
    return 611 + 8.0 * codes + count * (each + 16.5 * settings.nodes), 16 + count * (depth + 4)


def grown_of(engine: Engine, model: Model) -> Grown:
    """Trees of a model as the trainer gives them."""
    settings = settings_of(model.public)
    weights = leaves(engine, model)
    if HIDDEN in model.public:
        return Grown(None, weights, tables=model.secret(engine, "tables"))
    if not cuts_of(model):
        return Grown(Splits.none(settings.trees, settings.nodes) if model.private else None, weights)
    return Grown(Splits(*(model.private[name] for name in ("column", "bin", "missing_left"))), weights)


def scores(engine: Engine, model: Model, codes: Codes | None, sizes: Layout) -> SecretArray:
    """Scores (classes, rows) of this holder's codes, before they are turned into probabilities; of "squared" in deviations."""
    settings, grown = settings_of(model.public), grown_of(engine, model)
    if HIDDEN in model.public:
        widths = model.public[HIDDEN]
        return shared.hidden_scores(engine, grown, codes, widths, settings, rows=sizes.rows)
    return shared.scores(
        engine,
        grown,
        codes,
        tuple(len(cut) + 1 for cut in cuts_of(model)),
        settings,
        holders=tuple(name for name, count in sizes.columns.items() if count),
        rows=sizes.rows,
    )


def raw(engine: Engine, model: Model, own: Floats | None, sizes: Layout) -> SecretArray:
    """Sums of leaves, exact: shape (rows,) or, of several classes, (rows, classes)."""
    settings, cuts = settings_of(model.public), cuts_of(model)
    codes = None if own is None or not cuts else coded(own, cuts)
    total = scores(engine, model, codes, sizes)
    return total.transpose(1, 0) if settings.objective == "softmax" else total[0]


def expected(engine: Engine, model: Model, raw: SecretArray) -> SecretArray:
    """Probabilities; numbers for "squared"."""
    settings = settings_of(model.public)
    if settings.objective == "softmax":
        return shared.probabilities(raw.transpose(1, 0), settings).transpose(1, 0)
    if settings.objective == "squared" and LEAVES_AT not in model.public:
        label = model.secret(engine, "label")
        return raw * label[1] + label[0]
    return shared.probabilities(raw, settings)
