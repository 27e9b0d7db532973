"""Private set intersection beside SecretFlow's.

Two parties as processes, each with a CSV file of string ids, half of them in common; each reads its file, they intersect, and
both write the common rows. Time runs from when both stand ready (interpreters started, connected) until both files are
written. `intersect s` is the protocol alone, at the slower party. Bytes are those of both directions together.

`lan` is bare TCP on loopback, as the rival has it; `link` the link that nodes use (TLS 1.3, acknowledged frames, transcript)
on loopback; `wan` 100 Mbit/s in each direction and 10 ms one way, held back by the same relay for both. The rival's bytes are
counted by such a relay without a rate, in a run of their own (not those of its mode for three). Every run has fresh processes, on
both sides. The rival puts its output into order by id, ours is in an order that tells nothing.

`psi/circuit` is the intersection that nobody sees: from ids and one column of 64-bit integers in memory to shares of membership and
of the column, with a helper or with nobody else (`none`: transfers of its comparisons without LPN, which take half of the time and four
times the bytes of silent ones); a count and a sum are revealed to check them. The rival has no such mode.

`psi/circuit-logistic` is a logistic regression (20 columns, 10 iterations) on rows that are common and nobody knows, from tables in
memory to coefficients at their owners: scaled, joined in shares, cut to the number of common rows, which is told with noise (epsilon 1),
scaled again, trained. Beside it stands, as the rival, the same on an open intersection: `ratio` is its time over ours.

`psi/multi` is that of three holders, file to file as above, half of the ids common to all three, result to all; what the rival's
mode for three parties shows besides is in docs/protocols/psi-multi.md. That mode runs with `throttle_window_size` 2^20: with its default
of 10 it waits for itself from about 2^16 ids on.

`rival missing` is how many of the common rows the rival did not find, where it did not find all of them; ours has to find all, or the
benchmark ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.parties import Wire, play
from bench.psi import circuit, files, multi, training
from bench.psi.secretflow import NAME, Spu
from bench.report import REPEATS, Report, Sample
from bench.rivals import present
from bench.shaping import Shaper
from unseen.client.psi.match import match_on
from unseen.core.cost import Network
from unseen.link.channel import Link
from unseen.psi import Mode, options

SIDES = ("listener", "caller")
WAN = {"bytes_per_s": 12.5e6, "latency_s": 0.01}
MILLION, TEN_MILLION = 1 << 20, 10**7
PAIR = 2
PATIENCE_S = 2e-4
"""An id: several times what the slowest mode takes."""

_COUNTED: dict[
    tuple[int, str], int | None
] = {}  # the rival's bytes, from runs through a relay that only counts


def ours(
    count: int, protocol: str, security: str, *, wire: Wire = "lan", wan: bool = False, memory_mib: int = 2048
) -> Sample:
    """One intersection, file to file."""
    inputs = dict(zip(SIDES, files.several(count), strict=True))

    def program(links: Mapping[str, Link]) -> dict[str, Any]:
        ((peer, link),) = links.items()
        me = SIDES[1 - SIDES.index(peer)]
        place = Path(tempfile.mkdtemp(prefix=f"unseen-bench-{me}-"))
        try:
            summary = match_on(
                link,
                input=inputs[me],
                key="id",
                output=place / "common.csv",
                protocol=protocol,
                security=security,
                memory_mib=memory_mib,
                bandwidth_mbit=100.0 if wan else 10_000.0,
                latency_ms=10.0 if wan else 0.05,
            )
        finally:
            shutil.rmtree(place)
        return {"matched": summary.matched, "intersect_s": summary.seconds["intersect"]}

    with ExitStack() as stack:
        shaper = stack.enter_context(Shaper(**WAN)) if wan else None
        played = play(program, SIDES, wire=wire, on_links=True, shaper=shaper)
    told = [item.result for item in played.parties.values()]
    if any(item["matched"] != count - count // 2 for item in told):
        raise RuntimeError(f"{protocol}: a wrong result: {told}")
    return played.sample(more={"intersect_s": max(item["intersect_s"] for item in told)})


def theirs(
    spu: Spu | None, count: int, mode: str, *, wan: bool = False, parties: int = 2
) -> tuple[str, Callable[[], Sample]] | None:
    """The rival's mode as a measurement."""
    if spu is None:
        return None
    inputs = files.several(count, parties)

    def measure(*, network: Mapping[str, float] | None = WAN if wan else None) -> Sample:
        with ExitStack() as stack:
            target = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unseen-bench-spu-")))
            shaper = stack.enter_context(Shaper(**network)) if network is not None else None
            sample, common = spu.run(mode, inputs, target, shaper, patience_s=60 + count * PATIENCE_S)
        missing = count - count // 2 - common
        if not 0 <= missing <= count // 10_000:
            raise RuntimeError(f"{NAME} {mode}: a wrong result: {common}")
        if missing:
            sample = replace(sample, more={**sample.more, "missing": missing})
        if network is None and count <= MILLION and parties == PAIR and (count, mode) not in _COUNTED:
            _COUNTED[count, mode] = measure(network={}).bytes
        return sample if shaper else replace(sample, bytes=_COUNTED.get((count, mode)))

    return f"{NAME} {mode}", measure


