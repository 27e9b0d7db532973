"""Pictures of a demonstration's report beside those of :mod:`unseen.learn.evaluate.plots`: what only it can draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.learn.evaluate.plots import FIRST, INK, RULE, SECOND, THIRD, Picture

Floats = NDArray[np.float64]
_DOTS = 1500
"""About as many rows are drawn one by one at most."""


def agreement(joint: Floats, pooled: Floats) -> Picture:
    """Scores of the joint model against those of the pooled one, row by row."""
    picture = Picture()
    axes = picture.axes
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
    some = slice(None, None, 1 + len(joint) // _DOTS)
    axes.scatter(pooled[some], joint[some], s=14, color=FIRST, alpha=0.6, linewidths=0)
    largest = float(np.abs(joint - pooled).max())
    axes.set(
        xlabel="score of the pooled model",
        ylabel="score of the joint model",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    axes.text(0.03, 0.93, f"largest difference {largest:.1e}", transform=axes.transAxes, color=INK)
    return picture


def coefficients(names: Sequence[str], owners: Sequence[str], joint: Floats, pooled: Floats) -> Picture:
    """Coefficients by column, largest first: bars for the joint model, ticks for the pooled one."""
    order = np.argsort(-np.abs(joint))[:20][::-1]
    picture = Picture(5.2, 0.9 + 0.2 * len(order))
    axes = picture.axes
    rows = np.arange(len(order))
    colours = dict(zip(dict.fromkeys(owners), (FIRST, SECOND, THIRD), strict=False))
    axes.barh(rows, joint[order], color=[colours[owners[index]] for index in order], height=0.62)
    axes.scatter(pooled[order], rows, marker="|", s=70, color=INK, zorder=3, label="pooled")
    axes.set_yticks(rows, [names[index] for index in order])
    axes.axvline(0, color=RULE, linewidth=1)
    for owner, colour in colours.items():
        axes.barh([0], [0], color=colour, label=owner)
    picture.figure.legend(frameon=False, loc="outside upper right", ncols=3)
    axes.set(xlabel="coefficient of the standardised column")
    return picture


def steps(names: Sequence[str], estimated: Sequence[float], measured: Sequence[float]) -> Picture:
    """Seconds per step: measured as bars, estimated before the run as ticks."""
    picture = Picture(5.2, 0.8 + 0.3 * len(names))
    axes = picture.axes
    rows = np.arange(len(names))[::-1]
    axes.barh(rows, measured, color=FIRST, height=0.55, label="measured")
    axes.scatter(estimated, rows, marker="|", s=110, color=INK, zorder=3, label="estimated before the run")
    axes.set_yticks(rows, list(names))
    axes.set(xlabel="seconds")
    axes.legend(frameon=False, loc="lower right")
    return picture
