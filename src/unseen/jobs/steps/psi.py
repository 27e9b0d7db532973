"""Find the rows that all holders have in common, and put them into one order (隐私集合求交)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.data.identifiers import identifiers
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Cost, Network, Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, to_table
from unseen.party import Disclosure, Door, Party
from unseen.psi.intersect import intersect

VERSION = 1
SUMMARY = (
    "Find the rows that the holders have in common; nobody learns anything about the others' other rows."
)
ROLES = {"holders": "bring a table with an id column each"}
INPUTS = {"table": "a table with an id column"}
OUTPUTS = {"table": "the common rows of the own table, in the same order at every holder"}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party."

_SECONDS_PER_POINT = 80e-6
_POINT_BYTES = 32


class Params(StepParams):
    """The protocol is Diffie-Hellman over ristretto255."""


def disclosures(_params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Each holder learns which of its own rows the others have too."""
    return (
        Disclosure(
            "intersection",
            "which of its own rows the other holders have too, and so how many",
            roles.all("holders"),
            Door.RELEASE,
        ),
    )


def estimate(_params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Two multiplications of a point per id and party; three lists of points on the wire."""
    rows = [sizes.rows.get(holder, 0) for holder in roles.all("holders")]
    points = sum(rows)
    sent = 2 * points * _POINT_BYTES
    seconds = points * _SECONDS_PER_POINT + 3 * network.latency_s + sent / network.bytes_per_s
    return Cost(seconds, sent, 3, 400 * max(rows, default=0))


def run(party: Party, inputs: Mapping[str, Artefact], _params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder."""
    holders = roles.all("holders")
    table = to_table(inputs["table"])
    aligned = intersect(party, identifiers(table), holders=holders, to=holders)
    if aligned is None:
        return {}
    return {"table": from_table(table.take(aligned.rows))}
