"""The node's values as text for people.

Texts from other parties are shown with everything that could steer a terminal or hide in it (escape sequences,
direction overrides, zero-width characters) spelled out: a contract must look like what it is before it is signed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unseen.cli import figures, parameters
from unseen.core.errors import from_dict
from unseen.node import models as m

_WIDE = 200
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_KILO = 1024
SHORT_ID = 21


def plain(text: str) -> str:
    """Printable characters and line ends as they are, everything else spelled as Python would."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def console(*, errors: bool = False) -> Console:
    """Standard output (or error); as wide as it takes when it is no terminal."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table, or `empty`."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(plain(column), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(plain(_cell(value))) for value in row))
    if grid.row_count:
        console().print(grid)
    else:
        console().print(empty)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, leaving out what is empty."""
    grid = Table(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", ()):
            grid.add_row(Text(name), Text(plain(_cell(value))))
    console().print(grid)


def paragraph(text: str) -> None:
    """Print text after an empty line."""
    if text:
        console().print(Text("\n" + plain(text)))


def size(count: int) -> str:
    """Bytes for people."""
    value, unit = float(count), 0
    while value >= _KILO and unit < len(_UNITS) - 1:
        value, unit = value / _KILO, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, tuple | list):
        return ", ".join(map(_cell, value)) or "-"
    return str(value)


# ---------------------------------------------------------------------- the node and its peers


def status(value: m.NodeStatus) -> None:
    """The node at a glance."""
    facts(
        (
            ("name", value.name),
            ("fingerprint", value.fingerprint),
            ("version", f"{value.version} ({value.backend} kernels)"),
            ("home", value.home),
            ("running since", value.started_at),
            ("listens on", value.listen or "nothing: it only dials out"),
            ("public", value.public),
            ("log", f"{value.log_size} entries, root {value.log_root}"),
            ("disk free", size(value.disk_free_bytes)),
            ("running jobs", value.jobs_running),
            ("REFUSES WORK", value.refuses_work),
        )
    )
    console().print()
    peers(value.peers)


def peers(value: tuple[m.PeerView, ...]) -> None:
    """All peers."""
    table(
        ("peer", "fingerprint", "addresses", "connected", "last seen", "mail waiting"),
        ((p.name, p.fingerprint, p.addresses, p.connected, p.last_seen, p.mail_waiting) for p in value),
        empty="No peers yet: `unseen peer invite` and `unseen peer accept`.",
    )
    for peer in value:
        if peer.problem is not None:
            console().print(plain(f"{peer.name} is not connected. {from_dict(peer.problem.model_dump())}"))


def stocks(value: tuple[m.StockView, ...]) -> None:
    """All stocks."""
    table(
        ("peer", "stock", "each run", "runs", "left", "passed over", "bytes left"),
        (
            (
                s.peer,
                s.number[:8],
                "DAMAGED" if s.damaged else "OLD COPY, not used" if s.restored else ", ".join(s.contents),
                s.runs,
                s.runs_left,
                s.runs_unused,
                s.bytes_left,
            )
            for s in value
        ),
        empty="No stocks: the step `make-stock` makes one between two holders.",
    )


def who(value: m.IdentityView | m.InvitationView | m.PeerView) -> None:
    """A party's name and key."""
    facts(
        (
            ("name", value.name),
            ("fingerprint", value.fingerprint),
            ("identity", value.identity),
            ("addresses", value.addresses or "none: it only dials out"),
        )
    )


# ---------------------------------------------------------------------- assets and contracts


def assets(value: tuple[m.AssetView, ...]) -> None:
    """The catalogue."""
    table(
        ("asset", "holder", "rows", "columns", "steps", "purposes", "file"),
        (
            (
                a.terms.name,
                a.terms.holder,
                a.terms.rows,
                len(a.columns),
                a.terms.steps,
                a.terms.purposes,
                a.path if not a.changed else f"{a.path} (CHANGED)",
            )
            for a in value
        ),
        empty="No assets yet: `unseen asset add`.",
    )


