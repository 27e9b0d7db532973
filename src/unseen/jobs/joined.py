"""Joined rows that nobody sees, as artefacts: what the step `join` hands to later steps, and how these open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.jobs.artefacts import Artefact
from unseen.learn.vertical.members import SecretScaling
from unseen.mpc import Engine, SecretArray
from unseen.party import Message, Party, Public
from unseen.psi.join import Rows
from unseen.psi.places import side_by_side
from unseen.psi.protocol import Hidden

KIND = "joined"
FORMAT = 2
Role = Literal["feature", "label", "outcome"]
FEATURE, LABEL, OUTCOME = get_args(Role)


class JoinedColumn(msgspec.Struct, frozen=True):
    """A column that is in shares: whose, its name, its fraction bits, and what it is for: a `label` is 0 or 1, an `outcome` any number or class."""

    holder: str
    name: str
    bits: int
    role: Role


class Head(Message, frozen=True, tag="jobs.joined/1"):
    """What every holder knows of joined rows since the join; a helper is told it again. `known` is canonical JSON of :class:`Known`."""

    known: Public[bytes]


class Known(msgspec.Struct, frozen=True):
    """What is public of joined rows.

    Attributes
    ----------
    how
        The kind of join.
    protocol, holders
        Under which shares mean something, and who has them.
    places
        Number of places.
    columns
        In the order of the shares.
    squares
        The most that the squares of a feature can add up to; 0 where nothing is known.
    scaled_again
        Whether features are to be taken as standardised over the rows that are there (`scaling`); their shares stay as they were.
    per_id
        The most rows that the join can have of one id: what counts rows and means people multiplies by it.
    complete
        Whether no row can have been lost, as where it was cut to a number of places that was agreed on, or is a part of what was joined.
    """

    how: str
    protocol: str
    holders: tuple[str, ...]
    places: int
    columns: tuple[JoinedColumn, ...]
    squares: float = 0.0
    scaled_again: bool = False
    per_id: int = 1
    complete: bool = True

    def of_role(self, role: Role, holder: str | None = None) -> tuple[int, ...]:
        """Places of columns among the shares."""
        found = enumerate(self.columns)
        return tuple(place for place, item in found if item.role == role and holder in (None, item.holder))


@dataclass(frozen=True, slots=True)
class Joined:
    """Joined rows as this party holds them.

    Attributes
    ----------
    member, matched
        Shares of Booleans, uint8 of shape (components, places): :class:`unseen.psi.join.Rows`.
    values
        Shares of the columns, uint64 of shape (components, places, columns).
    scaling
        Shares, each (components, features): "mean" and "factor" by which features are standardised where they are used; else nothing.
    prepared
        How this holder's own columns were made (:attr:`unseen.jobs.tables.Matrix.prepared`).
    folds
        The fold of each place, int64, shape (places,), where the step `folds` gave it one; the same at every holder.
    """

    known: Known
    member: NDArray[np.uint8]
    matched: NDArray[np.uint8]
    values: NDArray[np.uint64]
    scaling: Mapping[str, NDArray[np.uint64]] = field(default_factory=dict)
    prepared: str = ""
    folds: NDArray[np.int64] | None = None

    @classmethod
    def of_rows(cls, rows: Rows, known: Known, prepared: str = "") -> Joined:
        """Of what a join made."""
        shares = [rows.columns[item.holder][item.name].share for item in known.columns]
        values = side_by_side(shares, rows.member.bit_share.shape)
        return cls(known, rows.member.bit_share, rows.matched.bit_share, values, {}, prepared)

    @classmethod
    def nothing(cls, known: Known, components: int) -> Joined:
        """At a party that holds no shares: zeros of the same shapes."""
        bits = np.zeros((components, known.places), np.uint8)
        values = np.zeros((components, known.places, len(known.columns)), np.uint64)
        width = len(known.of_role("feature"))
        scale = np.zeros((components, width), np.uint64)
        return cls(known, bits, bits, values, {"mean": scale, "factor": scale} if known.scaled_again else {})

    def to_artefact(self) -> Artefact:
        """As artefact of kind "joined"."""
        arrays: dict[str, NDArray[Any]] = {
            "member": self.member,
            "matched": self.matched,
            "values": self.values,
            **{f"scaling.{name}": share for name, share in self.scaling.items()},
        }
        if self.folds is not None:
            arrays["folds"] = self.folds
        meta = {"format": FORMAT, "known": msgspec.to_builtins(self.known), "prepared": self.prepared}
        return Artefact(KIND, arrays, meta)

    @classmethod
    def of(cls, artefact: Artefact) -> Joined:
        """The joined rows of an artefact.

        Raises
        ------
        UsageError
            It is something else, or of another format.
        """
        if artefact.kind != KIND:
            raise UsageError(
                f"A step got a {artefact.kind} where joined rows in shares are due.",
                mend="give it the output of a join with `hidden`",
            )
        if artefact.meta["format"] != FORMAT:
            raise UsageError(
                "These joined rows are of another format.", mend="join again with this version of unseen"
            )
        scaling = {
            name.removeprefix("scaling."): share
            for name, share in artefact.arrays.items()
            if name.startswith("scaling.")
        }
        known = msgspec.convert(artefact.meta["known"], Known)
        arrays = artefact.arrays
        return cls(
            known,
            arrays["member"],
            arrays["matched"],
            arrays["values"],
            scaling,
            artefact.meta["prepared"],
            arrays.get("folds"),
        )

    # ------------------------------------------------------------------ parts

    def take(self, places: NDArray[np.int64]) -> Joined:
        """Some places, which all holders know. No figures with noise of a part: one person may change who else is in it."""
        known = msgspec.structs.replace(self.known, places=len(places), complete=False)
        return replace(
            self,
            known=known,
            member=np.ascontiguousarray(self.member[:, places]),
            matched=np.ascontiguousarray(self.matched[:, places]),
            values=np.ascontiguousarray(self.values[:, places]),
            folds=None if self.folds is None else self.folds[places],
        )

    # ------------------------------------------------------------------ in an engine

    def columns(self, engine: Engine, places: Sequence[int]) -> SecretArray:
        """Those columns side by side, shape (places, columns); all with the same fraction bits."""
        bits = {self.known.columns[place].bits for place in places}
        if len(bits) > 1:
            raise UsageError("Columns of numbers and of integers do not stand side by side.")
        share = np.ascontiguousarray(self.values[:, :, list(places)])
        return engine.number(share, bits.pop() if bits else engine.bits)

    def members(self, engine: Engine) -> SecretArray:
        """Which places hold a row: secret Booleans."""
        return engine.boolean(np.ascontiguousarray(self.member))

    def enough(self, engine: Engine, at_least: int) -> SecretArray:
        """Whether there are rows of so many ids at least, shape (1,); of ids that come several times, whether there surely are."""
        return self.members(engine).reshape(1, -1).sum(axis=1) >= at_least * self.known.per_id

    def hidden(self, engine: Engine) -> Hidden:
        """As what :mod:`unseen.psi.answers` answers questions about."""
        columns: dict[str, dict[str, SecretArray]] = {holder: {} for holder in self.known.holders}
        for place, item in enumerate(self.known.columns):
            share = np.ascontiguousarray(self.values[:, :, place])
            columns[item.holder][item.name] = engine.number(share, item.bits)
        return Hidden(self.known.holders[0], self.members(engine), columns, None)

    def scaled(self, scaling: SecretScaling) -> Joined:
        """The same with features that are to be taken as standardised by it."""
        known = msgspec.structs.replace(self.known, scaled_again=True)
        return replace(
            self, known=known, scaling={"mean": scaling.mean.share, "factor": scaling.factor.share}
        )

    def standardised(self, engine: Engine) -> SecretScaling | None:
        """How features are to be taken as standardised; None: as they are."""
        if not self.scaling:
            return None
        mean, factor = (engine.number(self.scaling[name], engine.bits) for name in ("mean", "factor"))
        return SecretScaling(mean, factor)


def refuse_labels(*, stratify: bool) -> None:
    """Refuse a choice of joined rows by their labels.

    Raises
    ------
    UsageError
        `stratify` is set.
    """
    if stratify:
        raise UsageError(
            "Joined rows cannot be chosen by label.",
            why="labels and rows are in shares: nobody can tell a place from another",
            mend="leave out `stratify`",
        )


def agree(
    party: Party, own: Joined | None, engine: Engine, *, protocol: str, holders: Sequence[str]
) -> Joined:
    """All parties of the engine learn what they compute on; `own` is None at a helper, which gets zeros.

    Raises
    ------
    UsageError
        Joined under another protocol, or by other holders.
    RemoteProtocolError
        The holders' rows do not belong together.
    """
    told = None if own is None else Head(msgspec.json.encode(own.known))
    if told is not None:
        for peer in party.peers:
            party.send(peer, told)
    heads = [told.known] if told is not None else []
    heads += [party.recv(holder, Head).known for holder in holders if holder != party.name]
    if len(set(heads)) != 1:
        raise RemoteProtocolError(
            "The holders' joined rows do not belong together.",
            why="they say different things of places and columns",
            mend="give each holder the output of the same join",
        )
    try:
        known = msgspec.json.decode(heads[0], type=Known)
    except msgspec.DecodeError as error:
        raise RemoteProtocolError(f"What is told of joined rows cannot be read: {error}.") from error
    if (known.protocol, known.holders) != (protocol, tuple(holders)):
        raise UsageError(
            "These rows are held by other parties, or under another protocol.",
            why=f"they are held by {', '.join(known.holders)} ({known.protocol}); here: {', '.join(holders)} ({protocol})",
            mend="name the holders of the join, in the same order, and a helper if there was one",
        )
    return own if own is not None else Joined.nothing(known, engine.protocol.components)
