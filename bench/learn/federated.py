"""Boosted trees under additive encryption: what `bench.learn` times, beside pooled XGBoost on the same cuts.

    measure(trees.bank(folder), Settings(rounds=100, depth=5), key_bits=2048)       # a Sample

Both holders are processes on this machine, with as many threads each as there are cores. The clock runs from codes to trees, key generation
within it. `error` is the difference of the area under the ROC curve from that of pooled XGBoost; `tree_s` the time of a tree, the key
and its tables left out; `key_bits` the length of n.
"""

from __future__ import annotations

import os
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from bench.learn import public, trees
from bench.learn.trees import FIRST, SECOND, Work
from bench.memory import Held
from bench.parties import Played, play
from bench.report import Report, Sample
from bench.rivals import Rival, present, python_rival
from bench.shaping import Shaper
from unseen.learn.vertical.trees import federated
from unseen.learn.vertical.trees.model import Settings
from unseen.party import Disclosure, Door, Party

HOLDERS = (FIRST, SECOND)
TRUST = "semi-honest, sums told to the label holder (Okamoto and Uchiyama); rival: none, data pooled"
NAMES = (
    federated.BINS,
    federated.SUMS,
    federated.WAYS,
    federated.MEMBERS,
    federated.SPLITS,
    federated.STOP,
)


def default_credit(*, bins: int = 32) -> Work | None:
    """Default credit (UCI, in the two files of FATE), 30,000 rows, the label with the first file."""
    data = public.load("default_credit")
    if data is None:
        return None
    return trees.made(data.columns, data.label, first=data.left, bins=bins, held_out=0.0, seed=0)


def measure(
    work: Work,
    settings: Settings,
    *,
    key_bits: int,
    rival: Rival | None = None,
    shaper: Shaper | None = None,
    wire: Any = "lan",
) -> Sample:
    """Grow trees once."""
    played = grow(work, settings, key_bits=key_bits, shaper=shaper, wire=wire)
    told = [one.result for one in played.parties.values()]
    error = None
    if rival is not None:
        asked, scores = trees.pooled(work, settings, rival), trees.scored(work, settings, played)[0]
        rest = ~work.train if (~work.train).any() else work.train
        error = trees.auc(scores[rest], work.labels[rest]) - trees.auc(
            np.array(asked["scores"]), work.labels[rest]
        )
    return Sample(
        seconds=max(one[0] for one in told),
        bytes=sum(one[1] for one in told),
        rounds=max(one[2] for one in told),
        peak_mib=max(one.peak_mib for one in played.parties.values()),
        error=error,
        more={
            "cpu_s": sum(one[3] for one in told),
            **({"tree_s": max(one[6] for one in told) / (settings.trees - 1)} if settings.trees > 1 else {}),
            "trees": settings.trees,
            "private_mib": max(one[7] for one in told),
            "key_bits": key_bits,
        },
    )


def grow(work: Work, settings: Settings, *, key_bits: int, shaper: Shaper | None, wire: Any) -> Played:
    """Every party's (seconds, bytes, rounds, processor seconds, splits, weights, seconds of all trees but the first, private MiB)."""
    codes, labels = work.codes[:, work.train], work.labels[work.train]
    parts = {FIRST: slice(0, work.first), SECOND: slice(work.first, None)}

    def program(party: Party) -> Any:
        warnings.simplefilter("ignore")  # of short keys
        party.sign_transcripts()  # everybody is here
        before = sum(stats.bytes_sent for stats in party.stats().values())
        turns = max(stats.rounds for stats in party.stats().values())
        start, cpu = time.perf_counter(), time.process_time()
        ends: list[float] = []
        with Held() as held:
            grown = federated.fit(
                party,
                codes[parts[party.name]],
                work.bins[parts[party.name]],
                labels if party.name == FIRST else None,
                settings,
                holders=HOLDERS,
                label_holder=FIRST,
                key_bits=key_bits,
                report=lambda _done, _total: ends.append(time.perf_counter()),
            )
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        sent = sum(stats.bytes_sent for stats in party.stats().values()) - before
        rounds = max(stats.rounds for stats in party.stats().values()) - turns
        return seconds, sent, rounds, cpu, grown.splits, grown.weights, ends[-1] - ends[0], held.private_mib

    told = [Disclosure(name, name, HOLDERS, Door.RELEASE, times=1 << 20) for name in NAMES]
    threads = os.cpu_count() or 1
    return play(program, HOLDERS, disclosures=told, shaper=shaper, wire=wire, threads=threads)


def _small() -> Work:
    return trees.drawn(2_000, 6)


def cases(report: Report) -> None:
    """All of them."""
    folder = Path(os.environ.get("UNSEEN_DATA", ""))
    bank = trees.bank(folder) if (folder / "bank_marketing").is_dir() else None
    hundred = Settings(rounds=100, depth=5)
    asked = [
        ("learn/trees/2000x6/federated", _small(), Settings(rounds=3, depth=3), 2048),
        ("learn/trees/bank/federated", bank, hundred, 3072),
        ("learn/trees/bank/federated/2048", bank, hundred, 2048),
        ("learn/trees/default_credit/federated", default_credit(), Settings(rounds=10, depth=6), 2048),
    ]
    with ExitStack() as stack:
        program = Path(trees.__file__).with_name("xgboost_pooled.py")
        rival = (
            present(lambda: python_rival("xgboost", ["xgboost==3.2.0"], program), stack)
            if report.rivals
            else None
        )
        for case, work, settings, key_bits in asked:
            if work is None or not report.wants(case, quick=key_bits == 2048 and work.codes.shape[1] == 2000):
                continue
            report.case(
                case,
                lambda work=work, settings=settings, key_bits=key_bits: measure(
                    work, settings, key_bits=key_bits, rival=rival
                ),
                trust=TRUST,
                repeats=1,
            )
