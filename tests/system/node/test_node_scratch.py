"""A disk for temporary files that is too small: the run is refused before it begins; full in mid-run, training waits and goes on.

The laboratory's temporary files lie on a disk of a few hundred kilobytes, and every node is told to put what is masked into files
however little it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_world import HELPER, HOSPITAL, LABORATORY, PARTIES, World, good_files
from node_world import state_of, workers_of
from test_node_bad_surroundings import Balloon, _small_disks

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.jobs.evidence import audit_bundle

IN_FILES = """
import sys
sys.argv = ["unseen", *sys.argv[1:]]
from unseen.jobs.steps import train_gbdt
from unseen.mpc.tally import dealer
dealer.IN_MEMORY_BYTES = train_gbdt.IN_MEMORY_BYTES = 0
from unseen.cli.main import main
main()
"""
SMALL_SCRATCH = r"""#!/bin/sh
for argument; do home=$argument; done
case $home in */laboratory) ;; *) exec "$UNSEEN_PYTHON" "$UNSEEN_WRAPPER" node run "$@" ;; esac
exec unshare --user --map-root-user --mount sh -c '
    set -e
    home=$1; shift
    mkdir -p "$home/scratch"
    mount -t tmpfs -o size=4m small "$home/scratch"
    export TMPDIR="$home/scratch"
    exec "$UNSEEN_PYTHON" "$UNSEEN_WRAPPER" node run "$@"
' sh "$home" "$@"
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if not _small_disks():
        pytest.skip("no disk of our own can be mounted here (user namespaces)")
    wrapper, script = tmp_path / "wrapper.py", tmp_path / "small-scratch"
    wrapper.write_text(IN_FILES)
    script.write_text(SMALL_SCRATCH)
    script.chmod(0o700)
    monkeypatch.setenv("UNSEEN_PYTHON", sys.executable)
    monkeypatch.setenv("UNSEEN_WRAPPER", str(wrapper))
    with Loopback(PARTIES, tmp_path / "homes", command=(str(script),)) as nodes:
        yield World(nodes, tmp_path)


class Scratch(Balloon):
    """The disk of the laboratory's temporary files."""

    def __init__(self, world: World) -> None:
        super().__init__(world, LABORATORY)
        self._file = self.home / "scratch" / "balloon"


def _contract(world: World, **params: Any) -> str:
    flow = Workflow("Trees", purpose="screening", days=1.0)
    flow.party(HOSPITAL, roles=("holder", "receiver"))
    flow.party(LABORATORY, roles=("holder",))
    flow.party(HELPER, roles=("computer",))
    references = {name: flow.asset(view.terms) for name, view in world.assets(good_files()).items()}
    holders = (HOSPITAL, LABORATORY)
    rows = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
    roles = {"holders": holders, "helper": HELPER, "label_holder": HOSPITAL}
    flow.task("train", "train-gbdt", roles=roles, inputs={"table": rows["table"]}, params=params)
    return world.propose(world.contract(flow))


@pytest.mark.long
def test_a_run_that_does_not_fit_is_refused_and_a_full_disk_in_mid_run_only_delays(world: World) -> None:
    scratch, laboratory = Scratch(world), world.nodes[LABORATORY]
    contract = _contract(world, depth=2, bins=4, rounds=24)
    assert laboratory.contract_show(contract).too_large == ()

    scratch.blow()
    (told,) = laboratory.contract_show(contract).too_large
    assert told.startswith("Task 'train' is expected to take")
    assert "0 B free" in told
    assert world.nodes[HOSPITAL].contract_show(contract).too_large == ()
    ends = world.run(contract)
    assert {view.state for view in ends.values()} <= {"denied", "failed"}
    for view in ends.values():
        assert view.problem is not None
        assert (view.problem.code, view.problem.party) == ("denied", LABORATORY)
        assert all(task.state != "finished" for task in view.tasks)
    assert "jobs.scratch" in (ends[LABORATORY].problem.mend or "")  # type: ignore[union-attr]

    scratch.burst()
    contract = _contract(world, depth=2, bins=4, rounds=40)
    job = world.start(contract)
    world.until(
        lambda: any(
            (one.party, one.task) == (LABORATORY, "train") and one.done > 2
            for one in world.job(LABORATORY, job).tasks
        )
    )
    scratch.blow()
    for worker in workers_of(world.nodes, LABORATORY):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    time.sleep(1.5)
    assert state_of(world.job(LABORATORY, job), LABORATORY, "train") != "finished"
    scratch.burst()
    ends = world.ends(job)
    assert {view.state for view in ends.values()} == {"finished"}, ends
    report = audit_bundle(together.evidence(dict(world.nodes.nodes), HOSPITAL, contract))
    assert [line for line in report.lines if "went on from a checkpoint" in line.what]
