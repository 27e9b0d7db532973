"""Pictures of bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unseen.learn.evaluate.plots import FIRST, INK, RULE, SECOND, THIRD, Picture

_LONGEST = 22


def woe(name: str, bins: Sequence[Mapping[str, Any]]) -> Picture:
    """Weight of evidence of each bin as a bar, with its number of rows; blue above 0, orange below."""
    picture = Picture(width=max(3.6, 0.9 * len(bins) + 1.2), height=3.4)
    weights = np.array([item["woe"] for item in bins], np.float64)
    rows = [item["positives"] + item["negatives"] for item in bins]
    places = np.arange(len(bins))
    picture.axes.bar(
        places, weights, width=0.72, color=[FIRST if weight >= 0 else SECOND for weight in weights]
    )
    picture.axes.axhline(0, color=RULE, linewidth=1)
    reach = max(0.1, float(np.abs(weights).max(initial=0.0)))
    for place, weight, count in zip(places, weights, rows, strict=True):
        above = weight >= 0
        picture.axes.annotate(
            f"{weight:+.2f}\n{count:.0f} rows" if count else f"{weight:+.2f}",
            (place, weight),
            textcoords="offset points",
            xytext=(0, 3 if above else -3),
            ha="center",
            va="bottom" if above else "top",
            fontsize=7,
            color=INK if count else THIRD,
        )
    picture.axes.set_ylim(-1.45 * reach, 1.45 * reach)
    picture.axes.set_xticks(places, [_short(str(item["values"])) for item in bins], rotation=25, ha="right")
    picture.axes.tick_params(axis="x", length=0)
    picture.axes.set(ylabel="weight of evidence", title=name)
    return picture


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
