"""Boosted trees in secret shares: what `bench.learn` times, and how far they are from pooled XGBoost's.

    measure(bank(folder), BANK)       # a Sample

All parties are processes on this machine. The clock runs from shared labels to shared trees; masking the codes is within it. `error`
is the difference of the area under the ROC curve from that of pooled XGBoost on the same cuts: on rows held out where the work
has some, else on the training rows.
"""

from __future__ import annotations

import csv
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.memory import Held
from bench.mpc.logistic import auc
from bench.parties import Played, play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from bench.shaping import Shaper
from unseen import mpc
from unseen.core import registry
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded, plain, shared
from unseen.learn.vertical.trees.bins import Bins
from unseen.learn.vertical.trees.model import Booster, Settings, Splits
from unseen.learn.vertical.trees.told import disclosure
from unseen.mpc.engine import PROTOCOLS
from unseen.party import Disclosure, Door, Party

FIRST, SECOND = "p0", "p1"
BANK = Settings(rounds=100, depth=5)
MADE = Settings(rounds=10, depth=4)
WORKS = (  # rows, columns, bins, whether it is one of the smallest
    (5_000, 6, 8, True),
    (50_000, 15, 8, False),
)
TRUST = "semi-honest, two holders and a helper that sees no data; XGBoost: one party sees all data"


@dataclass(frozen=True)
class Work:
    """Codes (columns, rows) of both holders, bins of each column, labels, how many columns the first has, rows to train on.

    Labels are those of :class:`Settings`; numbers are scaled to mean 0 and deviation 1 on the rows to train on.
    """

    codes: NDArray[Any]
    bins: list[int]
    labels: NDArray[np.float64]
    first: int
    train: NDArray[np.bool_]

    def public(self) -> Bins:
        """What all parties know."""
        codes = self.codes[:, self.train]
        absent = [bool((one == bins).any()) for one, bins in zip(codes, self.bins, strict=True)]
        parts = {FIRST: slice(0, self.first), SECOND: slice(self.first, None)}
        return Bins(
            int(self.train.sum()),
            {name: tuple(self.bins[part]) for name, part in parts.items()},
            {name: tuple(absent[part]) for name, part in parts.items()},
        )


def made(
    values: NDArray[np.float64],
    labels: NDArray[np.float64],
    *,
    first: int,
    bins: int,
    held_out: float,
    seed: int,
) -> Work:
    """Cut at quantiles of the training rows."""
    train = np.random.default_rng(seed).random(len(values)) >= held_out
    cuts = tuple(quantile_cuts(column, bins) for column in values[train].T)
    return Work(coded(values, cuts), [len(cut) + 1 for cut in cuts], labels, first, train)


def bank(folder: Path, *, bins: int = 32, held_out: float = 0.0, seed: int = 0) -> Work:
    """Bank marketing (UCI), 45,211 rows of 16 columns, texts numbered in their order, 8 columns at each."""
    with (folder / "bank_marketing" / "bank-full.csv").open(newline="") as file:
        names, *rows = list(csv.reader(file))
    columns = []
    for place, name in enumerate(names):
        texts = [row[place] for row in rows]
        if all(text.lstrip("-").isdigit() for text in texts):
            columns.append(np.array(texts, float))
        else:
            columns.append(np.unique(texts, return_inverse=True)[1].astype(float))
        label = columns.pop() if name == "y" else None
    assert label is not None  # the last column
    return made(np.column_stack(columns), label, first=8, bins=bins, held_out=held_out, seed=seed)


