"""`unseen step`: what is installed here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from unseen.cli import show
from unseen.cli.session import ADDRESS_VARIABLE, COMMON, Common, connect, emit
from unseen.node.models import StepView


class Steps(Protocol):
    """Who can tell what steps there are: a node, or this installation."""

    def step_list(self) -> tuple[StepView, ...]:
        """All of them."""

    def step_show(self, name: str) -> StepView:
        """One."""


class _Here:
    """The steps of this installation, for who has no node (yet), or one that does not run."""

    def step_list(self) -> tuple[StepView, ...]:
        from unseen.node.installed import InstalledSteps  # noqa: PLC0415 - loads every step

        return InstalledSteps().list()

    def step_show(self, name: str) -> StepView:
        from unseen.node.installed import InstalledSteps  # noqa: PLC0415 - as above

        return InstalledSteps().show(name)


@contextmanager
def _steps(common: Common) -> Iterator[Steps]:
    from unseen.core.errors import UnavailableError, UsageError  # noqa: PLC0415 - `--help` must not wait

    with ExitStack() as stack:
        found: Steps = _Here()
        try:
            found = stack.enter_context(connect(common))
        except (UsageError, UnavailableError):
            if os.environ.get(ADDRESS_VARIABLE):
                raise
        yield found


def list_(*, common: Common = COMMON) -> None:
    """Show all installed steps. No node is needed."""
    with _steps(common) as node:
        emit(common, node.step_list(), show.steps)


def show_(name: str, *, common: Common = COMMON) -> None:
    """Show one step: roles, inputs, outputs, parameters, trust model. No node is needed.

    Parameters
    ----------
    name
        The step's name.
    """
    with _steps(common) as node:
        emit(common, node.step_show(name), show.step)
