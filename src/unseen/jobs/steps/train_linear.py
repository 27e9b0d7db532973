"""Train a linear model on columns of several holders, in secret shares: logistic, of several classes, linear, Poisson (纵向广义线性模型)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.jobs import engines, joined_training, linear_training, row_weights
from unseen.jobs.artefacts import BOUND, Artefact
from unseen.jobs.shared_models import SharedModel, check_columns, shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout
from unseen.learn.vertical.linear import newton, sgd
from unseen.learn.vertical.linear.families import MULTINOMIAL
from unseen.mpc.fixed import FRACTION_BITS
from unseen.mpc.functions.sigmoid import WAVE_RANGE
from unseen.party import Disclosure, Door, Party

VERSION = 5
SUMMARY = "Train a linear model (logistic, of several classes, linear, Poisson) on the columns of all holders; it stays in secret shares."
ROLES = {
    "holders": "bring columns and hold the shares",
    "label_holder": "the holder that has the label",
    "helper": engines.ROLE_OF_HELPER,
    "weight_holder": "the holder that has weights of the rows, if there are any",
}
INPUTS = {
    "table": "training columns, of any scale; values may be missing where `woe_bins` are set; or joined rows in shares",
    "weights": "a table of the same rows with the weights as a column (optional)",
    "start": "a model to begin with, whose columns are taken (optional)",
}
OUTPUTS = {"model": "this holder's part of the model"}
LEVELS = ("shared",)
OPTIONAL_ROLES = engines.OPTIONAL_ROLES | {"weight_holder"}
OPTIONAL_INPUTS = frozenset({"weights", "start"})
TRUST, trust = engines.TRUST, engines.trust

_SECONDS_PER_BYTE = 9e-9
_SECONDS_PER_BOUND = 8e-5
_SECONDS_PER_PLACE = 1e-4  # of numbers whose bounds are proved
Amount = Annotated[float, Field(ge=0, le=1e6)]


class Params(engines.OnShares):
    """What is trained and how.

    Attributes
    ----------
    family
        `logistic` (label 0 or 1), `multinomial` (0 to `classes` - 1), `linear`, `poisson` (counts).
    l2, l1
        Penalties beside the sum of the losses of all rows: l2 / 2 * |coefficients|^2 + l1 * |coefficients|, on standardised columns
        (and label, in the linear family); the intercept is free. scikit-learn's C is 1 / l2. Nobody is told which coefficients are 0.
    method
        `newton`, or `sgd` (mini-batches).
    iterations
        Of Newton's method.
    epochs, batch, rate, last_rate, momentum, exact_sigmoid
        Of mini-batches. With `last_rate` the rate falls to that in the last epoch, and the noise of batches with it. The quick sigmoid is right for scores up to 24 in size, means of counts for scores up to 8 (counts are 4096 at most,
        and the rate is best about 0.5 over their mean); whether one was beyond, or means add up to a fifth more or less than the counts, is
        told at the end, and then there is no model: set `exact_sigmoid`, or a lower rate. The first epoch is without l1, unless it is a warm start.
    stop_every, stop_below
        Every so many epochs all are told whether no weight has moved by more than `stop_below` since, and training ends if so.
        0: never.
    class_weights
        By class; or `balanced`: rows / (classes * rows of the class), which the label holder works out.
    weight_column
        Of the input `weights` at the weight holder: numbers from 0 to 64.
    warm_start
        Begin with the model of the input `start`, which scaled the columns too.
    woe_bins
        Each holder cuts its columns into so many bins by quantiles, missing values in one more, and trains on the weight of evidence of
        the bin in the place of the value; nobody learns these. 0: on the values. Logistic family; of its coefficients nobody is told.
    woe_least_rows
        A bin with fewer rows says nothing: it counts like the mean of the others, whose points then tell nothing of its labels.
    coefficients_to_owners
        Tell each holder the coefficients of its own columns, in their units (the label holder the intercept too). Otherwise nobody
        learns them.
    bound
        Every holder's columns, and the label, must be those that it committed to in the step before (`standardise` with `commit`), and are
        trained on as they are.
    longest
        And each proves that all its numbers, label and columns, are at most so long as one vector, which for scaled columns is
        sqrt(rows times columns), with the label as one of them where it is.
    within
        And that each of these numbers is between this and its negative, a power of two.
    joined
        The table is the output of a hidden inner join (`join` with `hidden` and `scaled`), whose rows nobody knows. Any family but `poisson`;
        of several classes labels are to be numbered from 0, which nobody can check.
    at_least
        Of joined rows of fewer ids the model is zeros, for it would be those rows.
    certainty
        Tell each owner the variances of those too: standard errors, p-values, 95 % intervals. Needs `l1` 0, and means most without a
        penalty. Whether the columns are linearly dependent is told to all; then there is no model.
    """

    family: Literal["logistic", "multinomial", "linear", "poisson"] = "logistic"
    classes: Annotated[int, Field(ge=2, le=50)] = 2
    l2: Amount = 1.0
    l1: Amount = 0.0
    method: Literal["newton", "sgd"] = "newton"
    iterations: Annotated[int, Field(ge=1, le=100)] = 10
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    batch: Annotated[int, Field(ge=1, le=4096)] = 1024
    rate: Annotated[float, Field(gt=0, le=8)] = 0.5
    last_rate: Annotated[float, Field(gt=0, le=8)] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    exact_sigmoid: bool = False
    stop_every: Annotated[int, Field(ge=0)] = 0
    stop_below: Annotated[float, Field(gt=0)] = 1e-3
    class_weights: tuple[Annotated[float, Field(ge=0, le=64)], ...] | Literal["balanced"] = ()
    weight_column: str = ""
    warm_start: bool = False
    woe_bins: Annotated[int, Field(ge=0, le=128)] = 0
    woe_least_rows: Annotated[int, Field(ge=1)] = 10
    coefficients_to_owners: bool = False
    certainty: bool = False
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
        families = {"logistic", "linear", MULTINOMIAL} if self.joined else {"logistic"}
        plain = self.family in families and self.method == "newton" and self.l2 and not self.l1
        more = self.class_weights or self.weight_column or self.warm_start or self.woe_bins or self.certainty
        if (self.bound or self.joined) and (more or not plain):
            raise ValueError(
                "bound inputs are for the logistic family, joined ones for all but `poisson`, by Newton's method, with l2, and without l1, "
                "weights, `warm_start`, `woe_bins` and `certainty`"
            )
        return self

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.method == "sgd" and self.certainty:
            raise ValueError("`certainty` is for Newton's method, which ends where errors can be told")
        if self.method == "sgd" and self.l1 and self.epochs == 1 and not self.warm_start:
            raise ValueError("l1 begins in the second epoch of mini-batches: take more than one")
        if self.last_rate is not None and (self.method != "sgd" or self.last_rate > self.rate):
            raise ValueError("`last_rate` is for mini-batches, and `rate` at most")
        if self.stop_every and self.method != "sgd":
            raise ValueError("`stop_every` is for mini-batches; Newton's iterations are few and fixed")
        return self

    @model_validator(mode="after")
    def _of_the_family(self) -> Self:
        if self.family == MULTINOMIAL and self.certainty:
            raise ValueError("several classes take no certainty")
        if self.family == MULTINOMIAL and self.method == "newton" and (self.l1 or not self.l2):
            raise ValueError("several classes by Newton's method need l2, and take no l1: take `sgd`")
        if self.certainty and (self.l1 or not self.coefficients_to_owners):
            raise ValueError("`certainty` needs `coefficients_to_owners`, and no l1")
        if isinstance(self.class_weights, tuple) and len(self.class_weights) not in (0, self.labels):
            raise ValueError(f"there are {self.labels} classes: one weight for each")
        if self.woe_bins and (
            self.family != "logistic" or self.warm_start or self.coefficients_to_owners or self.woe_bins == 1
        ):
            raise ValueError(
                "`woe_bins` are two or more, for the logistic family, without `warm_start` and `coefficients_to_owners`"
            )
        if self.class_weights and not self.labels:
            raise ValueError("numbers and counts have no classes")
        return self

    @property
    def labels(self) -> int:
        """Number of classes; 0 if the label is none."""
        return {"logistic": 2, "multinomial": self.classes}.get(self.family, 0)

    @property
    def checks_rank(self) -> bool:
        """Whether all are told that columns are linearly dependent, where that would go unnoticed."""
        return self.method == "newton" and not self.l1 and (self.certainty or not self.l2)

    @property
    def checks_range(self) -> bool:
        """Whether all are told that a score went beyond the quick sigmoid, or the means of counts."""
        quick = self.family == "logistic" and not self.exact_sigmoid
        return self.method == "sgd" and (quick or self.family == "poisson")


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape, unless it is known since the join; what ends the training; on demand each owner's coefficients and how sure they are."""
    everyone, names = roles.everyone, linear_training
    told = [] if params.joined else [shape_disclosure(roles)]
    if params.stop_every:
        times = params.epochs // params.stop_every
        what = (
            f"whether all weights have moved by less than {params.stop_below:g} in {params.stop_every} epochs"
        )
        told.append(Disclosure(names.STILL, what, everyone, Door.REVEAL, 1, times=max(1, times)))
    if params.checks_range:
        what = f"whether the score of any row is over {WAVE_RANGE} in size"
        if params.family == "poisson":
            what = f"whether the score of any row is over {sgd.LARGEST_LOG:g}, or means add up to a fifth more or less than the counts"
        told.append(Disclosure(names.RANGE, what, everyone, Door.REVEAL, max_elements=1))
    if params.checks_rank:
        what = "whether the columns are linearly dependent"
        told.append(Disclosure(names.RANK, what, everyone, Door.REVEAL, max_elements=1))
    if not params.coefficients_to_owners:
        return tuple(told)
    label_holder, per_class = roles.one("label_holder"), params.classes if params.family == MULTINOMIAL else 1
    few = f"; zeros if fewer than {params.at_least} are common" if params.joined else ""
    for owner in roles.all("holders"):
        what = f"the coefficients of {owner}'s own columns{few}"
        told.append(Disclosure(names.of_owner(names.COEFFICIENTS, owner), what, (owner,), Door.REVEAL))
        if params.certainty:
            what = f"the variances of the coefficients of {owner}'s own columns"
            told.append(Disclosure(names.of_owner(names.VARIANCES, owner), what, (owner,), Door.REVEAL))
    told.append(
        Disclosure(
            names.INTERCEPT, f"the intercept{few}", (label_holder,), Door.REVEAL, max_elements=per_class
        )
    )
    if params.family == "linear" and not params.joined:
        what = "the standard deviation of the label, in which the coefficients are computed"
        told.append(Disclosure(names.UNIT, what, everyone, Door.REVEAL, max_elements=1))
    return tuple(told)


