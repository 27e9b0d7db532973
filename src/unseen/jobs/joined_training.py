"""What the step `train-linear` does on joined rows, of which nobody knows which are there: Newton's method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import FEATURE, LABEL, OUTCOME, Joined, Known, agree
from unseen.jobs.linear_training import Training
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles
from unseen.learn.vertical import layout, members
from unseen.learn.vertical.linear.families import MULTINOMIAL
from unseen.mpc import equal
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
    label = _label(known, label_holder, params.family)
    sizes = layout.Layout(
        known.places, {holder: len(known.of_role(FEATURE, holder)) for holder in choice.holders}
    )
    scaling, member = rows.standardised(engine), rows.members(engine)
    labels, unit = rows.columns(engine, (label,))[:, 0], None
    if params.family == "linear":
        labels, unit = members.standardised(engine, engine.as_real(labels), member)
    elif params.family == MULTINOMIAL:
        numbered = np.arange(params.classes, dtype=np.float64).reshape(1, -1)
        labels = engine.as_real(equal(engine.as_real(labels).reshape(-1, 1), numbered))
    training = Training(party, engine, params, roles, sizes)
    weights = training.newton(
        rows.columns(engine, known.of_role(FEATURE)),
        labels,
        counted=member,
        squares=0.0 if scaling else known.squares,
        basis=scaling.basis if scaling else None,
    )
    if scaling:
        weights = members.unscaled(weights, scaling)
    if unit is not None:
        weights = training.in_units(weights, unit)
    trained = training.trained(engine.select(rows.enough(engine, params.at_least), weights))
    if own is None:
        return {}
    columns = tuple(known.columns[place].name for place in known.of_role("feature", party.name))
    model = SharedModel(trained.model, dict(sizes.columns), columns, trained.known, own.prepared)
    return {"model": model.to_artefact()}


def _label(known: Known, label_holder: str, family: str) -> int:
    """The column with the label: yes or no, or for other families than the logistic one numbers."""
    features, labels = known.of_role(FEATURE), known.of_role(LABEL, label_holder)
    what = f"labels of two values of {label_holder}"
    if family != "logistic":
        labels, what = labels or known.of_role(OUTCOME, label_holder), f"labels of {label_holder}"
    if len(labels) != 1 or not features or known.how != "inner" or not known.squares:
        raise UsageError(
            "These joined rows cannot be trained on.",
            why=f"a {known.how} join, scaled: {bool(known.squares)}; features: {len(features)}; {what}: {len(labels)}",
            mend="join with how = inner and `scaled`, and bring features and one label that the family takes",
        )
    return labels[0]
