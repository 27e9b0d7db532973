"""Correlations between columns of several holders, and how much others explain of each column (相关系数, VIF)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import to_table
from unseen.learn.prepare import correlation
from unseen.learn.vertical import layout
from unseen.party import Disclosure, Door, Party

VERSION = 1
SUMMARY = "Correlations between named columns of all holders, to the receivers; variance inflation factors, to each column's holder."
ROLES = {
    "holders": "have the columns",
    "receivers": "get the correlations",
    "helper": engines.ROLE_OF_HELPER,
}
OPTIONAL_ROLES = frozenset({"receivers", *engines.OPTIONAL_ROLES})
INPUTS = {"table": "rows, in the same order at every holder"}
OUTPUTS = {"metrics": "what this party is told"}
LEVELS = ("shared",)
TRUST, trust = engines.TRUST, engines.trust


class Params(engines.OnShares):
    """`columns`: holder -> names of columns whose correlations are told; of all of them with each other.

    `vif`: tell each holder the factors of its own columns, beside all columns that are named; where none is, beside all
    that are numbers.
    """

    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    vif: bool = False


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The matrix to the receivers, factors to their owners."""
    told = [shape_disclosure(roles)]
    if params.columns and roles.all("receivers"):
        named = "; ".join(f"{holder}: {', '.join(names)}" for holder, names in sorted(params.columns.items()))
        width = sum(len(names) for names in params.columns.values())
        what = f"correlations between these columns ({named})"
        told.append(
            Disclosure("correlations", what, roles.all("receivers"), Door.REVEAL, max_elements=width**2)
        )
    if params.vif:
        told += [
            Disclosure(
                f"vif-{owner}", f"the variance inflation factors of {owner}'s columns", (owner,), Door.REVEAL
            )
            for owner in roles.all("holders")
        ]
    return tuple(told)


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """By measurement on two cores."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    widths = [len(params.columns.get(h, ())) if params.columns else sizes.columns.get(h, 0) for h in holders]
    protocol = engines.choose(roles).protocol
    sent, rounds = correlation.cost(
        protocol, rows, widths, redundant=False, tolerance=False, factors=params.vif
    )
    seconds = 0.05 + 9e-9 * sent + rounds * (4e-4 + network.latency_s) + sent / network.bytes_per_s
    return Cost(seconds, round(sent), rounds, 48 * rows * sum(widths))


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper; a receiver is a holder."""
    holders, receivers = roles.all("holders"), roles.all("receivers")
    strangers = sorted({*receivers, *params.columns} - set(holders))
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)} is no holder here.", mend="name holders as receivers and in `columns`"
        )
    own, names = None, tuple[str, ...]()
    if party.name in holders:
        table = to_table(inputs["table"])
        names = _names(table, party.name, params)
        own = table.numeric(names)
        _check(own, names)
    sizes = layout.agree(party, own, holders=holders)
    engine = engines.open_engine(party, roles, params)
    matrix = correlation.correlations(engine, sizes, own)
    report: dict[str, Any] = {"columns": list(names)}
    if params.columns and receivers:
        told = engine.reveal("correlations", matrix, to=receivers)
        every = [[holder, name] for holder in sizes.columns for name in params.columns.get(holder, ())]
        report |= {} if told is None else {"of": every, "correlations": told.tolist()}
    if params.vif:
        factors = correlation.inflation(matrix)
        for owner in (owner for owner, count in sizes.columns.items() if count):
            told = engine.reveal(f"vif-{owner}", factors[sizes.block(owner)], to=(owner,))
            report |= {} if told is None else {"vif": told.tolist()}
    return {"metrics": Artefact("metrics", {}, report)} if own is not None else {}


def _names(table: Table, me: str, params: Params) -> tuple[str, ...]:
    if not params.columns:
        numbers = {column.name for column in table.schema if column.type in {"numeric", "integer", "boolean"}}
        return tuple(name for name in table.features if name in numbers)
    names = params.columns.get(me, ())
    missing = [name for name in names if name not in table.features]
    if missing:
        raise UsageError(
            f"{me}'s table has no column {', '.join(missing)}.", why=f"it has: {', '.join(table.features)}"
        )
    return names


def _check(own: NDArray[np.float64], names: tuple[str, ...]) -> None:
    flat = [name for name, same in zip(names, correlation.constant(own), strict=True) if same]
    if flat:
        raise UsageError(
            f"Columns that do not vary have no correlation: {', '.join(flat)}.", mend="leave them out"
        )
