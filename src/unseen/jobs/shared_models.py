"""Models that are held in secret shares, as artefacts; and how the steps score rows with them, of whatever kind they are.

Formats of the artefact: 1 (kind "shares") was a logistic regression under `dealer2`, read as such; 2 (kind "shared-model") is any
kind of :mod:`unseen.learn.vertical.models`. What a kind keeps in it has a number of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import MadeModel, Roles, Sizes
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout, models
from unseen.learn.vertical.models import Model, Shares
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party

SCORES = "scores"
FORMAT = 2
_KIND, _OLD_KIND = "shared-model", "shares"  # both in `artefacts.SHARES`


@dataclass(frozen=True, slots=True)
class SharedModel:
    """One holder's part of a model, and what it must know to use it.

    Attributes
    ----------
    model
        The part.
    widths
        Holder -> number of columns, in the order of training.
    columns
        Names of this holder's own columns.
    known
        What this party was told of the model, such as "coefficients" of its own columns, "intercept".
    prepared
        Which preparation the columns had in training (:attr:`unseen.jobs.tables.Matrix.prepared`); empty if that is not known.
    """

    model: Model
    widths: dict[str, int]
    columns: tuple[str, ...]
    known: Mapping[str, list[float]] = field(default_factory=dict)
    prepared: str = ""

    def to_artefact(self) -> Artefact:
        """As artefact of kind "shared-model"."""
        model = self.model
        arrays = {f"share.{name}": item.values for name, item in model.shares.items()}
        arrays |= {f"private.{name}": np.ascontiguousarray(item) for name, item in model.private.items()}
        meta: dict[str, Any] = {
            "format": FORMAT,
            "model": [model.kind, model.format, model.protocol, list(model.holders)],
            "public": dict(model.public),
            "bits": {name: item.bits for name, item in model.shares.items()},
            "widths": self.widths,
            "columns": list(self.columns),
            "known": dict(self.known),
            "prepared": self.prepared,
        }
        return Artefact(_KIND, arrays, meta)

    @classmethod
    def of(cls, artefact: Artefact) -> SharedModel:
        """The model of an artefact.

        Raises
        ------
        UsageError
            It holds no model, or one of a later format.
        """
        if artefact.kind == _OLD_KIND:
            return cls._of_first_format(artefact)
        if artefact.kind != _KIND:
            raise UsageError(f"A step got a {artefact.kind} where shares of a model are due.")
        meta, arrays = artefact.meta, artefact.arrays
        if meta["format"] != FORMAT:
            raise UsageError(
                f"A model has format {meta['format']}, and this release knows formats up to {FORMAT}.",
                mend="upgrade unseen",
            )
        kind, number, protocol, holders = meta["model"]
        model = Model(
            kind,
            number,
            protocol,
            tuple(holders),
            meta["public"],
            {name: Shares(arrays[f"share.{name}"], bits) for name, bits in meta["bits"].items()},
            {
                name.removeprefix("private."): item
                for name, item in arrays.items()
                if name.startswith("private.")
            },
        )
        return cls(model, meta["widths"], tuple(meta["columns"]), meta["known"], meta["prepared"])

    @classmethod
    def _of_first_format(cls, artefact: Artefact) -> SharedModel:
        meta = artefact.meta
        weights = Shares(artefact.arrays["weights"], meta["bits"])
        public = {"family": "logistic"}
        model = Model("linear", 1, "dealer2", tuple(meta["widths"]), public, {"weights": weights})
        return cls(model, meta["widths"], tuple(meta["columns"]), meta["known"])


@dataclass(frozen=True, slots=True)
class Opened:
    """A model in an engine, and this holder's rows that it is to be used on; nothing is computed yet."""

    engine: Engine
    model: Model
    own: Matrix | None
    sizes: layout.Layout

    @property
    def values(self) -> NDArray[np.float64] | None:
        """This holder's columns."""
        return None if self.own is None else self.own.values


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores that nobody has seen, what they were made of, and the engine that they live in.

    `raw` are the sums before the link; equal ones of trees are exactly equal, which rounded scores are not.
    """

    engine: Engine
    scores: SecretArray
    raw: SecretArray
    own: Matrix | None
    sizes: layout.Layout
    model: Model


def opened(party: Party, inputs: Mapping[str, Artefact], roles: Roles, params: engines.OnShares) -> Opened:
    """Input "model" and the rows of input "table"; nothing is told but the shape (:func:`shape_disclosure`).

    Raises
    ------
    UsageError
        Other columns than in training, prepared in another way, or a model of other parties.
    RemoteProtocolError
        The holders' models do not fit together.
    """
    holders = roles.all("holders")
    held = SharedModel.of(inputs["model"]) if party.name in holders else None
    own = None if held is None else Matrix.of(inputs["table"], missing=True, columns=held.columns)
    if own is not None and held is not None:
        check_columns(party.name, own.columns, own.prepared, held)
    values = None if own is None else own.values
    sizes = layout.agree(party, values, holders=holders)
    if held is not None and held.widths != sizes.columns:
        raise RemoteProtocolError(
            "The holders' columns are not those that the model was trained on.",
            why=f"columns in training: {_counted(held.widths)}; here: {_counted(sizes.columns)}",
            mend="let each holder bring the columns of training, in a contract with the same holders in the same order",
        )
    engine = engines.open_engine(party, roles, params)
    model = models.agree(
        engine,
        None if held is None else held.model,
        protocol=engines.choose(roles).protocol,
        holders=holders,
        sizes=sizes,
    )
    return Opened(engine, model, own, sizes)


def score(party: Party, inputs: Mapping[str, Artefact], roles: Roles, params: engines.OnShares) -> Scored:
    """Score the rows of input "table" with input "model"; see :func:`opened` for what is told and what raises."""
    ready = opened(party, inputs, roles, params)
    engine, model = ready.engine, ready.model
    kind = models.kind(model.kind)
    raw = kind.raw(engine, model, ready.values, ready.sizes)
    return Scored(engine, kind.expected(engine, model, raw), raw, ready.own, ready.sizes, model)


def _counted(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {width}" for name, width in widths.items())


def made_model(artefact: Artefact) -> MadeModel:
    """Kind and public part of the model whose part this is."""
    model = SharedModel.of(artefact).model
    return model.kind, model.public


def check_columns(name: str, columns: tuple[str, ...], prepared: str, held: SharedModel) -> None:
    """Refuse other columns of a holder than its model's, or such that were prepared in another way (fingerprints; "" is unknown).

    Raises
    ------
    UsageError
        They are.
    """
    if columns != held.columns:
        missing, new = (
            ", ".join(sorted(set(some) - set(rest))) or "none"
            for some, rest in ((held.columns, columns), (columns, held.columns))
        )
        same = missing == new == "none"
        raise UsageError(
            f"{name} has other columns than in training.",
            why=f"in training their order was {', '.join(held.columns)}"
            if same
            else f"missing here: {missing}; not in training: {new}",
            mend="bring the columns of training by their names, made ready by the same rules",
        )
    if held.prepared and prepared and held.prepared != prepared:
        raise UsageError(
            f"{name}'s columns were prepared in another way than in training.",
            why=f"in training: {held.prepared[:12]}…; here: {prepared[:12]}…",
            mend="apply the preparation that was fitted in training",
        )


def reveal_scores(
    party: Party, inputs: Mapping[str, Artefact], roles: Roles, params: engines.OnShares
) -> NDArray[np.float64] | None:
    """:func:`score`, and the receiver gets the scores, others None."""
    made = score(party, inputs, roles, params)
    return made.engine.reveal(SCORES, made.scores, to=(roles.one("receiver"),))


def shape_disclosure(roles: Roles) -> Disclosure:
    """What :func:`unseen.learn.vertical.layout.agree` tells."""
    shape = "the number of rows, and of columns of each holder"
    parties = tuple(sorted({*roles.all("holders"), *roles.all("helper")}))
    return Disclosure(layout.DISCLOSURE, shape, parties, Door.RELEASE, max_elements=1, times=2)


def scoring_disclosures(roles: Roles) -> tuple[Disclosure, ...]:
    """What scoring tells: the shape to all, the scores to the receiver."""
    told = Disclosure(SCORES, "the model's score for each row", (roles.one("receiver"),), Door.REVEAL)
    return (shape_disclosure(roles), told)


def scoring_cost(roles: Roles, sizes: Sizes, network: Network, params: engines.OnShares) -> Cost:
    """What the model's kind says, of a linear model where it is not known."""
    holders = roles.all("holders")
    rows = sizes.scored(holders)
    width = 1 + sum(sizes.columns.get(holder, 0) for holder in holders)
    name, public = sizes.model or ("linear", {})
    each, rounds = models.kind(name).scoring_cost(public, width - 1)
    sent = round(rows * each)
    seconds = 0.02 + sent * 7e-9 + rounds * network.latency_s + sent / network.bytes_per_s
    return engines.scaled(
        Cost(seconds, sent, rounds, rows * (24 * width + 8 * 4 * 52)), roles, params, network
    )
