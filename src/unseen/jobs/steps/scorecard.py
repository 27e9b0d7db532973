"""Turn a logistic model into a scorecard, and score applications by it: points that add up, each holder its own (评分卡)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import (
    SCORES,
    SharedModel,
    check_columns,
    opened,
    score,
    scoring_cost,
    shape_disclosure,
)
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import binned, layout
from unseen.learn.vertical.linear import scorecard
from unseen.learn.vertical.models import Model
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party

VERSION = 3
SUMMARY = "Make a scorecard of a logistic model, each holder's own points or nobody's; the receiver gets the points of each row."
ROLES = {
    "holders": "have columns, and know their coefficients where `tables` is made of them",
    "label_holder": "knows or is told the intercept, of which it makes the base",
    "receiver": "gets the points of each row",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {
    "model": "a logistic model; whose coefficients the owners of the columns were told, where `tables` is `known`",
    "train": "training columns, from whose values the tables are made, where `tables` is `known` (else left out)",
    "table": "columns of the rows to be scored, with a label or without",
}
OUTPUTS = {
    "points": "this holder's tables of points; the base at the label holder",
    "scores": "points and probability of being bad for each row, at the receiver, with its ids; where it has labels and some "
    "are missing, also the rows and weights to train on again",
}
OPTIONAL_INPUTS = frozenset({"train"})
LEVELS = ("shared",)
BASE = "base"
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust


class Params(engines.OnShares):
    """`base_points` at `base_odds` (good to bad); the odds double every `pdo` points; `rounding` of every entry of a table.

    `raised`: how many times the odds of being bad are among rows without a label, compared with others of the same score (reject
    inference).
    `tables`: of what each holder's table of points is made. `known`: of the coefficients that it was told in training. `evidence`: of a model on
    bins whose evidence nobody learns (`woe_bins`), each holder is told the points of its own bins, the label holder the base. `nobody`: there
    are no tables, rows are scored under shares, and their points are rounded once.
    `least_rows`: with `evidence`, how many rows of training a bin whose points are told has at least; a model trained with fewer `woe_least_rows` is
    refused.
    """

    base_points: float = 600.0
    base_odds: Annotated[float, Field(gt=0)] = 50.0
    pdo: Annotated[float, Field(gt=0, le=1000)] = 20.0
    rounding: scorecard.Rounding = "nearest"
    raised: Annotated[float, Field(gt=0, le=100)] = 1.0
    tables: Literal["known", "evidence", "nobody"] = "known"
    least_rows: Annotated[int, Field(ge=1)] = 10

    @property
    def scale(self) -> scorecard.Scale:
        """What points mean."""
        return scorecard.Scale(self.base_points, self.base_odds, self.pdo, self.rounding)


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape; the points of each row to the receiver; points of bins where they are told."""
    receiver = (roles.one("receiver"),)
    told = [shape_disclosure(roles), Disclosure(SCORES, "the points of each row", receiver, Door.REVEAL)]
    if params.tables == "evidence":
        told += [
            Disclosure(
                _points_of(holder),
                f"the points of each bin of {holder}'s columns that {params.least_rows} rows of training or more fell into, and so "
                "which part of the rows in it is positive, up to one shift and one stretch for all bins of a column",
                (holder,),
                Door.REVEAL,
            )
            for holder in roles.all("holders")
        ]
        to = (roles.one("label_holder"),)
        told.append(
            Disclosure(BASE, "the points of an application whose columns say nothing", to, Door.REVEAL)
        )
    return tuple(told)


def _points_of(holder: str) -> str:
    return f"points-{holder}"


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Each holder's points are shared and added up; where there are no tables the model scores."""
    if params.tables == "nobody":
        return scoring_cost(roles, sizes, network, params)
    rows = sizes.scored(roles.all("holders"))
    sent = rows * 8 * len(roles.all("holders"))
    return Cost(0.02 + rows * 2e-7 + sent / network.bytes_per_s + 3 * network.latency_s, sent, 3, rows * 64)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    holders, scale = roles.all("holders"), params.scale
    if params.tables == "nobody":
        return _unseen(party, inputs, params, roles)
    if params.tables == "evidence":
        return _of_evidence(party, inputs, params, roles)
    if party.name not in holders:
        sizes = layout.agree(party, None, holders=holders)
        _reveal(party, None, sizes, roles, params)
        return {}
    if "train" not in inputs:
        raise UsageError(
            "The tables are to be made of the values of training rows, which are not there.",
            mend="give the training columns as input `train`, or set `tables`",
        )
    model = SharedModel.of(inputs["model"])
    own, train = (Matrix.of(inputs[name], columns=model.columns) for name in ("table", "train"))
    _check(party.name, model, own, train)
    coefficients = model.known.get("coefficients", [])
    mine = scorecard.total(scale, own.values, coefficients)
    meta: dict[str, Any] = {
        "columns": [
            {
                "name": item.name,
                "values": list(item.values),
                "points": list(item.points),
                "per_unit": item.per_unit,
            }
            for item in scorecard.tables(scale, train.values, own.columns, coefficients)
        ],
        **_meaning(params),
    }
    if party.name == roles.one("label_holder"):
        meta["base"] = scale.base(_intercept(party.name, model))
        mine = mine + meta["base"]
    sizes = layout.agree(party, own.values, holders=holders)
    points = _reveal(party, mine, sizes, roles, params)
    return _given(own, points, params, Artefact("points", {}, meta))


