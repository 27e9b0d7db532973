"""Apply rules of data preparation that were learnt before to other rows, as training did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, prepared_by, prepared_of, to_preparation, to_table
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = "Apply the rules that `prepare` or `bin` learnt to other rows; each holder its own."
ROLES = {"holders": "have the columns"}
INPUTS = {"rules": "what was learnt", "table": "rows with the columns of training"}
OUTPUTS = {"table": "the rows, prepared as in training"}
LEVELS = ("shared",)
TRUST = "Each holder works alone: there is nobody to trust."


class Params(StepParams):
    """Nothing to choose."""


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing leaves."""
    return ()


def estimate(_params: Params, roles: Roles, sizes: Sizes, _network: Network) -> Cost:
    """Local arithmetic."""
    cells = max(
        (sizes.rows.get(name, 0) * sizes.columns.get(name, 0) for name in roles.all("holders")), default=0
    )
    return Cost(0.01 + cells * 1e-7, 0, 0, 64 * cells)


def run(_party: Party, inputs: Mapping[str, Artefact], _params: Params, _roles: Roles) -> dict[str, Any]:
    """At every holder, alone."""
    rules, table = to_preparation(inputs["rules"]), inputs["table"]
    how = prepared_by(rules, prepared_of(table))
    return {"table": from_table(rules.transform(to_table(table)), prepared=how)}
