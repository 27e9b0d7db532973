"""Count rows that all holders have in common, or add up a column over them, while nobody learns which they are (隐藏求交统计)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.dp.budget import EXACT, Spent
from unseen.dp.laplace import LARGEST_EPSILON
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.joined import Joined, agree
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import ids_of, known_kinds, to_table
from unseen.mpc import Engine
from unseen.mpc.functions.compare import clip
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Message, Party, Released
from unseen.psi import Mode
from unseen.psi.answers import clipped, column_of
from unseen.psi.protocol import Column, Hidden, Noise, Question, answering
from unseen.psi.protocols import circuit

VERSION = 6
SUMMARY = "Count, add up or average over the rows that all holders have in common; nobody learns which rows these are."
ROLES = {
    "holders": "bring a table with an id column each",
    "receivers": "the holders who get the answer",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {
    "table": "a table with an id column, and the columns that are asked about; or joined rows in shares"
}
OUTPUTS = {
    "answer": "counts, sums or means, at the receivers; of groups that are too small only that they are"
}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust

_SIZE, _ANSWER = "size", "answer"
_ANSWERS = {"count": "cardinality", "total": "sum", "mean": "mean", "histogram": "histogram"}


def _listed(of: Any) -> Any:
    """One column, or several; None where there is none."""
    if of is None:
        return ()
    return (of,) if len(of) == 2 and all(isinstance(part, str) for part in of) else of  # noqa: PLR2004 - a pair


class Params(engines.OnShares):
    """What is asked about the common rows.

    Attributes
    ----------
    ask
        `count`; `total` or `mean` of the columns `of`; `histogram`: counts in the intervals of the column `by` between `edges`,
        with means of `of` in them if any are given.
    of, by
        A holder and one of its columns; `of` may list several of these.
    at_least
        Of fewer rows, or of an interval with fewer, nothing is told but that they are fewer. Of joined rows of which an id may
        have several, as many times more are due, so that they are of so many ids whatever these are.
    kinds
        Kinds of the id columns, as in the step `psi`.
    bounds
        Holder -> the most ids that it brings: how many it has is then not told. Of all holders or of none.
    epsilon
        With differential privacy: what one run spends in all. Noise that nobody knows is then added to all counts and sums, of joined
        rows so much more as one id may have of them.
    clip
        (low, high) for each column in `of`, in its order, between which values are clipped; needed with `epsilon`.
    joined
        The table is the output of a hidden `join`, where an id may come several times; of columns only if it is an inner one, with noise
        only if no row of it can have been lost.
    """

    ask: Literal["count", "total", "mean", "histogram"] = "count"
    of: Annotated[tuple[Column, ...], BeforeValidator(_listed)] = ()
    by: Column | None = None
    edges: tuple[float, ...] = ()
    at_least: Annotated[int, Field(ge=1)] = 10
    kinds: Annotated[tuple[str, ...], AfterValidator(known_kinds)] = ()
    bounds: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    epsilon: Annotated[float, Field(gt=0, le=LARGEST_EPSILON)] | None = None
    clip: tuple[tuple[float, float], ...] = ()
    joined: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.ask in {"total", "mean"} and not self.of:
            raise ValueError(f"a {self.ask} is of a column: name it in `of`")
        if (self.ask == "histogram") != (self.by is not None and len(self.edges) > 1):
            raise ValueError("a histogram, and nothing else, has `by` and two `edges` or more")
        if self.ask == "count" and self.of:
            raise ValueError("a count is of no column: leave out `of`")
        if len(set(self.of)) != len(self.of):
            raise ValueError("`of` names a column twice")
        if self.clip and not all(low < high for low, high in self.clip):
            raise ValueError("each of `clip` is (low, high), and low < high")
        if len(self.clip) != (len(self.of) if self.epsilon else 0):
            raise ValueError("with `epsilon`, and only then, `clip` has (low, high) for each column in `of`")
        if self.joined and (self.kinds or self.bounds):
            raise ValueError(
                "joined rows have no ids or sizes to tell any more: leave out `kinds` and `bounds`"
            )
        return self

    def assumes(self, roles: Roles) -> Assumption | None:
        """That of the intersection, with a helper or not; joined rows have had theirs."""
        return super().assumes(roles) if self.joined else self.lookups

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are asked about."""
        return tuple(dict.fromkeys((*self.of, *(() if self.by is None else (self.by,)))))

    def noise(self, per_id: int) -> Noise | None:
        """What noise the answer gets, where one person may be in so many common rows."""
        if self.epsilon is None:
            return None
        return Noise(self.epsilon, tuple(zip(self.of, self.clip, strict=True)), per_id)


