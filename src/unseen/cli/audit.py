"""`unseen audit`: check an evidence bundle, offline, with nothing but the parties' public keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unseen.cli.session import COMMON, Common, emit, say
from unseen.core.errors import UsageError

if TYPE_CHECKING:
    from unseen.govern.audit import AuditReport

EXIT_CODES = {"holds": 0, "broken": 5, "incomplete": 7}


def audit(bundle: Path, *, html: Path | None = None, common: Common = COMMON) -> int:
    """Check an evidence bundle offline. Needs no node and no network.

    Every finding is marked: proved, stated by somebody, or not covered. Exit codes: 0 what is there holds; 5 something
    is broken (a forged or missing entry, a disclosure that the contract does not have); 7 nothing is broken, but
    evidence that is due is missing.

    Parameters
    ----------
    bundle
        What `unseen export evidence` wrote.
    html
        Also write the audit as a page to this file.
    """
    from unseen.jobs.evidence import audit_bundle  # noqa: PLC0415 - after the arguments are known to be right

    try:
        content = bundle.expanduser().read_bytes()
    except OSError as error:
        raise UsageError(f"{bundle} cannot be read.", why=str(error.strerror)) from error
    report = audit_bundle(content)
    if html is not None:
        _write(report, html, common)
    emit(common, report.to_json() if common.json else report, _show)
    return EXIT_CODES[report.verdict]


def _show(report: AuditReport) -> None:
    from unseen.cli.show import console, plain  # noqa: PLC0415

    console().print(plain(report.to_text()), end="", soft_wrap=True)


def _write(report: AuditReport, path: Path, common: Common) -> None:
    from unseen.govern.report import audit_page, render  # noqa: PLC0415 - loads the templates

    try:
        path.expanduser().write_text(render(audit_page(report)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written.", why=str(error.strerror)) from error
    if not common.json:
        say(f"Wrote {path}.")
