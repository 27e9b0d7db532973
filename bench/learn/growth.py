"""How time and memory grow with rows: 10^4, 10^5 and 10^6 rows of 50 columns, everything else the same.

    python -m bench.learn --only x50/ --no-rivals

| case | what is trained |
|---|---|
| `learn/logistic/<rows>x50/shared` | ten epochs of mini-batches of 1024 rows |
| `learn/trees/<rows>x50/shared` | ten trees of depth 4, 32 bins |
| `learn/trees/<rows>x50/federated` | one tree of depth 4, 32 bins, keys of 2048 bits |

`private_mib` is the most memory that no file backs at one party while it trains, `scratch_mib` what all parties together have in files
meanwhile. No rival runs here.
"""

from __future__ import annotations

from bench.learn import federated, trees
from bench.mpc import logistic
from bench.report import Report
from unseen.learn.vertical.trees.model import Settings

ROWS = (10_000, 100_000, 1_000_000)
COLUMNS, BINS = 50, 32
SHARED = "semi-honest, two holders and a helper that sees no data"
ONE_TREE = Settings(rounds=1, depth=4)


def cases(report: Report) -> None:
    """All of them."""
    for rows in ROWS:
        case = f"learn/logistic/{rows}x{COLUMNS}/shared"
        if report.wants(case):
            report.case(
                case,
                lambda rows=rows: logistic.measure("dealer2", rows=rows, width=COLUMNS),
                trust=SHARED,
                repeats=1,
            )
    for rows in ROWS:
        shared, sums = (f"learn/trees/{rows}x{COLUMNS}/{level}" for level in ("shared", "federated"))
        if not (report.wants(shared) or report.wants(sums)):
            continue
        work = trees.drawn(rows, COLUMNS, bins=BINS)
        if report.wants(shared):
            report.case(shared, lambda work=work: trees.measure(work, trees.MADE), trust=SHARED, repeats=1)
        if report.wants(sums):
            report.case(
                sums,
                lambda work=work: federated.measure(work, ONE_TREE, key_bits=2048),
                trust=federated.TRUST,
                repeats=1,
            )
