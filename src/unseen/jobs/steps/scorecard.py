"""Turn a logistic model into a scorecard, and score applications by it: points that add up, each holder its own (评分卡)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SCORES, SharedModel, shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout
from unseen.learn.vertical.linear import scorecard
from unseen.party import Disclosure, Door, Party

VERSION = 1
SUMMARY = "Make a scorecard of a logistic model, each holder's points by itself; the receiver gets the points of each row."
ROLES = {
    "holders": "have columns and know their coefficients",
    "label_holder": "knows the intercept, of which it makes the base",
    "receiver": "gets the points of each row",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {
    "model": "a logistic model whose coefficients the owners of the columns were told",
    "train": "training columns, from whose values the tables are made",
    "table": "columns of the rows to be scored, with a label or without",
}
OUTPUTS = {
    "points": "this holder's tables of points; the base at the label holder",
    "scores": "points and probability of being bad for each row, at the receiver, with its ids; where it has labels and some "
    "are missing, also the rows and weights to train on again",
}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust


class Params(engines.OnShares):
    """`base_points` at `base_odds` (good to bad); the odds double every `pdo` points; `rounding` of every entry of a table.

    `raised`: how many times the odds of being bad are among rows without a label, compared with others of the same score (reject
    inference).
    """

    base_points: float = 600.0
    base_odds: Annotated[float, Field(gt=0)] = 50.0
    pdo: Annotated[float, Field(gt=0, le=1000)] = 20.0
    rounding: scorecard.Rounding = "nearest"
    raised: Annotated[float, Field(gt=0, le=100)] = 1.0

    @property
    def scale(self) -> scorecard.Scale:
        """What points mean."""
        return scorecard.Scale(self.base_points, self.base_odds, self.pdo, self.rounding)


def disclosures(_params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape; the points of each row to the receiver."""
    receiver = (roles.one("receiver"),)
    return (shape_disclosure(roles), Disclosure(SCORES, "the points of each row", receiver, Door.REVEAL))


def estimate(_params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Each holder's points are shared and added up."""
    rows = min((sizes.rows.get(holder, 0) for holder in roles.all("holders")), default=0) // 4
    sent = rows * 8 * len(roles.all("holders"))
    return Cost(0.02 + rows * 2e-7 + sent / network.bytes_per_s + 3 * network.latency_s, sent, 3, rows * 64)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    holders, receiver, scale = roles.all("holders"), roles.one("receiver"), params.scale
    if party.name not in holders:
        sizes = layout.agree(party, None, holders=holders)
        _reveal(party, None, sizes, roles, params)
        return {}
    model, own = SharedModel.of(inputs["model"]), Matrix.of(inputs["table"])
    train = Matrix.of(inputs["train"])
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
        "base_points": params.base_points,
        "base_odds": params.base_odds,
        "pdo": params.pdo,
    }
    if party.name == roles.one("label_holder"):
        meta["base"] = scale.base(_intercept(party.name, model))
        mine = mine + meta["base"]
    sizes = layout.agree(party, own.values, holders=holders)
    points = _reveal(party, mine, sizes, roles, params)
    made = {"points": Artefact("points", {}, meta)}
    if points is None or party.name != receiver:
        return made
    exact = points if params.rounding == "none" else np.rint(points)
    bad = scale.bad(exact)
    arrays = {SCORES: exact, "bad": bad, "ids": np.frombuffer(own.ids.to_ipc(), np.uint8)}
    if own.label is not None and np.isnan(own.label).any():
        again = scorecard.infer_rejects(own.label, bad, raised=params.raised)
        arrays |= {"again_rows": again.rows, "again_labels": again.labels, "again_weights": again.weights}
    return {**made, "scores": Artefact("scores", arrays, {"rows": len(exact)})}


def _reveal(party: Party, mine: Any, sizes: layout.Layout, roles: Roles, params: Params) -> Any:
    """The sum of all holders' points, to the receiver."""
    engine = engines.open_engine(party, roles, params)
    parts = [
        engine.share(mine if party.name == holder else None, owner=holder, shape=(sizes.rows,))
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
        if table.columns != model.columns:
            raise UsageError(
                f"{name} has other columns than in training.",
                why=f"trained on: {', '.join(model.columns)}; here: {', '.join(table.columns)}",
            )


def _intercept(name: str, model: SharedModel) -> float:
    if "intercept" not in model.known:
        raise UsageError(
            f"{name} does not know the intercept, of which the base is made.",
            mend="let the label holder of the training be the label holder here",
        )
    return float(model.known["intercept"][0])