SAME = "two semi-honest parties, no third party"
VOLE = f"{SAME}; dual LPN, correlation-robust AES; rival: the same with a code whose distance is a guess (ExAcc7)"
DH = f"{SAME}; DDH on curve25519 with a hash to the curve (RFC 9380); rival: hash bytes taken as x, half of them on the twist"
MALICIOUS = (
    "two parties, either may deviate (abort); dual LPN, SHA-256 as a random oracle; rival: semi-honest"
)


def training_cases(report: Report) -> None:
    """Logistic regression on hidden rows beside open ones."""
    for rows, width, third in ((2_000, 20, "helper"), (100_000, 20, "helper"), (100_000, 20, "none")):
        name = f"psi/circuit-logistic/{rows}x{width}/{third}"
        if report.wants(name, quick=rows < MILLION // 100):
            hidden, opened = (
                partial(training.measured, rows, width, third, how) for how in ("hidden", "open")
            )
            report.case(
                name,
                hidden,
                rival=("an open intersection", opened) if report.rivals else None,
                trust=circuit.TRUST[third],
                repeats=min(3 if third == "helper" else 1, report.repeats),
            )


def main() -> None:
    report = Report("psi", __doc__)
    with report, ExitStack() as stack:
        spu = present(Spu, stack) if report.rivals else None

        def case(
            name: str,
            count: int,
            protocol: str,
            rival: str | None,
            trust: str,
            *,
            security: str = "semi-honest",
            most: int = REPEATS,
            **how: Any,
        ) -> None:
            if report.wants(name, quick=count < MILLION):
                beside = theirs(spu, count, rival, wan=how.get("wan", False)) if rival else None
                report.case(
                    name,
                    lambda: ours(count, protocol, security, **how),
                    rival=beside,
                    trust=trust,
                    repeats=min(most, report.repeats),
                )

        # imports every protocol before the clock starts, as the rival's are
        options((1, 1), Mode(), Network())
        options((1, 1, 1), Mode(), Network())
        small, million, ten = 1 << 14, MILLION, TEN_MILLION
        case("psi/vole/2^14/lan/semi-honest", small, "vole", "rr22", VOLE)
        case("psi/dh/2^14/lan/semi-honest", small, "dh", "ecdh-25519", DH)
        case("psi/vole/2^20/lan/semi-honest", million, "vole", "rr22", VOLE)
        case("psi/vole/2^20/lan/semi-honest/kkrt", million, "vole", "kkrt", VOLE, most=1)
        case("psi/vole/2^20/lan/semi-honest/link", million, "vole", "rr22", VOLE, most=3, wire="link")
        case("psi/vole/2^20/lan/malicious", million, "vole", "rr22", MALICIOUS, most=3, security="malicious")
        case("psi/dh/2^20/lan/semi-honest", million, "dh", "ecdh-25519", DH, most=2)
        for mode in ("rr22-low-comm", "rr22", "kkrt"):
            case(f"psi/vole/2^20/wan/semi-honest/{mode}", million, "vole", mode, VOLE, most=2, wan=True)
        for mode in ("ecdh-25519",):
            case(f"psi/vole/2^20/wan/semi-honest/{mode}", million, "vole", mode, VOLE, most=1, wan=True)
        case("psi/vole/10^7/lan/semi-honest", ten, "vole", "rr22", VOLE, most=1)
        for mode in ("rr22-low-comm",):
            case(f"psi/vole/10^7/wan/semi-honest/{mode}", ten, "vole", mode, VOLE, most=1, wan=True)
        for count, size in ((1 << 14, "2^14"), (MILLION, "2^20")):
            for third in ("helper", "none"):
                name = f"psi/circuit/{size}/{third}"
                if report.wants(name, quick=count < MILLION):
                    report.case(
                        name,
                        lambda count=count, third=third: circuit.ours(count, third),
                        trust=circuit.TRUST[third],
                        repeats=min(3, report.repeats),
                    )
            if report.wants(f"psi/multi/{size}/none", quick=count < MILLION):
                report.case(
                    f"psi/multi/{size}/none",
                    lambda count=count: multi.ours(count, 3),
                    rival=theirs(spu, count, "ecdh-3pc", parties=3),
                    trust=multi.TRUST,
                    repeats=min(3 if count < MILLION else 2, report.repeats),
                )
        training_cases(report)


if __name__ == "__main__":
    main()
