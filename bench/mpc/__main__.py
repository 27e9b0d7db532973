"""The secret-shared engine beside SPU and CrypTen.

Every party is a process of its own on this machine, over bare TCP on loopback on both sides; ring of 64 bits, 20 fraction
bits on both sides. Inputs are shared before the clock starts, results stay shared, and one run before warms up, on both
sides. `error` is the largest error of
the revealed result against float64 (relative for matmul, reciprocal, rsqrt and exp; for logistic the difference in AUC from
pooled training). Bytes are those of all parties, the helper's included. `words` is the most memory of its own that a party takes
(without files that are mapped, such as code, which all parties have once), above what it has before the inputs come, in words of
8 bytes for each number of inputs and outputs.

SPU's SEMI2K and CrypTen let one data party deal to itself, which is not safe in use (SPU's own documentation says so); `dealer2`
has a helper that sees no data. SPU's ABY3 and our `replicated3` are both semi-honest with an honest majority of three; its CHEETAH and our
`pair2` are between two parties and nobody else. SPU has nothing beside `replicated3-malicious`, whose time and bytes include
that everything is verified.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.memory import own_now, own_peak, settle
from bench.mpc import logistic
from bench.parties import play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from unseen import mpc
from unseen.core import registry
from unseen.mpc.dispatch import functions
from unseen.mpc.engine import PROTOCOLS
from unseen.party import Disclosure, Door, Party

# Of the slower protocols only what takes seconds; CHEETAH needs a minute for 2^18 reciprocals and more memory than we
# have for the matrices.
SLOW = {"pair2": {"multiply", "matmul", "less", "reciprocal", "exp"}, "replicated3-malicious": {"multiply"}}
CRYPTEN = "CrypTen 0.4.1"
BESIDE_CRYPTEN = {"multiply", "matmul", "less", "sigmoid", "reciprocal", "exp", "rsqrt"}
BESIDE_CHEETAH = {"multiply", "less", "reciprocal"}
RIVALS = {"replicated3": "ABY3", "dealer2": "SEMI2K", "pair2": "CHEETAH", "replicated3-malicious": None}
TRUST = {
    "replicated3": "semi-honest, honest majority of three; rival: the same",
    "dealer2": "semi-honest, two holders and a helper that sees no data; rival: one holder deals to itself, unsafe in use",
    "replicated3-malicious": "malicious with abort, honest majority of three; no rival",
    "pair2": "semi-honest, two holders and nobody else, LPN and ring-LWE; rival: the same",
}
TOLD = [Disclosure("result", "the result of a benchmark", ("p0",), Door.REVEAL)]


@dataclass(frozen=True, slots=True)
class Work:
    """One operation: what it does to secrets and to plain arrays, its sizes, its range of inputs."""

    function: Callable[..., Any]
    sizes: dict[str, tuple[tuple[int, ...], ...]]
    low: float = 0.5
    high: float = 3.0
    relative: bool = False


def vectors(power: int, count: int) -> tuple[tuple[int, ...], ...]:
    return ((1 << power,),) * count


WORKS = {
    "multiply": Work(lambda x, y: x * y, {"2^16": vectors(16, 2), "2^20": vectors(20, 2)}),
    "matmul": Work(
        lambda x, y: x @ y,
        {"200": ((200, 200), (200, 200)), "1000": ((1000, 1000), (1000, 1000))},
        relative=True,
    ),
    "less": Work(lambda x, y: x < y, {"2^16": vectors(16, 2), "2^20": vectors(20, 2)}),
    "sigmoid": Work(mpc.sigmoid, {"2^14": vectors(14, 1), "2^20": vectors(20, 1)}, -10.0, 10.0),
    "reciprocal": Work(np.reciprocal, {"2^14": vectors(14, 1), "2^18": vectors(18, 1)}, relative=True),
    "exp": Work(np.exp, {"2^14": vectors(14, 1), "2^18": vectors(18, 1)}, -2.0, 4.0, relative=True),
    "rsqrt": Work(mpc.rsqrt, {"2^14": vectors(14, 1), "2^18": vectors(18, 1)}, relative=True),
    "sort": Work(np.sort, {"2^12": vectors(12, 1), "2^16": vectors(16, 1)}),
}


def inputs_of(work: Work, size: str) -> list[NDArray[np.float64]]:
    return [
        np.random.default_rng(place).uniform(work.low, work.high, shape)
        for place, shape in enumerate(work.sizes[size])
    ]


def measure(protocol: str, work: Work, size: str) -> Sample:
    statement = registry.load(PROTOCOLS, protocol).STATEMENT
    holders = tuple(f"p{place}" for place in range(statement.holders.start))
    helper = "helper" if statement.helper else None
    names = (*holders, helper) if helper else holders
    inputs = inputs_of(work, size)

    def program(party: Party) -> Any:
        functions()  # code, which comes when the first of them is called
        settle()
        idle = own_now()
        engine = mpc.Engine(party, holders=holders, helper=helper, protocol=protocol)
        secrets = [
            engine.share(
                values if party.name == holders[place % len(holders)] else None,
                owner=holders[place % len(holders)],
                shape=values.shape,
            )
            for place, values in enumerate(inputs)
        ]
        work.function(*secrets)  # warms up, as the rival does
        engine.protocol.verify()
        party.sign_transcripts()  # everybody is here
        before = sum(stats.bytes_sent for stats in party.stats().values())
        turns = max(stats.rounds for stats in party.stats().values())
        start = time.perf_counter()
        made = work.function(*secrets)
        engine.protocol.verify()
        seconds = time.perf_counter() - start
        sent = sum(stats.bytes_sent for stats in party.stats().values()) - before
        rounds = max(stats.rounds for stats in party.stats().values()) - turns
        own = (own_peak() - idle) / 8 / (made.size + sum(secret.size for secret in secrets))
        told = engine.reveal("result", made, to=("p0",))
        return seconds, sent, rounds, own, None if told is None else error_of(told, work, inputs)

    played = play(program, names, disclosures=TOLD)
    told = [played.parties[name].result for name in names]
    return Sample(
        seconds=max(item[0] for item in told),
        bytes=sum(item[1] for item in told),
        rounds=max(item[2] for item in told),
        peak_mib=max(item.peak_mib for item in played.parties.values()),
        error=told[0][4],
        more={"words": max(item[3] for item in told)},
    )


def error_of(made: NDArray[Any], work: Work, inputs: list[NDArray[np.float64]]) -> float:
    wanted = np.asarray(work.function(*inputs)).astype(float)
    difference = np.abs(made.astype(float) - wanted)
    return float((difference / np.abs(wanted) if work.relative else difference).max())


Beside = tuple[str, Callable[[], Sample]]


def beside(name: str, rival: Rival, request: dict[str, Any]) -> Beside:
    def ask() -> Sample:
        told = rival.ask(**request)
        return Sample(told["seconds"], bytes=round(told["bytes"]), peak_mib=told["peak_mib"])

    return name, ask


def rivals_of(
    spu: Rival | None, crypten: Rival | None, op: str, size: str, protocol: str
) -> dict[str, Beside | None]:
    """What a case is held against, by the ending of its id."""
    work = WORKS[op]
    request: dict[str, Any] = {
        "op": op,
        "shapes": [list(shape) for shape in work.sizes[size]],
        "low": work.low,
        "high": work.high,
    }
    kind, found = RIVALS[protocol], {}
    if spu and kind and (kind != "CHEETAH" or op in BESIDE_CHEETAH):
        found[""] = beside(f"SPU 0.9.5 {kind}", spu, {**request, "protocol": kind})
    if crypten and protocol == "dealer2" and op in BESIDE_CRYPTEN:
        found["/crypten"] = beside(CRYPTEN, crypten, request)
    return found or {"": None}


def elementwise(report: Report, spu: Rival | None, crypten: Rival | None) -> None:
    for op, work in WORKS.items():
        for place, size in enumerate(work.sizes):
            for protocol in RIVALS:
                if (place == 0) != report.quick or op not in SLOW.get(protocol, WORKS):
                    continue
                quick = place == 0 and (protocol == "replicated3" or op == "multiply")
                for ending, rival in rivals_of(spu, crypten, op, size, protocol).items():
                    case = f"mpc/{op}/{size}/{protocol}{ending}"
                    if report.wants(case, quick=quick):
                        report.case(
                            case,
                            lambda protocol=protocol, work=work, size=size: measure(protocol, work, size),
                            rival=rival,
                            trust=TRUST[protocol],
                            repeats=1 if protocol in SLOW else report.repeats,
                        )


def training(report: Report, spu: Rival | None, crypten: Rival | None) -> None:
    """Minutes of the rivals' time: once each."""
    rows, width = 100_000, 100
    request = {"op": "logistic", "shapes": [[rows, width], [rows]], "low": -1.7, "high": 1.7}
    for protocol in ("replicated3", "dealer2"):
        rivals: dict[str, Beside | None] = {"": None}
        if spu:
            kind = RIVALS[protocol]
            rivals[""] = beside(f"SPU 0.9.5 {kind}", spu, {**request, "protocol": kind})
        if crypten and protocol == "dealer2":
            rivals["/crypten"] = beside(CRYPTEN, crypten, request)
        for ending, rival in rivals.items():
            case = f"mpc/logistic/{rows}x{width}/{protocol}{ending}"
            if report.wants(case):
                report.case(
                    case,
                    lambda protocol=protocol: logistic.measure(protocol, rows=rows, width=width),
                    rival=rival,
                    trust=TRUST[protocol],
                    repeats=1,
                )


def main() -> None:
    with Report("mpc", __doc__) as report, ExitStack() as stack:
        here = Path(__file__)
        spu = crypten = None
        if report.rivals:
            spu = present(
                lambda: python_rival(
                    "spu-jax", ["spu==0.9.5", "jax==0.4.34"], here.with_name("spu_parties.py")
                ),
                stack,
            )
            crypten = present(
                lambda: python_rival(
                    "crypten",
                    ["crypten==0.4.1", "torch==2.13.0"],
                    here.with_name("crypten_parties.py"),
                    environment={"SKLEARN_ALLOW_DEPRECATED_SKLEARN_PACKAGE_INSTALL": "True"},
                ),
                stack,
            )
        elementwise(report, spu, crypten)
        training(report, spu, crypten)


if __name__ == "__main__":
    main()
