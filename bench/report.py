"""One JSON line per case, and the table in docs/benchmarks that is made of them.

    report = Report("psi", __doc__)           # reads --quick, --no-rivals, --repeats, --only from the command line
    with report:                              # writes docs/benchmarks/psi.md at the end, unless --quick or --only
        report.case("psi/vole/2^20/lan/semi-honest", ours, rival=rival, trust="semi-honest")

`ours` and `rival` are functions that measure once and return a :class:`Sample`. They are run in turn; what is reported is
the median of each and the median of the ratios of the pairs, so that a machine that is busy for a while slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.rivals import RivalMissingError
from unseen.kernels import backend

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "docs" / "benchmarks"
BEGUN = ROOT / "build" / "bench"
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement.

    Attributes
    ----------
    seconds
        Wall time from when all parties stand ready until the last one has its result.
    bytes
        Payload of all parties, helper and offline phase included; None where nothing is sent.
    rounds
        How often latency is paid, at the party that pays most.
    peak_mib
        Peak resident memory of the largest process, interpreter and libraries included.
    error
        Of the result, where it is not exact; its meaning is said in the area's text.
    more
        Further figures by name (units in the names).
    """

    seconds: float
    bytes: int | None = None
    rounds: int | None = None
    peak_mib: float | None = None
    error: float | None = None
    more: Mapping[str, float] = field(default_factory=dict)


