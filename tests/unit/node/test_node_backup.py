"""A backup while tasks run: files come and go under it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from unseen.node.backup import backup
from unseen.node.database import Database
from unseen.node.home import Home


def names(home: Home, target: Path) -> set[str]:
    database = Database(home.path / "node.db")
    backup(home, database, str(target), log_size=0)
    database.close()
    with tarfile.open(target) as archive:
        return {name for name in archive.getnames() if name.startswith("journals/job")}


def test_what_goes_away_or_is_half_written_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task stores a checkpoint, or is committed and drops them, just when the backup has come to it."""
    home = Home(tmp_path / "home")
    home.make()
    folder = home.journals / "job"
    folder.mkdir()
    for name in ("train", "train.checkpoint-0", "train.checkpoint-1", ".train.checkpoint-0.7.tmp"):
        (folder / name).write_bytes(b"sealed")
    look = tarfile.TarFile.gettarinfo

    def gone(archive: tarfile.TarFile, name: Path, *rest: str) -> tarfile.TarInfo:
        if name.name == "train.checkpoint-1":
            name.unlink()
        return look(archive, name, *rest)

    monkeypatch.setattr(tarfile.TarFile, "gettarinfo", gone)
    assert names(home, tmp_path / "backup") == {
        "journals/job",
        "journals/job/train",
        "journals/job/train.checkpoint-0",
    }
