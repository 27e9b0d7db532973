"""Train boosted trees on columns of several holders, in secret shares (纵向梯度提升树)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines, row_weights
from unseen.jobs import trees_gone_on as going_on
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SharedModel, check_columns
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.prepare.cuts import cuts_of_columns
from unseen.learn.vertical import trees
from unseen.learn.vertical.checkpoints import SecretCheckpoints
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.models import Model
from unseen.learn.vertical.trees import bins as columns_of_all
from unseen.learn.vertical.trees import sampling, shared
from unseen.learn.vertical.trees.bins import Bins, Own
from unseen.learn.vertical.trees.gains import MOST_WEIGHT
from unseen.learn.vertical.trees.grown import Grown
from unseen.learn.vertical.trees.model import DEEPEST, Settings, ways_of
from unseen.learn.vertical.trees.objectives import check_labels
from unseen.learn.vertical.trees.told import disclosure
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions import largest
from unseen.mpc.functions.pieces import piece
from unseen.mpc.tally.dealer import IN_MEMORY_BYTES
from unseen.party import Disclosure, Door, Party

VERSION = 3
SUMMARY = "Train boosted trees on the columns of all holders; each learns its own splits, the model stays in secret shares."
ROLES = {
    "holders": "bring columns and hold the shares",
    "label_holder": "the holder that has the label",
    "helper": engines.ROLE_OF_HELPER,
    "weight_holder": "the holder that has weights of the rows, if there are any",
}
INPUTS = {
    "table": "training columns; missing values may be",
    "weights": "a table of the same rows with the weights as a column (optional)",
    "start": "a model to go on from, whose columns are taken (optional)",
}
OUTPUTS = {"model": "this holder's splits and its share of the leaves"}
LEVELS = ("shared",)
OPTIONAL_ROLES = engines.OPTIONAL_ROLES | {"weight_holder"}
OPTIONAL_INPUTS = frozenset({"weights", "start"})
TRUST, trust = engines.TRUST, engines.trust

_SECONDS_PER_BYTE = 6e-9
_SECONDS_PER_ROUND = 4e-4
_LARGEST_LABEL = 2.0**20
_PIECES = 16  # of 1/sqrt and the sigmoid
_TRAINER = {item.name for item in fields(Settings)} - {"monotone", "base_score"}


class Params(engines.OnShares):
    """How trees are grown; XGBoost's names, where they differ, in brackets.

    `tell_splits`: whether each holder is told its own splits; else nobody learns any, which takes more time.
    `monotone`: holder -> column -> 1 if the score may only grow with it, -1 if only fall.
    `objective`: "binary" (label 0 or 1), "squared" (a number), "softmax" (0 to `classes` - 1). `rounds`: trees per class.
    `depth` [max_depth], `bins` [max_bin]: most bins of a column, cut at quantiles by its holder. `learning_rate` [eta], `penalty`
    [lambda], `min_gain` [gamma; in units of the label's variance for "squared"], `min_child_weight`. `row_fraction` [subsample]
    and `column_fraction` [colsample_bytree]: part of rows and columns that each tree sees. `stop_after` [early_stopping_rounds]: stop
    after so many rounds without a smaller mean squared error of probabilities (of numbers: of these) of rows set aside, `stop_rows` of
    all; everybody is told that loss. 0: never.
    `weight_column` [weight]: of the input `weights` at the weight holder, numbers from 0 to 64 that are on average at most 1.
    `warm_start` [xgb_model]: go on from the model of the input `start`, whose cuts are taken; the model has its trees too.
    `importance` [total_gain]: tell each holder what the splits on each of its columns gained over all trees of this task.
    """

    BY_HOLDER: ClassVar = ("monotone",)
    objective: Literal["binary", "squared", "softmax"] = "binary"
    rounds: Annotated[int, Field(ge=1, le=10_000)] = 100
    depth: Annotated[int, Field(ge=1, le=DEEPEST)] = 5
    bins: Annotated[int, Field(ge=2, le=1024)] = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.3
    penalty: Annotated[float, Field(gt=0, le=1000)] = 1.0
    min_gain: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    min_child_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    classes: Annotated[int, Field(ge=1, le=100)] = 1
    row_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    column_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    monotone: dict[str, dict[str, Literal[-1, 1]]] = Field(default_factory=dict)
    tell_splits: bool = True
    stop_after: Annotated[int, Field(ge=0, le=10_000)] = 0
    stop_rows: Annotated[float, Field(gt=0, lt=1)] = 0.1
    weight_column: str = ""
    warm_start: bool = False
    importance: bool = False

    @model_validator(mode="after")
    def _classes_fit(self) -> Params:
        if (self.objective == "softmax") != (self.classes > 1):
            raise ValueError("softmax takes two classes or more, the other objectives one")
        return self

    def settings(self) -> Settings:
        """As the trainer takes them."""
        plain = self.model_dump(include=_TRAINER)
        return Settings(**plain)


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Sizes to all; to each holder its own splits."""
    everyone = tuple(sorted({*roles.all("holders"), *roles.all("helper")}))
    what = "the number of rows; for each column how many bins it has, whether values are missing, its way if it is monotone"
    told = [Disclosure(columns_of_all.DISCLOSURE, what, everyone, Door.RELEASE, times=4)]
    settings = params.settings()
    told += [
        Disclosure(
            disclosure(holder),
            f"at which nodes {holder}'s columns split, which, and at which of its bins",
            (holder,),
            Door.REVEAL,
            max_elements=2 ** (settings.depth - 1),
            times=settings.trees * settings.depth,
        )
        for holder in roles.all("holders")
        if params.tell_splits
    ]
    told += [
        Disclosure(
            _gains(holder),
            f"how much the splits on each of {holder}'s columns gained in all",
            (holder,),
            Door.REVEAL,
        )
        for holder in roles.all("holders")
        if params.importance
    ]
    if params.stop_after:
        loss = "after each round the mean loss of the rows set aside"
        told.append(
            Disclosure(shared.LOSS, loss, everyone, Door.REVEAL, max_elements=1, times=settings.rounds)
        )
    return tuple(told)


def _gains(holder: str) -> str:
    return f"gains-{holder}"


def makes(params: Params, columns: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
    """Kind and public part of the model, for the estimates of steps that use it; hidden splits are of as many bins as there can be."""
    widths = {holder: [params.bins + 1] * count for holder, count in columns.items()}
    return "trees", asdict(params.settings()) | ({} if params.tell_splits else {trees.HIDDEN: widths})


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Measured on bank marketing (45,211 rows, 16 columns, 32 bins, depth 5) and on 50,000 rows of 15 columns."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    width = sum(sizes.columns.get(holder, 0) for holder in holders)
    settings, depth = params.settings(), params.depth
    codes, vectors = width * (params.bins + 1), 2 ** (depth - 1)
    low, high = 2 ** (depth // 2 + depth % 2), 2 ** (depth // 2)
    derivatives = 675 if settings.objective == "binary" else 450 / settings.classes
    per_row = derivatives + 32 * vectors - 16 + 24 * low + 48 * high + 8
    choices = 1 + width * (params.bins - 1)
    compared = sum(largest.comparisons(2**level, choices) for level in range(depth))
    per_tree = per_row * rows + 1750 * (2**depth - 1) * choices + 142 * compared + 80_000
    sent = 8 * rows * codes + settings.trees * per_tree
    rounds = settings.trees * _rounds(depth, choices, rows, settings.classes)
    seconds = sent * _SECONDS_PER_BYTE + rounds * (network.latency_s + _SECONDS_PER_ROUND)
    seconds += sent / network.bytes_per_s
    in_memory, scratch = _masked_codes(params, roles, sizes, rows)
    memory = in_memory + 8 * rows * (64 + 12 * vectors) + (1 << 28)
    return engines.scaled(
        Cost(seconds, round(sent), rounds, math.ceil(memory), scratch), roles, params, network, work="trees"
    )


def _rounds(depth: int, choices: int, rows: int, classes: int) -> int:
    """Of a tree: the search; 1/sqrt of all sides, 30 a piece; and what else there is, 27 a level and 40. Sigmoids are 10 a piece."""

    def pieces(size: int) -> int:
        return math.ceil(size / piece(size, _PIECES))

    levels = (
        30 * pieces(2**level * 2 * choices) + largest.rounds(2**level, choices) for level in range(depth)
    )
    return sum(levels) + 27 * depth + 40 + 10 * pieces(rows * classes) // classes


def _masked_codes(params: Params, roles: Roles, sizes: Sizes, rows: int) -> tuple[int, dict[str, int]]:
    """Bytes of others' masked codes: in memory at the holder that has most of them, and in files of each holder."""
    holders, choice = roles.all("holders"), engines.choose(roles)
    each = {holder: 8 * rows * sizes.columns.get(holder, 0) * (params.bins + 1) for holder in holders}
    if not choice.helper and choice.protocol != "replicated3":
        return sum(each.values()), {}
    filed = {holder: count for holder, count in each.items() if count > IN_MEMORY_BYTES}
    held = [sum(n for name, n in each.items() if name not in {holder, *filed}) for holder in holders]
    keepers = {holder: [other for other in holders if other != holder] for holder in filed}
    if not choice.helper:  # of three alone, the one before
        keepers = {holder: [holders[holders.index(holder) - 1]] for holder in filed}
    files = {one: sum(n for name, n in filed.items() if one in keepers[name]) for one in holders}
    return max(held, default=0), {holder: size for holder, size in files.items() if size}


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    holders, label_holder = roles.all("holders"), roles.one("label_holder")
    settings = params.settings()
    held = going_on.of(party.name, inputs) if params.warm_start and party.name in holders else None
    own = None
    if party.name in holders:
        own = Matrix.of(inputs["table"], missing=True, columns=None if held is None else held.columns)
    if own is not None and held is not None:
        check_columns(party.name, own.columns, own.prepared, held)
    if own is not None and not len(own.values):
        raise UsageError("There are no rows to train on.", mend="bring more common rows")
    start = None if held is None else held.model
    label = _label(party.name, own, settings) if own is not None and party.name == label_holder else None
    weights = _row_weights(party, inputs, params, roles, own)
    cuts: tuple[Any, ...] = ()
    codes, mine = None, None
    if own is not None:
        cuts = trees.cuts_of(start) if start else cuts_of_columns(own.values, own.columns, params.bins)
        codes = trees.coded(own.values, cuts)
        counts = [len(cut) + 1 for cut in cuts]
        absent = [bool((one == count).any()) for one, count in zip(codes, counts, strict=True)]
        ways = ways_of(party.name, own.columns, params.monotone.get(party.name, {}))
        mine = Own(len(own.values), counts, absent, ways)
    bins = columns_of_all.agree(party, mine, holders=holders)
    settings = replace(settings, monotone=bins.monotone)
    engine = engines.open_engine(party, roles, params)
    earlier = None
    if params.warm_start:
        earlier = going_on.agree(engine, start, roles, bins, settings, hide=not params.tell_splits)
    own_scale = _own_scale(label, settings, start)
    labels, scale = _share_labels(engine, label, bins, settings, own_scale, owner=label_holder)
    row_weights = None
    if params.weight_column:
        row_weights = engine.share(weights, owner=roles.one("weight_holder"), shape=(bins.rows,))
    drawn = sampling.agree(
        party,
        settings,
        rows=bins.rows,
        columns=sum(bins.columns.values()),
        leader=label_holder,
        aside=params.stop_rows if params.stop_after else 0.0,
    )
    grown = shared.fit(
        engine,
        codes,
        bins,
        labels,
        settings,
        rows=drawn.rows,
        columns=drawn.columns,
        weights=row_weights,
        start=None
        if earlier is None
        else trees.scores(engine, earlier, codes, Layout(bins.rows, bins.columns)),
        watch=None if drawn.aside is None else shared.Watch(drawn.aside, params.stop_after),
        hide=not params.tell_splits,
        measure=params.importance,
        report=lambda done, total: party.progress(done, total, "trees"),
        keep=SecretCheckpoints(engine, party.checkpoints("round", settings.rounds)),
    )
    gained = _tell_gains(engine, grown, bins)
    if earlier is not None:
        grown = trees.grown_of(engine, earlier).followed_by(grown)
    if own is None:
        return {}
    settings = replace(settings, rounds=len(grown.weights) // settings.classes)
    choice = engines.choose(roles)
    model = trees.to_model(
        grown,
        cuts,
        settings,
        protocol=choice.protocol,
        holders=choice.holders,
        bins=bins,
        label=scale,
        own_scale=own_scale,
    )
    known: dict[str, list[float]] = {} if gained is None else {"gain": gained}
    if grown.splits is not None:
        used = grown.splits.column[grown.splits.column >= 0]
        known["splits"] = np.bincount(used, minlength=len(cuts)).astype(float).tolist()
    known |= {"losses": list(grown.losses)} if grown.losses else {}
    return {"model": SharedModel(model, bins.columns, own.columns, known, own.prepared).to_artefact()}


def _tell_gains(engine: Engine, grown: Grown, bins: Bins) -> list[float] | None:
    """Each holder gets those of its own columns, over all trees."""
    if grown.gains is None:
        return None
    total = engine.number(grown.gains.share.sum(axis=1, dtype=np.uint64), grown.gains.bits)
    ends = np.cumsum([0, *bins.columns.values()])
    wanted = {
        _gains(holder): total[int(begin) : int(end)]
        for holder, begin, end in zip(bins.columns, ends[:-1], ends[1:], strict=True)
        if end > begin
    }
    told = engine.reveal_all(wanted, to={_gains(holder): (holder,) for holder in bins.columns})
    mine = told.get(_gains(engine.protocol.party.name))
    return None if mine is None else [round(float(each), 6) for each in mine]


def _row_weights(
    party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles, own: Matrix | None
) -> NDArray[np.float64] | None:
    """The weights at their holder."""
    found = row_weights.of_rows(party, inputs, params.weight_column, roles, own)
    if found is None:
        return None
    if (
        not np.isfinite(found).all()
        or found.min() < 0
        or found.max() > MOST_WEIGHT
        or not 0 < found.mean() <= 1
    ):
        raise UsageError(
            f"Weights of rows are numbers from 0 to {MOST_WEIGHT}, on average at most 1, and not all 0.",
            why="sums of weighted derivatives are to fit their words",
            mend="divide them by their mean",
        )
    return found


def _label(me: str, own: Matrix, settings: Settings) -> Any:
    label = own.binary_label(me) if settings.objective == "binary" else own.known_label(me)
    check_labels(label, settings)
    if settings.objective == "squared" and not np.abs(label).max(initial=0.0) < _LARGEST_LABEL:
        raise UsageError(
            "A label is too large for trees in shares.",
            why=f"predictions are to fit the format, so labels are below {_LARGEST_LABEL:g} in size",
            mend="scale the label (thousands in the place of ones)",
        )
    return label


def _own_scale(label: Any, settings: Settings, start: Model | None) -> NDArray[np.float64] | None:
    """Mean and deviation that labels of "squared" are scaled by, at their holder: those of the model that is gone on from."""
    if label is None or settings.objective != "squared":
        return None
    if start is None:
        return np.array([label.mean(), label.std() or 1.0])
    if trees.OWN_SCALE not in start.private:
        raise UsageError(
            "The model to go on from does not say how labels were scaled.",
            why="another party had the label, or an earlier release made it",
            mend="train anew",
        )
    return start.private[trees.OWN_SCALE]


def _share_labels(
    engine: Engine,
    label: Any,
    bins: Bins,
    settings: Settings,
    own_scale: NDArray[np.float64] | None,
    *,
    owner: str,
) -> tuple[SecretArray, SecretArray | None]:
    """Labels as the trainer takes them, and of "squared" their mean and deviation, secret both."""
    shape, plain, scale = (settings.classes, bins.rows), None, None
    if label is not None and len(label) != bins.rows:
        raise UsageError("There is not one label a row.")
    if settings.objective == "squared":
        if own_scale is not None:
            plain = ((label - own_scale[0]) / own_scale[1])[None]
        scale = engine.share(own_scale, owner=owner, shape=(2,))
    elif label is not None:
        plain = label[None]
        if settings.objective == "softmax":
            plain = (label == np.arange(settings.classes)[:, None]).astype(np.float64)
    return engine.share(plain, owner=owner, shape=shape), scale
