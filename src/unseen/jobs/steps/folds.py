"""Give each common row a fold for cross-validation, the same at every holder (交叉验证)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import joined
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import Joined
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, labels_at, prepared_of, to_table
from unseen.learn.prepare import rows as common
from unseen.party import Disclosure, Party

VERSION = 2
SUMMARY = (
    "Give each common row one of several folds, the same at every holder; `split` then holds out one of them."
)
ROLES = {
    "holders": "have the common rows",
    "label_holder": "has the label, and chooses rows if `stratify` is set",
}
OPTIONAL_ROLES = frozenset({"label_holder"})
INPUTS = {"table": "common rows, in the same order at every holder, or joined rows in shares"}
OUTPUTS = {"table": "the same rows with the fold of each"}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party. The holders toss the coin together, or the label holder draws alone."


class Params(StepParams):
    """`folds`: how many, of equal size up to one row. `stratify`: each has the overall rate of the label.

    Of joined rows, which nobody knows, each *place* gets a fold; labels are in shares, so that `stratify` cannot be.
    """

    folds: Annotated[int, Field(ge=2, le=1000)] = 5
    stratify: bool = False


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing of folds at random."""
    return common.disclosures(roles.all("holders"), roles.one("label_holder") if params.stratify else None)


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One message each, or one that names all rows."""
    holders = roles.all("holders")
    rows = max((sizes.rows.get(holder, 0) for holder in holders), default=0)
    sent = 2 * rows * (len(holders) - 1) if params.stratify else 100 * len(holders)
    return Cost(0.01 + network.latency_s + sent / network.bytes_per_s, sent, 1, 400 * rows)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder."""
    if inputs["table"].kind == joined.KIND:
        rows = Joined.of(inputs["table"])
        joined.refuse_labels(stratify=params.stratify)
        made = _folds(party, rows.known.places, params, roles, {})
        return {"table": replace(rows, folds=made.astype(np.int64)).to_artefact()}
    table = to_table(inputs["table"])
    made = _folds(party, table.rows, params, roles, labels_at(party, table, params.stratify, roles))
    numbered = table.with_other(common.FOLD, made.astype(np.int64))
    return {"table": from_table(numbered, prepared=prepared_of(inputs["table"]))}


def _folds(party: Party, rows: int, params: Params, roles: Roles, labels: dict[str, Any]) -> common.Parts:
    if rows < params.folds:
        raise UsageError(f"{rows} common rows are too few for {params.folds} folds.", mend="take fewer folds")
    least, more = divmod(rows, params.folds)
    sizes = [least + (fold < more) for fold in range(params.folds)]
    return common.parts(party, rows, sizes, holders=roles.all("holders"), **labels)
