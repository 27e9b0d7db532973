"""Kill -9 at each named point of the crash rules: the job goes on where all had got to, with the same result.

One consortium lives through all of them, one contract after the other.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from killing_world import Point, Trap
from node_world import HOLDINGS, PARTIES, agree, attempt, finish, went_on

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.core.errors import DeniedError
from unseen.node.models import JOB_OVER
from unseen.scenes.joint_model import Settings, workflow

NODE = {
    "a run is counted, nobody knows yet": Point("unseen.node.scheduler:Scheduler._set_deadline", "before"),
    "a run is counted, the log does not say so": Point(
        "unseen.node.contracts:ContractDesk.note_run", "before"
    ),
    "an attempt is agreed, no worker there": Point("unseen.node.work:Workshop.launch", "before"),
    "a worker is there, nothing sent": Point("unseen.node.work:Workshop.launch"),
    "outputs are on disk, not yet prepared": Point("unseen.node.store:ArtefactStore.finish"),
    "prepared, the peers have not heard": Point("unseen.node.work:Workshop._take_end"),
    "committed, not published": Point("unseen.node.work:Workshop.commit", "before"),
    "published, not in the log": Point("unseen.node.store:ArtefactStore.publish"),
    "in the log, not shown": Point("unseen.node.work:Workshop.commit"),
    "a line of a log is on disk, nobody knows": Point("unseen.ledger.log:Lines.append", "after", 3),
    "the job is over, the log does not say so": Point("unseen.node.work:Workshop.end", "before"),
    "the log says it is over, it is not settled": Point("unseen.node.work:Workshop.end"),
}
WORKER = {
    "before the links": Point("unseen.jobs.worker:_open_links", "before"),
    "before the first message": Point("unseen.jobs.worker:_open_links"),
    "the output seed is on disk": Point("unseen.jobs.journal:FileJournal.load_output_seed"),
    "among the messages": Point("unseen.party.party:Party.send", "after", 12),
    "a passage is on disk": Point("unseen.jobs.journal:FileJournal.record"),
    "a part is on disk": Point("unseen.jobs.journal:FileJournal.store_part", "after", 1),
    "a part is on disk as sent, not sent": Point("unseen.jobs.journal:FileJournal.store_part", "after", 2),
    "a part is sent": Point("unseen.party.party:Party.reveal_all"),
    "outputs are on disk, the node does not know": Point("unseen.jobs.worker:_store"),
}
CHECKPOINT = {
    "a checkpoint is due, not on disk": Point(
        "unseen.jobs.journal:FileJournal.store_checkpoint", "before", 3
    ),
    "a checkpoint is on disk, nobody knows": Point("unseen.jobs.journal:FileJournal.store_checkpoint", nth=3),
    "a checkpoint is on disk at all": Point("unseen.party.checkpoint:Checkpoints.save", nth=3),
    "the last checkpoint is on disk": Point("unseen.jobs.journal:FileJournal.store_checkpoint", nth=10),
}
AFTER_A_CHECKPOINT = {
    "a checkpoint is taken up, nothing done": Point("unseen.party.checkpoint:Checkpoints._take"),
    "the task is committed, its checkpoints are there": Point(
        "unseen.node.store:ArtefactStore.drop_checkpoints", "before"
    ),
}
ONLY_AT_HOLDERS = {"a passage is on disk", "a part is on disk", "a part is on disk as sent, not sent"}
# Each point once: at the hospital, the laboratory and the helper, three in each run.
TOGETHER = (
    ("a run is counted, nobody knows yet", "before the links", "before the first message"),
    ("a worker is there, nothing sent", "a run is counted, the log does not say so", "among the messages"),
    ("a part is on disk", "outputs are on disk, not yet prepared", "an attempt is agreed, no worker there"),
    ("published, not in the log", "a passage is on disk", "prepared, the peers have not heard"),
    ("the output seed is on disk", "committed, not published", "outputs are on disk, the node does not know"),
    (
        "the job is over, the log does not say so",
        "a part is on disk as sent, not sent",
        "in the log, not shown",
    ),
    (
        "a part is sent",
        "the log says it is over, it is not settled",
        "a line of a log is on disk, nobody knows",
    ),
    (
        "a checkpoint is taken up, nothing done",
        "a checkpoint is on disk, nobody knows",
        "the task is committed, its checkpoints are there",
    ),
)
POINTS = {**NODE, **WORKER, **CHECKPOINT, **AFTER_A_CHECKPOINT}


IN_SHORT = (2, 6)  # those of the quick suite: a part on disk, outputs, a part sent, a line of the log


def _together() -> list[object]:
    return [
        pytest.param(names, marks=() if place in IN_SHORT else pytest.mark.long)
        for place, names in enumerate(TOGETHER)
    ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    folder = tmp_path_factory.mktemp("consortium")
    with Loopback(PARTIES, folder=folder) as opened:
        together.bring(dict(opened.nodes), workflow(HOLDINGS, Settings()), folder)
        yield opened


@pytest.fixture(autouse=True)
def _all_there(world: Loopback) -> None:
    """A case that failed must not take the others with it."""
    for party in PARTIES:
        if party not in world.nodes:
            world.restart(party, kill=True)


def _start(world: Loopback, contract: str, died: Callable[[], bool]) -> None:
    """The hospital starts the run; where its own node dies of that, the answer is lost, the run is not."""
    together.wait_for(
        lambda: attempt(lambda: world["hospital"].job_start(contract)) or died() or None, "the start"
    )


def _trapped(world: Loopback, tmp_path: Path, point: Point, party: str) -> tuple[str, Trap]:
    """A contract whose run has begun, and the trap that is set at one party."""
    contract = agree(world)
    trap = Trap(point, tmp_path / "trap")
    with trap.set():
        world.restart(party)
    _start(world, contract, lambda: trap.died)
    return contract, trap


def _job(world: Loopback, contract: str) -> str:
    job: str = together.wait_for(
        lambda: next((job.id for job in world["hospital"].job_list() if job.contract == contract), None),
        "the job",
    )
    return job


def test_every_point_is_tried() -> None:
    quick = {**NODE, **WORKER, **AFTER_A_CHECKPOINT}
    assert {name for names in TOGETHER for name in names} == {*quick, "a checkpoint is on disk, nobody knows"}


@pytest.mark.parametrize("names", _together(), ids=", ".join)
def test_one_dies_at_each_party_in_one_run(world: Loopback, tmp_path: Path, names: tuple[str, ...]) -> None:
    contract = agree(world)
    traps = {}
    for party, name in zip(PARTIES, names, strict=True):
        traps[party] = Trap(POINTS[name], tmp_path / party)
        with traps[party].set():
            world.restart(party)
    _start(world, contract, lambda: traps["hospital"].died)
    deadline = time.monotonic() + 90

    def revive() -> bool | None:
        """Start again whoever lies there; whether all have died once and the job is over."""
        assert time.monotonic() < deadline, {party: trap.died for party, trap in traps.items()}
        all_died = all(trap.died for trap in traps.values())  # asked first: what follows, the living say
        for party in PARTIES:
            if world.daemon(party).pid is None:
                world.restart(party, kill=True)
        views = [job for party in PARTIES for job in world[party].job_list() if job.contract == contract]
        done = len(views) == len(PARTIES) and all(job.state in JOB_OVER for job in views)
        return (done and all_died) or None

    together.wait_for(lambda: attempt(revive), "the end of it all", 120)
    finish(world, _job(world, contract), contract, tmp_path)
    if "a checkpoint is taken up, nothing done" in names:
        went_on(world, contract, of=10, at_least=2)


def _cases(points: dict[str, Point]) -> list[object]:
    return [
        pytest.param(point, party, id=f"{name} ({party})")
        for name, point in points.items()
        for party in PARTIES
        if party != "helper" or name not in ONLY_AT_HOLDERS
    ]


@pytest.mark.long
@pytest.mark.parametrize(("point", "party"), _cases(NODE))
def test_a_node_dies(world: Loopback, tmp_path: Path, point: Point, party: str) -> None:
    contract, trap = _trapped(world, tmp_path, point, party)
    assert trap.victim() == world.daemon(party)._process.pid
    world.restart(party, kill=True)
    finish(world, _job(world, contract), contract, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("point", "party"), _cases(WORKER))
def test_a_worker_dies(world: Loopback, tmp_path: Path, point: Point, party: str) -> None:
    contract, trap = _trapped(world, tmp_path, point, party)
    assert trap.victim() != world.daemon(party).pid
    job = _job(world, contract)
    finish(world, job, contract, tmp_path)
    assert max(task.attempt for task in world[party].job_show(job).tasks) == 2


@pytest.mark.long
@pytest.mark.parametrize(("point", "party"), _cases(CHECKPOINT))
def test_a_worker_dies_at_a_checkpoint(world: Loopback, tmp_path: Path, point: Point, party: str) -> None:
    contract, trap = _trapped(world, tmp_path, point, party)
    assert trap.victim() != world.daemon(party).pid
    finish(world, _job(world, contract), contract, tmp_path)
    went_on(world, contract, of=10, at_least=point.nth - 1)


def test_a_run_that_only_the_log_knows_of_is_spent(world: Loopback, tmp_path: Path) -> None:
    """A backup that was made while a run began has it in the log, and not in the database."""
    contract = agree(world)
    _start(world, contract, lambda: False)
    finish(world, _job(world, contract), contract, tmp_path)
    world.daemon("hospital").stop()
    with contextlib.closing(sqlite3.connect(world.home("hospital") / "node.db")) as database:
        changed = database.execute("UPDATE contracts SET runs_used = 0 WHERE id = ?", (contract,))
        assert changed.rowcount == 1
        database.commit()
    world.restart("hospital")
    with pytest.raises(DeniedError, match="No runs are left"):
        world["hospital"].job_start(contract)
