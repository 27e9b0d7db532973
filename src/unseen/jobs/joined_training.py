"""What the step `train-linear` does on joined rows, of which nobody knows which are there: logistic regression by Newton's method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import Joined, Known, agree
from unseen.jobs.linear_training import Training
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles
from unseen.learn.vertical import layout, members
from unseen.party import Party


def run(party: Party, inputs: Mapping[str, Artefact], params: Any, roles: Roles) -> dict[str, Any]:
    """Train on the joined rows of input "table"; the members are the weights of the rows.

    Raises
    ------
    UsageError
        The rows are of another kind of join, or lack features or one label.
    """
    choice, label_holder = engines.choose(roles), roles.one("label_holder")
    own = Joined.of(inputs["table"]) if party.name in choice.holders else None
    engine = engines.open_engine(party, roles, params)
    rows = agree(party, own, engine, protocol=choice.protocol, holders=choice.holders)
    known = rows.known
    _check(known, label_holder)
    sizes = layout.Layout(
        known.places, {holder: len(known.of_role("feature", holder)) for holder in choice.holders}
    )
    scaling = rows.standardised(engine)
    training = Training(party, engine, params, roles, sizes)
    weights = training.newton(
        rows.columns(engine, known.of_role("feature")),
        rows.columns(engine, known.of_role("label", label_holder))[:, 0],
        counted=rows.members(engine),
        squares=0.0 if scaling else known.squares,
        basis=scaling.basis if scaling else None,
    )
    if scaling:
        weights = members.unscaled(weights, scaling)
    trained = training.trained(engine.select(rows.enough(engine, params.at_least), weights))
    if own is None:
        return {}
    columns = tuple(known.columns[place].name for place in known.of_role("feature", party.name))
    model = SharedModel(trained.model, dict(sizes.columns), columns, trained.known, own.prepared)
    return {"model": model.to_artefact()}


def _check(known: Known, label_holder: str) -> None:
    features, labels = known.of_role("feature"), known.of_role("label", label_holder)
    if len(labels) != 1 or not features or known.how != "inner" or not known.squares:
        raise UsageError(
            "These joined rows cannot be trained on.",
            why=f"a {known.how} join, scaled: {bool(known.squares)}; features: {len(features)}; labels of {label_holder}: {len(labels)}",
            mend="join with how = inner and `scaled`, and bring features and one label",
        )
