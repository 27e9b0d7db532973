"""Scale every holder's own columns to mean 0 and standard deviation 1 on the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import Matrix, to_table
from unseen.learn.prepare.standardise import Scaling, fit
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = "Scale the columns to mean 0 and standard deviation 1 on the training rows; each holder its own."
ROLES = {"holders": "have the columns"}
INPUTS = {"train": "training rows", "test": "rows held out"}
OUTPUTS = {"train": "scaled training columns", "test": "held-out columns, scaled alike"}
LEVELS = ("shared",)
TRUST = "Each holder works alone: there is nobody to trust."


class Params(StepParams):
    """`commit`: commit to the scaled training columns and the label; the commitment stands in the log."""

    commit: bool = False


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing leaves."""
    return ()


def estimate(params: Params, roles: Roles, sizes: Sizes, _network: Network) -> Cost:
    """Local arithmetic."""
    cells = max(
        (sizes.rows.get(name, 0) * sizes.columns.get(name, 0) for name in roles.all("holders")), default=0
    )
    return Cost(0.01 + cells * (2e-5 if params.commit else 2e-8), 0, 0, 32 * cells)


def run(_party: Party, inputs: Mapping[str, Artefact], params: Params, _roles: Roles) -> dict[str, Any]:
    """At every holder, alone."""
    train, test = to_table(inputs["train"]), to_table(inputs["test"])
    names = train.features
    scaling = fit(train.numeric(names), names)
    scaled = _scaled(train, scaling)
    return {
        "train": (scaled.committed() if params.commit else scaled).to_artefact(),
        "test": _scaled(test, scaling).to_artefact(),
    }


def _scaled(table: Table, scaling: Scaling) -> Matrix:
    return Matrix(
        scaling.apply(table.numeric(table.features)),
        table.features,
        table.label(table.labels[0]) if table.labels else None,
        table.select(table.ids),
        label_name=table.labels[0] if table.labels else "",
    )
