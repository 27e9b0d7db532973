"""Score rows with a joint model; the receiver gets one probability per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SCORES, reveal_scores, scoring_cost, scoring_disclosures
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.party import Disclosure, Party

VERSION = 2
SUMMARY = "Score rows with the joint model; the receiver gets one probability per row."
ROLES = {
    "holders": "bring columns and hold the shares of the model",
    "receiver": "gets the scores",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {"model": "shares of a model", "table": "columns, scaled as in training"}
OUTPUTS = {"scores": "one probability per row, with the receiver's ids"}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust


class Params(engines.OnShares):
    """Nothing to choose."""


def disclosures(_params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape; the scores to the receiver."""
    return scoring_disclosures(roles)


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """That of scoring, by the kind of the model."""
    return scoring_cost(roles, sizes, network, params)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    scores = reveal_scores(party, inputs, roles, params)
    if scores is None:
        return {}
    ids = Matrix.of(inputs["table"], columns=()).ids
    arrays: dict[str, NDArray[Any]] = {SCORES: scores, "ids": np.frombuffer(ids.to_ipc(), np.uint8)}
    return {"scores": Artefact("scores", arrays, {"rows": len(scores)})}
