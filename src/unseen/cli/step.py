"""`unseen step`: what is installed here."""

from __future__ import annotations

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit


def list_(*, common: Common = COMMON) -> None:
    """Show all installed steps."""
    with connect(common) as node:
        emit(common, node.step_list(), show.steps)


def show_(name: str, *, common: Common = COMMON) -> None:
    """Show one step: roles, inputs, outputs, parameters, trust model.

    Parameters
    ----------
    name
        The step's name.
    """
    with connect(common) as node:
        emit(common, node.step_show(name), show.step)
