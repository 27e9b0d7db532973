"""Reports for people: one HTML page that stands alone (no script, nothing loaded), prints well, and is safe to open.

Text is escaped; only the SVG figures, which the caller draws itself, go in as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unseen.govern.audit import AuditReport

Tone = Literal["plain", "good", "bad", "warn"]

_MARKS = {"proved": "good", "stated": "plain", "not covered": "warn", "broken": "bad"}
_VERDICTS: dict[str, tuple[str, Tone]] = {
    "holds": ("The evidence holds.", "good"),
    "incomplete": ("Nothing is broken, but evidence that is due is missing.", "warn"),
    "broken": ("The evidence is broken.", "bad"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """An SVG drawing and what it shows."""

    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Table:
    """Head and rows of text; `numbers` are the columns that are set right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure to be seen first."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page, in this order: text, facts, table, figures."""

    title: str
    text: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    table: Table | None = None
    figures: Sequence[Figure] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    banner: str = ""
    tone: Tone = "plain"
    footer: Sequence[str] = field(default=())
    language: str = "en"


def render(page: Page) -> str:
    """The page as HTML."""
    return _environment().get_template("page.html.j2").render(page=page, svg=Markup)


def audit_page(report: AuditReport) -> Page:
    """An audit as a page: every line with its mark."""
    banner, tone = _VERDICTS[report.verdict]
    names = list(dict.fromkeys(line.section for line in report.lines))
    sections = [
        Section(
            name,
            table=Table(
                ("", "what", "by"),
                [(line.mark, line.what, line.by) for line in report.lines if line.section == name],
            ),
        )
        for name in names
    ]
    counts = {mark: sum(1 for line in report.lines if line.mark == mark) for mark in _MARKS}
    facts = [Fact(mark, str(count)) for mark, count in counts.items()]
    what = (
        "Proved: follows from signatures, hashes, or two parties saying the same independently. "
        "Stated: one party says so. Not covered: the evidence says nothing about it."
    )
    return Page(
        f"Audit: {report.title}",
        report.contract,
        [Section("Marks", text=[what], facts=facts), *sections],
        banner,
        tone,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unseen.govern", "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.globals["marks"] = _MARKS
    return environment
