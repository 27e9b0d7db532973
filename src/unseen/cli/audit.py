"""`unseen audit`: check an evidence bundle, offline, with nothing but the parties' public keys."""

from __future__ import annotations

from pathlib import Path

from unseen.cli.session import COMMON, Common
from unseen.core.errors import UsageError

BROKEN = 5
INCOMPLETE = 7


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
    return 0