Measure = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one case: the fields of its JSON line."""

    bench: str
    case: str
    ours_s: float
    rival: str | None
    rival_s: float | None
    ratio: float | None
    bytes: int | None
    rival_bytes: int | None
    rounds: int | None
    peak_mib: float | None
    rival_peak_mib: float | None
    error: float | None
    trust: str
    backend: str
    repeats: int
    more: Mapping[str, float]

    def line(self) -> str:
        """One line of JSON; floats to six digits."""
        told = asdict(self)
        told.update(told.pop("more"))
        return json.dumps({name: _short(value) for name, value in told.items()})


class Report:
    """The cases of one area. Lines are printed as they come, the table is written at the end.

    Parameters
    ----------
    area
        Names the table's file.
    text
        What stands above the table: what is measured and how. Its first line is the title.
    arguments
        The command line, without the program.
    timed
        Whether the table shows times; where quality is what is measured, it does not.
    """

    def __init__(
        self, area: str, text: str | None, arguments: list[str] | None = None, *, timed: bool = True
    ) -> None:
        self.area = area
        self._timed = timed
        self.cases: list[Case] = []
        self._text = (text or area).strip()
        parser = argparse.ArgumentParser(
            prog=f"python -m bench.{area}", description=self._text.split("\n")[0]
        )
        parser.add_argument("--quick", action="store_true", help="the smallest cases, one repeat; no table")
        parser.add_argument(
            "--no-rivals", action="store_true", help="do not install or run what we compare with"
        )
        parser.add_argument("--repeats", type=int, help=f"pairs per case (default {REPEATS}, --quick 1)")
        parser.add_argument("--only", metavar="TEXT", help="cases whose id contains TEXT; no table")
        parser.add_argument(
            "--resume", action="store_true", help="go on where an earlier run with --resume was stopped"
        )
        options = parser.parse_args(arguments)
        self._begun = BEGUN / f"{area}.jsonl" if options.resume else None
        self._measured = self._load()
        self.quick: bool = options.quick
        self.rivals: bool = not options.no_rivals
        self.repeats: int = options.repeats or (1 if options.quick else REPEATS)
        self._only: str | None = options.only

    def wants(self, case: str, *, quick: bool = False) -> bool:
        """Whether to run a case; `quick` says that it belongs to the smallest ones."""
        return (quick or not self.quick) and (self._only is None or self._only in case)

    def case(
        self,
        case: str,
        ours: Measure,
        *,
        trust: str,
        rival: tuple[str, Measure] | None = None,
        repeats: int | None = None,
    ) -> Case:
        """Measure ours and the rival's in turn, and print the line.

        Parameters
        ----------
        case
            An exact, stable id: `psi/vole/2^20/lan/semi-honest`.
        trust
            Model and assumption of both: "semi-honest, no third party; rival: the same".
        rival
            Its name with version, and its measurement.
        """
        if case in self._measured:
            self.cases.append(self._measured[case])
            return self._measured[case]
        mine: list[Sample] = []
        theirs: list[Sample] = []
        asked = rival if self.rivals else None
        for _ in range(repeats or self.repeats):
            mine.append(ours())
            if asked:
                try:
                    theirs.append(asked[1]())
                except RivalMissingError as error:
                    sys.stderr.write(f"without rival: {case}: {error}\n")
                    asked = None
        middle = _middle(mine)
        other = _middle(theirs) if theirs else None
        ratios = [b.seconds / a.seconds for a, b in zip(mine, theirs, strict=False)]
        found = Case(
            bench=self.area,
            case=case,
            ours_s=statistics.median(item.seconds for item in mine),
            rival=rival[0] if rival and other else None,
            rival_s=statistics.median(item.seconds for item in theirs) if theirs else None,
            ratio=statistics.median(ratios) if ratios else None,
            bytes=middle.bytes,
            rival_bytes=other.bytes if other else None,
            rounds=middle.rounds,
            peak_mib=middle.peak_mib,
            rival_peak_mib=other.peak_mib if other else None,
            error=middle.error,
            trust=trust,
            backend=backend(),
            repeats=len(mine),
            more={
                **middle.more,
                **({f"rival_{name}": value for name, value in other.more.items()} if other else {}),
            },
        )
        self.cases.append(found)
        sys.stdout.write(found.line() + "\n")
        sys.stdout.flush()
        if self._begun:
            with self._begun.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")
        return found

    def _load(self) -> dict[str, Case]:
        if self._begun is None:
            return {}
        self._begun.parent.mkdir(parents=True, exist_ok=True)
        self._begun.touch()
        cases = [Case(**json.loads(line)) for line in self._begun.read_text(encoding="utf-8").splitlines()]
        return {case.case: case for case in cases}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self.quick and self._only is None:
            TABLES.mkdir(exist_ok=True)
            (TABLES / f"{self.area}.md").write_text(self.table(), encoding="utf-8")
            if self._begun:
                self._begun.unlink()

    def table(self) -> str:
        """The page for docs/benchmarks."""
        title, _, rest = self._text.partition("\n")
        lines = [f"# {title.rstrip('.')}", "", rest.strip(), "", machine(), ""]
        names = list(dict.fromkeys(name for case in self.cases for name in case.more))
        columns = [column for column in _COLUMNS if self._timed or column[0] not in _TIMES]
        shown = [column for column in columns if any(column[1](case) for case in self.cases)]
        heads = [head for head, _ in shown] + [name.replace("_", " ") for name in names]
        lines += ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
        for case in self.cases:
            cells = [show(case) for _, show in shown]
            cells += [f"{case.more[name]:.4g}" if name in case.more else "" for name in names]
            lines.append("| " + " | ".join(cells) + " |")
        trusts = dict.fromkeys(case.trust for case in self.cases)
        lines += ["", *(f"Trust: {trust}." for trust in trusts)]
        words = "; `ratio` is the rival's seconds over ours" if self._timed else ""
        lines += ["", f"Written by `python -m bench.{self.area}`{words}."]
        return "\n".join(lines) + "\n"


def machine() -> str:
    """What the figures were measured on, in one line."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [
            line.split(":", 1)[1].strip()
            for line in information.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        name = models[0] if models else name
    return (
        f"Measured on {os.cpu_count()} cores of {name}, {platform.system()}, Python {platform.python_version()}, "
        f"kernels {backend()}."
    )


def _middle(samples: list[Sample]) -> Sample:
    """The sample with the median time."""
    return sorted(samples, key=lambda item: item.seconds)[len(samples) // 2]


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value:.3g} s"


def _size(value: float | None) -> str:
    if value is None:
        return ""
    for limit, factor, unit in ((1e3, 1.0, "B"), (1e6, 1e-3, "kB"), (1e9, 1e-6, "MB")):
        if value < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e-9:.3g} GB"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


_TIMES = ("ours", "rival's time", "ratio")
_COLUMNS: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("case", lambda case: f"`{case.case}`"),
    ("ours", lambda case: _seconds(case.ours_s)),
    ("rival", lambda case: case.rival or ""),
    ("rival's time", lambda case: _seconds(case.rival_s)),
    ("ratio", lambda case: _number(case.ratio)),
    ("sent", lambda case: _size(case.bytes)),
    ("rival sent", lambda case: _size(case.rival_bytes)),
    ("rounds", lambda case: "" if case.rounds is None else str(case.rounds)),
    ("peak MiB", lambda case: "" if case.peak_mib is None else f"{case.peak_mib:.0f}"),
    ("rival's peak MiB", lambda case: "" if case.rival_peak_mib is None else f"{case.rival_peak_mib:.0f}"),
    ("error", lambda case: "" if case.error is None else f"{case.error:.1e}"),
)
