"""`unseen node token`: who may use this node's API and commands. Works on the home; no daemon is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unseen.cli import show
from unseen.cli.session import COMMON, Common, done, emit, say
from unseen.core.errors import UsageError

if TYPE_CHECKING:
    from unseen.api.tokens import Tokens


def add(name: str, *, role: Literal["owner", "operator", "auditor"], common: Common = COMMON) -> None:
    """Make a token. Its text is shown this once.

    Parameters
    ----------
    name
        Whose it is.
    role
        owner: everything; operator: everything but peers and backups; auditor: only what changes nothing.
    """
    made = _tokens(common).add(name, role)
    emit(common, made, lambda value: print(value.text))  # noqa: T201 - the answer
    if not common.json:
        say(
            f"Token '{name}' ({role}). Keep it: it is not shown again. Use it as UNSEEN_TOKEN or Bearer token."
        )


def list_(*, common: Common = COMMON) -> None:
    """Show names and roles of all tokens."""
    rows = _tokens(common).list()
    emit(
        common,
        rows,
        lambda value: show.table(
            ("token", "role", "made at"),
            ((token.name, token.role, token.created_at) for token in value),
            empty="No tokens.",
        ),
    )


def remove(name: str, *, common: Common = COMMON) -> None:
    """Make a token worthless, from the next request on.

    Parameters
    ----------
    name
        The token's name.
    """
    _tokens(common).remove(name)
    done(common, f"Removed token {name}.")


def _tokens(common: Common) -> Tokens:
    from unseen.api.tokens import Tokens  # noqa: PLC0415 - as late as the others

    if not (common.folder / "node.toml").is_file():
        raise UsageError(
            f"There is no node at {common.folder}.", mend="make one with `unseen node init NAME`"
        )
    return Tokens(common.folder)
