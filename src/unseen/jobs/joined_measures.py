"""What is measured of joined rows that nobody knows, and how it is told: the measures, and how many rows there are if the contract says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unseen.jobs.joined_scores import ScoredRows
from unseen.jobs.measures import Measured
from unseen.learn.evaluate import members, order, secret
from unseen.learn.evaluate.members import Fractions
from unseen.mpc import equal


def yes_or_no(rows: ScoredRows, params: Any, *, to: Sequence[str]) -> Measured | None:
    """Of labels 0 and 1, what `params` of the step `evaluate` asks for; None at others than the receivers."""
    engine, asked = rows.engine, set(params.measures)
    weights = order.Weights.of_members(rows.member)
    scores, labels, member = rows.scores, rows.labels, weights.numbers
    # an id may have several rows, and a group of none at all has no rates
    at_least = max(params.at_least, 1) * rows.known.per_id
    positives = labels.sum().reshape(1)
    both = engine.concatenate([member.sum().reshape(1) - positives, positives])
    secret.require_enough(both, at_least)
    made: list[Fractions] = []
    if asked & {secret.RANKING, secret.GROUPS}:
        ordered = order.sorted_by_score(scores, labels, rows.raw, weights)
        if secret.RANKING in asked:
            made.append(members.ranking(ordered))
        if secret.GROUPS in asked:
            made.append(members.groups(ordered, min(params.groups, len(scores)), at_least=at_least))
    if secret.DISTRIBUTION in asked:
        made.append(members.distribution(scores, labels, member, params.edges, at_least=at_least))
    if secret.CONFUSION in asked:
        made.append(members.confusion(scores, labels, member, params.threshold, at_least=at_least))
    if secret.LOSSES in asked:
        made.append(members.losses(scores, labels, member))
    told = members.tell(made, to=to, places=params.precision)
    sizes = engine.reveal(secret.SIZES, both, to=to) if params.tell_rows else None
    if engine.protocol.party.name not in to:
        return None
    figures: dict[str, Any] = {"places": rows.known.places}
    if sizes is not None:
        figures |= {"rows": int(sizes.sum()), "positives": int(sizes[1])}
    figures |= _figures(told)
    cells = members.cells(told.get(secret.CONFUSION), params.threshold)
    figures |= {} if cells is None else {"accuracy": cells.accuracy}
    groups = members.ranked(told.get(secret.GROUPS))
    return Measured(figures, None, groups, members.spread(told.get(secret.DISTRIBUTION), params.edges), cells)


def several(rows: ScoredRows, params: Any, *, to: Sequence[str]) -> Measured | None:
    """Of several classes, numbered from 0."""
    engine, member = rows.engine, order.Weights.of_members(rows.member)
    labels = engine.as_real(rows.labels)
    numbered = np.arange(params.classes, dtype=np.float64).reshape(1, -1)
    hot = engine.as_number(equal(labels.reshape(-1, 1), numbered)) * member.numbers.reshape(-1, 1)
    each, at_least = hot.sum(axis=0), max(params.at_least, 1) * rows.known.per_id
    # as one class more, how many members have a label that is none of the classes: at_least, less that
    others = each.sum().reshape(1) - member.total + at_least
    secret.require_enough(engine.concatenate([each, others]), at_least)
    moved = order.tied(rows.scores, rows.raw, rows.raw, hot, member.numbers)
    weights = replace(member, numbers=moved[3])
    made = [members.areas(moved[0], moved[2], weights), members.classes(*moved, matrix=params.matrix)]
    told = members.tell(made, to=to, places=params.precision)
    sizes = engine.reveal(secret.SIZES, each, to=to) if params.tell_rows else None
    aucs, rest = told[secret.RANKING], told[secret.CLASSES]
    if aucs is None or rest is None:
        return None
    figures: dict[str, Any] = {"places": rows.known.places}
    figures |= {} if sizes is None else {"rows": int(sizes.sum())}
    figures |= {"accuracy": float(rest[0]), "macro_auc": float(aucs.mean()), "log_loss": float(rest[1])}
    figures["aucs"] = aucs.tolist()
    if params.matrix:
        figures["matrix"] = rest[2:].reshape(params.classes, params.classes).tolist()
    return Measured(figures)


def numbers(rows: ScoredRows, params: Any, *, to: Sequence[str]) -> Measured | None:
    """Of numbers."""
    engine, member = rows.engine, rows.engine.as_number(rows.member)
    count = member.sum().reshape(1)
    secret.require_enough(count, max(params.at_least, 1) * rows.known.per_id)
    found = members.errors(rows.scores, engine.as_real(rows.labels), member, places=params.precision)
    told = engine.reveal(secret.ERRORS, found, to=to)
    sizes = engine.reveal(secret.SIZES, count, to=to) if params.tell_rows else None
    fit = members.fit(told, 0 if sizes is None else int(sizes[0]))
    if fit is None:
        return None
    figures: dict[str, Any] = {"places": rows.known.places, "rmse": fit.rmse, "mae": fit.mae, "r2": fit.r2}
    return Measured(figures if sizes is None else figures | {"rows": fit.rows})


def _figures(told: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    if told.get(secret.RANKING) is not None:
        auc, ks, precise = np.asarray(told[secret.RANKING]).tolist()
        found |= {"auc": auc, "gini": 2 * auc - 1, "ks": ks, "average_precision": precise}
    if told.get(secret.LOSSES) is not None:
        found |= dict(zip(("log_loss", "brier"), np.asarray(told[secret.LOSSES]).tolist(), strict=True))
    return found
