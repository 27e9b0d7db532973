"""The main job on three real nodes: how tests start it, wait for it, and know that it came out right."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.core.errors import DeniedError, UnseenError
from unseen.jobs.evidence import audit_bundle
from unseen.node.models import JOB_OVER, JobView
from unseen.scenes.comparison import hold_against
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer
from unseen.scenes.performance import collect

PARTIES = ("hospital", "laboratory", "helper")
HOLDINGS = breast_cancer()


def prepare(world: Loopback, folder: Path, settings: Settings = Settings()) -> str:  # noqa: B008 - it is frozen
    """Data in all catalogues and a contract with all signatures."""
    together.bring(dict(world.nodes), workflow(HOLDINGS, settings), folder)
    return agree(world, settings)


def agree(world: Loopback, settings: Settings = Settings()) -> str:  # noqa: B008 - it is frozen
    """A contract about data that are in all catalogues, with all signatures."""
    return together.agree(dict(world.nodes), workflow(HOLDINGS, settings), "hospital")


def start(world: Loopback, contract: str, party: str = "hospital") -> str:
    """A party starts the run, once all signatures are witnessed."""
    job: str = together.wait_for(lambda: attempt(lambda: world[party].job_start(contract)), "the start").id
    return job


def final(node) -> bool:
    """Whether the own signature is witnessed by all, and all others' entries are here."""
    heads = node.ledger_heads()
    return not heads[0].pending and all(head.size for head in heads)


def attempt(action: Callable[[], object]) -> object:
    """What it gives, or None while it says no."""
    with contextlib.suppress(UnseenError):
        return action()
    return None


def until(
    world: Loopback,
    party: str,
    job: str,
    what: Callable[[JobView], bool],
    timeout_s: float = 60.0,
    pause_s: float = 0.005,
) -> None:
    """Wait until the job looks so at that party; with short pauses, for what passes soon."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(UnseenError):
            if what(world[party].job_show(job)):
                return
        time.sleep(pause_s)
    raise AssertionError(f"nothing happened at {party}: {world[party].job_show(job)}")


def over(world: Loopback, party: str, job: str, timeout_s: float = 60.0) -> None:
    """Wait until the job is over at that party."""
    until(world, party, job, lambda view: view.state in JOB_OVER, timeout_s, pause_s=0.05)


def state_of(view: JobView, party: str, task: str) -> str:
    return next(item.state for item in view.tasks if (item.party, item.task) == (party, task))


def finish(world: Loopback, job: str, contract: str, folder: Path, timeout_s: float = 60.0) -> None:
    """The job finishes at all, the model is the pooled one, the evidence holds, the run is spent."""
    for party in PARTIES:
        over(world, party, job, timeout_s)
        assert world[party].job_show(job).state == "finished", world[party].job_show(job).problem
    result = collect(dict(world.nodes), HOLDINGS, job, folder)
    assert hold_against(result, HOLDINGS, penalty=1.0).agreement.holds
    bundle = together.evidence(dict(world.nodes), "hospital", contract)
    report = audit_bundle(bundle)
    assert report.verdict == "holds", report.to_text()
    with pytest.raises(DeniedError, match="No runs are left"):
        world["hospital"].job_start(contract)


def went_on(world: Loopback, contract: str, *, of: int, at_least: int) -> None:
    """All say alike that training went on from a checkpoint, and no checkpoint is left on a disk."""
    report = audit_bundle(together.evidence(dict(world.nodes), "hospital", contract))
    (line,) = [line.what for line in report.lines if "went on from a checkpoint" in line.what]
    found = re.search(rf"'train'.*: Newton iteration (\d+) of {of}, stored in attempt \d+", line)
    assert found, line
    assert int(found[1]) >= at_least
    assert not [place for party in PARTIES for place in world.home(party).rglob("*.checkpoint-*")]


def workers_of(world: Loopback, party: str) -> list[int]:
    """Process ids of a node's workers: grandchildren by its fork-server."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
                parents.setdefault(int(fields[1]), []).append(int(place.name))
    daemon = world.daemon(party)._process.pid
    return [worker for server in parents.get(daemon, []) for worker in parents.get(server, [])]
