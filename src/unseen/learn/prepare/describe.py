"""What columns look like: exactly, for their holder; and figures that may be told to others, of no few rows.

Figures that are told, of a column with n values and a least number k of rows:

* none at all if n < k, or if fewer than k values differ from the most frequent one;
* how many are missing, only if none or k or more are;
* mean and standard deviation of the values pulled to the k-th smallest and k-th largest, so that no single one shows;
* a quantile as the mean of the k values around it, and only if k or more lie on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.data.table import Table
from unseen.learn.prepare.columns import NUMBERS, categories, empty, numbers, type_of

Floats = NDArray[np.float64]
FIGURES = ("count", "missing", "mean", "sd")
_MOST_FREQUENT = 10


def describe(table: Table, name: str, levels: Sequence[float]) -> dict[str, Any]:
    """All there is to say, for the holder of the column; plain data."""
    if type_of(table, name) not in NUMBERS or empty(table, name):
        codes, words = categories(table, name)
        counts = np.bincount(codes[codes >= 0], minlength=len(words))
        often = [int(i) for i in np.argsort(-counts, kind="stable")[:_MOST_FREQUENT]]
        return {
            "type": type_of(table, name),
            "count": int((codes >= 0).sum()),
            "missing": int((codes < 0).sum()),
            "categories": len(words),
            "most_frequent": {words[i]: int(counts[i]) for i in often},
        }
    values = numbers(table, name)
    finite = values[np.isfinite(values)]
    told: dict[str, Any] = {
        "type": type_of(table, name),
        "count": int((~np.isnan(values)).sum()),
        "missing": int(np.isnan(values).sum()),
        "infinite": int(np.isinf(values).sum()),
        "distinct": len(np.unique(finite)),
    }
    if len(finite):
        told |= {
            "mean": float(finite.mean()),
            "sd": float(finite.std()),
            "min": float(finite.min()),
            "max": float(finite.max()),
        }
        quantiles = np.quantile(finite, levels).tolist()
        told["quantiles"] = dict(zip(map(str, levels), quantiles, strict=True))
    return told


def told(values: Floats, levels: Sequence[float], at_least: int) -> Floats:
    """What others may be told of a column of numbers: count, missing, mean, sd, then quantiles; NaN where it may not.

    Parameters
    ----------
    values
        float64, shape (rows,), NaN where missing; infinities count as missing.
    """
    figures = np.full(len(FIGURES) + len(levels), np.nan)
    present = np.sort(values[np.isfinite(values)])
    missing = len(values) - len(present)
    if len(present) < at_least:
        return figures
    _, counts = np.unique(present, return_counts=True)
    if len(present) - counts.max() < at_least:
        return figures
    figures[0] = len(present)
    figures[1] = missing if missing == 0 or missing >= at_least else np.nan
    pulled = np.clip(present, present[at_least - 1], present[-at_least])
    figures[2:4] = pulled.mean(), pulled.std()
    for place, level in enumerate(levels):
        below = round(level * len(present))
        if min(below, len(present) - below) >= at_least:
            start = below - at_least // 2
            figures[len(FIGURES) + place] = present[start : start + at_least].mean()
    return figures


def named(figures: Floats, levels: Sequence[float]) -> dict[str, Any]:
    """Figures of :func:`told` by name; what was not told is None."""
    plain = [None if np.isnan(figure) else float(figure) for figure in figures]
    quantiles = dict(zip(map(str, levels), plain[len(FIGURES) :], strict=True))
    return {**dict(zip(FIGURES, plain, strict=False)), "quantiles": quantiles}
