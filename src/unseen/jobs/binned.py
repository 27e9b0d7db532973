"""Bins of columns with their weights of evidence, as a page for people: what the step `bin` tells a holder of its own columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.govern.report import Fact, Figure, Page, Section, Table
from unseen.learn.evaluate.plots import Picture
from unseen.learn.prepare.plots import woe

_STRENGTH = ((0.02, "says next to nothing"), (0.1, "weak"), (0.3, "medium"), (0.5, "strong"))


def page(meta: Mapping[str, Any], title: str) -> tuple[Page, dict[str, Picture]]:
    """A page with one section a column, the strongest first, and its pictures by file name."""
    values = dict(zip(meta["columns"], meta["iv"], strict=True))
    ordered = sorted(meta["bins"], key=lambda name: -values[name])
    drawn = {f"bins-{place + 1}": woe(name, meta["bins"][name]) for place, name in enumerate(ordered)}
    sections = [
        _section(name, values[name], meta["bins"][name], picture)
        for name, picture in zip(ordered, drawn.values(), strict=True)
    ]
    about = "Weight of evidence above 0: more positives than average in this bin."
    return Page(title, about, sections), drawn


def strength(iv: float) -> str:
    """The usual reading of an information value (Siddiqi, 2006, chapter 6)."""
    return next(
        (words for bound, words in _STRENGTH if iv < bound), "very strong: is it known before the label is?"
    )


def _section(name: str, iv: float, bins: list[Mapping[str, Any]], picture: Picture) -> Section:
    rows = []
    for item in bins:
        total = item["positives"] + item["negatives"]
        rate = f"{item['positives'] / total:.1%}" if total else ""
        rows.append(
            (str(item["values"]), f"{total:.0f}", f"{item['positives']:.0f}", rate, f"{item['woe']:+.3f}")
        )
    table = Table(("bin", "rows", "positives", "rate", "weight of evidence"), rows, numbers=(1, 2, 3, 4))
    return Section(
        name,
        facts=(Fact("information value", f"{iv:.3f}", strength(iv)),),
        table=table,
        figures=(Figure(f"Weight of evidence of {name}.", picture.svg()),),
    )
