"""Score held-out rows with a joint model and measure how good it is, with or without showing the scores (联合模型评估)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines, joined_measures, joined_scores, row_weights
from unseen.jobs.artefacts import Artefact
from unseen.jobs.measures import Measured
from unseen.jobs.shared_models import SCORES, Scored, score, scoring_cost, shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.learn.evaluate import binary, members, multiclass, order, ranking, regression, secret
from unseen.mpc import SecretArray
from unseen.party import Disclosure, Door, Party

VERSION = 8
SUMMARY = "Score the held-out rows with the joint model and measure it against the labels."
ROLES = {
    "holders": "bring columns and hold the shares of the model",
    "label_holder": "the holder that has the labels of the held-out rows",
    "receiver": "the holder that gets the measures",
    "helper": engines.ROLE_OF_HELPER,
    row_weights.ROLE: "the holder that has weights of the held-out rows (optional)",
}
OPTIONAL_ROLES = engines.OPTIONAL_ROLES | {row_weights.ROLE}
INPUTS = {
    "model": "shares of a model",
    "table": "held-out columns, prepared as in training, or joined rows in shares",
    row_weights.INPUT: "a table of the same rows with the weights as a column (optional)",
}
OPTIONAL_INPUTS = frozenset({row_weights.INPUT})
OUTPUTS = {"metrics": "the measures and what curves are drawn from, at the receiver"}
LEVELS = ("shared",)
TRUST = engines.TRUST
trust = engines.trust

_EDGES = tuple(place / 10 for place in range(1, 10))
_NAMES = Literal["ranking", "groups", "distribution", "confusion", "losses"]


class Params(engines.OnShares):
    """How to measure, and what is told.

    Attributes
    ----------
    kind
        What the labels are: 0 and 1, classes numbered from 0, or numbers.
    show
        `measures`: nobody sees a score or another's label, the receiver gets the measures. `scores`: the receiver, who must be
        the label holder, gets the scores of the held-out rows and measures itself, exactly.
    measures
        Of labels 0 and 1, which ones: AUC, KS and average precision (`ranking`), by rank (`groups`), between scores (`distribution`), at a
        threshold (`confusion`), log loss and Brier score (`losses`).
    groups, edges, threshold
        How many groups by rank; the scores between which is counted; the threshold.
    at_least
        The least number of rows of either class in a group that is told; smaller ones are merged. Of numbers the least of all rows.
    classes
        How many classes there are; only with `kind` multiclass.
    spread
        Of numbers: the largest label less the smallest is below this, which all may know. Errors are right to about a millionth of it.
    weight_column
        Of the input `weights` at the weight holder: how much each row counts, from 0 up; only the proportions matter. With `show: scores` that
        must be the receiver.
    matrix
        Of several classes, tell the whole confusion matrix, small cells too.
    joined
        The table is the output of a hidden inner join (`join` with `hidden`), of which nobody knows which rows are there; the model is a linear one.
        Told are fractions, shares in the place of numbers of rows; `at_least` are ids, and 1 at least.
    tell_rows
        With `joined`: tell the receiver how many rows of each class there are.
    precision
        With `joined`: fraction bits of what is told; fewer tell less of how many rows there are (10: to a thousandth).
    """

    kind: Literal["binary", "multiclass", "regression"] = "binary"
    show: Literal["measures", "scores"] = "measures"
    measures: tuple[_NAMES, ...] = ("ranking", "groups", "distribution", "confusion", "losses")
    groups: Annotated[int, Field(ge=2, le=1000)] = 10
    edges: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = _EDGES
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    at_least: Annotated[int, Field(ge=0)] = 10
    classes: Annotated[int, Field(ge=0, le=100)] = 0
    matrix: bool = False
    spread: Annotated[float, Field(ge=2**-10, le=2**30)] = secret.SPREAD
    weight_column: str = ""
    joined: bool = False
    tell_rows: bool = False
    precision: Annotated[int, Field(ge=4, le=members.PLACES)] = members.PLACES

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "multiclass") != (self.classes > 1):
            raise ValueError("two classes or more are named where `kind` is multiclass, and only there")
        if self.matrix and self.kind != "multiclass":
            raise ValueError("`matrix` is for several classes; of two see `confusion`")
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError("`edges` ascend")
        if (self.tell_rows or self.precision < members.PLACES) and not self.joined:
            raise ValueError(
                "`tell_rows` and `precision` are for joined rows; of others their number is known"
            )
        if self.joined and (self.show == "scores" or self.weight_column):
            raise ValueError(
                "joined rows are measured under shares, each row as one: leave out show and weight_column"
            )
        if self.spread != secret.SPREAD and (self.kind != "regression" or self.joined):
            raise ValueError("`spread` is of labels that are numbers, of rows that are known")
        if self.joined and not self.measures:
            raise ValueError("`measures` names at least one")
        return self


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape, unless it is known since the join; what the receiver is told; to all holders, whether there are rows enough."""
    shape = shape_disclosure(roles)
    to = (roles.one("receiver"),)
    if params.joined:
        return _of_joined(params, roles)
    if params.show == "scores":
        return (shape, Disclosure(SCORES, "the model's score for each held-out row", to, Door.REVEAL))
    told = [shape]
    if params.kind != "regression":
        words = f"whether each class has at least {max(params.at_least, 1)} held-out rows"
        told.append(Disclosure(secret.ENOUGH, words, roles.all("holders"), Door.REVEAL, max_elements=1))
        words = "how many held-out rows each class has"
        sizes = max(2, params.classes)
        told.append(Disclosure(secret.SIZES, words, to, Door.REVEAL, max_elements=sizes))
    for name, (words, elements, times) in _told(params).items():
        told.append(Disclosure(name, words, to, Door.REVEAL, max_elements=elements, times=times))
    return tuple(told)


