"""Which engine a step computes on: what its roles allow, whom one must trust then, and what it costs beside others.

| holders | helper | protocol |
|---|---|---|
| two | one | `dealer2`: the helper deals randomness |
| three to sixteen | one | `dealer`: the same among more |
| two | none | `pair2`: oblivious transfer and lattice encryption |
| three | none | `replicated3` |

Steps that compute on shares have the roles `holders` and `helper`, the latter optional, and use nothing else to open an engine,
so that a model that one step made in shares can be used by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from unseen.core import registry
from unseen.core.cost import Cost
from unseen.core.errors import UsageError
from unseen.jobs import stocks
from unseen.jobs.step import Roles
from unseen.mpc import Engine
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.fixed import FRACTION_BITS
from unseen.party import Party

HOLDERS, HELPER = "holders", "helper"
ROLE_OF_HELPER = "deals randomness and sees no data; not needed by two or three holders"
OPTIONAL_ROLES = frozenset({HELPER})
TRUST = (
    "Semi-honest parties. With a helper: it must not collude with a holder. Two holders alone: nobody else to trust. "
    "Three holders alone: no two of them may collude."
)
_TWO, _THREE = 2, 3
_BESIDE_DEALER2 = {
    # Bytes, rounds, computing time. Measured at 400 to 4,000 rows of 6 columns, training, scoring and evaluating linear models and trees:
    # three holders alone 0.9 to 1.1, 1.1 to 1.5 and 0.5 to 0.8; two alone 11 to 35 (fewer at many rows), 1.4 to 2.1 and 4 to 13.
    "dealer2": (1.0, 1.0, 1.0),
    "dealer": (1.0, 1.0, 1.0),  # and times the pairs of holders: 2.3 to 2.6 where three are
    "replicated3": (1.0, 1.2, 0.8),
    "pair2": (18.0, 1.7, 10.0),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A protocol of `mpc/protocols`, the parties that hold shares, and the one that deals, if any."""

    protocol: str
    holders: tuple[str, ...]
    helper: str | None


def choose(roles: Roles) -> Choice:
    """The protocol for these parties.

    Raises
    ------
    UsageError
        There is none for them.
    """
    holders, helper = roles.all(HOLDERS), roles.maybe(HELPER)
    if helper:
        protocol: str | None = "dealer2" if len(holders) == _TWO else "dealer"
    else:
        protocol = {_TWO: "pair2", _THREE: "replicated3"}.get(len(holders))
    if len(set(holders)) != len(holders) or helper in holders:
        raise UsageError(
            "A party is named twice as holder, or as holder and helper.",
            why=f"holders: {', '.join(holders)}; helper: {helper}",
            mend="a party must never deal to itself: name another organisation as helper",
        )
    module: Any = registry.load(PROTOCOLS, protocol) if protocol else None
    if protocol is None or module is None or len(holders) not in module.STATEMENT.holders:
        raise UsageError(
            f"There is no protocol for {len(holders)} holders {'with' if helper else 'without'} a helper.",
            why="two holders compute alone, three too; with a helper it may be two to sixteen",
            mend="name a third organisation as helper" if helper is None else "take fewer holders",
        )
    return Choice(protocol, holders, helper)


def open_engine(party: Party, roles: Roles, *, bits: int = FRACTION_BITS) -> Engine:
    """The engine that a task with these roles runs on; holders and helper call it alike.

    Raises
    ------
    UsageError
        No protocol for these parties.
    """
    choice = choose(roles)
    if choice.protocol == stocks.PROTOCOL:
        return stocks.open_pair(party, choice.holders, bits=bits)
    return Engine(party, holders=choice.holders, helper=choice.helper, protocol=choice.protocol, bits=bits)


def trust(_params: object, roles: Roles) -> str:
    """Whom one must trust in a task with these roles, in words; a step's `trust`, where its parameters do not matter."""
    choice = choose(roles)
    if choice.helper:
        return "Semi-honest parties; the helper must not collude with a holder."
    if choice.protocol == "pair2":
        return "Two semi-honest holders; there is nobody else to trust."
    return "Three semi-honest holders, of whom no two collude."


def scaled(cost: Cost, roles: Roles) -> Cost:
    """An estimate for two holders with a helper, turned into one for the parties there are."""
    choice = choose(roles)
    sent, rounds, seconds = _BESIDE_DEALER2[choice.protocol]
    pairs = len(choice.holders) * (len(choice.holders) - 1) / 2 if choice.helper else 1
    return replace(
        cost,
        bytes=round(cost.bytes * sent * pairs),
        rounds=round(cost.rounds * rounds),
        seconds=cost.seconds * seconds,
    )
