"""The loopback with real daemons: private homes, a power cut, and one clear error for a port in use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from unseen.client.homes import make
from unseen.client.loopback import Loopback
from unseen.client.remote import RemoteNode
from unseen.core.errors import UnavailableError, UsageError


def test_a_power_cut_and_another_start(tmp_path):
    with Loopback(("hospital", "laboratory"), tmp_path / "homes") as world:
        before = world["hospital"].identity()
        world.restart("hospital", kill=True)
        assert world["hospital"].identity() == before
        assert [peer.name for peer in world["hospital"].peer_list()] == ["laboratory"]
        deadline = time.monotonic() + 60
        while not all(world[party].peer_list()[0].connected for party in world):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        home = world.home("hospital")
        os.kill(world.daemon("hospital").pid, signal.SIGKILL)
        world.daemon("hospital").stop()
        with pytest.raises(UnavailableError, match="not running"):
            RemoteNode.of_home(home)


def test_a_port_in_use_is_the_daemons_own_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        world = Loopback(("hospital",), tmp_path, settings={"*": {"link": {"listen": listen}}})
        with pytest.raises(UsageError) as caught, world:
            raise AssertionError
    assert listen.rpartition(":")[2] in str(caught.value)


def test_without_a_folder_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Loopback(("hospital",)) as world:
        assert world.home("hospital").is_relative_to(tmp_path)
        assert next(tmp_path.iterdir()).stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_stops_in_order_on_a_signal(number, tmp_path):
    home = tmp_path / "home"
    make(home, {"name": "hospital"})
    command = [sys.executable, "-m", "unseen.cli.main", "node", "run", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Ready: API on 127.0.0.1:")
        process.send_signal(number)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert not (home / "run" / "api.address").exists()
