"""What is wrong around a node: a full disk, a skewed clock, another release, a port in use.

Every node runs through a small program of ours that changes the surroundings of one party: it puts its home on a disk of a
few hundred kilobytes, moves its clock, or installs another version of a step.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_world import HELPER, HOSPITAL, LABORATORY, PARTIES, World, good_files, left_over, write_csv

from unseen.client.loopback import Loopback
from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.node.models import PeerView

SKEWED = """
import datetime, sys, time
sys.argv = ["unseen", *sys.argv[1:]]
if any(argument.endswith("/laboratory") for argument in sys.argv):
    real = time.time
    time.time = lambda: real() + 300
    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + datetime.timedelta(seconds=300)
    datetime.datetime = Later
from unseen.cli.main import main
main()
"""

UPGRADED = """
import sys
from pathlib import Path
from typing import Any
sys.argv = ["unseen", *sys.argv[1:]]
home = Path(sys.argv[sys.argv.index("--home") + 1])
if home.with_suffix(".upgraded").exists():
    from unseen.jobs.steps import psi
    psi.VERSION += 1
from unseen.cli.main import main
main()
"""

SMALL_DISK = r"""#!/bin/sh
# The home on a disk of its own, in a mount namespace; its folder `run`, where we look for the API, stays outside.
set -e
for argument; do home=$argument; done
case $home in */laboratory) ;; *) exec "$UNSEEN_PYTHON" -m unseen.cli.main node run "$@" ;; esac
exec unshare --user --map-root-user --mount sh -c '
    set -e
    home=$1; shift
    outside=$(mktemp -d); inside=$(mktemp -d)
    mount --bind "$home" "$outside"
    mount -t tmpfs -o size=6m small "$inside"
    cp -a "$home/." "$inside/"
    mount --bind "$inside" "$home"
    mount --bind "$outside/run" "$home/run"
    exec "$UNSEEN_PYTHON" -m unseen.cli.main node run "$@"
' sh "$home" "$@"
"""


def wrapped(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "wrapper.py"
    path.write_text(text)
    return (sys.executable, str(path), "node", "run")


# ---------------------------------------------------------------------- clock


def test_a_skewed_clock_is_said_at_both_and_stops_nothing_else(tmp_path: Path) -> None:
    with Loopback(PARTIES, tmp_path / "homes", command=wrapped(tmp_path, SKEWED)) as nodes:
        for party, other in ((LABORATORY, HOSPITAL), (HOSPITAL, LABORATORY)):
            told = _problem(nodes, party, other)
            assert "clock" in f"{told.what} {told.why} {told.mend}", told
            assert told.mend
        World.until(lambda: _peer(nodes, HOSPITAL, HELPER).connected)
        assert _peer(nodes, HOSPITAL, HELPER).problem is None
        assert not _peer(nodes, HOSPITAL, LABORATORY).connected


def _peer(nodes: Loopback, party: str, other: str) -> PeerView:
    return next(peer for peer in nodes[party].peer_list() if peer.name == other)


def _problem(nodes: Loopback, party: str, other: str) -> Any:
    World.until(lambda: _peer(nodes, party, other).problem is not None)
    return _peer(nodes, party, other).problem


# ---------------------------------------------------------------------- another release


def test_another_version_of_a_step_at_one_party(tmp_path: Path) -> None:
    command = wrapped(tmp_path, UPGRADED)
    with Loopback(PARTIES, tmp_path / "homes", command=command) as nodes:
        world = World(nodes, tmp_path)
        signed = world.agreed(good_files())
        unsigned = world.propose(world.contract(world.flow(world.assets(good_files()))), sign=())
        nodes.home(LABORATORY).with_suffix(".upgraded").touch()
        nodes.restart(LABORATORY)

        with pytest.raises(DeniedError, match="'psi' is not the one in the contract") as caught:
            nodes[LABORATORY].contract_sign(unsigned)
        assert re.search("contract pins version .*; installed is version", caught.value.why)
        assert "same release" in caught.value.mend

        ends = world.run(signed)
        own = ends[LABORATORY].problem
        assert own is not None
        assert "'psi' is not the one in the contract" in own.what
        for party in (HOSPITAL, HELPER):
            told = ends[party].problem
            assert told is not None
            assert (told.party, told.code) == (LABORATORY, "denied")
            assert "version" not in told.what


# ---------------------------------------------------------------------- ports


@pytest.mark.parametrize("section", ["link", "api"])
def test_a_port_in_use_is_the_nodes_own_error(tmp_path: Path, section: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = {HOSPITAL: {section: {"listen": listen}}}
        with pytest.raises(UsageError) as caught, Loopback((HOSPITAL,), tmp_path, settings=settings):
            raise AssertionError
    assert listen.rpartition(":")[2] in str(caught.value)
    assert "use" in str(caught.value)
    assert caught.value.mend


# ---------------------------------------------------------------------- full disk


def _small_disks() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if not _small_disks():
        pytest.skip("no disk of our own can be mounted here (user namespaces)")
    monkeypatch.setenv("UNSEEN_PYTHON", sys.executable)
    script = tmp_path / "small-disk"
    script.write_text(SMALL_DISK)
    script.chmod(0o700)
    with Loopback(PARTIES, tmp_path / "homes", command=(str(script),)) as nodes:
        yield World(nodes, tmp_path)


def _add_many(world: World, path: Path) -> None:
    """The database may have a little room left in pages that it has."""
    for _ in range(200):
        world.add(LABORATORY, path)


def _leaves(world: World) -> set[tuple[int, str]]:
    return {(entry.index, entry.leaf) for entry in world.nodes[LABORATORY].ledger_entries(limit=10_000)}


class Balloon:
    """Fills a party's disk to the last byte, from outside."""

    def __init__(self, world: World, party: str) -> None:
        daemon = world.nodes.daemon(party)
        self.home = Path(f"/proc/{daemon.pid}/root{daemon.home}")
        self._file = self.home / "balloon"

    def blow(self) -> None:
        with self._file.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def burst(self) -> None:
        self._file.unlink()


def test_a_disk_that_is_full_for_a_while_only_delays(small: World) -> None:
    contract = small.agreed(good_files())
    balloon = Balloon(small, LABORATORY)
    balloon.blow()
    job = small.start(contract)
    time.sleep(2.0)
    assert small.job(HOSPITAL, job).state == "running"
    balloon.burst()
    ends = small.ends(job)
    assert {view.state for view in ends.values()} == {"finished"}, ends


def test_a_full_disk_is_said_where_it_is_and_costs_nothing_that_was_there(small: World) -> None:
    finished = small.run(small.agreed(good_files()))
    assert {view.state for view in finished.values()} == {"finished"}
    before = _leaves(small)
    balloon = Balloon(small, LABORATORY)
    path = write_csv(small.folder / "more.csv", good_files()[LABORATORY])

    balloon.blow()
    with pytest.raises(UnavailableError) as caught:
        _add_many(small, path)
    assert "free space" in caught.value.mend
    assert small.nodes[LABORATORY].status().name == LABORATORY
    backup = balloon.home / "backup.tgz"
    with pytest.raises(UnavailableError, match="written"):
        small.nodes[LABORATORY].backup(str(small.nodes.home(LABORATORY) / "backup.tgz"))
    assert not backup.exists()
    balloon.burst()

    small.add(LABORATORY, path)
    assert before <= _leaves(small)
    small.until(lambda: not left_over(balloon.home))
    again = small.run(small.agreed(good_files(seed=4)))
    assert {view.state for view in again.values()} == {"finished"}
