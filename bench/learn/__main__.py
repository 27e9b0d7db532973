"""Models by column, beside the same on pooled data.

Two holders with half of the columns each, the label at the first, a helper where there is one; every party a process of its own on
this machine, over bare TCP on loopback. `ours_s` is the training of one split, inputs shared before the clock starts; the rival is
the library on all data in one place, in clear: it protects nothing, and its time is there for comparison only.

`error` is the difference from pooled on one split: of classes that of the area under the ROC curve (trees of bank marketing and linear
models on held-out rows), of numbers that of the root mean square error as a part of the pooled one; `weights` the largest difference of
a coefficient. Ten splits of each data set are in the table of `bench.quality`. Data sets are public ones in the folder that UNSEEN_DATA
names (none ships with this project); a case whose data are not there is left out. `cpu s` is the processor time of all parties.

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
