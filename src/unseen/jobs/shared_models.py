"""Models that are held in secret shares, as artefacts; and how the steps score rows with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout, logistic
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party

SCORES = "scores"


@dataclass(frozen=True, slots=True)
class SharedModel:
    """One holder's share of a linear model's weights, intercept last.

    Attributes
    ----------
    share
        uint64, shape (components, width + 1).
    bits
        Fraction bits.
    widths
        Holder -> number of columns, in the order of the weights.
    columns
        Names of this holder's own columns.
    known
        What this party was told of the model: "coefficients" of its own columns, "intercept".
    """

    share: NDArray[np.uint64]
    bits: int
    widths: dict[str, int]
    columns: tuple[str, ...]
    known: Mapping[str, list[float]]

    def to_artefact(self) -> Artefact:
        """As artefact of kind "shares"."""
        meta: dict[str, Any] = {
            "bits": self.bits,
            "widths": self.widths,
            "columns": list(self.columns),
            "known": dict(self.known),
        }
        return Artefact("shares", {"weights": np.ascontiguousarray(self.share)}, meta)

    @classmethod
    def of(cls, artefact: Artefact) -> SharedModel:
        """The model of an artefact.

        Raises
        ------
        UsageError
            It holds no shares.
        """
        if artefact.kind != "shares":
            raise UsageError(f"A step got a {artefact.kind} where shares of a model are due.")
        meta = artefact.meta
        return cls(
            artefact.arrays["weights"], meta["bits"], meta["widths"], tuple(meta["columns"]), meta["known"]
        )


def reveal_scores(party: Party, inputs: Mapping[str, Artefact], roles: Roles) -> NDArray[np.float64] | None:
    """Score the rows of input "table" with input "model"; the receiver gets the probabilities, others None.

    Raises
    ------
    UsageError
        Other columns than in training.
    RemoteProtocolError
        The holders' models do not fit together.
    """
    holders = roles.all("holders")
    own = Matrix.of(inputs["table"]) if party.name in holders else None
    model = SharedModel.of(inputs["model"]) if party.name in holders else None
    if own is not None and model is not None and own.columns != model.columns:
        raise UsageError(
            f"{party.name} has other columns than in training.",
            why=f"trained on: {', '.join(model.columns)}; here: {', '.join(own.columns)}",
        )
    sizes = layout.agree(party, None if own is None else own.values, holders=holders)
    if model is not None and model.widths != sizes.columns:
        raise RemoteProtocolError("The holders' columns are not those that the model was trained on.")
    engine = Engine(party, holders=holders, helper=roles.one("helper"))
    columns = layout.share_blocks(engine, sizes, None if own is None else own.values)
    bits = engine.bits if model is None else model.bits
    share = np.zeros((1, sizes.width + 1), np.uint64) if model is None else model.share
    probabilities = logistic.predict(engine, columns, SecretArray(engine, share, bits))
    return engine.reveal(SCORES, probabilities, to=(roles.one("receiver"),))


def scoring_disclosures(roles: Roles) -> tuple[Disclosure, ...]:
    """What scoring tells: the shape to all, the scores to the receiver."""
    everyone = tuple(sorted({*roles.all("holders"), *roles.all("helper")}))
    shape = "the number of rows, and of columns of each holder"
    return (
        Disclosure(layout.DISCLOSURE, shape, everyone, Door.RELEASE, max_elements=1, times=2),
        Disclosure(SCORES, "the model's probability for each row", (roles.one("receiver"),), Door.REVEAL),
    )


def scoring_cost(roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """One product and one sigmoid per row; a quarter of the rows is usually held out."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0) // 4
    width = 1 + sum(sizes.columns.get(holder, 0) for holder in holders)
    sent = rows * (16 * width + 745)
    rounds = 16
    seconds = 0.02 + sent * 7e-9 + rounds * network.latency_s + sent / network.bytes_per_s
    return Cost(seconds, sent, rounds, rows * (24 * width + 8 * 4 * 52))
