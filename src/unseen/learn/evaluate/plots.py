"""Pictures of how good a model is: each a :class:`Picture`, to be had as SVG (text stays text) and as PNG.

The first model of a plot is the one that is talked about: blue. What it is held against is orange, then grey and dashed.
matplotlib is an extra (`unseen[demo]`) and is loaded when the first picture is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.evaluate.binary import Confusion
from unseen.learn.evaluate.ranking import Distribution, Ranking

FIRST, SECOND, THIRD, INK, RULE = "#2563a8", "#c2703d", "#7a8691", "#2b3440", "#d9dee3"
STYLES = ((FIRST, "-", 2.2), (SECOND, "-", 1.5), (THIRD, "--", 1.5))

Floats = NDArray[np.float64]
Models = Mapping[str, Ranking]
Figures = Mapping[str, float]
_ENOUGH = 0.01  # of the rows: of fewer no rate is drawn
_READABLE = 20  # classes whose cells have room for numbers
_UNKNOWN: Figures = MappingProxyType({})
_ALL = 1.5  # cells that are shares add up to 1, give or take what rounding each of them does

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unseen",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Picture:
    """An empty drawing with axes, to be drawn on, and then written.

    Raises
    ------
    UsageError
        matplotlib is not installed.
    """

    def __init__(self, width: float = 5.2, height: float = 3.6) -> None:
        try:
            import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
            from matplotlib.figure import Figure  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                "Pictures need matplotlib.", why=str(error), mend="pip install 'unseen[demo]'"
            ) from error
        self._style: Any = mpl.rc_context
        with self._style(_STYLE):
            self.figure: Any = Figure(figsize=(width, height), layout="constrained")
            self.axes: Any = self.figure.subplots()

    def svg(self) -> str:
        """As SVG, without the XML head: to be put into a page."""
        out = io.StringIO()
        with self._style(_STYLE):
            self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        text = out.getvalue()
        return text[text.index("<svg") :]

    def png(self, dpi: int = 144) -> bytes:
        """As PNG on white."""
        out = io.BytesIO()
        with self._style(_STYLE):
            self.figure.savefig(out, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
        return out.getvalue()


def _figure(word: str, of_curve: float, of_rows: float | None) -> str:
    return f"{word} {of_curve:.4f}" if of_rows is None else f"{word} {of_rows:.4f}; line by groups"


def roc(models: Models, auc: Figures = _UNKNOWN) -> Picture:
    """ROC curves with their areas; AUC is in the legend: that of the curve, or of all rows by name, where curves are of groups."""
    picture = Picture()
    picture.axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
    for (name, model), (colour, line, width) in zip(models.items(), STYLES, strict=False):
        label = f"{name} ({_figure('AUC', model.auc, auc.get(name))})"
        picture.axes.plot(*model.roc(), line, color=colour, linewidth=width, label=label)
    picture.axes.set(
        xlabel="false-positive rate", ylabel="true-positive rate", xlim=(-0.01, 1), ylim=(0, 1.01)
    )
    picture.axes.legend(frameon=False, loc="lower right")
    return picture


def ks(model: Ranking, exact: float | None = None) -> Picture:
    """Share of either class among the rows with the highest scores, and the largest distance of the two (`exact`: of all rows)."""
    picture = Picture()
    taken, found = model.gain()
    alarms, _ = model.roc()
    at = int(np.argmax(found - alarms))
    picture.axes.plot(taken, found, color=FIRST, linewidth=2.2, label="positives")
    picture.axes.plot(taken, alarms, color=THIRD, linewidth=1.6, label="negatives")
    picture.axes.vlines(taken[at], alarms[at], found[at], color=SECOND, linewidth=1.5)
    middle = (alarms[at] + found[at]) / 2
    words = f"  KS {found[at] - alarms[at] if exact is None else exact:.3f}"
    picture.axes.text(taken[at], middle, words, color=SECOND, va="center")
    picture.axes.set(
        xlabel="share of rows, highest scores first",
        ylabel="share of the class",
        xlim=(-0.01, 1.01),
        ylim=(0, 1.02),
    )
    picture.axes.legend(frameon=False, loc="lower right")
    return picture


def gain(models: Models) -> Picture:
    """How many of the positives are among the rows with the highest scores."""
    picture = Picture()
    picture.axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
    for (name, model), (colour, line, width) in zip(models.items(), STYLES, strict=False):
        picture.axes.plot(*model.gain(), line, color=colour, linewidth=width, label=name)
    picture.axes.set(
        xlabel="share of rows, highest scores first",
        ylabel="share of positives found",
        xlim=(-0.01, 1.01),
        ylim=(0, 1.02),
    )
    picture.axes.legend(frameon=False, loc="lower right")
    return picture


def lift(models: Models) -> Picture:
    """The rate of positives of each group by rank, over that of all rows: bars for the first model, ticks for others."""
    picture = Picture()
    for place, ((name, model), (colour, _, _)) in enumerate(zip(models.items(), STYLES, strict=False)):
        ends = np.r_[0.0, np.cumsum(model.rows)] / model.rows.sum()
        middle, width = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
        if place == 0:
            picture.axes.bar(middle, model.lift(), width=0.82 * width, color=colour, label=name)
        else:
            picture.axes.scatter(middle, model.lift(), marker="_", s=150, color=colour, zorder=3, label=name)
    picture.axes.axhline(1, color=INK, linewidth=0.8)
    picture.axes.set(xlabel="share of rows, highest scores first", ylabel="lift", xlim=(0, 1))
    picture.axes.legend(frameon=False, loc="upper right")
    return picture


def calibration(models: Models) -> Picture:
    """Rate of positives of each group against its mean score: on the line is as it should be."""
    picture = Picture()
    largest = 0.0
    for (name, model), (colour, line, width) in zip(models.items(), STYLES, strict=False):
        mean, rate = model.calibration()
        largest = max(largest, float(mean.max()), float(rate.max()))
        label = f"{name} (mean distance {model.calibration_error:.3f})"
        picture.axes.plot(
            mean, rate, line, color=colour, linewidth=width, marker="o", markersize=4, label=label
        )
    end = min(1.0, 1.05 * largest)
    picture.axes.plot([0, end], [0, end], color=RULE, linewidth=1, zorder=0)
    picture.axes.set(
        xlabel="mean score of the group", ylabel="rate of positives", xlim=(0, end), ylim=(0, end)
    )
    picture.axes.legend(frameon=False, loc="upper left")
    return picture


def precision_recall(models: Models, average: Figures = _UNKNOWN) -> Picture:
    """Precision against recall; average precision is in the legend (as AUC in :func:`roc`), the line is what a coin reaches."""
    picture = Picture()
    for (name, model), (colour, line, width) in zip(models.items(), STYLES, strict=False):
        recall, precision = model.precision_recall()
        recall, precision = np.r_[0.0, recall], np.r_[precision[:1], precision]
        label = f"{name} ({_figure('average precision', model.average_precision, average.get(name))})"
        picture.axes.step(recall, precision, line, where="pre", color=colour, linewidth=width, label=label)
    picture.axes.axhline(next(iter(models.values())).base_rate, color=RULE, linewidth=1, zorder=0)
    picture.axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(0, 1.02))
    picture.axes.legend(frameon=False, loc="upper right")
    return picture


def confusion(found: Confusion) -> Picture:
    """The four cells, rows or (of rows whose number is not told) shares of all, with their share of the class."""
    picture = Picture(4.0, 3.0)
    cells = np.array(
        [[found.true_positives, found.false_negatives], [found.false_positives, found.true_negatives]]
    )
    shares = cells / cells.sum(axis=1, keepdims=True)
    picture.axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    counted = cells.sum() > _ALL
    for (row, column), share in np.ndenumerate(shares):
        what = f"{cells[row, column]:,.0f}" if counted else f"{cells[row, column]:.1%} of all"
        words = f"{what}\n{share:.1%}"
        picture.axes.text(column, row, words, ha="center", va="center", color="white" if share > 0.8 else INK)  # noqa: PLR2004
    edge = f"{found.threshold:g}"
    picture.axes.set_xticks([0, 1], [f"score ≥ {edge}", f"score < {edge}"])
    picture.axes.set_yticks([0, 1], ["positive", "negative"])
    picture.axes.tick_params(length=0)
    return picture


def classes(matrix: Floats) -> Picture:
    """Of several classes: rows of each class, by the class that the model takes them for (classes, classes), with shares of the class."""
    size = len(matrix)
    picture = Picture(max(4.0, 0.62 * size + 1.5), max(3.0, 0.5 * size + 1.0))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture.axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    if size <= _READABLE:
        for (row, column), share in np.ndenumerate(shares):
            words = f"{matrix[row, column]:,.0f}\n{share:.0%}"
            picture.axes.text(
                column,
                row,
                words,
                ha="center",
                va="center",
                color="white" if share > 0.8 else INK,  # noqa: PLR2004
            )
    picture.axes.set_xticks(range(size))
    picture.axes.set_yticks(range(size))
    picture.axes.set(xlabel="class by the model", ylabel="class by the label")
    picture.axes.tick_params(length=0)
    return picture


def predicted(labels: Floats, scores: Floats) -> Picture:
    """Numbers: what the model says of each row against its label; on the line is as it should be."""
    picture = Picture()
    ends = [float(min(labels.min(), scores.min())), float(max(labels.max(), scores.max()))]
    picture.axes.plot(ends, ends, color=RULE, linewidth=1, zorder=0)
    picture.axes.scatter(labels, scores, s=9, color=FIRST, alpha=0.4, linewidths=0, rasterized=True)
    picture.axes.set(xlabel="label", ylabel="prediction")
    return picture


def distribution(found: Distribution) -> Picture:
    """How the scores of either class are spread: share of the class per unit of score."""
    picture = Picture()
    ends = np.r_[0.0, found.edges, 1.0]
    for name, counts, colour in (
        ("negatives", found.rows - found.positives, THIRD),
        ("positives", found.positives, FIRST),
    ):
        density = counts / counts.sum() / np.diff(ends)
        picture.axes.stairs(density, ends, fill=True, alpha=0.35, color=colour)
        picture.axes.stairs(density, ends, color=colour, linewidth=1.6, label=name)
    picture.axes.set(xlabel="score", ylabel="density within the class", xlim=(0, 1))
    picture.axes.set_ylim(bottom=0)
    picture.axes.legend(frameon=False, loc="upper right")
    return picture


def approval(
    models: Models,
    *,
    share: str = "share of applicants approved",
    bad: str = "rate of bad ones among the approved",
) -> Picture:
    """What a threshold costs: lowest scores approved first, how many are approved against how many of them are bad.

    The first hundredth of the rows is not drawn: of a handful the rate says nothing, and jumps up and down.
    """
    picture = Picture()
    for (name, model), (colour, line, width) in zip(models.items(), STYLES, strict=False):
        approved, rate = model.approval()
        enough = approved >= _ENOUGH
        picture.axes.plot(approved[enough], rate[enough], line, color=colour, linewidth=width, label=name)
    base = next(iter(models.values())).base_rate
    picture.axes.axhline(base, color=RULE, linewidth=1, zorder=0)
    picture.axes.text(0.0, base, " everybody approved", va="bottom", color=THIRD)
    picture.axes.set(xlabel=share, ylabel=bad, xlim=(0, 1.0))
    picture.axes.set_ylim(0, 1.25 * base)
    picture.axes.legend(frameon=False, loc="lower right")
    return picture
