"""What a computation is expected to take, and the network it is expected to run over: what estimates are made of."""

from __future__ import annotations

from dataclasses import dataclass


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

    `memory_bytes` is what no file backs; `scratch_bytes` is what lies in files meanwhile, of all parties.
    """

    seconds: float
    bytes: int
    rounds: int
    memory_bytes: int
    scratch_bytes: int = 0
