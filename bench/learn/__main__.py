"""Models by column, beside the same on pooled data.

Two holders with half of the columns each, the label at the first, a helper where there is one; every party a process of its own on
this machine, over bare TCP on loopback. `ours_s` is the training of one split, inputs shared before the clock starts; the rival is
the library on all data in one place, in clear: it protects nothing, and its time is there for comparison only.

Quality is that on held-out rows (a quarter) over ten seeded splits: `error` is the mean difference from pooled, `error_low` and
`error_high` its 95 % interval (t distribution), in area under the ROC curve, accuracy, or relative root mean square error. Nine splits
are trained by the same arithmetic in one process (protocol `plain`), the first one among processes, in shares; `secret_error` is that
one's difference. Data sets are public ones in the folder that UNSEEN_DATA names (none ships with this project); a case whose data are
not there is left out.

`python -m bench.learn --only x50/ --no-rivals` measures how time and memory grow: 10^4, 10^5 and 10^6 rows of 50 columns, mini-batches,
trees in shares and one tree under encryption. `private mib` is the most memory that no file backs at one party, `scratch mib` what all
parties have in files meanwhile.
"""

from __future__ import annotations

import importlib

from bench.report import Report

FAMILIES = ("linear", "trees", "federated", "growth")
"""Modules here with `cases(report)`."""


def main() -> None:
    """Run every family's cases."""
    with Report("learn", __doc__) as report:
        for name in FAMILIES:
            module = importlib.import_module(f"bench.learn.{name}")
            if hasattr(module, "cases"):
                module.cases(report)


if __name__ == "__main__":
    main()
