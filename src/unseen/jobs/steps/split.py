"""Cut the common rows into training and test rows, the same at every holder, by a coin that both tossed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.crypto.prg import Prg
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_table, to_table
from unseen.party import Disclosure, Message, Party, Public

VERSION = 1
SUMMARY = "Cut the common rows at random into training rows and test rows, the same rows at every holder."
ROLES = {"holders": "have the common rows"}
INPUTS = {"table": "common rows, in the same order at every holder"}
OUTPUTS = {"train": "training rows", "test": "rows held out"}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party. The holders toss the coin together."


class Params(StepParams):
    """`test_fraction`: the share of rows held out."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.25


class Coin(Message, frozen=True, tag="split.coin/1"):
    """The sender's part of the coin, and how many rows it has, so that all cut alike."""

    part: Public[bytes]
    rows: Public[int]


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing: the coin is random, and the number of rows is known since the intersection."""
    return ()


def estimate(_params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One message each."""
    rows = max((sizes.rows.get(holder, 0) for holder in roles.all("holders")), default=0)
    return Cost(0.01 + network.latency_s, 200, 1, 400 * rows)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder. The coin is output randomness: after a crash it falls the same way again."""
    table = to_table(inputs["table"])
    mine = Coin(party.output_rng.bytes(32), table.rows)
    coins = {party.name: mine, **party.exchange(mine, Coin, peers=party.peers)}
    for name, coin in coins.items():
        if coin.rows != table.rows or len(coin.part) != len(mine.part):
            raise RemoteProtocolError(
                f"{name} has {coin.rows} common rows where {party.name} has {table.rows}.",
                mend="align the tables first (step psi)",
                party=name,
            )
    seed = hashlib.sha256(b"".join(coins[name].part for name in sorted(roles.all("holders")))).digest()
    order = Prg(seed).permutation(table.rows)
    held_out = round(params.test_fraction * table.rows)
    if not 0 < held_out < table.rows:
        raise UsageError(
            f"{table.rows} common rows cannot be cut into training and test rows.",
            mend="bring more common rows, or hold out another part",
        )
    test, train = np.sort(order[:held_out]), np.sort(order[held_out:])
    return {"train": from_table(table.take(train)), "test": from_table(table.take(test))}