def asset(value: m.AssetView) -> None:
    """One asset with its columns."""
    terms = value.terms
    facts(
        (
            ("asset", terms.name),
            ("holder", terms.holder),
            ("rows", terms.rows),
            ("steps", terms.steps),
            ("purposes", terms.purposes),
            ("legal basis", terms.legal_basis),
            ("commitment", terms.commitment),
            ("budget", _budget(value)),
            ("file", value.path),
            ("added", value.added_at),
            ("CHANGED", "the file no longer is the one that was added" if value.changed else ""),
        )
    )
    console().print()
    table(
        ("column", "type", "role", "sensitivity"),
        ((c.name, c.type, c.role, c.sensitivity) for c in value.columns),
        empty="No columns.",
    )


def _budget(value: m.AssetView) -> str:
    budget, told = value.terms.budget, f"{value.answers_told} answers"
    if budget is None:
        return f"none; {told} told" if value.answers_told else ""
    answers = told if budget.answers is None else f"{value.answers_told} of {budget.answers} answers"
    if budget.epsilon is None:
        return f"{budget.name}: {answers} told"
    return f"{budget.name}: {answers} told, epsilon {value.epsilon_spent:g} of {budget.epsilon:g} spent"


def contracts(value: tuple[m.ContractView, ...]) -> None:
    """All contracts."""
    table(
        ("contract", "title", "state", "signed by", "waiting for", "runs", "valid until"),
        (
            (
                c.id[:SHORT_ID],
                c.title,
                c.state,
                tuple(s.party for s in c.signatures if s.state == "signed"),
                tuple(s.party for s in c.signatures if s.state == "pending"),
                f"{c.runs_used} of {c.runs}",
                c.valid_until,
            )
            for c in value
        ),
        empty="No contracts yet: `unseen contract propose`.",
    )


def contract(value: m.ContractView) -> None:
    """One contract in plain words."""
    facts(
        (
            ("contract", value.id),
            ("title", value.title),
            ("state", value.state),
            ("runs", f"{value.runs_used} of {value.runs} used"),
            ("valid from", value.valid_from),
            ("valid until", value.valid_until),
        )
    )
    console().print()
    table(
        ("party", "signature", "at", "reason"),
        ((s.party, s.state, s.at, s.reason) for s in value.signatures),
        empty="No parties.",
    )
    paragraph(value.summary)
    for line in value.too_large:
        paragraph(f"This node would refuse a run: {line}")


# ---------------------------------------------------------------------- jobs


def jobs(value: tuple[m.JobView, ...]) -> None:
    """All jobs."""
    table(
        ("job", "title", "state", "started", "ended", "by"),
        ((j.id[:SHORT_ID], j.title, j.state, j.started_at, j.ended_at, j.started_by) for j in value),
        empty="No jobs yet: `unseen job start`.",
    )


def job(value: m.JobView) -> None:
    """One job with all its tasks."""
    facts(
        (
            ("job", value.id),
            ("title", value.title),
            ("state", value.state),
            ("contract", value.contract),
            ("started", value.started_at),
            ("by", value.started_by),
            ("ended", value.ended_at),
            ("waiting for", value.waiting_for),
        )
    )
    console().print()
    table(
        ("task", "party", "state", "done", "attempt", "note"),
        ((t.task, t.party, t.state, _done(t), t.attempt, t.note) for t in value.tasks),
        empty="No tasks.",
    )
    if value.problem:
        problem(value.problem)


def _done(progress: m.TaskProgress) -> str:
    return f"{progress.done}/{progress.total}" if progress.total else ""


def problem(value: m.Problem) -> None:
    """What went wrong."""
    console().print()
    facts(
        (
            ("problem", value.what),
            ("why", value.why),
            ("to mend", value.mend),
            ("party", value.party),
            ("step", value.step),
        )
    )


