"""Join tables by their ids: openly, so that all learn what is common, or hidden, so that nobody does (连接)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.data.table import Table, not_two_classes
from unseen.dp.budget import EXACT, Spent
from unseen.dp.laplace import LARGEST_EPSILON
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import FEATURE, LABEL, OUTCOME, Joined, JoinedColumn, Known, Role
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import Matrix, from_table, ids_of, known_kinds, to_table
from unseen.learn.vertical.linear import newton
from unseen.mpc import SecretArray
from unseen.mpc.fixed import FRACTION_BITS
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Message, Party, Released
from unseen.psi import Mode, choose
from unseen.psi import join as joins
from unseen.psi.plan import AUTO, assumed
from unseen.psi.protocol import DISCLOSURE as INTERSECTION
from unseen.psi.protocol import revealing
from unseen.psi.protocols import circuit

VERSION = 3
SUMMARY = "Join tables by their ids; with `hidden`, in secret shares, nobody learns which rows are common."
ROLES = {
    "holders": "two or more, from left to right, who bring a table with an id column each",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {"table": "a table with an id column, or scaled columns"}
OUTPUTS = {
    "table": "the joined rows: the own table's in the same order at all, or with `hidden` shares of all tables'"
}
LEVELS = ("shared",)
OPTIONAL_ROLES = engines.OPTIONAL_ROLES
_OPEN = "Semi-honest holders, of whom all but one may collude; no third party."
TRUST = f"Open: {_OPEN} Hidden: {engines.TRUST}"

_SHAPE, _ROWS, _LENGTH = "shape", "rows", "length"
_PAIR = 2
_LARGEST_OUTCOME = 1024.0


class Params(engines.OnShares):
    """How tables are joined. Left is the first holder, right the last.

    Attributes
    ----------
    how
        `inner`: rows that all have; `left`, `right`: all rows of one, with each other's where there are any; `full`: all rows. More than
        two tables are joined openly by `inner` only.
    hidden
        Nobody learns the result; it stays in shares. Else all learn which ids are common.
    kinds
        Kinds of the id columns, as in the step `psi`.
    method
        Open: a protocol of `unseen.psi`, or "auto".
    columns
        Hidden: holder -> the columns that it brings; those of a holder that is not named: features and label. Numbers only; a label of
        two values becomes 0 and 1, another one lies between -1024 and 1024.
    repeats
        Hidden: holder -> how often an id comes at most, public; 1 where nothing is said. The work grows with the product.
    bounds
        Hidden: holder -> the most rows that it brings: how many it has is then not told. Of all holders or of none.
    at_most
        Hidden: the result is cut to so many places, rows first, under shares; of more rows some are lost, and nobody learns that.
    epsilon
        Hidden, instead of `at_most`: it is cut to the number of its rows, which all are told with noise for differential privacy and
        rounded up so far that none is lost. What comes after works on few empty places, and nobody has to guess.
    scaled
        Hidden: every holder's columns are standardised by itself, on all its rows, which training on the result needs.
    """

    how: Literal["inner", "left", "right", "full"] = "inner"
    hidden: bool = False
    kinds: Annotated[tuple[str, ...], AfterValidator(known_kinds)] = ()
    method: str = AUTO
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    repeats: dict[str, Annotated[int, Field(ge=1, le=64)]] = Field(default_factory=dict)
    bounds: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    at_most: Annotated[int, Field(ge=1)] | None = None
    epsilon: Annotated[float, Field(gt=0, le=LARGEST_EPSILON)] | None = None
    scaled: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        idle = [
            name
            for name in ("columns", "repeats", "bounds", "at_most", "epsilon", "scaled")
            if getattr(self, name)
        ]
        if self.assumption != "lpn":
            idle.append("assumption")
        if idle and not self.hidden:
            raise ValueError(f"{', '.join(idle)}: for a hidden join only")
        if self.at_most and self.epsilon:
            raise ValueError("a join is cut to `at_most` places, or to a number that is told (`epsilon`)")
        if self.hidden and self.method != AUTO:
            raise ValueError("a hidden join has one protocol: leave out `method`")
        return self

    def assumes(self, _roles: Roles) -> Assumption | None:
        """That of the intersection, open or hidden, with a helper or not."""
        return self.lookups if self.hidden else assumed(self.method)


class Brought(Message, frozen=True, tag="jobs.join.brought/2"):
    """How many rows the sender brings at most, and its columns: names, and what each is for (:data:`unseen.jobs.joined.Role`)."""

    rows: Released[int]
    names: Released[tuple[str, ...]]
    roles: Released[tuple[str, ...]]


class Length(Message, frozen=True, tag="jobs.join.length/1"):
    """To how many places the result is cut."""

    places: Released[int]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """Open: what is common, how often, and rows without a partner. Hidden: sizes, names of columns and what they are for."""
    holders = roles.all("holders")
    if params.hidden:
        size = "the names of the columns of each table, which is a label, and whether of two values"
        told = size if params.bounds else f"the number of rows and {size}"
        shape = Disclosure(_SHAPE, told, roles.everyone, Door.RELEASE, times=3)
        return (shape, *(_length(params, roles) if params.epsilon else ()))
    found = [
        Disclosure(
            INTERSECTION,
            "which of its own ids the other holders have too, and so how many",
            holders,
            Door.RELEASE,
        ),
        Disclosure(joins.REPEATS, "in how many rows each common id is at the others", holders, Door.RELEASE),
    ]
    if params.how != "inner":
        what = "how many rows without a partner the other has"
        found.append(Disclosure(joins.ALONE, what, holders, Door.RELEASE, max_elements=1))
    return tuple(found)


def _length(params: Params, roles: Roles) -> tuple[Disclosure, Disclosure]:
    more = joins.margin(params.epsilon or LARGEST_EPSILON, math.prod(params.repeats.values()))
    noise = f"with noise for differential privacy (epsilon {params.epsilon:g})"
    what = f"the number of rows of the result and {more} more, {noise}"
    first, *others = dict.fromkeys((*roles.all("holders"), *roles.everyone))
    return (
        Disclosure(_ROWS, what, (first,), Door.REVEAL, max_elements=1),
        Disclosure(_LENGTH, what, tuple(others), Door.RELEASE, max_elements=1),
    )


def trust(params: Params, roles: Roles) -> str:
    """Open: that of the intersection; hidden: that of an engine for these parties."""
    return engines.trust(params, roles) if params.hidden else _OPEN


def spends(params: Params, _roles: Roles) -> Spent | None:
    """Who is common is an exact answer about rows; hidden, nothing is told of them, or their number with noise."""
    if not params.hidden:
        return EXACT
    return Spent(1, params.epsilon) if params.epsilon else None


def hidden_variant(params: Params, roles: Roles) -> tuple[str, dict[str, Any]] | None:
    """The same join, of which nobody learns the result; how often ids come has to be said there."""
    if params.hidden:
        return None
    once = dict.fromkeys(roles.all("holders"), 1)
    return "join", {"how": params.how, "kinds": list(params.kinds), "hidden": True, "repeats": once}


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """That of the intersection; of a full join, of one for each holder; rows that are moved to the front cost like a few columns more."""
    holders = roles.all("holders")
    rows = {name: params.bounds.get(name, sizes.rows.get(name, 0)) for name in holders}
    if not params.hidden:
        counts = tuple(rows.values())
        if params.method == AUTO:
            return choose(counts, Mode(), network).cost
        return revealing(params.method).estimate(counts, Mode(), network)
    helper = engines.choose(roles).helper is not None
    mode = Mode(assumption=params.lookups)
    spread = tuple(joins.spread(rows, params.repeats).values())
    cut = params.at_most or params.epsilon or (params.scaled and params.how == "inner")
    moved = [sizes.columns.get(name, 0) * (2 if cut else 1) for name in holders]
    seats: dict[str, Any] = {"helper": helper, "silent": params.transfers == "lpn"}
    if params.how == "inner":
        return circuit.estimate(spread, mode, network, columns=tuple(moved), **seats)
    last = len(holders) - 1
    parts = []
    for place in {"left": (0,), "right": (last,), "full": range(len(holders))}[params.how]:
        without = place if params.how == "full" else 0
        brought = tuple(0 if nth < without else count for nth, count in enumerate(moved))
        seats |= {"table": place, "apart": True}
        parts.append(circuit.estimate(spread, mode, network, columns=brought, **seats))
    return Cost(
        sum(cost.seconds for cost in parts),
        sum(cost.bytes for cost in parts),
        sum(cost.rounds for cost in parts),
        max(cost.memory_bytes for cost in parts),
    )


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At all holders, and at a helper where the join is hidden."""
    holders = roles.all("holders")
    _check(params, holders)
    if params.hidden:
        return _hidden(party, inputs, params, roles)
    if party.name not in holders:
        return {}
    table = to_table(inputs["table"])
    rows = joins.aligned(
        party,
        ids_of(table, params.kinds),
        holders=holders,
        how=params.how,
        method=params.method,
    )
    lacking = pa.array(rows, mask=rows < 0)
    return {"table": from_table(Table(table.schema, table.data.take(lacking).combine_chunks()))}


