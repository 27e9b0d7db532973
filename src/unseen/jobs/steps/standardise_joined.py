"""Scale columns of joined rows to mean 0 and standard deviation 1 over the rows that are there, under shares (密态标准化)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import Joined, agree
from unseen.jobs.step import Roles, Sizes
from unseen.learn.vertical import members
from unseen.party import Disclosure, Party

VERSION = 2
SUMMARY = "Scale the columns of joined rows over those rows that are there; nobody learns which, how many, mean or deviation."
ROLES = {"holders": "hold the shares", "helper": engines.ROLE_OF_HELPER}
INPUTS = {"table": "joined rows in shares"}
OUTPUTS = {"table": "the same, scaled"}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust

_SECONDS_PER_BYTE = 9e-9


class Params(engines.OnShares):
    """Nothing to choose."""


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing: places and columns are known since the join."""
    return ()


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One product of all cells, and a few of each column."""
    holders = roles.all("holders")
    rows = round(1.31 * min((sizes.rows.get(holder, 0) for holder in holders), default=0)) + 105
    width = 1 + sum(sizes.columns.get(holder, 0) for holder in holders)
    sent = 32 * rows * width + 1_000 * width
    rounds = 60
    seconds = 0.05 + sent * _SECONDS_PER_BYTE + rounds * network.latency_s + sent / network.bytes_per_s
    return engines.scaled(Cost(seconds, sent, rounds, 80 * rows * width), roles, params, network)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    choice = engines.choose(roles)
    own = Joined.of(inputs["table"]) if party.name in choice.holders else None
    engine = engines.open_engine(party, roles, params)
    joined = agree(party, own, engine, protocol=choice.protocol, holders=choice.holders)
    features = joined.known.of_role("feature")
    if joined.known.scaled_again or not features or not joined.known.squares:
        raise UsageError(
            "These joined rows cannot be scaled.",
            why="there are no features, they were scaled here already, or not by their holders before the join, as numbers may be too large then",
            mend="scale each holder's columns (standardise, prepare), and join with `scaled`",
        )
    made = members.standardising(engine, joined.columns(engine, features), joined.members(engine))
    return {} if own is None else {"table": own.scaled(made).to_artefact()}
