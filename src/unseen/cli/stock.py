"""`unseen stock`: randomness made ahead with peers (`make-stock`), and what is left of it."""

from __future__ import annotations

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit


def list_(*, common: Common = COMMON) -> None:
    """Show all stocks, by peer."""
    with connect(common) as node:
        emit(common, node.stock_list(), show.stocks)
