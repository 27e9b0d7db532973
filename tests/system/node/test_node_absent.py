"""Nodes and workers that are silent, absent or not who they say: what waits, what goes on, and who is told."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from node_world import (
    HOLDINGS,
    PARTIES,
    agree,
    attempt,
    final,
    finish,
    over,
    start,
    until,
    went_on,
    workers_of,
)

from unseen.client import together
from unseen.client.homes import make
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.jobs.evidence import audit_bundle
from unseen.node.config import load
from unseen.node.models import JOB_OVER, JobView
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """Nodes that wait two seconds for a silent peer."""
    settings = {"*": {"jobs": {"silence_s": 2.0, "attempts": 3}}}
    folder = tmp_path_factory.mktemp("impatient")
    with Loopback(PARTIES, folder=folder, settings=settings) as opened:
        together.bring(dict(opened.nodes), workflow(HOLDINGS, Settings()), folder)
        yield opened


def test_a_worker_that_hangs_is_noticed_and_its_task_tried_again(impatient: Loopback, tmp_path: Path) -> None:
    """Stopped, not dead: its connections stay open and it says nothing."""
    contract = agree(impatient, Settings(iterations=25))  # it must not be over before it is stopped

    def under_way(view: JobView) -> bool:
        return any((task.party, task.task) == ("hospital", "train") and task.done >= 3 for task in view.tasks)

    job = start(impatient, contract)
    until(impatient, "hospital", job, under_way)
    for worker in workers_of(impatient, "helper"):
        os.kill(worker, signal.SIGSTOP)
    finish(impatient, job, contract, tmp_path)
    tried = {task.task: task.attempt for task in impatient["hospital"].job_show(job).tasks}
    assert tried["train"] >= 2  # a slow machine may be taken for a silent one, too
    went_on(impatient, contract, of=25, at_least=2)


def test_workers_that_always_hang_end_the_job_with_party_and_step(impatient: Loopback) -> None:
    contract = agree(impatient)
    job = start(impatient, contract)
    deadline = time.monotonic() + 60
    while impatient["hospital"].job_show(job).state not in JOB_OVER:
        assert time.monotonic() < deadline
        for worker in workers_of(impatient, "helper"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
        time.sleep(0.02)
    for party in PARTIES:
        over(impatient, party, job)
        problem = impatient[party].job_show(job).problem
        assert problem is not None
        assert (problem.code, problem.party, problem.step) == ("unavailable", "helper", "train")
    finished = [task.task for task in impatient["hospital"].job_show(job).tasks if task.state == "finished"]
    assert finished == ["align", "split", "standardise"]  # nothing already finished is lost


def test_a_party_that_is_down_delays_only_its_own_witness(tmp_path: Path) -> None:
    """The helper takes part in the contract, but in no task: while it is down the run goes through, and is witnessed."""
    first, second = breast_cancer()
    flow = Workflow("Who is in both", purpose="screening")
    flow.party(first.party, roles=("holder", "receiver"))
    flow.party(second.party, roles=("holder",))
    flow.party("helper", roles=("auditor",))
    tables = {
        held.party: flow.table(held.asset, holder=held.party, source=held.table, id_columns=(held.key,))
        for held in (first, second)
    }
    flow.task("align", "psi", roles={"holders": (first.party, second.party)}, inputs={"table": tables})
    with Loopback(PARTIES, folder=tmp_path) as world:
        together.bring(dict(world.nodes), flow, tmp_path)
        contract = together.agree(dict(world.nodes), flow, "hospital")
        for party in PARTIES:
            together.wait_for(
                lambda party=party: final(world[party]) or None, "the witnesses of the signatures"
            )
        world.daemon("helper").stop(kill=True)
        job = start(world, contract)
        two = {name: world[name] for name in ("hospital", "laboratory")}
        for party in two:
            over(world, party, job, 30)
            assert world[party].job_show(job).state == "finished"
        together.wait_for(
            lambda: world["hospital"].ledger_heads()[0].pending == ("helper",) or None, "the other's witness"
        )
        bundle = together.evidence(two, "hospital", contract)
        report = audit_bundle(bundle)
        assert report.verdict == "holds", report.to_text()
        world.restart("helper")
        together.wait_for(lambda: not world["hospital"].ledger_heads()[0].pending or None, "the late witness")


def test_a_node_with_another_key_under_a_known_name_is_refused(tmp_path: Path) -> None:
    with Loopback(("clinic", "lab"), folder=tmp_path) as world:
        together.wait_for(lambda: world["clinic"].peer_list()[0].connected or None, "the first meeting")
        pinned = world["clinic"].peer_list()[0].fingerprint
        daemon, home = world.daemon("lab"), world.home("lab")
        daemon.stop()
        settings = load(home)
        known = home.with_name("lab-before")
        home.rename(known)
        make(home, {"name": "lab", "link": settings.link.model_dump(mode="json", exclude_none=True)})
        impostor = world.restart("lab")
        assert impostor.identity().fingerprint != pinned
        time.sleep(2.0)
        peer = world["clinic"].peer_list()[0]
        assert not peer.connected
        assert peer.fingerprint == pinned
        assert "lab" in (tmp_path / "clinic.log").read_text()
        impostor.close()
        daemon.stop()
        shutil.rmtree(home)
        known.rename(home)
        world.restart("lab")
        together.wait_for(
            lambda: attempt(lambda: world["clinic"].peer_list()[0].connected) or None, "the real one"
        )
