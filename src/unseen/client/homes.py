"""Makes the home of a new node: folder, configuration, identity, and the first owner's token. Needs no daemon."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unseen.api.tokens import Tokens
from unseen.core.durable import write_whole
from unseen.core.errors import UsageError
from unseen.node.config import FILE_NAME, parse, to_toml
from unseen.node.home import Home
from unseen.node.models import IdentityView


def make(folder: Path, settings: Mapping[str, Any]) -> IdentityView:
    """Make a node's home.

    Parameters
    ----------
    folder
        Where; it must be empty or not exist yet.
    settings
        Content of `node.toml`.

    Raises
    ------
    UsageError
        Wrong settings (all of them are listed), or something lies there already.
    UnavailableError
        The disk is full or not writable.
    """
    from unseen.node import compose  # noqa: PLC0415 - loads every floor below

    config = parse(dict(settings), base=folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is not empty.",
            why="a node's home holds keys and records that nothing may overwrite",
            mend="choose another folder, or remove this one if you are sure",
        )
    Home(folder).make()
    write_whole(folder / FILE_NAME, to_toml(config).encode())
    identity: IdentityView = compose.initialise(config)
    Tokens(folder).write_owner()
    return identity