def _check(params: Params, holders: tuple[str, ...]) -> None:
    named = set(params.columns) | set(params.repeats) | set(params.bounds)
    whole = not params.bounds or set(params.bounds) == set(holders)
    if len(holders) < _PAIR or not named <= set(holders) or not whole:
        raise UsageError(
            "A join is of two holders' tables or more.",
            why=f"holders: {', '.join(holders)}; named besides: {', '.join(sorted(named - set(holders))) or 'none'}",
            mend="name the holders, and only these in columns, repeats and bounds (all there, or none)",
        )


def _agreed_length(party: Party, member: SecretArray, epsilon: float, per_id: int, first: str) -> int:
    """Everybody learns the length; the first holder has it from the engine."""
    length = joins.noisy_size(member, _ROWS, epsilon=epsilon, per_id=per_id, to=first)
    if length is None:
        length = party.recv(first, Length).places.value
        if not 1 <= length <= member.size:
            raise RemoteProtocolError(f"{first} cuts {member.size} places to {length}.", party=first)
        return length
    told = Length(party.release(_LENGTH, length, to=party.peers, elements=1))
    for peer in party.peers:
        party.send(peer, told)
    return length


@dataclass(frozen=True, slots=True)
class _Own:
    """What a holder brings to a hidden join; `roles` of its labels."""

    ids: NDArray[np.uint8]
    values: dict[str, NDArray[np.float64]]
    roles: dict[str, Role]
    prepared: str


