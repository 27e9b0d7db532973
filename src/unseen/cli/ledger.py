"""`unseen ledger`: who recorded what."""

from __future__ import annotations

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit


def heads(*, common: Common = COMMON) -> None:
    """Show the head of this party's log, and those of the others as far as known here."""
    with connect(common) as node:
        emit(common, node.ledger_heads(), show.heads)


def entries(*, after: int = 0, limit: int = 100, common: Common = COMMON) -> None:
    """Show entries of this party's own log.

    Parameters
    ----------
    after
        Index of the first entry to show.
    limit
        How many at most.
    """
    with connect(common) as node:
        emit(common, node.ledger_entries(after=after, limit=limit), show.entries)
