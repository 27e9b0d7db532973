"""Which intersection protocol to run: what each is expected to cost on this network, and why one was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.psi.protocol import Assumption, Mode, names, protocol, revealing

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Choice:
    """A protocol and a mode for it, with what it costs, what it leaks, and the reason in words."""

    method: str
    mode: Mode
    cost: Cost
    leaks: str
    assumption: str
    reason: str


def assumed(method: str) -> Assumption | None:
    """What the protocol rests on of both; None where it needs neither. `auto` may choose any."""
    return "lpn" if method == AUTO or "LPN" in revealing(method).assumption(Mode()) else None


def options(sizes: tuple[int, ...], mode: Mode, network: Network) -> tuple[Choice, ...]:
    """Every protocol that tells who is common and mode, for so many holders and the asked security; cheapest in seconds first."""
    found: dict[tuple[str, Mode], Choice] = {}
    for name in names("rows"):
        candidate = protocol(name)
        if mode.security not in candidate.SECURITIES or len(sizes) not in candidate.HOLDERS:
            continue
        for compact in (False, True) if not mode.compact else (True,):
            asked = replace(mode, compact=compact)
            cost = candidate.estimate(sizes, asked, network)
            found[name, asked] = Choice(
                name, asked, cost, candidate.LEAKS, candidate.assumption(asked), _words(name, cost)
            )
    return tuple(
        sorted(found.values(), key=lambda item: (item.cost.seconds, item.cost.bytes, item.mode.compact))
    )


def choose(sizes: tuple[int, ...], mode: Mode, network: Network) -> Choice:
    """The protocol and mode expected to be fastest for sets of these sizes on this network.

    A `mode` that asks for `compact` gets it; one that does not gets it where it is faster.

    Raises
    ------
    UsageError
        No protocol gives the asked security among so many holders.
    """
    ranked = options(sizes, mode, network)
    if not ranked:
        raise UsageError(
            f"No intersection protocol of {len(sizes)} holders is secure against {mode.security} parties.",
            mend="intersect two holders' sets, or take fewer holders or security 'semi-honest'",
        )
    best = ranked[0]
    others = {item.method: item for item in reversed(ranked) if item.method != best.method}
    compared = "; ".join(item.reason for item in sorted(others.values(), key=lambda item: item.cost.seconds))
    speed = f"{network.bytes_per_s * 8 / 1e6:,.0f} Mbit/s and {network.latency_s * 1e3:g} ms"
    ids = " x ".join(f"{size:,}" for size in sizes)
    reason = f"{best.reason}, the least for {ids} ids at {speed}"
    return replace(best, reason=f"{reason}; {compared}" if compared else reason)


def _words(name: str, cost: Cost) -> str:
    return f"{name}: about {cost.seconds:.2g} s and {cost.bytes / 1e6:,.1f} MB"
