"""Files and folders that are complete after any crash, or not there: written beside, fsynced, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unseen.core.errors import UnavailableError

DRAFT = ".tmp"
"""How names of what is not complete end."""
_PRIVATE = 0o700


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """A draft to write into, which becomes `place` when the block ends: after any crash it is complete, or not there.

    `place` must not exist, or be an empty folder.

    Raises
    ------
    UnavailableError
        The disk is full or not writable; nothing is left behind.
    """
    draft = place.with_name(f".{place.name}.{os.getpid()}{DRAFT}")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=_PRIVATE, parents=True)
        yield draft
        draft.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise UnavailableError(
            f"{place} cannot be written.",
            why=str(error.strerror or error),
            mend=f"free space on the disk of {place.parent}, and check that it is writable",
        ) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that after any crash it is either as before or complete. Replaces what was there.

    Raises
    ------
    UnavailableError
        The disk is full or not writable; nothing is left behind.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}{DRAFT}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UnavailableError(
            f"{path.name} cannot be written.",
            why=str(error.strerror),
            mend=f"free space on the disk of {path.parent}, and check that it is writable",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