def drawn(rows: int, columns: int, *, bins: int = 8) -> Work:
    """Made-up columns and a label that depends on some of them and their products."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(rows, columns))
    signal = values[:, 0] * values[:, -1] + np.sin(2 * values[:, 1]) + values[:, columns // 2]
    labels = (signal + rng.normal(size=rows) > 0).astype(float)
    return made(values, labels, first=(columns + 1) // 2, bins=bins, held_out=0.0, seed=0)


def measure(
    work: Work,
    settings: Settings,
    *,
    protocol: str = "dealer2",
    shaper: Shaper | None = None,
    rival: Rival | None = None,
    wire: Any = "lan",
) -> Sample:
    """Grow trees, all parties as processes; `rival` is XGBoost, for `error`."""
    played = grow(work, settings, protocol=protocol, shaper=shaper, wire=wire)
    told = [one.result for one in played.parties.values()]
    error = None
    if rival is not None:
        asked, scores = pooled(work, settings, rival), scored(work, settings, played)[0]
        rest = ~work.train if (~work.train).any() else work.train
        error = auc(scores[rest], work.labels[rest]) - auc(np.array(asked["scores"]), work.labels[rest])
    return Sample(
        seconds=max(one[0] for one in told),
        bytes=sum(one[1] for one in told),
        rounds=max(one[2] for one in told),
        peak_mib=max(one.peak_mib for one in played.parties.values()),
        error=error,
        more={
            "cpu_s": sum(one[3] for one in told),
            "private_mib": max(one[6] for one in told),
            "scratch_mib": sum(one[7] for one in told),
        },
    )


def grow(work: Work, settings: Settings, *, protocol: str, shaper: Shaper | None, wire: Any) -> Played:
    """Every party's (seconds, bytes, rounds, processor seconds, splits, weights at the first, private and scratch MiB)."""
    statement = registry.load(PROTOCOLS, protocol).STATEMENT
    holders = (FIRST, SECOND) if statement.helper or 2 in statement.holders else (FIRST, SECOND, "helper")
    helper = "helper" if statement.helper else None
    names = tuple(dict.fromkeys((*holders, *([helper] if helper else []))))
    bins, codes, labels = work.public(), work.codes[:, work.train], targets(work, settings)
    mine = {FIRST: codes[: work.first], SECOND: codes[work.first :]}
    disclosures = [Disclosure("weights", "weights", (FIRST,), Door.REVEAL)] + [
        Disclosure(disclosure(name), "splits", (name,), Door.REVEAL, times=1 << 20) for name in mine
    ]

    def program(party: Party) -> Any:
        engine = mpc.Engine(party, holders=holders, helper=helper, protocol=protocol)
        secret = engine.share(labels if party.name == FIRST else None, owner=FIRST, shape=labels.shape)
        party.sign_transcripts()  # everybody is here
        before = sum(stats.bytes_sent for stats in party.stats().values())
        turns = max(stats.rounds for stats in party.stats().values())
        start, cpu = time.perf_counter(), time.process_time()
        with Held() as held:
            grown = shared.fit(engine, mine.get(party.name), bins, secret, settings)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        sent = sum(stats.bytes_sent for stats in party.stats().values()) - before
        rounds = max(stats.rounds for stats in party.stats().values()) - turns
        weights = engine.reveal("weights", grown.weights, to=(FIRST,))
        return seconds, sent, rounds, cpu, grown.splits, weights, held.private_mib, held.scratch_mib

    return play(program, names, disclosures=disclosures, shaper=shaper, wire=wire)


def targets(work: Work, settings: Settings) -> NDArray[np.float64]:
    """Labels of the rows to train on as trees take them, shape (classes, rows)."""
    labels = work.labels[work.train]
    if settings.objective == "softmax":
        return (labels == np.arange(settings.classes)[:, None]).astype(np.float64)
    return labels[None]


def scored(work: Work, settings: Settings, played: Played) -> NDArray[np.float64]:
    """Scores (classes, rows) of all rows by the trees that the parties know together."""
    parts = [played.parties[name].result[4] for name in (FIRST, SECOND)]
    whole = Splits.none(settings.trees, settings.nodes)
    for start, part in zip((0, work.first), parts, strict=True):
        used = part.column >= 0
        whole.column[used], whole.bin[used] = part.column[used] + start, part.bin[used]
        whole.missing_left[used] = part.missing_left[used]
    booster = Booster(settings, whole, played.parties[FIRST].result[5])
    return plain.scores(booster, work.codes, work.bins)


def pooled(work: Work, settings: Settings, rival: Rival, *, threads: int = 2) -> dict[str, Any]:
    """XGBoost's answer on the same codes."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, codes=work.codes, bins=np.array(work.bins), labels=work.labels, train=work.train)
        file.flush()
        plain_settings = {
            key: value for key, value in asdict(settings).items() if isinstance(value, int | float | str)
        }
        return rival.ask(path=file.name, settings=plain_settings, threads=threads)


def cases(report: Report) -> None:
    """All of them."""
    folder = os.environ.get("UNSEEN_DATA")
    with ExitStack() as stack:
        program = Path(__file__).with_name("xgboost_pooled.py")
        rival = (
            present(lambda: python_rival("xgboost", ["xgboost==3.2.0"], program), stack)
            if report.rivals
            else None
        )
        case = "learn/trees/bank/shared"
        if folder and (Path(folder) / "bank_marketing").exists() and report.wants(case):
            _case(report, case, bank(Path(folder)), BANK, rival)
        for rows, columns, bins, quick in WORKS:
            case = f"learn/trees/{rows}x{columns}/shared"
            if report.wants(case, quick=quick):
                _case(report, case, drawn(rows, columns, bins=bins), MADE, rival)
        case = "learn/trees/50000x15/shared/1gbit-2ms"
        if report.wants(case):
            with Shaper(bytes_per_s=125e6, latency_s=0.001) as shaper:
                work = drawn(50_000, 15)
                report.case(case, lambda: measure(work, MADE, shaper=shaper), trust=TRUST, repeats=1)


def _case(report: Report, case: str, work: Work, settings: Settings, rival: Rival | None) -> None:
    def ours() -> Sample:
        return measure(work, settings, rival=rival)

    def theirs() -> Sample:
        assert rival is not None  # asked only then
        return Sample(pooled(work, settings, rival)["seconds"])

    report.case(
        case, ours, trust=TRUST, rival=("XGBoost 3.2.0, pooled", theirs) if rival else None, repeats=1
    )
