"""Plots of a demonstration's report, each as one SVG string.

Colours are the report's own: blue for the joint model, grey for what it is held against. Text stays text, so
that a report can be searched and read aloud.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

JOINT, ALONE, POOLED, INK, RULE = "#2563a8", "#c2703d", "#7a8691", "#2b3440", "#d9dee3"

Floats = NDArray[np.float64]


def _figure(width: float = 5.2, height: float = 3.6) -> tuple[Any, Any]:
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    mpl.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "unseen",
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.edgecolor": RULE,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    return plt.subplots(figsize=(width, height), layout="constrained")


def _svg(figure: Any) -> str:
    from matplotlib import pyplot as plt  # noqa: PLC0415

    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]


def roc(curves: Mapping[str, tuple[Floats, Floats, float]]) -> str:
    """ROC curves: name -> (false-positive rate, true-positive rate, AUC); the first is the joint model."""
    figure, axes = _figure()
    styles = [(JOINT, "-", 2.2), (ALONE, "-", 1.4), (POOLED, "--", 1.6)]
    for (name, (fpr, tpr, auc)), (colour, line, width) in zip(curves.items(), styles, strict=False):
        axes.plot(fpr, tpr, line, color=colour, linewidth=width, label=f"{name} (AUC {auc:.4f})")
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
    axes.set(xlabel="false-positive rate", ylabel="true-positive rate", xlim=(-0.01, 1), ylim=(0, 1.01))
    axes.legend(frameon=False, loc="lower right")
    return _svg(figure)


def agreement(joint: Floats, pooled: Floats) -> str:
    """Scores of the joint model against those of the pooled one, row by row."""
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
    axes.scatter(pooled, joint, s=14, color=JOINT, alpha=0.6, linewidths=0)
    largest = float(np.abs(joint - pooled).max())
    axes.set(
        xlabel="score of the pooled model",
        ylabel="score of the joint model",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    axes.text(0.03, 0.93, f"largest difference {largest:.1e}", transform=axes.transAxes, color=INK)
    return _svg(figure)


def separation(scores: Floats, labels: NDArray[Any]) -> str:
    """Cumulative share of both classes by score, with the Kolmogorov-Smirnov distance."""
    figure, axes = _figure()
    grid = np.sort(scores)
    below = {value: np.searchsorted(np.sort(scores[labels == value]), grid, side="right") for value in (0, 1)}
    share = {value: counts / max(int((labels == value).sum()), 1) for value, counts in below.items()}
    at = int(np.argmax(np.abs(share[0] - share[1])))
    axes.plot(grid, share[0], color=POOLED, linewidth=1.8, label="negatives")
    axes.plot(grid, share[1], color=JOINT, linewidth=1.8, label="positives")
    axes.vlines(grid[at], share[1][at], share[0][at], color=ALONE, linewidth=1.5)
    distance = abs(float(share[0][at] - share[1][at]))
    axes.text(grid[at], (share[0][at] + share[1][at]) / 2, f"  KS {distance:.3f}", color=ALONE, va="center")
    axes.set(xlabel="score", ylabel="share of the class at or below", xlim=(-0.01, 1.01), ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return _svg(figure)


def coefficients(names: Sequence[str], owners: Sequence[str], joint: Floats, pooled: Floats) -> str:
    """Coefficients by column, largest first: bars for the joint model, ticks for the pooled one."""
    order = np.argsort(-np.abs(joint))[:20][::-1]
    figure, axes = _figure(5.2, 0.9 + 0.2 * len(order))
    rows = np.arange(len(order))
    colours = dict(zip(dict.fromkeys(owners), (JOINT, ALONE, POOLED), strict=False))
    axes.barh(rows, joint[order], color=[colours[owners[index]] for index in order], height=0.62)
    axes.scatter(pooled[order], rows, marker="|", s=70, color=INK, zorder=3, label="pooled")
    axes.set_yticks(rows, [names[index] for index in order])
    axes.axvline(0, color=RULE, linewidth=1)
    for owner, colour in colours.items():
        axes.barh([0], [0], color=colour, label=owner)
    figure.legend(frameon=False, loc="outside upper right", ncols=3)
    axes.set(xlabel="coefficient of the standardised column")
    return _svg(figure)


def steps(names: Sequence[str], estimated: Sequence[float], measured: Sequence[float]) -> str:
    """Seconds per step: measured as bars, estimated before the run as ticks."""
    figure, axes = _figure(5.2, 0.8 + 0.3 * len(names))
    rows = np.arange(len(names))[::-1]
    axes.barh(rows, measured, color=JOINT, height=0.55, label="measured")
    axes.scatter(estimated, rows, marker="|", s=110, color=INK, zorder=3, label="estimated before the run")
    axes.set_yticks(rows, list(names))
    axes.set(xlabel="seconds")
    axes.legend(frameon=False, loc="lower right")
    return _svg(figure)
