"""Tell one party a whole joint model in clear, so that it can use and export it (模型交付)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SharedModel, shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import prepared_by, to_preparation
from unseen.jobs.whole_models import WholeModel, names
from unseen.learn.export.before import Chain, chains_of, packed, unpacked
from unseen.learn.export.whole import Whole
from unseen.learn.vertical import binned, layout, models
from unseen.learn.vertical.linear.scaling import Scaling
from unseen.learn.vertical.models import Model
from unseen.learn.vertical.trees import HIDDEN, cuts_of, leaves, settings_of
from unseen.party import Disclosure, Door, Message, Party, Released

VERSION = 3
SUMMARY = "Tell the receiver the whole model in clear: coefficients, splits and leaves, or points of bins, of all holders' columns."
ROLES = {
    "holders": "hold the shares of the model",
    "receiver": "gets the whole model",
    "helper": engines.ROLE_OF_HELPER,
}
OPTIONAL_ROLES = engines.OPTIONAL_ROLES
INPUTS = {
    "model": "shares of a model",
    "rules": "how each holder prepared its columns in training (optional)",
}
OPTIONAL_INPUTS = frozenset({"rules"})
OUTPUTS = {"model": "the whole model in clear, at the receiver"}
LEVELS = ("shared",)
TRUST, trust = engines.TRUST, engines.trust

_COLUMNS, _WEIGHTS, _LABEL, _RULES = "columns", "weights", "label", "rules"
_PAIR, _OF_SPLIT = 2, 3


class Params(engines.OnShares):
    """What may be told.

    Attributes
    ----------
    with_rules
        How each column was prepared is told too (input `rules`), so that exported files take columns as they come.
    least_rows
        Of models on bins whose evidence nobody learned (`woe_bins`): their points are told, of bins with at least so many rows in
        training; a model trained with fewer `woe_least_rows` is refused. 0: such models are.
    """

    with_rules: bool = False
    least_rows: Annotated[int, Field(ge=0)] = 0


class ModelColumns(Message, frozen=True, tag="jobs.model-columns/1"):
    """How each of the sender's columns in the model came about: JSON of :class:`unseen.learn.export.before.Chain`."""

    chains: Released[bytes]


class ModelPart(Message, frozen=True, tag="jobs.model-part/1"):
    """The names of the sender's columns, and what it alone knows of the model.

    Of linear models mean and scale of each column, if they were scaled inside. Of trees the splits as (node, counted through trees;
    column; missing left), and in one list the value of each: cuts where nothing splits are no part of the model. Of bins the cuts of each
    column.
    """

    columns: Released[list[str]]
    splits: Released[list[int]]
    numbers: Released[list[list[float]]]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Everything, to the receiver."""
    to = (roles.one("receiver"),)
    words = "names of all columns of the model, how they were scaled, and the splits of trees on them"
    weights = "coefficients or leaves of the model"
    if params.least_rows:
        words += ", or the values at which they were cut into bins"
        weights = (
            f"coefficients or leaves of the model, or the points of each bin that {params.least_rows} rows of training or more fell into, "
            "and so which part of the rows in it is positive, up to one shift and one stretch for all bins of a column"
        )
    rules = (
        "of each column how it was prepared: its name before; what missing values are filled with; where values are clipped, shifted, "
        "stretched and cut; the names of all categories, and the numbers that stand for them or for bins (of weights of evidence these say "
        "how labels lie)"
    )
    return (
        shape_disclosure(roles),
        *([Disclosure(_RULES, rules, to, Door.RELEASE, times=1)] if params.with_rules else []),
        Disclosure(_COLUMNS, words, to, Door.RELEASE, times=3),
        Disclosure(_WEIGHTS, weights, to, Door.REVEAL),
        Disclosure(_LABEL, "how labels were scaled, of trees for numbers", to, Door.REVEAL, max_elements=2),
    )


def estimate(_params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One reveal."""
    width = sum(sizes.columns.get(holder, 0) for holder in roles.all("holders"))
    sent = 1000 + 40 * width
    return Cost(0.02 + 4 * network.latency_s, sent, 4, 1000 * width)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    holders, receiver = roles.all("holders"), roles.one("receiver")
    held = SharedModel.of(inputs["model"]) if party.name in holders else None
    if receiver not in holders:
        raise UsageError(f"{receiver} is to get the model and is no holder.", mend="name a holder")
    width = None if held is None else np.zeros((1, held.widths[party.name]))
    sizes = layout.agree(party, width, holders=holders)
    engine = engines.open_engine(party, roles, params)
    model = models.agree(
        engine,
        None if held is None else held.model,
        protocol=engines.choose(roles).protocol,
        holders=holders,
        sizes=sizes,
    )
    _check_kind(model, params)
    parts = _parts(party, held, holders, receiver)
    before = _told_rules(party, inputs, held, holders, receiver) if params.with_rules else {}
    secret = leaves(engine, model) if model.kind == "trees" else model.secret(engine, "weights")
    weights = engine.reveal(_WEIGHTS, secret, to=(receiver,))
    label = None
    if "label" in model.shares:
        label = engine.reveal(_LABEL, model.secret(engine, "label"), to=(receiver,))
    if weights is None or held is None:
        return {}
    for holder, part in parts.items():
        _check_part(holder, part, model, sizes.columns[holder])
    columns = tuple((holder, name) for holder in holders for name in parts[holder].columns.value)
    if model.kind == "linear":
        whole = _linear(model, parts, columns, weights)
    elif model.kind == "binned":
        whole = _binned(model, parts, columns, weights)
    else:
        whole = _trees(model, parts, columns, weights, label)
    made = WholeModel(whole, columns)
    if params.with_rules:
        made = made.with_rules(tuple(chain for holder in holders for chain in _chains(holder, before, parts)))
    return {"model": made.to_artefact()}