def artefacts(value: tuple[m.ArtefactView, ...]) -> None:
    """Artefacts, and the plain figures in them."""
    table(
        ("artefact", "kind", "arrays", "size"),
        (
            (
                a.reference,
                a.kind,
                tuple(f"{name} {'x'.join(map(str, shape))}" for name, shape in a.arrays.items()),
                size(a.size_bytes),
            )
            for a in value
        ),
        empty="This party received nothing.",
    )
    for artefact in value:
        lines, tables = figures.facts(artefact.meta), figures.sections(artefact.meta)
        if lines or tables:
            console().print(Text(f"\n{plain(artefact.reference)}", style="bold"))
            facts(lines)
        _sections(tables)


def _sections(value: Sequence[figures.Section]) -> None:
    for section in value:
        console().print(f"\n{plain(section.title)}")
        table(section.columns, section.rows, empty="Nothing.")


def exported(value: m.Exported) -> None:
    """Files that were written."""
    facts((("folder", value.folder), ("files", value.files), ("size", size(value.size_bytes))))


# ---------------------------------------------------------------------- models


def joint_models(value: tuple[m.ModelView, ...]) -> None:
    """Models by version."""
    table(
        ("version", "kind", "what", "purpose", "contract", "made by", "at", "holders"),
        (
            (
                v.version[:18] or "(waiting)",
                v.kind,
                "whole" if v.whole else "part",
                v.purpose,
                v.contract[:18],
                v.reference,
                v.made_at,
                v.holders,
            )
            for v in value
        ),
        empty="No models.",
    )


def joint_model(value: m.ModelView) -> None:
    """One model, and its receipts."""
    facts(
        (
            ("version", value.version),
            ("kind", value.kind),
            ("what is public of it", ", ".join(f"{name} {said}" for name, said in value.public.items())),
            ("this party has", "the whole model" if value.whole else "its part"),
            ("purpose", value.purpose),
            ("contract", value.contract),
            ("job", value.job),
            ("output", value.reference),
            ("made at", value.made_at),
            ("holders", value.holders),
            ("columns", value.columns),
            ("waiting for", value.waiting_for),
        )
    )
    _sections(figures.sections({"columns": list(value.columns), "told to this party": value.known}))
    console().print()
    table(
        ("log of", "entry", "under a head of", "witnessed by", "leaf"),
        ((r.party, r.index, r.head_size, r.witnessed_by, r.leaf) for r in value.receipts),
        empty="No receipts.",
    )


# ---------------------------------------------------------------------- ledger and steps


def heads(value: tuple[m.LedgerHead, ...]) -> None:
    """Heads of all logs."""
    table(
        ("party", "entries", "root", "witnessed by", "pending"),
        ((h.party, h.size, h.root, h.witnessed_by, h.pending) for h in value),
        empty="No logs known.",
    )


def entries(value: tuple[m.LedgerEntry, ...]) -> None:
    """Entries of our log."""
    table(
        ("index", "kind", "at", "state", "witnessed by", "leaf"),
        ((e.index, e.kind, e.at, e.state, e.witnessed_by, e.leaf) for e in value),
        empty="No entries.",
    )


def steps(value: tuple[m.StepView, ...]) -> None:
    """Installed steps."""
    table(
        ("step", "version", "levels", "what"),
        ((s.name, s.version, s.levels, s.summary) for s in value),
        empty="No steps are installed.",
    )


def step(value: m.StepView) -> None:
    """One step with its parameters."""
    facts(
        (
            ("step", f"{value.name} (version {value.version})"),
            ("what", value.summary),
            ("levels", value.levels),
            ("trust", value.trust),
            ("fingerprint", value.fingerprint),
            *((f"role {name}", text) for name, text in value.roles.items()),
            *((f"input {name}", text) for name, text in value.inputs.items()),
            *((f"output {name}", text) for name, text in value.outputs.items()),
        )
    )
    console().print()
    table(("parameter", "takes", "default"), parameters.kinds(value.params), empty="No parameters.")
    about, named = parameters.meanings(value.params)
    console().print()
    console().print(about)
    for names, words in named:
        console().print(f"\n{names}\n    {words}")
