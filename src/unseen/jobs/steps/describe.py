"""What columns look like: for their holders exactly, for others the figures that the contract lists, of no few rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.dp.budget import EXACT, Spent
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import to_table
from unseen.learn.prepare import describe as columns
from unseen.learn.prepare.columns import numbers
from unseen.party import Disclosure, Door, Message, Party, Released, require

VERSION = 1
SUMMARY = "Count, missing values, mean, standard deviation and quantiles of columns; to others as far as the contract says."
ROLES = {"holders": "have the columns", "receivers": "get figures about named columns of others"}
OPTIONAL_ROLES = frozenset({"receivers"})
INPUTS = {"table": "any table"}
OUTPUTS = {"metrics": "figures about this holder's columns, and what it was told of others'"}
LEVELS = ("shared",)
TRUST = (
    "Each holder works alone and says what its columns look like: that it says the truth is taken on trust."
)

Level = Annotated[float, Field(gt=0, lt=1)]


class Params(StepParams):
    """`columns`: holder -> names of number columns of which the receivers are told; of others nothing leaves.

    `at_least`: what is told is about so many rows or more. `quantiles`: which.
    """

    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    at_least: Annotated[int, Field(ge=2)] = 10
    quantiles: tuple[Level, ...] = (0.25, 0.5, 0.75)


class Figures(Message, frozen=True, tag="jobs.describe-figures/1"):
    """Of each named column of the sender: count, missing, mean, sd, quantiles; NaN where there are too few rows."""

    values: Released[NDArray[Any]]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Figures about the named columns to the receivers."""
    size = len(columns.FIGURES) + len(params.quantiles)
    return tuple(
        Disclosure(
            f"figures-{holder}",
            f"count, missing values, mean, sd and {len(params.quantiles)} quantiles of {holder}'s columns "
            f"{', '.join(names)}, each about {params.at_least} rows or more",
            tuple(name for name in roles.all("receivers") if name != holder),
            Door.RELEASE,
            max_elements=size * len(names),
        )
        for holder, names in sorted(params.columns.items())
        if names
    )


def spends(params: Params, roles: Roles) -> Spent | None:
    """An answer without noise, if anybody is told anything."""
    return EXACT if any(item.to for item in disclosures(params, roles)) else None


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """A sort of each column, one small message."""
    cells = max((sizes.rows.get(h, 0) * sizes.columns.get(h, 0) for h in roles.all("holders")), default=0)
    told = sum(len(names) for names in params.columns.values()) * len(roles.all("receivers"))
    sent = told * 8 * (len(columns.FIGURES) + len(params.quantiles)) + 100 * bool(told)
    return Cost(0.01 + 2e-7 * cells + network.latency_s * bool(told), sent, int(bool(told)), 32 * cells)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder; a receiver is a holder."""
    holders, receivers, me = roles.all("holders"), roles.all("receivers"), party.name
    strangers = sorted({*receivers, *params.columns} - set(holders))
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)} is no holder here.", mend="name holders as receivers and in `columns`"
        )
    table = to_table(inputs["table"])
    own = {name: columns.describe(table, name, params.quantiles) for name in (*table.features, *table.labels)}
    size = len(columns.FIGURES) + len(params.quantiles)
    named = {holder: names for holder, names in sorted(params.columns.items()) if names}
    if me in named:
        values = np.stack([_figures(table, name, params) for name in named[me]])
        others = tuple(name for name in receivers if name != me)
        if others:
            released = party.release(f"figures-{me}", values, to=others, elements=values.size)
            for receiver in others:
                party.send(receiver, Figures(released))
    told = {}
    for holder, names in named.items():
        if me in receivers and holder != me:
            values = party.recv(holder, Figures).values.value
            require(values, shape=(len(names), size), dtype=np.float64, sender=holder)
            figures = [columns.named(row, params.quantiles) for row in values]
            told[holder] = dict(zip(names, figures, strict=True))
    meta = {"columns": own, "told": told, "at_least": params.at_least, "table_rows": table.rows}
    return {"metrics": Artefact("metrics", {}, meta)}


def _figures(table: Table, name: str, params: Params) -> NDArray[np.float64]:
    if name not in table.features:
        raise UsageError(f"There is no feature '{name}'.", why=f"features: {', '.join(table.features)}")
    return columns.told(numbers(table, name), params.quantiles, params.at_least)