class Size(Message, frozen=True, tag="jobs.common-statistics.size/1"):
    """How many ids the sender brings."""

    rows: Released[int]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The sizes, unless they are bounded or known since the join; the answer to the receivers."""
    groups = max(1, len(params.edges) - 1)
    parties = tuple(dict.fromkeys((*roles.all("holders"), *roles.all("helper"))))
    numbers = 1 + (params.ask != "total") + len(params.of)
    told = Disclosure(
        _ANSWER, _words(params), roles.all("receivers"), Door.REVEAL, max_elements=groups * numbers
    )
    if params.bounds or params.joined:
        return (told,)
    return (
        Disclosure(_SIZE, "how many rows the table has", parties, Door.RELEASE, 1, times=1),
        told,
    )


def spends(params: Params, _roles: Roles) -> Spent:
    """One answer about all tables, with noise or without."""
    return Spent(1, params.epsilon) if params.epsilon else EXACT


def _words(params: Params) -> str:
    listed = ", ".join(f"{holder}'s column '{column}'" for holder, column in params.of)
    of = f" of {listed}" if params.of else ""
    several = "s" if len(params.of) > 1 else ""
    rows = "rows of the join" if params.joined else "common rows"  # an outer one has more
    what = {
        "count": f"the number of {rows}",
        "total": f"the sum{several}{of} over the {rows}",
        "mean": f"the mean{several}{of} over the {rows}, and their number",
        "histogram": f"the number of {rows}" + (f", and the mean{several}{of} over them," if of else ""),
    }[params.ask]
    if params.by is not None:
        edges = ", ".join(f"{edge:g}" for edge in params.edges)
        what += f" in each interval of {params.by[0]}'s column '{params.by[1]}' between {edges}"
    few = f"of fewer than {params.at_least} rows only that they are fewer"
    if params.joined:
        few += "; where the join may have several rows of an id, as many times more are due"
    if params.epsilon is None:
        return f"{what}; {few}"
    clipped = "".join(
        f"; values of '{column}' between {low:g} and {high:g}"
        for (_, column), (low, high) in zip(params.of, params.clip, strict=True)
    )
    return f"{what}, with noise for differential privacy (epsilon {params.epsilon:g}){clipped}; {few}"


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """That of the hidden intersection, and comparisons with the edges."""
    holders = roles.all("holders")
    known = tuple(params.bounds.get(name, sizes.rows.get(name, 0)) for name in holders)
    columns = tuple(sum(1 for holder, _ in params.columns if holder == name) for name in holders)
    helper = engines.choose(roles).helper is not None
    edges = len(params.edges)
    return circuit.estimate(
        known,
        Mode(assumption=params.lookups),
        network,
        columns=columns,
        helper=helper,
        comparisons=edges,
        silent=params.transfers == "lpn",
    )


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder, and at a helper."""
    holders, receivers = roles.all("holders"), roles.all("receivers")
    _check(params, holders, receivers)
    found, per_id = (_joined if params.joined else _intersected)(party, inputs, params, roles)
    at_least = params.at_least * per_id
    question = Question(
        _ANSWER, receivers, at_least, params.of, params.by, params.edges, params.noise(per_id)
    )
    each = answering(_ANSWERS[params.ask]).answer(found, question)
    if each is None:
        return {}
    several = len(params.of) > 1
    meta: dict[str, Any] = {
        "ask": params.ask,
        "at_least": at_least,
        "below": [item.below for item in each],
        "count": [item.count for item in each],
        "value": [list(item.values) if several else item.value for item in each],
    }
    if params.epsilon is not None:
        meta["epsilon"] = params.epsilon
    return {"answer": Artefact("metrics", {"edges": np.array(params.edges, np.float64)}, meta)}


