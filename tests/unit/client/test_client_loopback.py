"""The loopback starts, introduces, restarts and stops processes; here each is a double of a node."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unseen.api.tokens import Tokens
from unseen.client import loopback
from unseen.client.loopback import Loopback, _free_ports
from unseen.core.errors import UnavailableError, UsageError
from unseen.node.home import Home

DOUBLE = (sys.executable, str(Path(__file__).with_name("double_daemon.py")))
PARTIES = ("hospital", "laboratory", "helper")


def _homes(folder: Path, parties=PARTIES, **titles: str) -> Path:
    """Homes that exist already: the loopback leaves them as they are."""
    for party in parties:
        home = Home(folder / party)
        home.make()
        title = titles.get(party, "")
        (home.path / "node.toml").write_text(f'name = "{party}"\ntitle = "{title}"\n')
        Tokens(home.path).write_owner()
    return folder


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_every_party_is_a_process_knows_all_others_and_ends(tmp_path):
    with Loopback(PARTIES, _homes(tmp_path), command=DOUBLE) as world:
        assert tuple(world) == PARTIES
        pids = {world.daemon(party).pid for party in PARTIES}
        assert len(pids) == 3
        assert os.getpid() not in pids
        for party in PARTIES:
            assert world[party].status().name == party
            assert {peer.name for peer in world[party].peer_list()} == set(PARTIES) - {party}
        with pytest.raises(UsageError, match="no party"):
            world["stranger"]
    assert all(_gone(pid) for pid in pids)
    with pytest.raises(UsageError):
        world["hospital"]


def test_opened_again_nobody_is_introduced_twice(tmp_path):
    folder = _homes(tmp_path)
    for _ in range(2):
        with Loopback(PARTIES, folder, command=DOUBLE) as world:
            assert len(world["hospital"].peer_list()) == 2


def test_a_party_can_be_restarted_gently_or_as_by_a_power_cut(tmp_path):
    with Loopback(("hospital", "laboratory"), _homes(tmp_path), command=DOUBLE) as world:
        for kill in (False, True):
            before = world.daemon("hospital").pid
            world.restart("hospital", kill=kill)
            assert _gone(before)
            assert world.daemon("hospital").pid != before
            assert world["hospital"].status().name == "hospital"
            assert world["laboratory"].status().name == "laboratory"


def test_a_node_that_does_not_start_tells_its_own_error_and_the_others_are_stopped(tmp_path, monkeypatch):
    started = []
    start = loopback.Daemon.start
    monkeypatch.setattr(loopback.Daemon, "start", lambda self: (start(self), started.append(self.pid))[0])
    world = Loopback(PARTIES, _homes(tmp_path, helper="broken"), command=DOUBLE)
    with pytest.raises(UsageError, match="port is in use"), world:
        raise AssertionError
    assert len(started) == 3
    assert all(_gone(pid) for pid in started)


def test_a_crash_at_start_shows_its_last_words(tmp_path):
    world = Loopback(("helper",), _homes(tmp_path, helper="crash"), command=DOUBLE)
    with pytest.raises(UnavailableError, match="ended with code 1") as caught, world:
        raise AssertionError
    assert "plain words" in caught.value.why


def test_a_node_that_never_is_ready_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(loopback, "START_S", 0.5)
    world = Loopback(("helper",), _homes(tmp_path, helper="mute"), command=DOUBLE)
    with pytest.raises(UnavailableError, match="not ready"), world:
        raise AssertionError


def test_a_node_that_will_not_stop_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(loopback, "STOP_S", 0.5)
    with Loopback(("helper",), _homes(tmp_path, helper="deaf"), command=DOUBLE) as world:
        pid = world.daemon("helper").pid
    assert _gone(pid)


def test_nodes_end_with_the_program_that_started_them(tmp_path):
    folder = _homes(tmp_path, ("helper",))
    program = (
        "import os, sys; from unseen.client.loopback import Loopback\n"
        f"world = Loopback(('helper',), {str(folder)!r}, command={DOUBLE!r}).__enter__()\n"
        "print(world.daemon('helper').pid, flush=True)\nos._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while not _gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _gone(pid)


def test_homes_are_private_and_kept_where_a_folder_is_given(tmp_path):
    folder = _homes(tmp_path / "kept")
    with Loopback(PARTIES, folder, command=DOUBLE) as world:
        for party in PARTIES:
            assert world.home(party).stat().st_mode & 0o077 == 0
    assert (folder / "hospital" / "node.toml").exists()


@pytest.mark.parametrize("parties", [(), ("a", "a"), ("Bad Name",), ("../x",)])
def test_parties_need_proper_names(parties):
    with pytest.raises(UsageError):
        Loopback(parties)


def test_settings_are_added_for_all_and_for_one():
    world = Loopback(
        ("a", "b"),
        settings={"*": {"jobs": {"attempts": 2}}, "a": {"link": {"proxy": "http://p:1"}, "title": "A"}},
    )
    assert world._config("a", 7) == {
        "name": "a",
        "title": "A",
        "link": {"listen": "127.0.0.1:7", "public": ["127.0.0.1:7"], "proxy": "http://p:1"},
        "jobs": {"attempts": 2},
    }
    assert world._config("b", 8)["link"] == {"listen": "127.0.0.1:8", "public": ["127.0.0.1:8"]}


def test_free_ports_are_all_different():
    assert len(set(_free_ports(20))) == 20
