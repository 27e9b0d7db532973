"""Score held-out rows with a joint model and measure how good it is: AUC, KS, ROC, accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SCORES, reveal_scores, scoring_cost, scoring_disclosures
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import Matrix
from unseen.learn.evaluate.binary import measure
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = "Score the held-out rows with the joint model and measure it against the receiver's labels."
ROLES = {
    "holders": "bring columns and hold the shares of the model",
    "receiver": "the holder with the label; gets the scores of the held-out rows and measures",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {"model": "shares of a model", "table": "held-out columns, scaled as in training"}
OUTPUTS = {"metrics": "the measures and the ROC curve, at the receiver"}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust


class Params(StepParams):
    """Nothing to choose."""


def disclosures(_params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape; the scores of the held-out rows to the receiver."""
    return scoring_disclosures(roles)


def estimate(_params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One product and one sigmoid per row."""
    return scoring_cost(roles, sizes, network)


def run(party: Party, inputs: Mapping[str, Artefact], _params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    receiver = roles.one("receiver")
    if party.name == receiver and Matrix.of(inputs["table"]).label is None:
        raise UsageError(
            f"{receiver} is to measure the model, but its table has no label.",
            mend="let the holder of the label be the receiver",
        )
    scores = reveal_scores(party, inputs, roles)
    if scores is None:
        return {}
    labels = Matrix.of(inputs["table"]).label
    if labels is None:
        return {}
    quality = measure(labels, scores)
    meta = {
        "rows": quality.rows,
        "positives": quality.positives,
        "auc": quality.auc,
        "ks": quality.ks,
        "accuracy": quality.accuracy,
        "log_loss": quality.log_loss,
    }
    arrays = {
        "false_positive_rate": quality.false_positive_rate,
        "true_positive_rate": quality.true_positive_rate,
        SCORES: scores,
        "labels": labels,
    }
    return {"metrics": Artefact("metrics", arrays, meta)}
