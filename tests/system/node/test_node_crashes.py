"""Kill -9 of workers and of whole nodes in the middle of the main job: it goes on, and the result is the same."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from node_world import HOLDINGS, PARTIES, agree, final, finish, over, start, state_of, until, workers_of

from unseen.client import together
from unseen.client.loopback import Loopback, _collect
from unseen.core.errors import DeniedError
from unseen.node.backup import restore
from unseen.scenes.joint_model import Settings, workflow


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    folder = tmp_path_factory.mktemp("consortium")
    with Loopback(PARTIES, folder=folder) as nodes:
        together.bring(dict(nodes.nodes), workflow(HOLDINGS, Settings()), folder)
        yield nodes


@pytest.fixture
def world(opened: Loopback) -> Loopback:
    """One consortium for all; a case that failed must not take the others with it."""
    for party in PARTIES:
        if party not in opened.nodes or opened.daemon(party).pid is None:
            opened.restart(party, kill=True)
    return opened


@pytest.mark.parametrize("party", PARTIES)
def test_a_worker_is_killed_while_it_trains(world: Loopback, tmp_path: Path, party: str) -> None:
    contract = agree(world)
    job = start(world, contract)
    until(world, party, job, lambda view: state_of(view, party, "train") == "running")
    for worker in workers_of(world, party):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    finish(world, job, contract, tmp_path)


@pytest.mark.parametrize(
    ("party", "task"), [("laboratory", "align"), ("hospital", "train"), ("helper", "train")]
)
def test_a_node_is_killed_in_the_middle_of_a_task(
    world: Loopback, tmp_path: Path, party: str, task: str
) -> None:
    contract = agree(world)
    job = start(world, contract)
    until(world, party, job, lambda view: state_of(view, party, task) in {"running", "finished"})
    world.restart(party, kill=True)
    finish(world, job, contract, tmp_path)


def test_a_node_is_killed_again_and_again(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    job = start(world, contract)
    for delay_s in (0.05, 0.3, 0.6):
        time.sleep(delay_s)
        world.restart("laboratory", kill=True)
    finish(world, job, contract, tmp_path)


def test_a_peer_that_is_down_at_the_start_comes_up_later(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    together.wait_for(lambda: final(world["hospital"]) or None, "the witnesses of the signatures")
    world.daemon("laboratory").stop(kill=True)
    job = start(world, contract)
    until(world, "hospital", job, lambda view: "laboratory" in view.waiting_for)
    assert world["hospital"].job_show(job).state == "running"
    world.restart("laboratory")
    finish(world, job, contract, tmp_path)


def test_cancel_ends_it_everywhere_and_the_run_counts(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    job = start(world, contract)
    until(world, "laboratory", job, lambda view: view.state == "running")
    world["laboratory"].job_cancel(job, "changed our mind")
    for party in PARTIES:
        over(world, party, job)
        view = world[party].job_show(job)
        assert view.state == "cancelled"
    with pytest.raises(DeniedError, match="No runs are left"):
        world["hospital"].job_start(contract)


def test_a_changed_file_stops_the_job_with_party_and_step(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    path = world.home("laboratory") / "data" / "measurements.parquet"
    as_it_was = path.read_bytes()
    path.write_bytes(as_it_was[:-1] + b"\0")
    job = start(world, contract)
    for party in PARTIES:
        over(world, party, job)
    path.write_bytes(as_it_was)
    told = world["hospital"].job_show(job).problem
    assert told is not None
    assert (told.party, told.step) == ("laboratory", "align")
    own = world["laboratory"].job_show(job).problem
    assert own is not None
    assert "measurements" in own.what


def test_a_withdrawn_signature_cancels_and_lets_nothing_start(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    world["laboratory"].contract_withdraw(contract, "the purpose changed")
    together.wait_for(
        lambda: world["hospital"].contract_show(contract).state == "withdrawn" or None, "the withdrawal"
    )
    with pytest.raises(DeniedError, match="withdrawn"):
        world["hospital"].job_start(contract)


def test_what_each_party_has_on_disk_is_sealed(world: Loopback, tmp_path: Path) -> None:
    contract = agree(world)
    job = start(world, contract)
    finish(world, job, contract, tmp_path)
    outcome = _collect("laboratory", world["laboratory"], job)
    weights = np.array(outcome["train.model"].meta["known"]["coefficients"])
    assert len(weights) == 20
    for party in PARTIES:
        for path in (world.home(party) / "artefacts").rglob("*"):
            if path.is_file():
                assert b"unseen-artefact" not in path.read_bytes()
    assert threading.active_count() < 200


def test_a_restored_backup_refuses_work_when_peers_know_more(world: Loopback, tmp_path: Path) -> None:
    """The last one: the laboratory is of no use any more."""
    contract = agree(world)
    made = world["laboratory"].backup(str(tmp_path / "old.backup"))
    assert made.size_bytes > 0
    job = start(world, contract)
    finish(world, job, contract, tmp_path)
    daemon = world.daemon("laboratory")
    daemon.stop()
    home = daemon.home
    home.rename(tmp_path / "gone")
    restore(Path(made.path), home)
    node = world.restart("laboratory")
    together.wait_for(lambda: node.status().refuses_work or None, "the news that it is behind")
    assert "restored" in node.status().refuses_work
