"""Cut the common rows into training and test rows, the same at every holder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import joined
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import Joined
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, labels_at, prepared_of, to_table
from unseen.learn.prepare import rows as common
from unseen.party import Disclosure, Party

VERSION = 3
SUMMARY = "Cut the common rows at random into training rows and test rows, the same rows at every holder."
ROLES = {
    "holders": "have the common rows",
    "label_holder": "has the label, and chooses rows if `stratify` is set",
}
OPTIONAL_ROLES = frozenset({"label_holder"})
INPUTS = {"table": "common rows, in the same order at every holder, or joined rows in shares"}
OUTPUTS = {"train": "training rows", "test": "rows held out"}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party. The holders toss the coin together, or the label holder draws alone."

_FOLDS = 5


class Params(StepParams):
    """`test_fraction`: the share of rows held out. `stratify`: each part has the overall rate of the label.

    `fold`: hold out this fold of those that the step `folds` made, instead. Of joined rows, which nobody knows, *places* are cut, and
    labels are in shares, so that `stratify` cannot be.
    """

    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.25
    stratify: bool = False
    fold: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.stratify and self.fold is not None:
            raise ValueError("folds are stratified by the step `folds`, not here")
        return self


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing of a cut at random: the number of rows is known since the intersection."""
    return common.disclosures(roles.all("holders"), roles.one("label_holder") if params.stratify else None)


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One message each, or one that names all rows."""
    holders = roles.all("holders")
    rows = max((sizes.rows.get(holder, 0) for holder in holders), default=0)
    if params.fold is not None:
        return Cost(0.01, 0, 0, 400 * rows)
    sent = 2 * rows * (len(holders) - 1) if params.stratify else 100 * len(holders)
    return Cost(0.01 + network.latency_s + sent / network.bytes_per_s, sent, 1, 400 * rows)


def part(params: Params, output: str) -> float:
    """Which part of the rows an output has; a fold is taken as one of five, as `folds` makes unless told otherwise."""
    held_out = params.test_fraction if params.fold is None else 1 / _FOLDS
    return held_out if output == "test" else 1 - held_out


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder."""
    if inputs["table"].kind == joined.KIND:
        places = Joined.of(inputs["table"])
        joined.refuse_labels(stratify=params.stratify)
        held_out = _held_out(party, places.known.places, places.folds, params, roles, {})
        parts = {"train": ~held_out, "test": held_out}
        return {name: places.take(np.flatnonzero(which)).to_artefact() for name, which in parts.items()}
    table = to_table(inputs["table"])
    folds = None if params.fold is None else table.values(common.FOLD)
    labels = labels_at(party, table, params.stratify, roles)
    held_out = _held_out(party, table.rows, folds, params, roles, labels)
    train, test_rows = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    how = prepared_of(inputs["table"])
    return {
        "train": from_table(table.take(train), prepared=how),
        "test": from_table(table.take(test_rows), prepared=how),
    }


def _held_out(
    party: Party,
    rows: int,
    folds: NDArray[Any] | None,
    params: Params,
    roles: Roles,
    labels: dict[str, Any],
) -> NDArray[np.bool_]:
    """Which rows are held out, shape (rows,)."""
    chosen: NDArray[np.bool_] | None = None
    if params.fold is not None:
        chosen = np.zeros(rows, bool) if folds is None else np.asarray(folds == params.fold)
        sizes = [int((~chosen).sum()), int(chosen.sum())]
    else:
        test = round(params.test_fraction * rows)
        sizes = [rows - test, test]
    if not all(sizes):
        raise UsageError(
            f"{rows} common rows cannot be cut into training and test rows.",
            why="" if params.fold is None else f"there is no fold {params.fold}, or nothing else",
            mend="bring more common rows, or hold out another part",
        )
    if chosen is not None:
        return chosen
    return common.parts(party, rows, sizes, holders=roles.all("holders"), **labels).astype(bool)