def _hidden(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    holders = roles.all("holders")
    own = _own(party.name, inputs["table"], params) if party.name in holders else None
    told = _tell(party, own, params, holders)
    engine = engines.open_engine(party, roles, params)
    sizes = {name: item.rows.value for name, item in told.items()}
    kinds: dict[str, dict[str, type]] = {
        name: {
            column: int if role == LABEL else float
            for column, role in zip(item.names.value, item.roles.value, strict=True)
        }
        for name, item in told.items()
    }
    per_id = math.prod(params.repeats.values())
    longest = joins.spread(sizes, params.repeats)

    def cut(member: SecretArray) -> int | None:
        if params.epsilon is not None:
            return _agreed_length(party, member, params.epsilon, per_id, holders[0])
        if params.at_most is None and params.scaled and params.how == "inner":
            return min(longest.values())  # there are never more, and what trains on them is quicker
        return params.at_most

    rows = joins.hidden_join(
        engine,
        None if own is None else own.ids,
        None if own is None else own.values,
        how=params.how,
        holders=holders,
        sizes=sizes,
        columns=kinds,
        repeats=params.repeats,
        mode=Mode(assumption=params.lookups),
        cut=cut,
    )
    if own is None:
        return {}
    columns = tuple(
        JoinedColumn(name, column, 0 if role == LABEL else FRACTION_BITS, cast("Role", role))
        for name, item in told.items()
        for column, role in zip(item.names.value, item.roles.value, strict=True)
    )
    known = Known(
        params.how,
        engines.choose(roles).protocol,
        holders,
        rows.size,
        columns,
        float(max(longest.values())) if params.scaled else 0.0,
        per_id=per_id,
        complete=params.at_most is None,
    )
    return {"table": Joined.of_rows(rows, known, own.prepared).to_artefact()}


def _own(me: str, artefact: Artefact, params: Params) -> _Own:
    if artefact.kind == "matrix":
        matrix = Matrix.of(artefact)
        values = dict(zip(matrix.columns, matrix.values.T, strict=True))
        name = _label_name(matrix)
        brought = matrix.label is not None and name in params.columns.get(me, (name,))
        label = {name: matrix.known_label(me)} if brought else {}
        ids, prepared = ids_of(matrix.ids, params.kinds), matrix.prepared
    else:
        table = to_table(artefact)
        asked = params.columns.get(me, table.names)
        features = [name for name in table.features if name in asked]
        values = dict(zip(features, table.numeric(features).T, strict=True))
        label = {name: table.outcome(name) for name in table.labels[:1] if name in asked}
        ids, prepared = ids_of(table, params.kinds), ""
    role: dict[str, Role] = {}
    for name, numbers in label.items():
        label[name], role[name] = _as_label(me, name, numbers)
    every = {**values, **label}
    missing = [name for name in params.columns.get(me, ()) if name not in every]
    if missing:
        raise UsageError(
            f"{me} has no column {', '.join(missing)} to bring.",
            why=f"it has: {', '.join(every)}",
            mend="name features, or the label; ids are not brought",
        )
    kept = {name: column for name, column in every.items() if name in params.columns.get(me, every)}
    if params.scaled:
        features = [kept[name] for name in kept if name not in label]
        newton.check_standardised(np.column_stack(features) if features else np.zeros((len(ids), 0)))
    return _Own(ids, kept, role, prepared)


def _as_label(me: str, name: str, numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], Role]:
    """A label and what it is: of two values the larger one is 1; others are numbers, or classes from 0.

    Raises
    ------
    UsageError
        Values that are missing, all the same, or so large that squares of distances do not fit.
    """
    found = np.unique(numbers)
    if np.isnan(numbers).any() or len(found) < _PAIR:
        raise not_two_classes(
            f"'{name}' ", [f"{value:g}" for value in found[:9]], int(np.isnan(numbers).sum())
        )
    if len(found) == _PAIR:
        return (numbers == found[1]).astype(np.float64), LABEL
    if np.abs(found).max() >= _LARGEST_OUTCOME:
        raise UsageError(
            f"{me}'s label '{name}' has numbers that are too large to be joined in shares.",
            why=f"they lie from {found[0]:g} to {found[-1]:g}; squares of distances fit below {_LARGEST_OUTCOME:g}",
            mend="scale the label (thousands in the place of ones), or leave it out (`columns`)",
        )
    return numbers, OUTCOME


