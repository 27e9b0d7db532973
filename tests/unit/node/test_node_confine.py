"""A confined process opens what it needs and nothing else, and neither do its children."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from unseen.core.errors import UnavailableError
from unseen.node import confine as module
from unseen.node.confine import available, confine

PROGRAM = """
import os, subprocess, sys
from pathlib import Path
from unseen.node.confine import confine
own, other, readable = map(Path, sys.argv[1:])
confine((own,), readable=(readable,))
def may(action):
    try:
        action()
    except (OSError, subprocess.CalledProcessError):
        return "no"
    return "yes"
child = [sys.executable, "-c", f"open({str(other / 'secret')!r}).read()"]
print(
    may(lambda: (own / "new").write_text("x")),
    may(lambda: (own / "new").rename(own / "renamed")),
    may(lambda: (own / "renamed").unlink()),
    may(lambda: (readable / "data").read_text()),
    may(lambda: (readable / "data").write_text("x")),
    may(lambda: (other / "secret").read_text()),
    may(lambda: list(other.iterdir())),
    may(lambda: (other / "new").write_text("x")),
    may(lambda: os.symlink(other / "secret", own / "way") or (own / "way").read_text()),
    may(lambda: subprocess.run(child, check=True, capture_output=True)),
    may(lambda: __import__("sqlite3")),
)
"""


@pytest.mark.skipif(not available(), reason="this kernel has no Landlock")
def test_only_what_is_allowed_can_be_opened(tmp_path: Path) -> None:
    own, other, readable = tmp_path / "own", tmp_path / "other", tmp_path / "readable"
    for folder in (own, other, readable):
        folder.mkdir()
    (other / "secret").write_text("secret")
    (readable / "data").write_text("data")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(own), str(other), str(readable)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.split() == [*["yes"] * 4, *["no"] * 6, "yes"], done.stderr


def test_where_the_system_cannot_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_version", lambda: 0)
    assert not available()
    with pytest.raises(UnavailableError, match="cannot confine") as caught:
        confine((tmp_path,))
    assert "confine.on = false" in caught.value.mend
