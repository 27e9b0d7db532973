"""What a computation is expected to take, and the network it is expected to run over: what estimates are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_NEXT, _SHORT = 999.5, 9.95  # from here the next unit, or no digit after the point


@dataclass(frozen=True, slots=True)
class Network:
    """What an estimate assumes of the network between any two parties.

    Attributes
    ----------
    latency_s
        One way, from sending a message to its arrival.
    bytes_per_s
        Payload in one direction.
    """

    latency_s: float = 0.0002
    bytes_per_s: float = 1.25e8


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall seconds, payload bytes of all parties, rounds, peak bytes of memory at one party.

    `memory_bytes` is what no file backs; `scratch` is what lies in files meanwhile, party -> bytes.
    """

    seconds: float
    bytes: int
    rounds: int
    memory_bytes: int
    scratch: Mapping[str, int] = field(default_factory=dict)

    @property
    def scratch_bytes(self) -> int:
        """What lies in files meanwhile, of all parties."""
        return sum(self.scratch.values())


def run_of(costs: Iterable[Cost]) -> Cost:
    """What a run of tasks takes that follow one another: sums, and the largest of what is let go after each."""
    tasks = list(costs)
    return Cost(
        sum(cost.seconds for cost in tasks),
        sum(cost.bytes for cost in tasks),
        sum(cost.rounds for cost in tasks),
        max((cost.memory_bytes for cost in tasks), default=0),
        {
            party: max(cost.scratch.get(party, 0) for cost in tasks)
            for party in sorted({party for cost in tasks for party in cost.scratch})
        },
    )


def amount(count: int) -> str:
    """Bytes for people, two digits: "0 B", "4.2 MB", "16 GB"."""
    value, unit = float(count), 0
    while value >= _NEXT and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit and value < _SHORT else f"{value:.0f} {_UNITS[unit]}"
