"""Find the rows that all holders have in common, and put them into one order (隐私集合求交)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from unseen.core.cost import Cost, Network
from unseen.dp.budget import EXACT, Spent
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, ids_of, known_kinds, prepared_of, to_table
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode, choose, intersect
from unseen.psi.plan import AUTO, assumed
from unseen.psi.protocol import DISCLOSURE as INTERSECTION
from unseen.psi.protocol import revealing

VERSION = 5
SUMMARY = (
    "Find the rows that all holders have in common; nobody learns anything about the others' other rows."
)
ROLES = {
    "holders": "bring a table with an id column each",
    "receivers": "the holders who learn the result; all where none is named",
}
INPUTS = {"table": "a table with an id column"}
OUTPUTS = {"table": "at each receiver the common rows of its own table, in the same order at all"}
LEVELS = ("shared",)
OPTIONAL_ROLES = frozenset({"receivers"})
TRUST = "Semi-honest holders, of whom all but one may collude; no third party."


class Params(StepParams):
    """How the sets are intersected.

    Attributes
    ----------
    method
        A protocol of `unseen.psi`, or "auto": the one that is expected to be fastest for these sizes.
    kinds
        Kinds of the id columns, in their order (docs/data.md lists them), such as ["phone:CN"]; empty: all are text.
    """

    method: str = AUTO
    kinds: Annotated[tuple[str, ...], AfterValidator(known_kinds)] = ()

    def assumes(self, _roles: Roles) -> Assumption | None:
        """That of vectors, unless a method is named that has none."""
        return assumed(self.method)


def _receivers(roles: Roles) -> tuple[str, ...]:
    return roles.all("receivers") or roles.all("holders")


def disclosures(_params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Each receiver learns which of its own rows all others have too."""
    what = "which of its own rows the other holders have too, and so how many"
    return (Disclosure(INTERSECTION, what, _receivers(roles), Door.RELEASE),)


def spends(_params: Params, _roles: Roles) -> Spent:
    """Who is common is an exact answer about rows."""
    return EXACT


def hidden_variant(params: Params, _roles: Roles) -> tuple[str, dict[str, Any]] | None:
    """A join of which nobody learns the result."""
    return "join", {"kinds": list(params.kinds), "hidden": True}


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """That of the protocol."""
    counts = tuple(sizes.rows.get(holder, 0) for holder in roles.all("holders"))
    if params.method == AUTO:
        return choose(counts, Mode(), network).cost
    return revealing(params.method).estimate(counts, Mode(), network)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder; nothing comes out at those who do not learn the result.

    Raises
    ------
    UsageError
        Nothing in common, where all holders learn the result: where some do not, a run that failed would tell them. A receiver who
        is no holder.
    """
    holders, receivers = roles.all("holders"), _receivers(roles)
    table = to_table(inputs["table"])
    aligned = intersect(
        party,
        ids_of(table, params.kinds),
        holders=holders,
        to=receivers,
        method=params.method,
        allow_empty=set(receivers) != set(holders),
    )
    if aligned is None:
        return {}
    return {"table": from_table(table.take(aligned.rows), prepared=prepared_of(inputs["table"]))}
