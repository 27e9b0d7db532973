"""Two holders make randomness ahead for tasks to come, so that those send less and end sooner (预处理)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import stocks
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.mpc.protocols.pair2.dealt import PRODUCTS, TRANSFERS, Amount
from unseen.mpc.protocols.pair2.wires import FEW
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = "Two holders make randomness for later tasks among themselves and keep it sealed; no data take part, nobody learns anything."
ROLES = {"holders": "two, who compute without a helper later"}
INPUTS: dict[str, str] = {}
OUTPUTS = {"stock": "the number of the stock and what is in it; the stock itself stays outside of the job"}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; there is nobody else to trust."

_PAIR = 2
_BYTES, _SECONDS = (7.8, 202.0), (1.5e-7, 2.5e-6)  # of a transfer in each direction, and of a product
_KEYS, _SET_UP = 330_000, 1_000_000  # bytes of the keys that products take, and of what silent transfers need
_SILENT = 0.18  # bytes of one of these in each direction


class Params(StepParams):
    """How much: each later task between the two, of whatever contract, takes one run.

    Attributes
    ----------
    runs
        How many tasks it serves.
    transfers, products
        What one of them finds; what it needs beyond that it makes as it goes.
    """

    runs: int = Field(default=1, ge=1, le=10_000)
    transfers: int = Field(default=1_000_000, ge=0, le=1 << 32)
    products: int = Field(default=0, ge=0, le=1 << 32)

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not (self.transfers or self.products):
            raise ValueError("transfers, products: one of them, or nothing is made")
        return self

    def assumes(self, _roles: Roles) -> Assumption:
        """Large ones are of silent transfers."""
        return "lpn"


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing."""
    return ()


def estimate(params: Params, _roles: Roles, _sizes: Sizes, network: Network) -> Cost:
    """By number."""
    transfers, products = Amount(params.transfers, params.products).records
    amounts = (transfers * TRANSFERS * params.runs, products * PRODUCTS * params.runs)
    first = min(amounts[0], FEW // 2)  # silent transfers take over then
    sent = round(_BYTES[0] * first + _SILENT * (amounts[0] - first) + _BYTES[1] * amounts[1])
    sent += 30_000 + _KEYS * bool(products) + _SET_UP * (amounts[0] > first)
    rounds = 10 + amounts[0] // (1 << 17) + amounts[1] // (1 << 16)
    work = sum(each * count for each, count in zip(_SECONDS, amounts, strict=True))
    seconds = 0.2 + work + rounds * network.latency_s + sent / network.bytes_per_s
    return Cost(seconds, sent, rounds, 100_000_000)


def run(party: Party, _inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At both."""
    holders = roles.all("holders")
    if len(set(holders)) != _PAIR:
        raise UsageError(
            f"A stock is between two holders, not {len(holders)}.",
            mend="name two; with a helper, and among three, nothing is made ahead",
        )
    number = stocks.make(
        party, holders, runs=params.runs, transfers=params.transfers, products=params.products
    )
    meta = {"stock": number, "runs": params.runs, "transfers": params.transfers, "products": params.products}
    return {"stock": Artefact("stock", meta=meta)}
