"""Which engine a step computes on: what its roles allow, whom one must trust then, and what it costs beside others.

| holders | helper | protocol |
|---|---|---|
| two | one | `dealer2`: the helper deals randomness |
| three to sixteen | one | `dealer`: the same among more |
| two | none | `pair2`: oblivious transfer and lattice encryption |
| three | none | `replicated3` |

Steps that compute on shares have the roles `holders` and `helper`, the latter optional, and the parameters of :class:`OnShares`, and use
nothing else to open an engine, so that a model that one step made in shares can be used by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from unseen.core import registry
from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs import stocks
from unseen.jobs.step import Roles, StepParams
from unseen.mpc import Engine
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.fixed import FRACTION_BITS
from unseen.ot.correlation import Assumption
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
    # three holders alone 0.9 to 1.1, 1.1 to 1.5 and 0.5 to 0.8.
    "dealer2": (1.0, 1.0, 1.0),
    "dealer": (1.0, 1.0, 1.0),  # and times the pairs of holders: 2.3 to 2.6 where three are
    "replicated3": (1.0, 1.2, 0.8),
}
Work = Literal["products", "trees", "order"]
_ALONE: dict[Work, tuple[tuple[float, int], tuple[float, int]]] = {
    # Two alone: bytes for each byte of dealer2, and more for each of its rounds, as few products at a time take the most; with LPN and
    # without. Measured at 400, 4,000 and 40,000 rows of 6 columns.
    "products": ((12.0, 95_000), (17.5, 100_000)),  # linear models
    "trees": ((6.6, 15_000), (10.0, 45_000)),
    "order": ((4.0, 9_000), (8.0, 9_500)),  # evaluation: sorts, comparisons
}
_ROUNDS_ALONE = (1.9, 5e-6)  # for each round of dealer2, and for each byte
_BUSY_ALONE, _BUSY_WITHOUT_LPN, _BUSY_ROUND_S = 8e-8, 6e-8, 1e-3  # for each byte of dealer2, and round


class OnShares(StepParams):
    """What all steps that compute on shares can be told.

    Attributes
    ----------
    assumption
        Two holders alone: what the randomness rests on that they make between themselves. `symmetric`: nothing rests on learning parity
        with noise (LPN), the youngest of the assumptions; of what two compute, that takes less time, several times the bytes, and
        nothing is taken from stocks. `mixed`: the same, but ids of a hidden intersection are looked up with LPN, which is the quickest
        on a fast network.
    """

    assumption: Literal["lpn", "mixed", "symmetric"] = "lpn"

    @property
    def transfers(self) -> Assumption:
        """What transfers rest on."""
        return "lpn" if self.assumption == "lpn" else "symmetric"

    @property
    def lookups(self) -> Assumption:
        """What looking up ids rests on in a hidden intersection."""
        return "symmetric" if self.assumption == "symmetric" else "lpn"

    def assumes(self, roles: Roles) -> Assumption | None:
        """Two alone make transfers, others none.

        Raises
        ------
        UsageError
            Something else than `lpn` was asked for where there are none.
        """
        made = choose(roles).protocol == stocks.PROTOCOL
        if self.assumption != "lpn" and not made:
            raise UsageError(
                "Here is no assumption to choose.",
                why="a helper deals, or three compute: no transfers are made",
                mend="leave out assumption, or let two holders compute alone",
            )
        return self.transfers if made else None


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


def open_engine(party: Party, roles: Roles, params: OnShares, *, bits: int = FRACTION_BITS) -> Engine:
    """The engine that a task with these roles and parameters runs on; holders and helper call it alike.

    Raises
    ------
    UsageError
        No protocol for these parties.
    """
    choice = choose(roles)
    if choice.protocol == stocks.PROTOCOL:
        return stocks.open_pair(party, choice.holders, bits=bits, assumption=params.transfers)
    return Engine(party, holders=choice.holders, helper=choice.helper, protocol=choice.protocol, bits=bits)


def trust(_params: object, roles: Roles) -> str:
    """Whom one must trust in a task with these roles, in words; a step's `trust`, where its parameters do not matter."""
    choice = choose(roles)
    if choice.helper:
        return "Semi-honest parties; the helper must not collude with a holder."
    if choice.protocol == "pair2":
        return "Two semi-honest holders; there is nobody else to trust."
    return "Three semi-honest holders, of whom no two collude."


def scaled(cost: Cost, roles: Roles, params: OnShares, network: Network, *, work: Work = "products") -> Cost:
    """An estimate for two holders with a helper, turned into one for the parties there are.

    Parameters
    ----------
    cost
        With what the network takes, latency and bandwidth, in its seconds.
    work
        What most of it is.
    """
    choice = choose(roles)
    if choice.protocol == stocks.PROTOCOL:
        return _alone(cost, network, work, loud=params.transfers != "lpn")
    sent, rounds, seconds = _BESIDE_DEALER2[choice.protocol]
    pairs = len(choice.holders) * (len(choice.holders) - 1) / 2 if choice.helper else 1
    return replace(
        cost,
        bytes=round(cost.bytes * sent * pairs),
        rounds=round(cost.rounds * rounds),
        seconds=cost.seconds * seconds,
    )


def _alone(cost: Cost, network: Network, work: Work, *, loud: bool) -> Cost:
    each, every_round = _ALONE[work][loud]
    sent = round(each * cost.bytes + every_round * cost.rounds)
    rounds = round(_ROUNDS_ALONE[0] * cost.rounds + _ROUNDS_ALONE[1] * cost.bytes)
    beside = cost.rounds * network.latency_s + cost.bytes / network.bytes_per_s
    busy = (_BUSY_WITHOUT_LPN if loud else _BUSY_ALONE) * cost.bytes + _BUSY_ROUND_S * cost.rounds
    seconds = max(0.0, cost.seconds - beside) + busy + rounds * network.latency_s + sent / network.bytes_per_s
    return replace(cost, bytes=sent, rounds=rounds, seconds=seconds)