def _told_rules(
    party: Party,
    inputs: Mapping[str, Artefact],
    held: SharedModel | None,
    holders: tuple[str, ...],
    receiver: str,
) -> dict[str, bytes]:
    """How each holder's columns came about; at the receiver of all of them."""
    found: dict[str, bytes] = {}
    if held is not None:
        mine = _own_chains(party.name, inputs, held)
        size = sum(chain.size for chain in mine)
        told = ModelColumns(party.release(_RULES, packed(mine), to=(receiver,), elements=size))
        if party.name == receiver:
            found[receiver] = told.chains.value
        else:
            party.send(receiver, told)
    if party.name == receiver:
        others = [holder for holder in holders if holder != receiver]
        found |= {holder: party.recv(holder, ModelColumns).chains.value for holder in others}
    return found


def _own_chains(me: str, inputs: Mapping[str, Artefact], held: SharedModel) -> list[Chain]:
    if "rules" not in inputs:
        raise UsageError(
            f"{me} has no rules of preparation that could be told with the model.",
            mend="name the output `rules` of the step 'prepare' or 'bin' as input, or leave out `with_rules`",
        )
    rules = to_preparation(inputs["rules"])
    made = chains_of(rules)
    if held.prepared != prepared_by(rules) or not set(held.columns) <= set(made):
        raise UsageError(
            f"{me}'s rules are not those by which the columns of the model were made.",
            why="other rules made them, or another step worked on them after these or before",
            mend="give the rules by which the training rows were prepared, and nothing but they, or leave out `with_rules`",
        )
    return [made[name] for name in held.columns]


def _chains(holder: str, before: Mapping[str, bytes], parts: Mapping[str, ModelPart]) -> tuple[Chain, ...]:
    try:
        told = unpacked(before[holder])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RemoteProtocolError(
            f"{holder} told something that is no way to prepare columns.", why=str(error), party=holder
        ) from error
    if len(told) != len(parts[holder].columns.value):
        raise RemoteProtocolError(
            f"{holder} told of {len(told)} columns where the model has {len(parts[holder].columns.value)}.",
            party=holder,
        )
    return told


def _check_kind(model: Model, params: Params) -> None:
    """Raises UsageError at all parties alike: the public part says what it is."""
    if model.kind == "binned" and params.least_rows:
        binned.check_least_rows(model, params.least_rows)
        return
    known = {
        "linear": ("family", ("logistic", "multinomial", "linear", "poisson")),
        "trees": ("objective", ("binary", "softmax", "squared")),
    }
    name, families = known.get(model.kind, ("family", ()))
    if model.public.get(name) not in families:
        raise UsageError(
            "This kind of model cannot be told as a whole.",
            why="its bins tell how labels lie, and this contract does not say of how many rows at least"
            if model.kind == "binned"
            else f"it is {model.kind} ({model.public.get(name)})",
            mend="score rows with the step 'predict'"
            + (", or set `least_rows`" if model.kind == "binned" else ""),
        )
    if HIDDEN in model.public:
        raise UsageError(
            "This model cannot be told as a whole.",
            why="nobody learned its splits",
            mend="score rows with the step 'predict', or train with the step 'train-gbdt' and tell_splits",
        )


def _parts(
    party: Party, held: SharedModel | None, holders: tuple[str, ...], receiver: str
) -> dict[str, ModelPart]:
    """What the holders know of the model each; at the receiver of all of them."""
    found: dict[str, ModelPart] = {}
    if held is not None:
        splits, numbers = _private(held.model)
        columns, to = list(held.columns), (receiver,)
        told = ModelPart(
            party.release(_COLUMNS, columns, to=to, elements=len(columns)),
            party.release(_COLUMNS, splits, to=to, elements=len(splits)),
            party.release(_COLUMNS, numbers, to=to, elements=sum(map(len, numbers))),
        )
        if party.name == receiver:
            found[receiver] = told
        else:
            party.send(receiver, told)
    if party.name == receiver:
        found |= {holder: party.recv(holder, ModelPart) for holder in holders if holder != receiver}
    return found


