"""Train a logistic regression on columns of several holders, in secret shares (纵向逻辑回归)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import BOUND, Artefact
from unseen.jobs.joined import Joined, agree
from unseen.jobs.shared_models import SharedModel, shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout, linear, members
from unseen.learn.vertical.checkpoints import SecretCheckpoints
from unseen.learn.vertical.linear import newton
from unseen.learn.vertical.models import Model, Shares
from unseen.mpc import Engine, SecretArray
from unseen.mpc.fixed import FRACTION_BITS
from unseen.party import Disclosure, Door, Party

VERSION = 2
SUMMARY = "Train a logistic regression on the columns of all holders; the model stays in secret shares."
ROLES = {
    "holders": "bring columns and hold the shares",
    "label_holder": "the holder that has the label",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {"table": "scaled training columns, or joined rows in shares"}
OUTPUTS = {"model": "this holder's share of the coefficients"}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust

_SECONDS_PER_BYTE = 9e-9
_SECONDS_PER_BOUND = 8e-5
_SECONDS_PER_PLACE = 1e-4  # of numbers whose bounds are proved


class Params(engines.OnShares):
    """`penalty` is the L2 penalty (scikit-learn's 1 / C); `iterations` of Newton's method.

    `coefficients_to_owners`: tell each holder the coefficients of its own columns (the label holder the intercept
    too). Otherwise nobody learns them. `bound`: every holder's columns, and the label, must be those that it committed
    to in the step before (`standardise` with `commit`); `longest`: and each proves that all its numbers, label and columns, are at
    most so long as one vector, which for scaled columns is sqrt(rows times columns), with the label as one of them where it is. `within`: and that each
    of these numbers is between this and its negative, a power of two. `joined`: the table is the output of a hidden inner join (`join` with
    `hidden` and `scaled`), whose rows nobody knows; of rows of fewer than `at_least` ids the model is zeros, for it would be those rows.
    """

    penalty: Annotated[float, Field(gt=0)] = 1.0
    iterations: Annotated[int, Field(ge=1, le=100)] = 10
    coefficients_to_owners: bool = False
    bound: bool = False
    longest: Annotated[float, Field(gt=0)] | None = None
    within: Annotated[float, Field(gt=0)] | None = None
    joined: bool = False
    at_least: Annotated[int, Field(ge=1)] = 10

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if (self.longest or self.within) is not None and not self.bound:
            raise ValueError("lengths and bounds are proved of bound inputs: set `bound` too")
        if self.within is not None and math.frexp(self.within)[0] != 0.5:  # noqa: PLR2004 - a power of two
            raise ValueError("`within` is a power of two: what is proved is how many places a number has")
        if self.bound and self.joined:
            raise ValueError("bound inputs are columns of each holder; joined rows are in shares already")
        return self


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape, unless it is known since the join; on demand each owner's coefficients."""
    told = [] if params.joined else [shape_disclosure(roles)]
    if params.coefficients_to_owners:
        few = f"; zeros if fewer than {params.at_least} are common" if params.joined else ""
        told += [
            Disclosure(
                _coefficients(owner),
                f"the coefficients of {owner}'s own columns{few}",
                (owner,),
                Door.REVEAL,
            )
            for owner in roles.all("holders")
        ]
        label_holder = roles.one("label_holder")
        what = f"the intercept{few}"
        told.append(Disclosure("intercept", what, (label_holder,), Door.REVEAL, max_elements=1))
    return tuple(told)


def _coefficients(owner: str) -> str:
    return f"coefficients-{owner}"


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """From the cost table of the protocol; the computing part is calibrated on two cores for three parties."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    width = 1 + sum(sizes.columns.get(holder, 0) for holder in holders)
    first = math.ceil(math.log2(7 * (1 + rows * width / 4 / params.penalty)))
    later = min(first, newton.LATER_STEPS)
    steps = (first + (params.iterations - 1) * later) / params.iterations
    per_iteration = 800 * rows + 30 * rows * width + 88 * steps * width**2
    sent = round(16 * rows * width + params.iterations * per_iteration)
    rounds = round(params.iterations * (20 + 4 * steps))
    if params.bound:
        sent, rounds = sent + 6000 * len(holders), rounds + 3 * len(holders)
    seconds = rows * width * (_SECONDS_PER_BOUND if params.bound else 0)
    if params.within is not None:
        places = FRACTION_BITS + 1 + max(0, round(math.log2(params.within)))
        seconds, sent = seconds + rows * width * places * _SECONDS_PER_PLACE, sent + 32 * rows * width
    seconds += sent * _SECONDS_PER_BYTE + rounds * (network.latency_s + 1e-4) + sent / network.bytes_per_s
    return engines.scaled(
        Cost(seconds, sent, rounds, rows * (8 * 8 * width + 8 * 4 * 52)), roles, params, network
    )


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    if params.joined:
        return _on_joined(party, inputs, params, roles)
    holders, label_holder = roles.all("holders"), roles.one("label_holder")
    own = Matrix.of(inputs["table"]) if party.name in holders else None
    if own is not None:
        newton.check_standardised(own.values)
    label = own.binary_label(label_holder) if own is not None and party.name == label_holder else None
    sizes = layout.agree(party, None if own is None else own.values, holders=holders)
    engine = engines.open_engine(party, roles, params)
    bound: dict[str, str] = {}
    if params.bound:
        columns, labels, bound = _bound(engine, sizes, own, label_holder, params)
    else:
        columns = layout.share_blocks(engine, sizes, None if own is None else own.values)
        labels = engine.share(label, owner=label_holder, shape=(sizes.rows,))
    weights = newton.fit(
        engine,
        columns,
        labels,
        newton.Newton(l2=params.penalty, iterations=params.iterations),
        report=lambda done, total: party.progress(done, total, "Newton iterations"),
        keep=SecretCheckpoints(engine, party.checkpoints("Newton iteration", params.iterations)),
    )
    known = _told(engine, weights, sizes, params, label_holder)
    if own is None:
        return {}
    model = _model(weights, sizes, own.columns, known, own.prepared, roles)
    return {"model": replace(model, meta={**model.meta, BOUND: bound}) if bound else model}


def _on_joined(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """The same on joined rows, of which nobody knows which are there."""
    choice, label_holder = engines.choose(roles), roles.one("label_holder")
    own = Joined.of(inputs["table"]) if party.name in choice.holders else None
    engine = engines.open_engine(party, roles, params)
    rows = agree(party, own, engine, protocol=choice.protocol, holders=choice.holders)
    known = rows.known
    features, labels = known.of_role("feature"), known.of_role("label", label_holder)
    if len(labels) != 1 or not features or known.how != "inner" or not known.squares:
        raise UsageError(
            "These joined rows cannot be trained on.",
            why=f"a {known.how} join, scaled: {bool(known.squares)}; features: {len(features)}; labels of {label_holder}: {len(labels)}",
            mend="join with how = inner and `scaled`, and bring features and one label",
        )
    counts = {holder: len(known.of_role("feature", holder)) for holder in choice.holders}
    sizes = layout.Layout(known.places, counts)
    scaling = rows.standardised(engine)
    weights = newton.fit(
        engine,
        rows.columns(engine, features),
        rows.columns(engine, labels)[:, 0],
        newton.Newton(l2=params.penalty, iterations=params.iterations),
        counted=rows.members(engine),
        squares=0.0 if scaling else known.squares,
        basis=scaling.basis if scaling else None,
        report=lambda done, total: party.progress(done, total, "Newton iterations"),
        keep=SecretCheckpoints(engine, party.checkpoints("Newton iteration", params.iterations)),
    )
    if scaling:
        weights = members.unscaled(weights, scaling)
    weights = engine.select(rows.enough(engine, params.at_least), weights)
    told = _told(engine, weights, sizes, params, label_holder)
    if own is None:
        return {}
    columns = tuple(known.columns[place].name for place in known.of_role("feature", party.name))
    return {"model": _model(weights, sizes, columns, told, own.prepared, roles)}


def _told(
    engine: Engine, weights: SecretArray, sizes: layout.Layout, params: Params, label_holder: str
) -> dict[str, list[float]]:
    """What this party is told of the model."""
    if not params.coefficients_to_owners:
        return {}
    owners = {_coefficients(owner): (owner,) for owner, count in sizes.columns.items() if count}
    blocks = {
        _coefficients(owner): weights[sizes.block(owner)] for owner, count in sizes.columns.items() if count
    }
    told = engine.reveal_all(
        {**blocks, "intercept": weights[sizes.width :]}, to={**owners, "intercept": (label_holder,)}
    )
    known = {
        "coefficients": told.get(_coefficients(engine.protocol.party.name)),
        "intercept": told["intercept"],
    }
    return {name: numbers.tolist() for name, numbers in known.items() if numbers is not None}


def _model(
    weights: SecretArray,
    sizes: layout.Layout,
    columns: tuple[str, ...],
    known: Mapping[str, list[float]],
    prepared: str,
    roles: Roles,
) -> Artefact:
    choice = engines.choose(roles)
    made = Model(
        "linear",
        linear.MODEL_FORMAT,
        choice.protocol,
        choice.holders,
        {"family": "logistic"},
        {"weights": Shares.of(weights)},
    )
    return SharedModel(made, dict(sizes.columns), columns, known, prepared).to_artefact()


def _bound(
    engine: Engine, sizes: layout.Layout, own: Matrix | None, label_holder: str, params: Params
) -> tuple[SecretArray, SecretArray, dict[str, str]]:
    if own is not None and own.commitment is None:
        raise UsageError(
            f"{engine.protocol.party.name} has not committed to its training columns.",
            mend="set `commit` at the step 'standardise' before, or leave out `bound`",
        )
    numbers = None if own is None else own.numbers
    return layout.share_bound(
        engine,
        sizes,
        numbers,
        None if own is None else own.commitment,
        label_holder=label_holder,
        longest=params.longest,
        within=params.within,
    )
