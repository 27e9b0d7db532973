"""Models that are held in shares, of any kind: what a party has of one, and how a kind scores rows with it.

A kind is a file or package in `learn/vertical` with the names of :class:`Kind`; its file name is the kind's name. A kind says
which parts of a model are

* `public`: JSON data that all parties of a task may know (hyper-parameters, never anything computed from data);
* shares: arrays by name, of which a party that holds nothing (a helper) must know the shape from `public` alone;
* `private`: plain arrays that only this holder has (thresholds of its own splits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core import registry
from unseen.core.canonical import canonical_bytes
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.learn.vertical.layout import Layout
from unseen.mpc import Engine, SecretArray
from unseen.party import Message, Party, Public

KINDS = "unseen.learn.vertical"
BOOLEAN = -1


class Head(Message, frozen=True, tag="learn.model/1"):
    """What all parties must agree on before they use a model; `public` is canonical JSON, the rest as in :class:`Model`."""

    kind: Public[str]
    format: Public[int]
    protocol: Public[str]
    holders: Public[tuple[str, ...]]
    public: Public[bytes]


@dataclass(frozen=True, slots=True)
class Shares:
    """A named array of a model as this party holds it: (components, *shape); uint8 if Boolean (`bits` -1), else uint64."""

    values: NDArray[Any]
    bits: int

    @classmethod
    def of(cls, array: SecretArray) -> Shares:
        """This party's shares of a secret array."""
        if array.boolean:
            return cls(np.ascontiguousarray(array.bit_share), BOOLEAN)
        return cls(np.ascontiguousarray(array.share), array.bits)


@dataclass(frozen=True, slots=True)
class Model:
    """What a party has of a model that is held in shares.

    Attributes
    ----------
    kind, format
        Name of the kind, and the number of the format of what it keeps.
    protocol, holders
        Of `mpc/protocols`, and who holds shares, in order: shares mean something there only. A model without shares has no
        protocol ("") and is used under any.
    public, shares, private
        See the module.
    """

    kind: str
    format: int
    protocol: str
    holders: tuple[str, ...]
    public: Mapping[str, Any] = field(default_factory=dict)
    shares: Mapping[str, Shares] = field(default_factory=dict)
    private: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def secret(self, engine: Engine, name: str) -> SecretArray:
        """The named array as a secret of this engine."""
        held = self.shares[name]
        if held.bits == BOOLEAN:
            return engine.boolean(held.values.astype(np.uint8, copy=False))
        return engine.number(held.values.astype(np.uint64, copy=False), held.bits)


class Kind(Protocol):
    """The names that a kind has."""

    MODEL_FORMAT: int
    """Number of the format of its models; older ones that it still reads are its own affair."""

    def shapes(self, public: Mapping[str, Any], sizes: Layout) -> Mapping[str, tuple[tuple[int, ...], int]]:
        """Name of a shared array -> its shape and fraction bits (:data:`BOOLEAN` for Booleans)."""

    def scoring_cost(self, public: Mapping[str, Any], columns: int) -> tuple[float, int]:
        """Bytes a row and rounds of scoring, between two holders and a helper, with so many columns of all holders."""

    def raw(
        self, engine: Engine, model: Model, own: NDArray[np.float64] | None, sizes: Layout
    ) -> SecretArray:
        """Sums before the link, shape (rows,) or (rows, classes), of which scores are a function that does not fall.

        All parties of the engine call it; `own` is this holder's block.
        """

    def expected(self, engine: Engine, model: Model, raw: SecretArray) -> SecretArray:
        """Scores of the rows from :meth:`raw`, of the same shape: probabilities, rates or numbers."""


def kinds() -> tuple[str, ...]:
    """Names of all kinds."""
    found = registry.names(KINDS)
    return tuple(name for name in found if hasattr(registry.load(KINDS, name), "MODEL_FORMAT"))


def kind(name: str) -> Kind:
    """The kind of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    if name not in kinds():
        raise UsageError(
            f"There are no models of the kind '{name}' here.",
            why=f"there are: {', '.join(kinds())}",
            mend="install the release of unseen that made the model",
        )
    return cast("Kind", registry.load(KINDS, name))


def agree(
    engine: Engine, own: Model | None, *, protocol: str, holders: Sequence[str], sizes: Layout
) -> Model:
    """All parties of the engine learn what kind of model they use; a helper gets one with shares of nothing.

    Parameters
    ----------
    own
        This holder's part; None at a helper.
    protocol, holders
        Those of the engine.

    Raises
    ------
    UsageError
        A kind or format that is not installed here, or shares of other shapes.
    RemoteProtocolError
        The holders' models do not belong together.
    """
    heads = _heads(engine.protocol.party, own, holders)
    first = heads[holders[0]]
    for holder, head in heads.items():
        if head != first:
            raise RemoteProtocolError(
                "The holders' models do not belong together.",
                why=f"{holders[0]}: {first.kind}; {holder}: {head.kind}, or another public part or protocol",
                mend="give each holder the model of the same task",
            )
    if (first.protocol or protocol, first.holders) != (protocol, tuple(holders)):
        raise UsageError(
            "The model is held by other parties, or under another protocol.",
            why=f"it is held by {', '.join(first.holders)} ({first.protocol}); here: {', '.join(holders)} ({protocol})",
            mend="name the holders of the training, in the same order, and a helper if there was one",
        )
    module = kind(first.kind)
    if first.format > module.MODEL_FORMAT:
        raise UsageError(
            f"The model's format is {first.format}, and this release knows formats up to {module.MODEL_FORMAT}.",
            mend="upgrade unseen",
        )
    public = msgspec.json.decode(first.public)
    shapes = module.shapes(public, sizes)
    if own is None:
        components = engine.protocol.components
        nothing = {
            name: Shares(np.zeros((components, *shape), np.uint8 if bits == BOOLEAN else np.uint64), bits)
            for name, (shape, bits) in shapes.items()
        }
        return Model(first.kind, first.format, protocol, tuple(holders), public, nothing)
    wrong = {
        name
        for name, (shape, bits) in shapes.items()
        if name not in own.shares
        or (own.shares[name].values.shape[1:], own.shares[name].bits) != (shape, bits)
    }
    if wrong:
        raise UsageError(
            "The model does not fit these columns.",
            why=f"of other shapes: {', '.join(sorted(wrong))}",
            mend="bring the columns of training",
        )
    return own


def _heads(party: Party, own: Model | None, holders: Sequence[str]) -> dict[str, Head]:
    heads: dict[str, Head] = {}
    if own is not None:
        public = canonical_bytes(dict(own.public))
        heads[party.name] = Head(own.kind, own.format, own.protocol, own.holders, public)
        for peer in party.peers:
            party.send(peer, heads[party.name])
    for holder in holders:
        if holder != party.name:
            heads[holder] = party.recv(holder, Head)
    return heads
