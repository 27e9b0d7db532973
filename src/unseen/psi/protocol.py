"""What a protocol of intersections is: one file in `psi/protocols/`, a module with the names of :class:`Protocol`.

By what comes out, `OUTPUT`, it has one name more:

| | | |
|---|---|---|
| `rows` | :class:`Revealing` | those who get the result learn which of their rows are common |
| `shares` | :class:`Hiding` | nobody learns anything: membership and columns are in shares, and go into :mod:`unseen.mpc` |
| `answers` | :class:`Answering` | figures about a hidden intersection, of enough rows only |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast
from typing import Protocol as _Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core import registry
from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.ot import correlation
from unseen.party import Party

if TYPE_CHECKING:  # who intersects openly does not wait for the engine to be loaded
    from unseen.mpc.array import SecretArray
    from unseen.mpc.engine import Engine

PROTOCOLS = "unseen.psi.protocols"
DISCLOSURE = "intersection"

Security: TypeAlias = correlation.Security
Assumption: TypeAlias = correlation.Assumption
Output: TypeAlias = Literal["rows", "shares", "answers"]


@dataclass(frozen=True, slots=True)
class Mode:
    """How a protocol is to be run; what a protocol has no use for is ignored by it.

    Attributes
    ----------
    security
        Against whom: parties that follow the protocol and look, or parties that deviate.
    compact
        Fewer bytes for more computation: for slow networks.
    assumption
        `lpn`: learning parity with noise, where it saves bytes; `symmetric`: only hash functions and ciphers beyond
        the base oblivious transfers.
    """

    security: Security = "semi-honest"
    compact: bool = False
    assumption: Assumption = "lpn"


@dataclass(frozen=True, slots=True)
class Aligned:
    """The common rows: indices into the own table, int64, in an order that is the same at every holder.

    The order is that of values that are uniform to everybody, so it tells nothing about ids or tables.
    """

    rows: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of common rows."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is known in shares; one element for each place of the table, in an order that is the same at all holders.

    Attributes
    ----------
    table
        The holder whose rows have places.
    member
        Secret Booleans: whether there is a row at this place and all other holders have it too. Shape (places,).
    columns
        Holder -> name -> secret column, 0 where `member` is false. Booleans are integers 0 and 1.
    rows
        At the table's holder: which of its rows is at each place, int64, -1 for none; None elsewhere.
    having
        Asked `apart`: other holder -> secret Booleans, whether it has the row at this place. Else nothing.
    """

    table: str
    member: SecretArray
    columns: Mapping[str, Mapping[str, SecretArray]]
    rows: NDArray[np.int64] | None
    having: Mapping[str, SecretArray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of places, which is public."""
        return self.member.size


Column: TypeAlias = tuple[str, str]
"""A holder and one of its columns."""
Bounds: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """Numbers about a group, or that it is too small.

    Attributes
    ----------
    below
        Whether there are fewer rows than agreed (with noise: seem to be); `count` and `values` are 0 then.
    count
        How many rows it is about; 0 where that is not told.
    values
        The sum or mean of each column; of a cardinality, the count.
    """

    below: bool
    count: int
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """The first, of those who asked about one column."""
        return self.values[0]


@dataclass(frozen=True, slots=True)
class Noise:
    """How much noise an answer gets, whatever it is about.

    Attributes
    ----------
    epsilon
        What the whole answer spends.
    bounds
        Column -> (low, high), between which its values were clipped; of each column that is added up.
    per_id
        In how many common rows one person may be.
    """

    epsilon: float
    bounds: tuple[tuple[Column, Bounds], ...] = ()
    per_id: int = 1

    def of(self, column: Column) -> Bounds:
        """The bounds of a column.

        Raises
        ------
        UsageError
            There are none, or they do not ascend.
        """
        low, high = dict(self.bounds).get(column, (0.0, 0.0))
        if not low < high:
            raise UsageError(
                f"There are no bounds for {column[0]}.{column[1]}.",
                why="how much noise a sum needs depends on how large a value can be",
                mend="give (low, high), low < high; what lies outside is clipped",
            )
        return low, high


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a hidden intersection, and who is told.

    Attributes
    ----------
    name, to
        The disclosure of the contract, and who gets the answer.
    at_least
        Of a group with fewer rows nothing is told but that it is smaller.
    of
        Columns that are added up; of `sum` and `mean` one at least.
    by, edges
        Of `histogram`: the column, and ascending edges; interval i is from edges[i] up to, without, edges[i + 1].
    noise
        For differential privacy; None for exact figures.
    """

    name: str
    to: tuple[str, ...]
    at_least: int = 0
    of: tuple[Column, ...] = ()
    by: Column | None = None
    edges: tuple[float, ...] = ()
    noise: Noise | None = None


class Protocol(_Protocol):
    """The names that every protocol module has."""

    SUMMARY: str
    """One line for a person who chooses."""
    OUTPUT: Output
    """What comes out."""
    SECURITIES: tuple[Security, ...]
    HOLDERS: range
    """How many holders it can be run among."""
    LEAKS: str
    """What who learns besides the declared result, in plain words."""

    def assumption(self, mode: Mode) -> str:
        """What its security rests on in that mode."""

    def estimate(self, sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
        """What a run on sets of these sizes is expected to cost (all holders get the result)."""


class Revealing(Protocol, _Protocol):
    """Of output `rows`."""

    def intersect(
        self,
        party: Party,
        ids: NDArray[np.uint8],
        *,
        sizes: Mapping[str, int],
        to: tuple[str, ...],
        mode: Mode,
    ) -> Aligned | None:
        """Run at one of the holders.

        Parameters
        ----------
        ids
            Distinct identifiers, uint8 of shape (rows, 32), C-contiguous; rows may be fewer than this party's size.
        sizes
            Holder -> public size of its set, or a bound on it: the same at all.
        to
            The holders that learn the result; the others return None.
        """


class Hiding(Protocol, _Protocol):
    """Of output `shares`."""

    def hidden(
        self,
        engine: Engine,
        ids: NDArray[np.uint8] | None,
        values: Mapping[str, ArrayLike] | None = None,
        *,
        sizes: Mapping[str, int],
        columns: Mapping[str, Mapping[str, type]] | None = None,
        mode: Mode | None = None,
    ) -> Hidden:
        """Run at every party of the engine, see :func:`unseen.psi.protocols.circuit.hidden`."""


class Answering(Protocol, _Protocol):
    """Of output `answers`."""

    def answer(self, found: Hidden, question: Question) -> tuple[Answer, ...] | None:
        """Run at every party of the engine that `found` is in; None at parties that do not get the answer.

        Raises
        ------
        DeniedError
            The contract does not list it.
        UsageError
            A question of another kind, a column that there is not, a least number that is no count, or no bounds for a column
            that gets noise.
        """


def names(output: Output) -> tuple[str, ...]:
    """All protocols with that output, sorted."""
    return tuple(name for name in registry.names(PROTOCOLS) if output == protocol(name).OUTPUT)


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    return cast("Protocol", registry.load(PROTOCOLS, name))


def revealing(name: str) -> Revealing:
    """The protocol of that name, which tells who is common.

    Raises
    ------
    UsageError
        There is none, or it does not.
    """
    return cast("Revealing", _of(name, "rows"))


def answering(name: str) -> Answering:
    """The protocol of that name, which answers questions about hidden intersections.

    Raises
    ------
    UsageError
        There is none, or it does not.
    """
    return cast("Answering", _of(name, "answers"))


def _of(name: str, output: Output) -> Protocol:
    found = protocol(name)
    if output != found.OUTPUT:
        raise UsageError(
            f"The protocol '{name}' does something else: its output are {found.OUTPUT}, where {output} are due.",
            mend=f"choose one of: {', '.join(names(output))}",
        )
    return found
