"""Count rows that two holders have in common, or add up a column over them, while nobody learns which they are (隐藏求交统计)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import ids_of, known_kinds, to_table
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Message, Party, Released
from unseen.psi import totals
from unseen.psi.circuit import estimate as cost_of
from unseen.psi.circuit import hidden

VERSION = 1
SUMMARY = "Count, add up or average over the rows that two holders have in common; nobody learns which rows these are."
ROLES = {
    "holders": "two, who bring a table with an id column each",
    "receivers": "the holders who get the answer",
}
INPUTS = {"table": "a table with an id column, and the columns that are asked about"}
OUTPUTS = {
    "answer": "counts, sums or means, at the receivers; of groups that are too small only that they are"
}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party."

_SIZE, _ANSWER = "size", "answer"
_PROTOCOL = "pair2"


class Params(StepParams):
    """What is asked about the common rows.

    Attributes
    ----------
    ask
        `count`; `total` or `mean` of the column `of`; `histogram`: counts in the intervals of the column `by` between `edges`,
        with means of `of` in them if it is given.
    of, by
        A holder and one of its columns.
    at_least
        Of fewer rows, or of an interval with fewer, nothing is told but that they are fewer.
    kinds
        Kinds of the id columns, as in the step `psi`.
    bounds
        Holder -> the most ids that it brings: how many it has is then not told. Of both holders or of none.
    """

    ask: Literal["count", "total", "mean", "histogram"] = "count"
    of: tuple[str, str] | None = None
    by: tuple[str, str] | None = None
    edges: tuple[float, ...] = ()
    at_least: Annotated[int, Field(ge=1)] = 10
    kinds: Annotated[tuple[str, ...], AfterValidator(known_kinds)] = ()
    bounds: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.ask in {"total", "mean"} and self.of is None:
            raise ValueError(f"a {self.ask} is of a column: name it in `of`")
        if (self.ask == "histogram") != (self.by is not None and len(self.edges) > 1):
            raise ValueError("a histogram, and nothing else, has `by` and two `edges` or more")
        if self.ask == "count" and self.of is not None:
            raise ValueError("a count is of no column: leave out `of`")
        return self

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The columns that are asked about."""
        return tuple(dict.fromkeys(column for column in (self.of, self.by) if column is not None))


class Size(Message, frozen=True, tag="jobs.common-statistics.size/1"):
    """How many ids the sender brings."""

    rows: Released[int]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The sizes, unless they are bounded; the answer to the receivers."""
    groups = max(1, len(params.edges) - 1)
    numbers = 3 if params.ask == "mean" or (params.ask == "histogram" and params.of) else 2
    told = Disclosure(
        _ANSWER, _words(params), roles.all("receivers"), Door.REVEAL, max_elements=groups * numbers
    )
    if params.bounds:
        return (told,)
    return (
        Disclosure(_SIZE, "how many rows the table has", roles.all("holders"), Door.RELEASE, 1, times=1),
        told,
    )


def _words(params: Params) -> str:
    of = "" if params.of is None else f" of {params.of[0]}'s column '{params.of[1]}'"
    what = {
        "count": "the number of common rows",
        "total": f"the sum{of} over the common rows",
        "mean": f"the mean{of} over the common rows, and their number",
        "histogram": "the number of common rows" + (f", and the mean{of} over them," if of else ""),
    }[params.ask]
    if params.by is not None:
        edges = ", ".join(f"{edge:g}" for edge in params.edges)
        what += f" in each interval of {params.by[0]}'s column '{params.by[1]}' between {edges}"
    return f"{what}; of fewer than {params.at_least} rows only that they are fewer"


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """That of the hidden intersection, and comparisons with the edges."""
    holders = roles.all("holders")
    known = {name: params.bounds.get(name, sizes.rows.get(name, 0)) for name in holders}
    columns = {name: sum(1 for holder, _ in params.columns if holder == name) for name in holders}
    return cost_of(known, columns, network, helper=False, comparisons=len(params.edges))


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder."""
    holders, receivers = roles.all("holders"), roles.all("receivers")
    _check(params, holders, receivers)
    table = to_table(inputs["table"])
    values = _columns(table, party.name, params)
    sizes = params.bounds or _tell_sizes(party, table.rows, holders)
    engine = Engine(party, holders=holders, protocol=_PROTOCOL)
    kinds = {name: {column: float for holder, column in params.columns if holder == name} for name in holders}
    found = hidden(engine, ids_of(table, params.kinds), values, sizes=sizes, columns=kinds)
    asked: dict[str, Any] = {"name": _ANSWER, "to": receivers, "at_least": params.at_least}
    groups: list[totals.Answer] | totals.Answer | None
    if params.ask == "histogram" and params.by is not None:
        groups = totals.histogram(found, params.by, params.edges, of=params.of, **asked)
    elif params.of is not None:
        groups = (totals.mean if params.ask == "mean" else totals.total)(found, params.of, **asked)
    else:
        groups = totals.cardinality(found, **asked)
    if groups is None:
        return {}
    each = groups if isinstance(groups, list) else [groups]
    meta = {
        "ask": params.ask,
        "at_least": params.at_least,
        "below": [item.below for item in each],
        "count": [item.count for item in each],
        "value": [item.value for item in each],
    }
    return {"answer": Artefact("metrics", {"edges": np.array(params.edges, np.float64)}, meta)}


def _check(params: Params, holders: tuple[str, ...], receivers: tuple[str, ...]) -> None:
    named = {holder for holder, _ in params.columns} | set(params.bounds) | set(receivers)
    whole = not params.bounds or set(params.bounds) == set(holders)
    if len(holders) != 2 or not named <= set(holders) or not whole:  # noqa: PLR2004 - a pair
        raise UsageError(
            "This step is for two holders, one or both of whom get the answer.",
            why=f"holders: {', '.join(holders)}; named besides: {', '.join(sorted(named - set(holders))) or 'none'}",
            mend="name two holders, and only these as receivers and in of, by and bounds (both there, or none)",
        )


def _columns(table: Table, me: str, params: Params) -> dict[str, NDArray[np.float64]]:
    mine = tuple(column for holder, column in params.columns if holder == me)
    missing = [name for name in mine if name not in table.names]
    if missing:
        raise UsageError(
            f"{me}'s table has no column {', '.join(missing)}.", why=f"it has: {', '.join(table.names)}"
        )
    numbers = table.numeric(mine)
    return {name: numbers[:, place] for place, name in enumerate(mine)}


def _tell_sizes(party: Party, rows: int, holders: tuple[str, ...]) -> dict[str, int]:
    (peer,) = (name for name in holders if name != party.name)
    told = party.release(_SIZE, rows, to=(peer,), elements=1)
    theirs = party.exchange(Size(told), Size, peers=(peer,))[peer].rows.value
    return {party.name: rows, peer: theirs}
