"""The folder of one node: what lies where, for nobody else to read, and one daemon at a time.

=================  ====================================================================
`node.toml`        the configuration
`keyfile`          seals everything below it, unless the configuration names another one
`identity`         the identity key, sealed
`node.db`          facts: peers, assets, contracts, jobs, mail
`log/`             this party's own ledger, and what is known of the others'
`artefacts/`       inputs and outputs of tasks, sealed, by job
`journals/`        what the gates let out, by job and task
`stocks/`          randomness made ahead, sealed, by peer; no backup holds it
`run/`             sockets of this run of the daemon; `api.address`
`lock`             held by the daemon
=================  ====================================================================
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unseen.core.errors import UnavailableError, UsageError

_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside one node's folder."""

    path: Path

    @property
    def identity(self) -> Path:
        """The sealed identity key."""
        return self.path / "identity"

    @property
    def keyfile(self) -> Path:
        """Where the key file is if the configuration says nothing."""
        return self.path / "keyfile"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "node.db"

    @property
    def log(self) -> Path:
        """The ledger."""
        return self.path / "log"

    @property
    def artefacts(self) -> Path:
        """Sealed artefacts."""
        return self.path / "artefacts"

    @property
    def journals(self) -> Path:
        """Journals of gates."""
        return self.path / "journals"

    @property
    def stocks(self) -> Path:
        """Stocks of randomness; not in backups, for no part of one may be used twice."""
        return self.path / "stocks"

    @property
    def run(self) -> Path:
        """What lives as long as the daemon."""
        return self.path / "run"

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.path / "lock"

    def make(self) -> None:
        """Make the folders that are missing, readable by the owner only; close those that are too open.

        Raises
        ------
        UnavailableError
            The disk is full or not writable.
        """
        try:
            for folder in (self.path, self.log, self.artefacts, self.journals, self.stocks, self.run):
                folder.mkdir(mode=_PRIVATE, parents=folder == self.path, exist_ok=True)
                if folder.stat().st_mode & 0o077:
                    folder.chmod(_PRIVATE)
        except OSError as error:
            raise UnavailableError(
                f"The node's home {self.path} cannot be used.",
                why=str(error.strerror),
                mend="check owner and free space of that disk",
            ) from error

    def _sweep(self) -> None:
        """Drop drafts that a crash left behind; nobody else writes here now."""
        for draft in [*self.path.rglob(".*.tmp")]:
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                draft.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home; the operating system lets go of it even if we are killed.

        Raises
        ------
        UsageError
            Another daemon holds it.
        """
        handle = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise UsageError(
                    f"Another node already runs on {self.path}.",
                    why=f"process {holder} holds its lock",
                    mend="stop that one first; two on one home would spend the same runs twice",
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            self._sweep()
            yield
        finally:
            os.close(handle)
