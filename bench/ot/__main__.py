"""Oblivious transfer.

Two processes, one core each, on loopback. `softspoken`: correlated transfers with random choices, 2^20 a call, sixteen calls
after the set-up; the time is that of all calls, the bytes those of the calls too. `base`: the 128 base transfers of a set-up.
`setup`: everything before the first call. Cases that end in `/link` run over the link that nodes use (TLS 1.3, transcript),
the others over bare TCP. `million per CPU s` takes the processor time of the busier party instead of the wall time, which other
work on the machine lengthens. No rival runs beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.parties import Wire, play
from bench.report import Report, Sample
from unseen.ot import base, outputs, softspoken
from unseen.party import Message, Party, Public

COUNT, CALLS = 1 << 20, 16
TRUST = {
    "semi-honest": "two parties, semi-honest; AES-128, and Diffie-Hellman in the set-up",
    "malicious": "two parties, malicious with abort; AES-128, random oracles, and Diffie-Hellman in the set-up",
}


class Ready(Message, frozen=True, tag="bench-ot.ready/1"):
    """Both ends start together."""

    now: Public[int]


@dataclass(frozen=True, slots=True)
class Told:
    """Of one party, from when both are ready."""

    seconds: float
    cpu_s: float
    bytes_sent: int


def timed(party: Party, work: Callable[[], Any]) -> Told:
    party.exchange(Ready(0), Ready)
    before = sum(stats.bytes_sent for stats in party.stats().values())
    start, busy = time.perf_counter(), time.process_time()
    work()
    party.exchange(Ready(1), Ready)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - busy
    return Told(seconds, cpu_s, sum(stats.bytes_sent for stats in party.stats().values()) - before)


def repeat(work: Callable[[], Any]) -> None:
    for _ in range(CALLS):
        work()


def extend(k: int, security: Any, count: int) -> Callable[[Party], Told]:
    def program(party: Party) -> Told:
        peer = "b" if party.name == "a" else "a"
        make = softspoken.Sender if party.name == "a" else softspoken.Receiver
        source = make(party, peer, k=k, security=security)
        source.correlated(count)  # what is done once: pages, caches

        return timed(party, lambda: repeat(lambda: source.correlated(count)))

    return program


def pads(security: Any, count: int) -> Callable[[Party], Told]:
    def program(party: Party) -> Told:
        if party.name == "a":
            sender = outputs.Sender(
                party, "b", softspoken.Sender(party, "b", security=security), security=security
            )
            return timed(party, lambda: repeat(lambda: sender.random(count)))
        source = softspoken.Receiver(party, "a", security=security)
        receiver = outputs.Receiver(party, "a", source, security=security)
        return timed(party, lambda: repeat(lambda: receiver.random(count)))

    return program


def base_transfers(party: Party) -> Told:
    if party.name == "a":
        return timed(party, lambda: base.send(party, "b", 128))
    return timed(party, lambda: base.receive(party, "a", (np.arange(128) % 2).astype(np.uint8)))


def setup(k: int, security: Any) -> Callable[[Party], Told]:
    def program(party: Party) -> Told:
        if party.name == "a":
            return timed(party, lambda: softspoken.Sender(party, "b", k=k, security=security))
        return timed(party, lambda: softspoken.Receiver(party, "a", k=k, security=security))

    return program


def measure(program: Callable[[Party], Told], transfers: int, wire: Wire) -> Sample:
    played = play(program, ("a", "b"), wire=wire)
    told = [party.result for party in played.parties.values()]
    seconds, cpu_s = max(item.seconds for item in told), max(item.cpu_s for item in told)
    more = {"million_per_s": transfers / seconds / 1e6, "million_per_cpu_s": transfers / cpu_s / 1e6}
    return Sample(
        seconds,
        bytes=sum(item.bytes_sent for item in told),
        peak_mib=max(party.peak_mib for party in played.parties.values()),
        more=more if transfers else {},
    )


def main() -> None:
    with Report("ot", __doc__) as report:
        cases: list[tuple[str, str, Callable[[Party], Told], int]] = [
            ("ot/base/128", "malicious", base_transfers, 128)
        ]
        count = COUNT >> 6 if report.quick else COUNT
        for security in ("semi-honest", "malicious"):
            cases.append((f"ot/setup-k4/{security}", security, setup(4, security), 0))
            cases += [
                (f"ot/softspoken-k{k}/{security}", security, extend(k, security, count), CALLS * count)
                for k in softspoken.DEPTHS
            ]
            cases.append((f"ot/random-k4/{security}", security, pads(security, count), CALLS * count))
        for case, security, program, transfers in cases:
            wires: tuple[tuple[str, Wire], ...] = (("", "lan"), ("/link", "link"))
            for suffix, wire in wires:
                if report.wants(case + suffix, quick="-k4" in case and not suffix):
                    report.case(
                        case + suffix,
                        lambda program=program, transfers=transfers, wire=wire: measure(
                            program, transfers, wire
                        ),
                        trust=TRUST[security],
                    )


if __name__ == "__main__":
    main()