def _meaning(params: Params) -> dict[str, Any]:
    return {"base_points": params.base_points, "base_odds": params.base_odds, "pdo": params.pdo}


def _given(own: Matrix | None, points: Any, params: Params, table: Artefact | None) -> dict[str, Any]:
    """The outputs: tables, and at the receiver points by row."""
    made = {} if table is None else {"points": table}
    if points is None or own is None:
        return made
    scale = params.scale
    exact = points if params.rounding == "none" else np.rint(points)
    bad = scale.bad(exact)
    arrays = {SCORES: exact, "bad": bad, "ids": np.frombuffer(own.ids.to_ipc(), np.uint8)}
    if own.label is not None and np.isnan(own.label).any():
        again = scorecard.infer_rejects(own.label, bad, raised=params.raised)
        arrays |= {"again_rows": again.rows, "again_labels": again.labels, "again_weights": again.weights}
    return {**made, "scores": Artefact("scores", arrays, {"rows": len(exact)})}


def _unseen(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """Points under shares: nobody has a table."""
    made = score(party, inputs, roles, params)
    _check_kind(made.model, ("linear", "binned"))
    scale = params.scale
    points = made.raw * -scale.factor + (params.base_points - scale.factor * math.log(params.base_odds))
    return _given(made.own, made.engine.reveal(SCORES, points, to=(roles.one("receiver"),)), params, None)


def _of_evidence(
    party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles
) -> dict[str, Any]:
    """Each holder is told the points of its own bins, and adds them up by itself."""
    ready, scale, label_holder = opened(party, inputs, roles, params), params.scale, roles.one("label_holder")
    engine, model, own = ready.engine, ready.model, ready.own
    _check_kind(model, ("binned",))
    binned.check_least_rows(model, params.least_rows)
    weights, per = model.secret(engine, "weights"), int(model.public["bins"]) + 1
    ends = np.cumsum([0, *(count * per for count in ready.sizes.columns.values())])
    wanted = {
        _points_of(holder): weights[int(begin) : int(end)]
        for holder, begin, end in zip(ready.sizes.columns, ends[:-1], ends[1:], strict=True)
        if end > begin
    }
    to = {_points_of(holder): (holder,) for holder in ready.sizes.columns} | {BASE: (label_holder,)}
    told = engine.reveal_all({**wanted, BASE: weights[-1:]}, to=to)
    mine, meta = None, _meaning(params)
    if own is not None:
        codes, cuts = binned.codes_of(model, own.values)
        flat = told.get(_points_of(party.name))
        each = np.zeros((0, per)) if flat is None else scale.points(flat.reshape(-1, per), 1.0)
        mine = np.sum([row[code] for row, code in zip(each, codes, strict=True)], axis=0) + np.zeros(
            len(own.values)
        )
        meta["columns"] = [
            {
                "name": name,
                "cuts": cut.tolist(),
                "points": row[: len(cut) + 1].tolist(),
                "missing": float(row[-1]),
            }
            for name, cut, row in zip(own.columns, cuts, each, strict=True)
        ]
        base = told.get(BASE)
        if base is not None:
            meta["base"] = scale.base(float(base[0]))
            mine = mine + meta["base"]
    points = _added(engine, mine, ready.sizes, roles)
    return _given(own, points, params, None if own is None else Artefact("points", {}, meta))


def _check_kind(model: Model, kinds: tuple[str, ...]) -> None:
    if model.kind not in kinds or model.public.get("family", "logistic") != "logistic":
        raise UsageError(
            "Points of this kind are made of another model.",
            why=f"this one is: {model.public.get('family', model.kind)}",
            mend="train one with the step 'train-linear', family 'logistic', with `woe_bins` for `tables: evidence`",
        )


def _reveal(party: Party, mine: Any, sizes: layout.Layout, roles: Roles, params: Params) -> Any:
    """The sum of all holders' points, to the receiver."""
    return _added(engines.open_engine(party, roles, params), mine, sizes, roles)


def _added(engine: Engine, mine: Any, sizes: layout.Layout, roles: Roles) -> Any:
    me = engine.protocol.party.name
    parts = [
        engine.share(mine if me == holder else None, owner=holder, shape=(sizes.rows,))
        for holder in roles.all("holders")
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return engine.reveal(SCORES, total, to=(roles.one("receiver"),))


def _check(name: str, model: SharedModel, own: Matrix, train: Matrix) -> None:
    if model.model.kind != "linear" or model.model.public.get("family") != "logistic":
        raise UsageError(
            "A scorecard is made of a logistic model.",
            why=f"this one is: {model.model.public.get('family', model.model.kind)}",
            mend="train one with the step 'train-linear', family 'logistic'",
        )
    if "coefficients" not in model.known and model.columns:
        raise UsageError(
            f"{name} does not know the coefficients of its columns.",
            why="its table of points is made of them",
            mend="train with `coefficients_to_owners`",
        )
    for table in (own, train):
        check_columns(name, table.columns, table.prepared, model)


def _intercept(name: str, model: SharedModel) -> float:
    if "intercept" not in model.known:
        raise UsageError(
            f"{name} does not know the intercept, of which the base is made.",
            mend="let the label holder of the training be the label holder here",
        )
    return float(model.known["intercept"][0])