def _label_name(matrix: Matrix) -> str:
    name = "label"
    while name in matrix.columns:
        name = f"{name}_"
    return name


def _tell(party: Party, own: _Own | None, params: Params, holders: tuple[str, ...]) -> dict[str, Brought]:
    """What each holder brings, in the order of the holders."""
    others = party.peers
    known: dict[str, Brought] = {}
    if own is not None:
        names = tuple(own.values)
        roles = tuple(own.roles.get(name, FEATURE) for name in names)
        rows = params.bounds.get(party.name, len(own.ids))
        known[party.name] = Brought(
            party.release(_SHAPE, rows, to=others, elements=1),
            party.release(_SHAPE, names, to=others, elements=len(names)),
            party.release(_SHAPE, roles, to=others, elements=len(names)),
        )
        for peer in others:
            party.send(peer, known[party.name])
    for holder in holders:
        if holder != party.name:
            known[holder] = party.recv(holder, Brought)
            item = known[holder]
            agreed = params.bounds.get(holder, item.rows.value)
            if (
                item.rows.value < 0
                or item.rows.value != agreed
                or len(item.names.value) != len(item.roles.value)
                or not set(item.roles.value) <= {FEATURE, LABEL, OUTCOME}
            ):
                raise RemoteProtocolError(
                    f"{holder} describes its table in a way that cannot be.", party=holder
                )
    return {holder: known[holder] for holder in holders}