def _of_joined(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    to = (roles.one("receiver"),)
    classes = {"binary": 2, "multiclass": params.classes, "regression": 1}[params.kind]
    who, how_many = ("each class has", "how many common rows each class has")
    if params.kind == "regression":
        who, how_many = ("there are", "how many common rows there are")
    words = f"whether {who} rows of at least {max(params.at_least, 1)} ids among the common ones"
    told = [Disclosure(secret.ENOUGH, words, roles.all("holders"), Door.REVEAL, max_elements=1)]
    if params.tell_rows:
        told.append(Disclosure(secret.SIZES, how_many, to, Door.REVEAL, max_elements=classes))
    for name, (what, elements, _) in _told(params).items():
        told.append(
            Disclosure(name, f"{what}, to 2^-{params.precision}", to, Door.REVEAL, max_elements=elements)
        )
    return tuple(told)


def _told(params: Params) -> dict[str, tuple[str, int, int]]:
    """Name -> words, numbers, times."""
    rows = "common rows" if params.joined else "held-out rows"
    if params.kind == "regression":
        return {secret.ERRORS: (f"RMSE, MAE and R² on the {rows}", 3, 1)}
    curve = 4 if params.weight_column else 3
    if params.kind == "multiclass":
        words = f"accuracy and log loss on the {rows}"
        words += ", and the whole confusion matrix" if params.matrix else ""
        each = " of each class against the rest"
        told = (_ranking_words(params, each), curve, params.classes)
        return {
            secret.RANKING: (f"AUC{each}", params.classes, 1) if params.joined else told,
            secret.CLASSES: (words, 2 + (params.classes**2 if params.matrix else 0), 1),
        }
    counts = "shares" if params.joined else "number"
    few = f"groups with fewer than {params.at_least} rows of either class are merged"
    edges = ", ".join(f"{edge:g}" for edge in params.edges)
    known = {
        secret.RANKING: (_ranking_words(params), curve, 1),
        secret.GROUPS: (
            f"{counts} of rows and of positives and mean score of {params.groups} groups by score; {few}",
            4 * params.groups,
            1,
        ),
        secret.DISTRIBUTION: (
            f"{counts} of rows and of positives and mean score between the scores {edges}; {few}",
            4 * (len(params.edges) + 1),
            1,
        ),
        secret.CONFUSION: (
            f"the confusion matrix at score {params.threshold:g}, if each cell has {params.at_least} rows",
            8,
            1,
        ),
        secret.LOSSES: (f"log loss and Brier score on the {rows}", 2, 1),
    }
    return {name: known[name] for name in known if name in params.measures}


def _ranking_words(params: Params, of: str = "") -> str:
    if params.weight_column:
        return f"AUC, KS and average precision{of}, and what the positives weigh"
    rows = "common rows" if params.joined else "held-out rows"
    return f"AUC, KS and average precision{of or f' on the {rows}'}"


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Scoring; and where scores stay secret a sort, comparisons and sums. Calibrated for three parties on two cores."""
    cost = scoring_cost(roles, sizes, network, params)
    if params.show == "scores":
        return cost
    rows = sizes.scored(roles.all("holders"))
    each, rounds = _work(params)
    sent = each * rows
    seconds = sent * 1e-8 + rounds * (network.latency_s + 1e-4) + sent / network.bytes_per_s
    measuring = engines.scaled(Cost(seconds, sent, rounds, sent), roles, params, network, work="order")
    return Cost(
        cost.seconds + measuring.seconds,
        cost.bytes + measuring.bytes,
        cost.rounds + measuring.rounds,
        cost.memory_bytes + measuring.memory_bytes,
    )


def _work(params: Params) -> tuple[int, int]:
    """Bytes a row of all parties, and rounds."""
    sort = (2100, 130)
    if params.kind == "regression":
        return (640, 270) if params.joined else (450, 33)  # three divisions, one after the other
    inverses = (800, 80) if params.weight_column or params.joined else (0, 0)
    ends = 110 * params.groups if params.joined else 0
    if params.kind == "multiclass":
        each, rounds = sort[0] + 1500 + inverses[0], sort[1] + inverses[1]
        return params.classes * (each + 200) + 4000, params.classes * rounds + 350
    merging = 14 if params.at_least else 0
    parts = {
        secret.RANKING: (600 + inverses[0], 90 + inverses[1]),
        secret.GROUPS: (ends, 4 + merging * params.groups),
        secret.DISTRIBUTION: (100 + 60 * len(params.edges), 14 + merging * (1 + len(params.edges))),
        secret.CONFUSION: (150, 14 + merging),
        secret.LOSSES: (1500, 60),
    }
    asked = [parts[name] for name in params.measures]
    if {secret.RANKING, secret.GROUPS} & set(params.measures):
        asked.append(sort)
    return sum(part[0] for part in asked), 10 + sum(part[1] for part in asked)


_ON_JOINED = {
    "binary": joined_measures.yes_or_no,
    "multiclass": joined_measures.several,
    "regression": joined_measures.numbers,
}


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    label_holder, receiver = roles.one("label_holder"), roles.one("receiver")
    named = {label_holder, receiver}
    seen = named | set(roles.all(row_weights.ROLE))
    if not named <= set(roles.all("holders")) or (params.show == "scores" and len(seen) > 1):
        raise UsageError(
            f"{label_holder} is to bring the labels and {receiver} to get the measures.",
            why="both must be holders, and who sees the scores must have the labels, and weights if there are some",
            mend="name holders, or show: measures",
        )
    if params.joined:
        rows = joined_scores.score(party, inputs, roles, params, numbers=params.kind != "binary")
        told = _ON_JOINED[params.kind](rows, params, to=(receiver,))
        return {} if told is None else {"metrics": told.to_artefact()}
    made = score(party, inputs, roles, params)
    labels = None
    if party.name == label_holder:
        labels = _checked(made, params, label_holder)
    weights = row_weights.of_rows(party, inputs, params.weight_column, roles, made.own)
    if params.show == "scores":
        shown = made.engine.reveal(SCORES, made.scores, to=(receiver,))
        found = None if shown is None or labels is None else _in_clear(labels, shown, weights, params)
    else:
        found = _hidden(made, labels, weights, params, roles)
    return {} if found is None else {"metrics": found.to_artefact()}


def _checked(made: Scored, params: Params, me: str) -> NDArray[np.float64]:
    """The label holder's labels."""
    if made.own is None:
        raise UsageError(f"{me} is to bring the labels, and is no holder.", mend="name a holder")
    labels = made.own.binary_label(me) if params.kind == "binary" else made.own.known_label(me)
    several = made.scores.ndim > 1
    if several != (params.kind == "multiclass") or (several and made.scores.shape[1] != params.classes):
        raise UsageError(
            f"The model gives scores of shape {made.scores.shape}, which are none of kind {params.kind}.",
            mend="set `kind` (and `classes`) to what the model was trained for",
        )
    if params.kind == "binary":
        ranking.check_labels(labels)
    if params.kind == "regression" and params.show == "measures":
        secret.check_range(labels, params.spread)
        return labels / secret.unit(params.spread)
    if params.kind == "multiclass":
        multiclass.check_classes(labels, made.scores.shape)
    return labels


def _in_clear(
    labels: NDArray[np.float64],
    scores: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    params: Params,
) -> Measured:
    arrays = {"scores": scores, "labels": labels}
    if params.kind == "regression":
        fit = regression.measure(labels, scores, weights)
        return Measured({"rows": fit.rows, "rmse": fit.rmse, "mae": fit.mae, "r2": fit.r2}, arrays=arrays)
    if params.kind == "multiclass":
        several = multiclass.measure(labels, scores, weights)
        figures = {
            "rows": several.rows,
            "accuracy": several.accuracy,
            "macro_auc": several.macro_auc,
            "log_loss": several.log_loss,
            "aucs": several.aucs.tolist(),
            "matrix": several.confusion.tolist(),
        }
        return Measured(figures, arrays=arrays)
    quality = binary.measure(labels, scores, weights)
    figures = {
        name: getattr(quality, name)
        for name in [
            "rows",
            "positives",
            "auc",
            "gini",
            "ks",
            "average_precision",
            "accuracy",
            "log_loss",
            "brier",
        ]
    }
    return Measured(
        figures,
        ranking.by_level(labels, scores, weights),
        ranking.by_rank(labels, scores, min(params.groups, len(labels)), weights),
        ranking.between(labels, scores, np.array(params.edges), weights),
        binary.confusion(labels, scores, params.threshold, weights),
        arrays,
    )


def _hidden(
    made: Scored,
    labels: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
    params: Params,
    roles: Roles,
) -> Measured | None:
    """The same of secret scores; None at others than the receiver."""
    engine, owner = made.engine, roles.one("label_holder")
    to = (roles.one("receiver"),)
    rows = made.scores.shape[0]
    if params.kind == "regression":
        if rows < params.at_least:
            raise UsageError(
                f"There are {rows} rows to measure on, and {params.at_least} is the least.",
                why="errors on few rows tell about each of them",
                mend="hold out a larger part, or lower at_least",
            )
        numbers = engine.share(labels, owner=owner, shape=(rows,))
        heavy = None
        if params.weight_column:
            plain = (
                None
                if weights is None
                else order.whole_weights(weights, 1 << engine.bits) / (1 << engine.bits)
            )
            heavy = engine.share(plain, owner=roles.one(row_weights.ROLE), shape=(rows,))
        fit = secret.errors(made.scores, numbers, to=to, weights=heavy, unit=secret.unit(params.spread))
        return (
            None if fit is None else Measured({"rows": rows, "rmse": fit.rmse, "mae": fit.mae, "r2": fit.r2})
        )
    shared = None
    if params.weight_column:
        shared = order.Weights.share(engine, weights, owner=roles.one(row_weights.ROLE), rows=rows)
    if params.kind == "multiclass":
        return _hidden_classes(made, labels, shared, params, owner, to)
    secrets = engine.share(labels, owner=owner, shape=(rows,), dtype=int)
    both = secret.class_sizes(secrets)
    secret.require_enough(both, params.at_least)
    sizes = engine.reveal(secret.SIZES, both, to=to)
    found = _yes_or_no(made, secrets, shared, sizes, params, to)
    if sizes is None:
        return None
    return Measured({"rows": rows, "positives": int(sizes[1]), **found.figures}, *_parts(found))


def _parts(found: Measured) -> tuple[Any, ...]:
    return found.levels, found.groups, found.distribution, found.confusion


def _yes_or_no(
    made: Scored,
    labels: SecretArray,
    weights: order.Weights | None,
    sizes: NDArray[np.float64] | None,
    params: Params,
    to: tuple[str, ...],
) -> Measured:
    scores, figures = made.scores, dict[str, Any]()
    groups = spread = cells = None
    asked = set(params.measures)
    if asked & {secret.RANKING, secret.GROUPS}:
        ordered = order.sorted_by_score(scores, labels, made.raw, weights)
        if secret.RANKING in asked:
            curve = secret.ranking(ordered, to=to, sizes=sizes)
            if curve is not None:
                figures |= {"auc": curve.auc, "gini": 2 * curve.auc - 1, "ks": curve.ks}
                figures["average_precision"] = curve.average_precision
        if secret.GROUPS in asked:
            count = min(params.groups, len(scores))
            groups = secret.groups(ordered, count, at_least=params.at_least, to=to)
    if secret.DISTRIBUTION in asked:
        spread = secret.distribution(
            scores, labels, params.edges, at_least=params.at_least, to=to, weights=weights
        )
    if secret.CONFUSION in asked:
        cells = secret.confusion(
            scores, labels, params.threshold, at_least=params.at_least, to=to, weights=weights
        )
        figures |= {} if cells is None else {"accuracy": cells.accuracy}
    if secret.LOSSES in asked:
        lost = secret.losses(scores, labels, to=to, weights=weights)
        figures |= {} if lost is None else {"log_loss": lost[0], "brier": lost[1]}
    return Measured(figures, None, groups, spread, cells)


def _hidden_classes(
    made: Scored,
    labels: NDArray[np.float64] | None,
    weights: order.Weights | None,
    params: Params,
    owner: str,
    to: tuple[str, ...],
) -> Measured | None:
    engine, shape = made.engine, made.scores.shape
    mine = None if labels is None else np.eye(params.classes)[labels.astype(np.int64)]
    hot = engine.share(mine, owner=owner, shape=shape, dtype=int)
    each = hot.sum(axis=0)
    secret.require_enough(each, params.at_least)
    sizes = engine.reveal(secret.SIZES, each, to=to)
    aucs = []
    others = (made.raw, hot) if weights is None else (made.raw, hot, weights.numbers)
    scores, raw, labels_of, *numbers = order.tied(made.scores, made.raw, *others)
    heavy = None if weights is None else replace(weights, numbers=numbers[0])
    for place in range(params.classes):
        ordered = order.sorted_by_score(scores[:, place], labels_of[:, place], weights=heavy)
        two = None if sizes is None else np.array([sizes.sum() - sizes[place], sizes[place]])
        curve = secret.ranking(ordered, to=to, sizes=two)
        aucs += [] if curve is None else [curve.auc]
    told = secret.classes(scores, raw, labels_of, matrix=params.matrix, to=to, weights=heavy)
    if told is None:
        return None
    accuracy, log_loss, matrix = told
    figures: dict[str, Any] = {
        "rows": shape[0],
        "accuracy": accuracy,
        "macro_auc": float(np.mean(aucs)),
        "log_loss": log_loss,
        "aucs": aucs,
    }
    return Measured(figures | ({} if matrix is None else {"matrix": matrix.tolist()}))
