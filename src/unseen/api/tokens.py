"""Who may use a node's API: tokens with a role, kept as hashes in the node's home.

A token is 256 random bits, so one SHA-256 is all the stretching it needs. The text is shown once, when it is made;
the first owner's token is written to `owner.token` (0600) by `unseen node init`. A running daemon sees additions
and removals at once.

===========  ================================================================================
`owner`      everything
`operator`   everything but peers, and backups (tokens and keys are not in the API at all)
`auditor`    what changes nothing (:data:`unseen.node.operations.READ_ONLY`)
===========  ================================================================================
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from unseen.core.durable import write_whole
from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.core.ids import check_name
from unseen.node.operations import READ_ONLY

Role = Literal["owner", "operator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
OWNER_ONLY = frozenset({"peer_invite", "peer_accept", "peer_remove", "backup"})
FILE_NAME = "tokens.json"
OWNER_FILE = "owner.token"
_SECRET_BYTES = 32
_DOMAIN = b"unseen/api-token/v1\n"


class TokenView(BaseModel):
    """A token as one may show it: never its text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Role
    created_at: AwareDatetime


class NewToken(TokenView):
    """A token just made; `text` is shown this once and stored nowhere."""

    text: str


class _Stored(TokenView):
    sha256: str


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    tokens: tuple[_Stored, ...] = ()


def may(role: Role, operation: str) -> bool:
    """Whether a role covers an operation."""
    if role == "owner":
        return True
    if role == "operator":
        return operation not in OWNER_ONLY
    return operation in READ_ONLY


@dataclass(frozen=True, slots=True)
class _Seen:
    """The file's state when it was last read: (modified, inode, size)."""

    stamp: tuple[int, int, int]
    tokens: tuple[_Stored, ...]


class Tokens:
    """The tokens of one home. Safe to use from several threads and processes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / FILE_NAME
        self._seen = _Seen((0, 0, 0), ())

    def list(self) -> tuple[TokenView, ...]:
        """All, by name."""
        shown = (TokenView(**token.model_dump(exclude={"sha256"})) for token in self._read())
        return tuple(sorted(shown, key=lambda token: token.name))

    def add(self, name: str, role: Role, *, now: datetime | None = None) -> NewToken:
        """Make a token.

        Raises
        ------
        UsageError
            The name is taken or is none, or there is no such role.
        """
        check_name(name, kind="token")
        if role not in ROLES:
            raise UsageError(f"There is no role '{role}'.", mend=f"choose one of {', '.join(ROLES)}")
        text = f"unseen-{role}-{secrets.token_urlsafe(_SECRET_BYTES)}"
        view = TokenView(name=name, role=role, created_at=now or datetime.now(UTC))
        with self._changing() as tokens:
            if any(token.name == name for token in tokens):
                raise UsageError(
                    f"There is a token '{name}' already.",
                    mend="choose another name, or remove that one first",
                )
            self._write((*tokens, _Stored(**view.model_dump(), sha256=_hash(text))))
        return NewToken(**view.model_dump(), text=text)

    def remove(self, name: str) -> None:
        """Make a token worthless, from the next request on.

        Raises
        ------
        UsageError
            There is no such token, or it is the last owner's.
        """
        with self._changing() as tokens:
            left = tuple(token for token in tokens if token.name != name)
            if len(left) == len(tokens):
                raise UsageError(f"There is no token '{name}'.", mend="see `unseen node token list`")
            if not any(token.role == "owner" for token in left):
                raise UsageError(
                    f"'{name}' is the last owner's token.",
                    why="nobody could accept peers any more",
                    mend="add another owner's token first",
                )
            self._write(left)

    def check(self, text: str) -> TokenView:
        """Whose token this is. Compares with every hash, in constant time each.

        Raises
        ------
        DeniedError
            It is nobody's.
        """
        given = _hash(text)
        found: _Stored | None = None
        for token in self._read():
            if hmac.compare_digest(token.sha256, given):
                found = token
        if found is None:
            raise DeniedError(
                "This token is not known here.",
                why="it was removed, or it belongs to another node",
                mend="ask the node's owner for one (`unseen node token add`)",
            )
        return TokenView(**found.model_dump(exclude={"sha256"}))

    def write_owner(self) -> Path:
        """Make the first owner's token and write it to `owner.token`, for this user's own commands.

        Raises
        ------
        UsageError
            There are tokens already.
        """
        if self._read():
            raise UsageError(f"{self._home} has tokens already.", mend="use `unseen node token add`")
        path = self._home / OWNER_FILE
        write_whole(path, self.add("owner", "owner").text.encode() + b"\n")
        return path

    def _read(self) -> tuple[_Stored, ...]:
        try:
            state = self._path.stat()
            stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
            if stamp != self._seen.stamp:
                content = _File.model_validate_json(self._path.read_bytes())
                self._seen = _Seen(stamp, content.tokens)
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            raise UnavailableError(
                f"{self._path} cannot be read; nobody is let in.",
                why=type(error).__name__,
                mend="restore it from a backup, or remove it and make new tokens",
            ) from error
        return self._seen.tokens

    def _write(self, tokens: tuple[_Stored, ...]) -> None:
        content = _File(tokens=tokens).model_dump(mode="json")
        write_whole(self._path, json.dumps(content, indent=1).encode() + b"\n")

    @contextmanager
    def _changing(self) -> Iterator[tuple[_Stored, ...]]:
        """The tokens, with no other process changing them meanwhile."""
        handle = os.open(self._home / f".{FILE_NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self._read()
        finally:
            os.close(handle)


def _hash(text: str) -> str:
    return hashlib.sha256(_DOMAIN + text.encode(errors="surrogateescape")).hexdigest()
