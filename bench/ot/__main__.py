"""Oblivious transfer.

Two processes, one core each, on loopback. `softspoken`: correlated transfers with random choices, 2^20 a call, sixteen calls
after the set-up; the time is that of all calls, the bytes those of the calls too. `base`: the 128 base transfers of a set-up.
`setup`: everything before the first call. Cases that end in `/link` run over the link that nodes use (TLS 1.3, transcript),
the others over bare TCP. `million per CPU s` takes the processor time of the busier party instead of the wall time, which other
work on the machine lengthens. `silent` is for slow networks: less than a bit a transfer.

The table below comes from a machine with a dozen other programs on its two cores: wall times are several times those of an
idle one; the ratio, of pairs run in turn, and the column of processor time are what to look at.

The rival is emp-ot 1.0 (C++, CDH base transfers of Canetti, Sarkar and Wang), the same protocol with the same number and size
of calls, over loopback TCP too; its set-up is in a call before the clock starts, as ours is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.ot.emp_ot import NAME, emp_ot
from bench.parties import Wire, play
from bench.report import Report, Sample
from bench.rivals import Rival, present
from unseen.ot import base, outputs, silent, softspoken
from unseen.party import Message, Party, Public

COUNT, CALLS = 1 << 20, 16
WIRES: tuple[tuple[str, Wire], ...] = (("", "lan"), ("/link", "link"))
TRUST = {
    "semi-honest": "two parties, semi-honest; AES-128, and Diffie-Hellman in the set-up",
    "malicious": "two parties, malicious with abort; AES-128, random oracles, and Diffie-Hellman in the set-up",
}
LPN = "; learning parity with noise"


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
    """SoftSpoken with that k, or silent transfers with k = 0."""

    def program(party: Party) -> Told:
        sends, peer = party.name == "a", "b" if party.name == "a" else "a"
        if k:
            source: Any = (softspoken.Sender if sends else softspoken.Receiver)(
                party, peer, k=k, security=security
            )
        else:
            source = (silent.Sender if sends else silent.Receiver)(party, peer, security=security)
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


def emp(rival: Rival, k: int, security: str, count: int) -> Sample:
    told = rival.ask(k=k, malicious=int(security == "malicious"), count=count, calls=CALLS)
    return Sample(
        told["seconds"], bytes=told["bytes"], more={"million_per_cpu_s": CALLS * count / told["cpu_s"] / 1e6}
    )


def cases(count: int) -> Iterator[tuple[str, str, Callable[[Party], Told], int, int]]:
    """Id, security, program, transfers, and the rival's k."""
    yield "ot/base/128", "malicious", base_transfers, 128, 0
    for security in ("semi-honest", "malicious"):
        yield f"ot/setup-k4/{security}", security, setup(4, security), 0, 0
        for k in softspoken.DEPTHS:
            yield f"ot/softspoken-k{k}/{security}", security, extend(k, security, count), CALLS * count, k
        yield f"ot/silent/{security}", security + LPN, extend(0, security, count), CALLS * count, 0
        yield f"ot/random-k4/{security}", security, pads(security, count), CALLS * count, 0


def main() -> None:
    with Report("ot", __doc__) as report, ExitStack() as stack:
        rival = present(emp_ot, stack) if report.rivals else None
        count = COUNT >> 6 if report.quick else COUNT
        for case, model, program, transfers, k in cases(count):
            security, _, assumption = model.partition(";")
            for suffix, wire in WIRES:
                if not report.wants(case + suffix, quick="-k4" in case and not suffix):
                    continue
                beside = None
                if rival and k and not suffix:
                    beside = (NAME, lambda k=k, security=security: emp(rival, k, security, count))
                report.case(
                    case + suffix,
                    lambda program=program, transfers=transfers, wire=wire: measure(program, transfers, wire),
                    rival=beside,
                    trust=TRUST[security] + (assumption and f"; {assumption.strip()}"),
                )


if __name__ == "__main__":
    main()
