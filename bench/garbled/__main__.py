"""Garbled circuits.

`kernel`: one core garbles or evaluates AES-128, one instance or 16 side by side; no network. `run`: two processes, one core each,
from inputs to XOR shares of the outputs, after the set-up: AES-128, the compression function of SHA-256, additions of 64 bits.
Over bare TCP on loopback; `/link` over the link that nodes use (TLS 1.3, transcript); `/wan` through a relay of 100 Mbit/s and
20 ms one way. `shared`: the same circuit without garbling, on bits shared by `pair2`, for comparison: a round for each level of
ANDs. `million_ands_per_cpu_s` takes the processor time of the busier party instead of the wall time, which other work on the
machine lengthens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.parties import Wire, play
from bench.report import Report, Sample
from bench.shaping import Shaper
from unseen import mpc
from unseen.kernels import garble as kernel
from unseen.mpc import garbled
from unseen.mpc.circuits import Circuit, trace
from unseen.mpc.circuits.aes import aes128
from unseen.mpc.circuits.sha256 import sha256_compression
from unseen.party import Message, Party, Public

TRUST = "two parties, semi-honest; AES-128 as an ideal cipher, and Diffie-Hellman in the set-up"
CIRCUITS: dict[str, tuple[Callable[[], Circuit], dict[str, int]]] = {
    "aes128": (aes128, {"1": 1, "1000": 1000}),
    "sha256": (sha256_compression, {"1": 1, "300": 300}),
    "add64": (lambda: trace(lambda x, y: x + y, 64, 64), {"2^8": 1 << 8, "2^17": 1 << 17}),
}
NETWORKS: dict[str, tuple[Wire, dict[str, float] | None]] = {
    "": ("lan", None),
    "/link": ("link", None),
    "/wan": ("lan", {"bytes_per_s": 12.5e6, "latency_s": 0.02}),
}


class Ready(Message, frozen=True, tag="bench-garbled.ready/1"):
    """Both ends start together."""

    now: Public[int]


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def alone(garbles: bool, groups: int, lanes: int) -> Sample:  # noqa: FBT001 - one of two
    """The kernel on AES-128."""
    circuit = aes128()
    program = circuit.program
    gates = (program.kinds, program.left, program.right, program.out)
    delta, start = noise(1, 16) | 1, noise(2, 16)
    labels = noise(3, groups, program.slots, lanes, 16)
    keys: dict[str, Any] = {"start": start, "number": 0, "stride": 2 * circuit.ands}
    rows: NDArray[np.uint8] | None = kernel.garble(gates, labels.copy(), delta, **keys)
    if garbles:
        rows = None  # its memory serves again, as in a run
    begin, busy = time.perf_counter(), time.process_time()
    if rows is None:
        kernel.garble(gates, labels, delta, **keys)
    else:
        kernel.evaluate(gates, labels, rows, **keys)
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - busy
    ands = circuit.ands * groups * lanes
    return Sample(seconds, more={"million_ands_per_cpu_s": ands / cpu_s / 1e6})


def together(circuit: Circuit, count: int, network: str, *, shared: bool) -> Sample:
    wire, shape = NETWORKS[network]
    bits = [np.random.default_rng(w).integers(0, 2, (count, w), np.uint8) for w in circuit.inputs]
    _ = circuit.program, circuit.steps

    def garbling(party: Party) -> Callable[[], Any]:
        side = garbled.open_side(party, "a", "b")
        first = party.name == "a"
        mine = [bits[0] if first else None, None if first else bits[1]]
        return lambda: side.run(circuit, mine, owners=("garbler", "evaluator"), count=count)

    def sharing(party: Party) -> Callable[[], Any]:
        engine = mpc.Engine(party, holders=("a", "b"), protocol="pair2")
        secrets = [
            engine.share(
                plain.astype(bool) if party.name == owner else None,
                owner=owner,
                shape=plain.shape,
                dtype=bool,
            )
            for owner, plain in zip(("a", "b"), bits, strict=True)
        ]
        return lambda: mpc.apply(circuit, *secrets, bits=True)

    def program(party: Party) -> tuple[float, float, int, int]:
        work = (sharing if shared else garbling)(party)
        work()  # what is done once: pages, caches, stocks
        party.exchange(Ready(0), Ready)
        before = [sum(stats.bytes_sent for stats in party.stats().values()), *turns(party)]
        begin, busy = time.perf_counter(), time.process_time()
        work()
        seconds, cpu_s = time.perf_counter() - begin, time.process_time() - busy
        after = [sum(stats.bytes_sent for stats in party.stats().values()), *turns(party)]
        return seconds, cpu_s, after[0] - before[0], after[1] - before[1]

    with ExitStack() as stack:
        shaper = stack.enter_context(Shaper(**shape)) if shape else None
        played = play(program, ("a", "b"), wire=wire, shaper=shaper)
    told = [party.result for party in played.parties.values()]
    ands = circuit.ands * count
    return Sample(
        max(item[0] for item in told),
        bytes=sum(item[2] for item in told),
        rounds=max(item[3] for item in told),
        peak_mib=max(party.peak_mib for party in played.parties.values()),
        more={"million_ands_per_cpu_s": ands / max(item[1] for item in told) / 1e6},
    )


def turns(party: Party) -> list[int]:
    return [max(stats.rounds for stats in party.stats().values())]


def main() -> None:
    with Report("garbled", __doc__) as report:
        for garbles, name in ((True, "garble"), (False, "evaluate")):
            for groups, lanes in ((1, 1), (1, 16)):
                case = f"garbled/kernel/{name}/{groups * lanes}"
                if report.wants(case, quick=True):
                    report.case(
                        case,
                        lambda g=garbles, n=groups, m=lanes: alone(g, n, m),
                        trust="one party, no network",
                    )
        for name, (make, sizes) in CIRCUITS.items():
            for place, (size, count) in enumerate(sizes.items()):
                for network in NETWORKS:
                    for shared in (False, True):
                        if shared and (place or network == "/link"):
                            continue
                        case = f"garbled/{'shared' if shared else 'run'}/{name}/{size}{network}"
                        quick = place == 0 and not network and not shared and name != "sha256"
                        if report.wants(case, quick=quick):
                            report.case(
                                case,
                                lambda c=make, n=count, w=network, s=shared: together(c(), n, w, shared=s),
                                trust=TRUST,
                            )


if __name__ == "__main__":
    main()