def makes(params: Params, _columns: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
    """Kind and public part of the model, for the estimates of steps that use it."""
    if params.woe_bins:
        return "binned", {"bins": params.woe_bins, "least_rows": params.woe_least_rows}
    return "linear", {
        "family": params.family,
        **({"classes": params.classes} if params.family == MULTINOMIAL else {}),
    }


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Counted for two holders and a helper, calibrated on two cores for three parties."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    width = 1 + sum(sizes.columns.get(holder, 0) for holder in holders)
    sent, rounds = 16.0 * rows * width, 2.0
    if params.woe_bins:
        sent, rounds = sent + 8.0 * rows * width * (params.woe_bins + 4), rounds + 120
    if params.method == "sgd":
        more, turns = _descent(params, rows, width)
        sent, rounds = sent + more, rounds + turns
    else:
        copies = params.classes if params.family == MULTINOMIAL else 1
        largest = 1 + rows * width / (4 * params.l2) if params.l2 else 1e7
        steps: float = math.ceil(math.log2(7 * largest))
        mean = {"linear": 0, "logistic": 690, "poisson": 450, "multinomial": 650}[params.family]
        chain = {"linear": 0, "logistic": 20, "poisson": 105, "multinomial": 86}[params.family]
        once = rows * copies * (mean + 110) + 30 * rows * width * copies * (copies + 1) / 2
        once += (params.l1 > 0) * 40 * 200 * width
        turns = params.iterations + params.checks_rank
        if params.family == "logistic" and params.l2:
            steps = (steps + (turns - 1) * min(steps, newton.LATER_STEPS)) / turns
        sent += turns * (once + 88 * steps * (width * copies) ** 2)
        rounds += turns * (chain + 4 * steps + (params.l1 > 0) * 40 * 14)
    seconds = 0.0
    if params.bound:
        sent, rounds = sent + 6000 * len(holders), rounds + 3 * len(holders)
        seconds = rows * width * _SECONDS_PER_BOUND
    if params.within is not None:
        places = FRACTION_BITS + 1 + max(0, round(math.log2(params.within)))
        sent, seconds = sent + 32 * rows * width, seconds + rows * width * places * _SECONDS_PER_PLACE
    seconds += sent * _SECONDS_PER_BYTE + rounds * (network.latency_s + 1e-4) + sent / network.bytes_per_s
    return engines.scaled(
        Cost(seconds, round(sent), round(rounds), rows * (64 * width + 1700)), roles, params, network
    )


def _descent(params: Params, rows: int, width: int) -> tuple[float, float]:
    """Bytes and rounds of mini-batches; `width` with the intercept."""
    copies = params.classes if params.family == MULTINOMIAL else 1
    each = {"linear": 30, "logistic": 230, "poisson": 285, "multinomial": 560 * copies}[params.family]
    turns = {"multinomial": 20 + 9 * math.ceil(math.log2(copies)), "poisson": 15}.get(params.family, 5)
    if params.exact_sigmoid and params.family == "logistic":
        each, turns = each + 550, 14
    batches = math.ceil(rows / params.batch)
    sent = rows * each + batches * (150 + 40 * width * copies)
    rounds = float(batches * turns)
    if params.l1:
        sent += (30 * batches + 600) * width * copies
        rounds += batches + 14
    sent, rounds = sent * params.epochs, rounds * params.epochs
    if params.checks_range:
        sent, rounds = sent + (400 if params.family == "poisson" else 120) * rows, rounds + 30
    return sent, rounds


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    if params.joined:
        return joined_training.run(party, inputs, params, roles)
    holders = roles.all("holders")
    start = SharedModel.of(inputs["start"]) if "start" in inputs and party.name in holders else None
    taken = None if start is None else start.columns
    own = None
    if party.name in holders:
        own = Matrix.of(inputs["table"], missing=params.woe_bins > 0, columns=taken)
    if own is not None and start is not None:
        check_columns(party.name, own.columns, own.prepared, start)
    sizes = layout.agree(party, None if own is None else own.values, holders=holders)
    training = linear_training.Training(
        party, engines.open_engine(party, roles, params), params, roles, sizes
    )
    trained = training.run(
        own,
        row_weights.of_rows(party, inputs, params.weight_column, roles, own),
        None if start is None else start.model,
    )
    if own is None:
        return {}
    model = SharedModel(trained.model, dict(sizes.columns), own.columns, trained.known, own.prepared)
    made = model.to_artefact()
    return {"model": replace(made, meta={**made.meta, BOUND: dict(trained.bound)}) if trained.bound else made}