def _private(model: Model) -> tuple[list[int], list[list[float]]]:
    """Own splits of trees as (place, column, bin, missing left) one after the other, and the numbers of own columns."""
    if model.kind == "linear":
        scaling = Scaling.of(model.private)
        return [], [] if scaling is None else np.column_stack([scaling.center, scaling.scale]).tolist()
    if model.kind == "binned":
        return [], [cut.tolist() for cut in binned.cuts_of(model)]
    if "column" not in model.private:
        return [], []
    column, last, missing = (model.private[name].ravel() for name in ("column", "bin", "missing_left"))
    mine = np.flatnonzero(column >= 0)
    rows = np.column_stack([mine, column[mine], missing[mine]])
    edges = [np.r_[-np.inf, cut, np.inf] for cut in cuts_of(model)]
    values = [float(edges[own][at + 1]) for own, at in zip(column[mine], last[mine], strict=True)]
    return rows.astype(np.int64).ravel().tolist(), [values]


def _check_part(holder: str, part: ModelPart, model: Model, columns: int) -> None:
    """Raises RemoteProtocolError where a peer's part is none of this model."""
    splits, numbers = part.splits.value, part.numbers.value
    fits = len(part.columns.value) == columns
    if model.kind == "linear":
        pairs = np.array(numbers if not numbers or {*map(len, numbers)} == {_PAIR} else [[0.0, 0.0]])
        fits &= not splits and len(numbers) in (0, columns)
        fits &= bool(np.isfinite(pairs).all()) and (not len(pairs) or bool((pairs[:, 1] > 0).all()))
    elif model.kind == "binned":
        steps = [np.diff(one) for one in numbers]
        fits &= not splits and len(numbers) == columns
        fits &= all(len(one) < int(model.public["bins"]) for one in numbers)
        fits &= all(np.isfinite(one).all() for one in numbers) and all((step > 0).all() for step in steps)
    else:
        settings = settings_of(model.public)
        nodes, own, left = splits[::_OF_SPLIT], splits[1::_OF_SPLIT], splits[2::_OF_SPLIT]
        fits &= len(splits) % _OF_SPLIT == 0 and len({*nodes}) == len(nodes)
        fits &= sum(map(len, numbers)) == len(nodes) and len(numbers) <= 1
        fits &= all(0 <= node < settings.trees * settings.nodes for node in nodes)
        fits &= all(0 <= column < columns for column in own) and {*left} <= {0, 1}
        fits &= not any(np.isnan(value) for one in numbers for value in one)
    if not fits:
        raise RemoteProtocolError(f"{holder} told something that is no part of this model.", party=holder)


def _linear(
    model: Model,
    parts: Mapping[str, ModelPart],
    columns: tuple[tuple[str, str], ...],
    weights: NDArray[np.float64],
) -> Whole:
    """With coefficients of the columns as they came, where they were scaled inside."""
    scales = [
        parts[holder].numbers.value or [[0.0, 1.0]] * len(parts[holder].columns.value)
        for holder in model.holders
    ]
    mean, scale = np.concatenate([np.array(one).reshape(-1, 2) for one in scales]).T
    slopes = weights[:-1] / scale.reshape(-1, *[1] * (weights.ndim - 1))
    arrays = {"weights": np.concatenate([slopes, weights[-1:] - mean @ slopes])}
    return Whole("linear", str(model.public["family"]), names(columns), arrays)


def _binned(
    model: Model,
    parts: Mapping[str, ModelPart],
    columns: tuple[tuple[str, str], ...],
    weights: NDArray[np.float64],
) -> Whole:
    cuts = [cut for holder in model.holders for cut in parts[holder].numbers.value]
    arrays = {
        "weights": weights[:-1].reshape(len(cuts), int(model.public["bins"]) + 1),
        "intercept": weights[-1:],
        "cuts": np.concatenate([*map(np.array, cuts), np.zeros(0)]),
        "ends": np.cumsum([len(cut) for cut in cuts], dtype=np.int64),
    }
    return Whole("binned", "logistic", names(columns), arrays)


def _trees(
    model: Model,
    parts: Mapping[str, ModelPart],
    columns: tuple[tuple[str, str], ...],
    weights: NDArray[np.float64],
    label: NDArray[np.float64] | None,
) -> Whole:
    settings = settings_of(model.public)
    shape = (settings.trees, settings.nodes)
    column = np.full(shape, -1, np.int64)
    threshold, missing = np.zeros(shape), np.zeros(shape, np.bool_)
    begin = 0
    for holder in model.holders:
        part = parts[holder]
        told = np.array(part.splits.value, np.int64).reshape(-1, _OF_SPLIT).tolist()
        for (place, own, left), value in zip(
            told, [v for one in part.numbers.value for v in one], strict=True
        ):
            where = divmod(place, settings.nodes)
            if column[where] >= 0:
                raise RemoteProtocolError("Two holders told splits of one node.")
            column[where], threshold[where], missing[where] = begin + own, value, bool(left)
        begin += len(part.columns.value)
    mean, spread = (0.0, 1.0) if label is None else (float(label[0]), float(label[1]))
    arrays = {
        "leaves": weights,
        "column": column,
        "threshold": threshold,
        "missing_left": missing,
        "scale": np.array([settings.base_score * spread + mean, spread]),
        **({"classes": np.array([settings.classes])} if settings.objective == "softmax" else {}),
    }
    return Whole("trees", settings.objective, names(columns), arrays)
