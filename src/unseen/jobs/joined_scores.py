"""Joined rows that nobody knows, scored with a joint model: scores, labels and members stay in shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import FEATURE, LABEL, OUTCOME, Joined, Known, agree
from unseen.jobs.shared_models import SharedModel, check_columns
from unseen.jobs.step import Roles
from unseen.learn.vertical import layout, models
from unseen.learn.vertical.models import Model
from unseen.mpc import Engine, SecretArray
from unseen.party import Party

_Raw = Callable[[Engine, Model, SecretArray, layout.Layout], SecretArray]


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Places of a hidden join: scores, what comes before the link, labels (0 where there is no row), and which hold a row (Booleans).

    Labels are integers 0 and 1, or numbers in fixed point.
    """

    engine: Engine
    scores: SecretArray
    raw: SecretArray
    labels: SecretArray
    member: SecretArray
    known: Known


def score(
    party: Party,
    inputs: Mapping[str, Artefact],
    roles: Roles,
    params: engines.OnShares,
    *,
    numbers: bool = False,
) -> ScoredRows:
    """Score the places of input "table" with input "model"; nothing is told. Empty ones get a score, too, which means nothing.

    `numbers`: labels may be others than 0 and 1.

    Raises
    ------
    UsageError
        Rows of no inner join, or without a label of the label holder; a model of other columns, or of a kind that scores at home.
    RemoteProtocolError
        The holders' models, or their rows, do not fit together.
    """
    choice, label_holder = engines.choose(roles), roles.one("label_holder")
    holds = party.name in choice.holders
    own = Joined.of(inputs["table"]) if holds else None
    held = SharedModel.of(inputs["model"]) if holds else None
    if own is not None and held is not None:
        columns = tuple(own.known.columns[place].name for place in own.known.of_role(FEATURE, party.name))
        check_columns(party.name, columns, own.prepared, held)
    engine = engines.open_engine(party, roles, params)
    rows = agree(party, own, engine, protocol=choice.protocol, holders=choice.holders)
    known = rows.known
    labels = known.of_role(LABEL, label_holder)
    if numbers and not labels:
        labels = known.of_role(OUTCOME, label_holder)
    if known.how != "inner" or len(labels) != 1:
        of = f"labels of {label_holder}" if numbers else f"labels of two values of {label_holder}"
        raise UsageError(
            "These joined rows cannot be evaluated on.",
            why=f"a {known.how} join; {of}: {len(labels)}",
            mend="join with how = inner, and bring one label; of other labels than yes and no set `kind`",
        )
    sizes = layout.Layout(known.places, {name: len(known.of_role(FEATURE, name)) for name in choice.holders})
    model = models.agree(
        engine,
        None if held is None else held.model,
        protocol=choice.protocol,
        holders=choice.holders,
        sizes=sizes,
    )
    kind = models.kind(model.kind)
    of_columns: _Raw | None = getattr(kind, "raw_of_columns", None)
    if of_columns is None:
        raise UsageError(
            f"A model of the kind '{model.kind}' cannot score rows that nobody knows.",
            why="each holder compares its own columns with its thresholds, and here nobody has them in clear",
            mend="train a linear model, or evaluate on an open intersection (step psi)",
        )
    raw = of_columns(engine, model, rows.columns(engine, known.of_role(FEATURE)), sizes)
    scores = kind.expected(engine, model, raw)
    return ScoredRows(engine, scores, raw, rows.columns(engine, labels)[:, 0], rows.members(engine), known)
