"""Train boosted trees on columns of several holders, histograms under additive encryption (纵向梯度提升树，半同态加密)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.crypto.additive.public import shape as shape_of_keys
from unseen.crypto.prg import Prg
from unseen.dp.budget import EXACT, Spent
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SharedModel, shape_disclosure
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import Matrix
from unseen.learn.prepare.cuts import cuts_of_columns
from unseen.learn.vertical import layout, trees
from unseen.learn.vertical.trees import federated
from unseen.learn.vertical.trees.federated import EarlyStop
from unseen.learn.vertical.trees.model import DEEPEST, Settings, ways_of
from unseen.learn.vertical.trees.packing import FRACTION_BITS
from unseen.party import Disclosure, Door, Party

VERSION = 1
SUMMARY = "Train boosted trees on the columns of all holders; the label holder sees sums by bin, all see where rows go."
ROLES = {
    "holders": "bring columns",
    "label_holder": "the holder that has the label; it reads the sums and knows the leaves",
}
INPUTS = {"table": "training columns; missing values may be"}
OUTPUTS = {"model": "this holder's splits; at the label holder the leaves, and the gain of each column"}
LEVELS = ("federated",)
TRUST = (
    "Semi-honest parties. The label holder sees sums of derivatives by bin, the others see which rows are together in a node: "
    "either can conclude more from that than a model tells."
)

_PRODUCT_S = {2048: 2.5e-7, 3072: 5.5e-7}  # of two ciphertexts; Paillier's are four times as long
_SQUARES_A_ROW = 32  # products for a fresh ciphertext, about


class Params(StepParams):
    """How trees are grown; XGBoost's names, where they differ, in brackets.

    `objective`: "binary" (label 0 or 1), "squared" (a number), "softmax" (0 to `classes` - 1). `rounds`: trees per class.
    `depth` [max_depth], `bins` [max_bin]: most bins of a column, cut at quantiles by its holder. `learning_rate` [eta], `penalty`
    [lambda], `min_gain` [gamma], `min_child_weight`, `base_score` (as a log-odds or number). `row_fraction` [subsample] and
    `column_fraction` [colsample_bytree]: part of rows and columns that each tree sees. `patience` [early_stopping_rounds]: stop
    after so many rounds without a lower loss on `held_out`, a part of the rows that no tree learns from; 0 for never.
    `monotone`: holder -> column -> 1 if the score may only grow with it, -1 if only fall.
    `scheme`: "ou" (Okamoto and Uchiyama) or "paillier"; `key_bits`: 3072, or 2048 (faster, 112 bits of security).
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
    base_score: Annotated[float, Field(ge=-1e6, le=1e6)] = 0.0
    classes: Annotated[int, Field(ge=1, le=100)] = 1
    row_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    column_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    monotone: dict[str, dict[str, Literal[-1, 1]]] = Field(default_factory=dict)
    held_out: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    patience: Annotated[int, Field(ge=0, le=10_000)] = 0
    scheme: Literal["ou", "paillier"] = "ou"
    key_bits: Literal[2048, 3072] = 3072

    @model_validator(mode="after")
    def _they_fit(self) -> Params:
        if (self.objective == "softmax") != (self.classes > 1):
            raise ValueError("softmax takes two classes or more, the other objectives one")
        if (self.held_out > 0) != (self.patience > 0):
            raise ValueError("held_out and patience go together")
        return self

    def settings(self) -> Settings:
        """As the trainer takes them."""
        return Settings(
            **self.model_dump(exclude={"bins", "monotone", "held_out", "patience", "scheme", "key_bits"})
        )


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Sizes to all; sums and ways to the label holder, nodes of rows and own splits to the others."""
    leader, settings = roles.one("label_holder"), params.settings()
    others = tuple(holder for holder in roles.all("holders") if holder != leader)
    levels = settings.trees * settings.depth
    told = [
        (
            federated.BINS,
            "how many bins each column of the others has, which comes most often, and its way if it is monotone",
            (leader,),
            3,
        ),
        (federated.SUMS, "sums of derivatives by node, column and bin of the others", (leader,), levels),
        (federated.WAYS, "which rows the splits of the others send left", (leader,), levels),
        (federated.MEMBERS, "which rows are in which node of every tree", others, levels),
        (federated.SPLITS, "each holder's own splits", others, levels * max(len(others), 1)),
        (federated.STOP, "how many trees are kept", others, settings.trees + 1),
    ]
    made = (Disclosure(name, what, to, Door.RELEASE, times=times) for name, what, to, times in told if to)
    return (shape_disclosure(roles), *made)


def spends(_params: Params, _roles: Roles) -> Spent:
    """Sums of derivatives and ways of rows are told, without noise."""
    return EXACT


def makes(params: Params, _columns: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
    """Kind and public part of the model, for the estimates of steps that use it."""
    return "trees", asdict(params.settings())


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Products of ciphertexts, and the ciphertexts that travel."""
    holders, leader = roles.all("holders"), roles.one("label_holder")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    others = [sizes.columns.get(holder, 0) for holder in holders if holder != leader]
    settings, keys = params.settings(), shape_of_keys(params.scheme, params.key_bits)
    width = keys.ciphertext_bits // 8
    slots = keys.plain_bits // (2 * (FRACTION_BITS + max(rows, 1).bit_length()) + 1)
    sums = sum(others) * params.bins * (1 + (2 ** (params.depth - 1) - 1))
    packed = math.ceil(sums / slots) + params.depth * len(others)
    per_tree = width * (rows * len(others) + packed) + rows // 4 * params.depth * len(others)
    products = rows * (_SQUARES_A_ROW + sum(others) * (1 + (params.depth - 1) / 2))
    products += sums * keys.plain_bits / slots + packed * 2 * keys.full_bits / 4
    unit = _PRODUCT_S[params.key_bits] * (4 if params.scheme == "paillier" else 1)
    sent = settings.trees * per_tree + 4 * width * len(others)
    rounds = settings.trees * 2 * params.depth + 4
    seconds = 1 + settings.trees * products * unit / 2
    seconds += rounds * (network.latency_s + 2e-4) + sent / network.bytes_per_s
    return Cost(seconds, sent, rounds, rows * (3 * width + 64 * max(others, default=0)) + (200 << 20))


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder."""
    holders, leader = roles.all("holders"), roles.one("label_holder")
    if leader not in holders:
        raise UsageError(f"{leader} has the label and is no holder.", mend="name it among the holders")
    own = Matrix.of(inputs["table"], missing=True)
    sizes = layout.agree(party, own.values, holders=holders)
    ways = ways_of(party.name, own.columns, params.monotone.get(party.name, {}))
    cuts = cuts_of_columns(own.values, own.columns, params.bins)
    settings = params.settings()
    seen, columns, stop, label = (None, None, None, None)
    if party.name == leader:
        label = own.binary_label(leader) if settings.objective == "binary" else own.known_label(leader)
        seen, columns, stop = _samples(party, params, sizes)
    grown = federated.fit(
        party,
        trees.coded(own.values, cuts),
        [len(cut) + 1 for cut in cuts],
        label,
        settings,
        holders=holders,
        label_holder=leader,
        scheme=params.scheme,
        key_bits=params.key_bits,
        seen=seen,
        columns=columns,
        ways=ways,
        stop=stop,
        report=lambda done, total: party.progress(done, total, "trees"),
        keep=party.checkpoints("round", settings.rounds),
    )
    model = trees.model_with_leaves(
        grown.splits, grown.weights, cuts, grown.settings, leaves_at=leader, holders=holders
    )
    known = {f"gain of {holder}": gains.tolist() for holder, gains in grown.gains.items()}
    if grown.losses:
        known["losses"] = list(grown.losses)
    return {"model": SharedModel(model, dict(sizes.columns), own.columns, known, own.prepared).to_artefact()}


def _samples(
    party: Party, params: Params, sizes: layout.Layout
) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None, EarlyStop | None]:
    """Which rows and columns each tree sees, and the rows held out: the same in every attempt."""
    rng, count = party.output_rng, params.settings().trees
    seen = columns = stop = None
    if params.row_fraction < 1:
        seen = np.stack([_drawn(rng, sizes.rows, params.row_fraction) for _ in range(count)])
    if params.column_fraction < 1:
        columns = np.zeros((count, sizes.width), bool)
        for tree in range(count):
            columns[
                tree, rng.permutation(sizes.width)[: max(1, round(params.column_fraction * sizes.width))]
            ] = True
    if params.patience:
        held = np.zeros(sizes.rows, bool)
        held[rng.permutation(sizes.rows)[: max(1, round(params.held_out * sizes.rows))]] = True
        stop = EarlyStop(held, params.patience)
    return seen, columns, stop


def _drawn(rng: Prg, rows: int, fraction: float) -> NDArray[np.bool_]:
    drawn: NDArray[np.bool_] = (rng.u64(rows) >> np.uint64(32)) < np.uint64(int(fraction * 2.0**32))
    return drawn
