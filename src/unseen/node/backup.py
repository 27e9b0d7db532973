"""Backup of a node's home while it runs, and restore into an empty folder.

A restored node knows that it may have forgotten letters it had sent, so it begins new mail sequences; and it refuses
work as soon as a peer knows more of its log than it does itself (see `evidence`).
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from unseen.core.durable import DRAFT, whole_folder
from unseen.core.errors import UnavailableError, UsageError, VerificationError
from unseen.node.config import FILE_NAME
from unseen.node.database import Database
from unseen.node.home import Home
from unseen.node.mailroom import begin_epochs
from unseen.node.models import BackupInfo

_FOLDERS = ("log", "artefacts", "journals")
_FILES = (FILE_NAME, "identity", "keyfile", "tokens.json", "owner.token")
_MARK = "unseen-backup"
_DATABASE = "node.db"


def backup(home: Home, database: Database, target: str, *, log_size: int) -> BackupInfo:
    """Write a snapshot to a file that does not exist yet.

    Raises
    ------
    UsageError
        The file exists, or its folder does not.
    UnavailableError
        The disk is full.
    """
    place = Path(target)
    if place.exists():
        raise UsageError(f"{place} is there already.", mend="choose another file")
    if not place.parent.is_dir():
        raise UsageError(f"There is no folder {place.parent}.")
    draft = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)  # of an earlier process with our number that was killed
    try:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / _DATABASE
            database.copy_to(copy)
            # never readable by others, not even while it is written: it holds keys
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
                mark = tarfile.TarInfo(_MARK)
                text = b"1\n"
                mark.size = len(text)
                archive.addfile(mark, io.BytesIO(text))
                archive.add(copy, _DATABASE)
                for name in (*_FILES, *_FOLDERS):
                    _add(archive, home.path / name, name)
        draft.rename(place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UnavailableError(
            "The backup cannot be written.",
            why=str(error.strerror),
            mend=f"free space on the disk of {place.parent}",
        ) from error
    return BackupInfo(
        path=str(place), size_bytes=place.stat().st_size, log_size=log_size, made_at=datetime.now(UTC)
    )


def _add(archive: tarfile.TarFile, place: Path, name: str) -> None:
    """A file or folder as far as it is there: tasks run meanwhile, and write and remove files. What is half written stays out."""
    try:
        archive.add(place, name, recursive=False)
        inside = sorted(place.iterdir()) if place.is_dir() else []
    except FileNotFoundError:
        return
    for child in inside:
        if not child.name.endswith(DRAFT):
            _add(archive, child, f"{name}/{child.name}")


def restore(source: Path, target: Path) -> None:
    """Make a node's home of a backup.

    Raises
    ------
    UsageError
        There is no such file, or the folder is not empty.
    VerificationError
        It is no backup, or damaged.
    """
    if not source.is_file():
        raise UsageError(f"There is no file {source}.")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty.", mend="restore into an empty folder")
    with whole_folder(target) as draft:
        try:
            with tarfile.open(source, "r:gz") as archive:
                if archive.getnames()[:1] != [_MARK]:
                    raise VerificationError(f"{source} is not a backup of a node.")
                archive.extractall(draft, filter="data")
            (draft / _MARK).unlink()
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise VerificationError(f"{source} is damaged.", why=str(error)) from error
        Home(draft).make()
        database = Database(draft / _DATABASE)
        with database.write() as transaction:
            begin_epochs(transaction)
        database.close()
