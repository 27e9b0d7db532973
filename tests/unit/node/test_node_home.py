"""The home: private, one daemon at a time, files whole or not at all."""

import os
import resource
import subprocess
import sys

import pytest

from unseen.core.durable import whole_folder, write_whole
from unseen.core.errors import UnavailableError, UsageError
from unseen.node.home import Home


def mode(path):
    return path.stat().st_mode & 0o777


def test_everything_is_the_owners_only(tmp_path):
    home = Home(tmp_path / "deep" / "home")
    home.path.parent.mkdir()
    home.path.mkdir(mode=0o755)
    home.path.chmod(0o755)
    home.make()
    assert {mode(path) for path in (home.path, home.log, home.artefacts, home.journals, home.run)} == {0o700}


def test_an_impossible_home(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be used"):
        Home(tmp_path / "file" / "home").make()


def test_the_second_daemon_is_refused_and_the_first_named(tmp_path):
    home = Home(tmp_path)
    home.make()
    with home.locked():
        with pytest.raises(UsageError, match="already runs") as caught, home.locked():
            pass
        assert str(os.getpid()) in caught.value.why
    with home.locked():
        pass


def test_a_killed_daemon_leaves_no_lock(tmp_path):
    home = Home(tmp_path)
    home.make()
    program = (
        "import sys; from pathlib import Path; from unseen.node.home import Home\n"
        "with Home(Path(sys.argv[1])).locked(): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(UsageError), home.locked():
            pass
    finally:
        child.kill()
        child.communicate()
    with home.locked():
        pass


def test_write_whole_replaces_and_is_private(tmp_path):
    target = tmp_path / "x"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert mode(target) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path):
    """A limit on file size stands in for a full disk: write(2) fails half-way just the same."""
    target = tmp_path / "x"
    write_whole(target, b"old")
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from unseen.core.errors import UnavailableError\n"
        "from unseen.core.durable import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_whole(Path(sys.argv[1]), bytes(5000))\n"
        "except UnavailableError as error: print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)], capture_output=True, text=True, check=True
    )
    assert "cannot be written" in done.stdout
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_folder_is_whole_or_not_there(tmp_path):
    place = tmp_path / "deep" / "result"
    with whole_folder(place) as draft:
        (draft / "one").write_text("1")
        assert not place.exists()
    assert [path.name for path in place.parent.iterdir()] == ["result"]
    assert (place / "one").read_text() == "1"
    assert place.stat().st_mode & 0o077 == 0

    def broken_off(error):
        with whole_folder(tmp_path / "half") as draft:
            (draft / "one").write_text("1")
            raise error

    with pytest.raises(ValueError, match="no more"):
        broken_off(ValueError("no more"))
    with pytest.raises(UnavailableError, match="half cannot be written"):
        broken_off(OSError(28, "No space left on device"))
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_what_a_killed_process_left_half_written_is_gone_at_the_next_start(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom unseen.core.durable import whole_folder\n"
        "home = Path(sys.argv[1])\n(home / 'log' / f'.head.{os.getpid()}.tmp').write_text('half')\n"
        "with whole_folder(home / 'result') as draft:\n"
        "    (draft / 'scores').write_text('half')\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home.path)], check=False)
    assert done.returncode == -9
    assert len(list(home.path.rglob(".*.tmp"))) == 2
    with home.locked():
        assert not list(home.path.rglob(".*.tmp"))
    assert not (home.path / "result").exists()
