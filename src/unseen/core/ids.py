"""Identifiers: names people choose, and random ids nobody can guess."""

from __future__ import annotations

import re
import secrets

from unseen.core.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def check_name(name: str, *, kind: str = "") -> str:
    """Return `name` if it is 1-40 of a-z, 0-9 and '-', starting with a letter; else UsageError, which says of what `kind` it was to be."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' is not a valid {kind + ' ' if kind else ''}name.",
            why="names appear in file names, host names and signatures of every party",
            mend="use 1 to 40 of a-z, 0-9 and '-', beginning with a letter",
        )
    return name


def new_id(kind: str) -> str:
    """A fresh random id such as `job-3f9c…` (128 random bits, lower-case hex)."""
    return f"{kind}-{secrets.token_hex(16)}"