def _intersected(
    party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles
) -> tuple[Hidden, int]:
    """The common rows of all tables, of an id one at most."""
    holders = roles.all("holders")
    table = to_table(inputs["table"]) if party.name in holders else None
    values = None if table is None else _columns(table, party.name, params)
    ids = None if table is None else ids_of(table, params.kinds)
    sizes = params.bounds or _tell_sizes(party, None if table is None else table.rows, holders)
    engine = engines.open_engine(party, roles, params)
    kinds = {name: {column: float for holder, column in params.columns if holder == name} for name in holders}
    mode = Mode(assumption=params.lookups)
    return circuit.hidden(engine, ids, values, sizes=sizes, columns=kinds, mode=mode), 1


def _joined(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> tuple[Hidden, int]:
    """Rows that were joined before, and how many of an id there may be."""
    choice = engines.choose(roles)
    own = Joined.of(inputs["table"]) if party.name in choice.holders else None
    engine = engines.open_engine(party, roles, params)
    rows = agree(party, own, engine, protocol=choice.protocol, holders=choice.holders)
    if params.columns and rows.known.how != "inner":
        raise UsageError(
            "These joined rows cannot be asked about columns.",
            why=f"a {rows.known.how} join: rows that lack a column would count as 0",
            mend="give the output of an inner join",
        )
    if params.epsilon and not rows.known.complete:
        raise UsageError(
            "These joined rows cannot be asked with noise.",
            why="they were cut to `at_most` places, or are a part of a join, and one person may change which of all rows are there",
            mend="ask about a whole join without `at_most`, or with `epsilon`, which loses no row",
        )
    found = rows.hidden(engine)
    return (_clipped(engine, found, params) if params.epsilon else found), rows.known.per_id


def _clipped(engine: Engine, found: Hidden, params: Params) -> Hidden:
    """With the columns that are added up clipped under shares, as nobody has clipped them before; still 0 where no row is."""
    columns = {holder: dict(named) for holder, named in found.columns.items()}
    for (holder, name), (low, high) in zip(params.of, params.clip, strict=True):
        within = clip(engine.as_real(column_of(found, (holder, name))), low, high)
        columns[holder][name] = engine.select(found.member, within)
    return replace(found, columns=columns)


def _check(params: Params, holders: tuple[str, ...], receivers: tuple[str, ...]) -> None:
    named = {holder for holder, _ in params.columns} | set(params.bounds) | set(receivers)
    whole = not params.bounds or set(params.bounds) == set(holders)
    if len(holders) < 2 or not named <= set(holders) or not whole:  # noqa: PLR2004 - a pair
        raise UsageError(
            "This step is for two holders or more, some or all of whom get the answer.",
            why=f"holders: {', '.join(holders)}; named besides: {', '.join(sorted(named - set(holders))) or 'none'}",
            mend="name the holders, and only these as receivers and in of, by and bounds (all there, or none)",
        )


def _columns(table: Table, me: str, params: Params) -> dict[str, NDArray[np.float64]]:
    mine = tuple(column for holder, column in params.columns if holder == me)
    missing = [name for name in mine if name not in table.names]
    if missing:
        raise UsageError(
            f"{me}'s table has no column {', '.join(missing)}.", why=f"it has: {', '.join(table.names)}"
        )
    numbers = table.numeric(mine)
    limits = {
        column: limit for (holder, column), limit in zip(params.of, params.clip, strict=False) if holder == me
    }
    return {
        name: clipped(numbers[:, place], limits[name]) if name in limits else numbers[:, place]
        for place, name in enumerate(mine)
    }


def _tell_sizes(party: Party, rows: int | None, holders: tuple[str, ...]) -> dict[str, int]:
    """Holder -> rows; a helper, who has none, is told all."""
    sizes = {}
    if rows is not None:
        told = Size(party.release(_SIZE, rows, to=party.peers, elements=1))
        for peer in party.peers:
            party.send(peer, told)
        sizes[party.name] = rows
    for holder in holders:
        if holder != party.name:
            sizes[holder] = party.recv(holder, Size).rows.value
    return {holder: sizes[holder] for holder in holders}
