"""Jobs across three schedulers, with mail that a test delivers and workers that a test plays."""

import itertools
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.govern.contract import Contract, PartyTerms, TaskTerms
from unseen.jobs import events as e
from unseen.node.board import Board
from unseen.node.database import Database, contracts
from unseen.node.mailroom import Mailroom
from unseen.node.scheduler import Scheduler

PARTIES = ("alice", "bob", "carol")
WAIT_S = 20.0


def contract_of(tasks):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Contract(
        title="test",
        purpose="testing",
        parties=tuple(
            PartyTerms(name=name, identity=f"ed25519:{name}", roles=("holder",)) for name in PARTIES
        ),
        assets=(),
        tasks=tuple(
            TaskTerms(name=name, step="x", version=1, fingerprint="", roles={"all": who}, inputs=inputs)
            for name, who, inputs in tasks
        ),
        disclosures=(),
        security_level="shared",
        valid_from=start,
        valid_until=start + timedelta(days=9999),
    )


CONTRACT = contract_of(
    [
        ("align", ("alice", "bob"), {}),
        ("train", PARTIES, {"rows": {"alice": "align.rows", "bob": "align.rows"}}),
    ]
)


class Desk:
    """Lets every run begin, unless told otherwise."""

    def __init__(self):
        self.known = {CONTRACT.id: CONTRACT}
        self.refusal = None
        self.task_refusal = None
        self.admitted = []

    def contract(self, contract_id):
        if contract_id not in self.known:
            raise UsageError("no such contract")
        return self.known[contract_id]

    def admit(self, transaction, contract, job):
        if self.refusal:
            raise self.refusal
        self.admitted.append(job)

    def check_task(self, contract, task):
        if self.task_refusal:
            raise self.task_refusal


class Work:
    """Workers that finish at once, unless told to fail, or to be silent."""

    def __init__(self):
        self.scheduler = None
        self.launched, self.killed, self.committed, self.ended = [], [], [], []
        self.errors = {}
        self.silent = False
        self.commit_trouble = 0

    def launch(self, job, contract, task, attempt):
        self.launched.append((task, attempt))
        if self.silent:
            return
        error = self.errors.pop(task, None)
        event = (
            e.WorkerFailed(task, attempt, error)
            if error
            else e.WorkerDone(task, attempt, {"rows": "ab" * 32})
        )
        threading.Thread(target=self.scheduler.feed, args=(job.id, event)).start()

    def kill(self, job, task, attempt):
        self.killed.append((task, attempt))

    def commit(self, job, contract, done):
        if self.commit_trouble:
            self.commit_trouble -= 1
            raise UnavailableError("disk full")
        if done.task not in self.committed:
            self.committed.append(done.task)

    def end(self, job, contract, end):
        self.ended.append(end.phase)


class Site:
    """One party: what survives a crash (folder) and what does not."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.desk, self.work = Desk(), Work()
        self.open()

    def open(self):
        self.database = Database(self.folder / f"{self.name}.db")
        with self.database.write() as transaction:
            transaction.execute(
                contracts.insert().prefix_with("OR IGNORE").values(id=CONTRACT.id, body={}, received_at=0)
            )
        self.room = Mailroom(self.database)
        self.board = Board(self.database)
        self.scheduler = Scheduler(
            self.name,
            database=self.database,
            mailroom=self.room,
            board=self.board,
            contracts=self.desk,
            work=self.work,
            max_attempts=4,
            limit_s=600.0,
        )
        self.work.scheduler = self.scheduler
        self.scheduler.start_up()

    def crash(self):
        """Forget everything but the disk."""
        self.scheduler.shut_down()
        self.database.close()
        self.work = Work()


class World:
    """Three sites and the mail between those that are up."""

    def __init__(self, folder):
        self.sites = {name: Site(name, folder) for name in PARTIES}
        self.down = set()

    def __getitem__(self, name):
        return self.sites[name]

    def deliver(self):
        """Bring all mail that waits; the number of letters brought."""
        count = 0
        for sender, receiver in itertools.permutations(PARTIES, 2):
            if {sender, receiver} & self.down:
                continue
            for letter in self[sender].room.pending(receiver, after=0):
                self[receiver].room.take(sender, letter)
                self[sender].room.acknowledged(receiver, letter.seq)
                count += 1
        return count

    def until(self, condition):
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, {
                name: site.scheduler.list() for name, site in self.sites.items()
            }
            if not self.deliver():
                time.sleep(0.005)

    def states(self, job):
        return {
            name: next((view.state for view in site.scheduler.list() if view.id == job), None)
            for name, site in self.sites.items()
            if name not in self.down
        }

    def until_all(self, job, state):
        self.until(lambda: set(self.states(job).values()) == {state})

    def close(self):
        for name, site in self.sites.items():
            if name not in self.down:
                site.scheduler.shut_down()
                site.database.close()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_a_job_runs_to_its_end_everywhere(world):
    job = world["alice"].scheduler.start(CONTRACT.id)
    assert job.state == "running"
    assert job.waiting_for == ("bob", "carol")
    world.until_all(job.id, "finished")
    assert world["bob"].work.launched == [("align", 1), ("train", 1)]
    assert world["carol"].work.launched == [("train", 1)]
    world.until(lambda: all(site.work.ended == ["finished"] for site in world.sites.values()))
    assert world["alice"].work.committed == ["align", "train"]
    assert all(site.desk.admitted == [job.id] for site in world.sites.values())


def test_the_watcher_sees_the_whole_story(world):
    job = world["alice"].scheduler.start(CONTRACT.id)
    seen = []
    watcher = threading.Thread(
        target=lambda: seen.extend(world["alice"].scheduler.watch(job.id, after=0, timeout_s=None))
    )
    watcher.start()
    world.until_all(job.id, "finished")
    watcher.join(WAIT_S)
    assert not watcher.is_alive()
    assert [event.seq for event in seen] == sorted({event.seq for event in seen})
    assert seen[0].kind == "job"
    assert (seen[-1].kind, seen[-1].state) == ("job", "finished")
    story = [(event.progress.task, event.state) for event in seen if event.kind == "task"]
    assert ("align", "running") in story
    assert story.index(("align", "finished")) < story.index(("train", "finished"))


def test_a_run_that_may_not_begin_leaves_no_job(world):
    world["alice"].desk.refusal = DeniedError("no runs left", clause="runs")
    with pytest.raises(DeniedError, match="no runs left"):
        world["alice"].scheduler.start(CONTRACT.id)
    assert world["alice"].scheduler.list() == ()
    assert world.deliver() == 0


def test_a_peer_that_denies_ends_the_job_and_all_know_who(world):
    world["bob"].desk.refusal = DeniedError("the asset is gone", clause="asset")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: world.states(job.id) == {"alice": "failed", "bob": "denied", "carol": "failed"})
    problem = world["alice"].scheduler.show(job.id).problem
    assert (problem.code, problem.party) == ("denied", "bob")
    assert "asset is gone" not in problem.what + problem.why  # the reason stays at bob
    assert world["bob"].scheduler.show(job.id).problem.what == "the asset is gone"
    with pytest.raises(DeniedError):
        world["alice"].scheduler.require_result(job.id)


def test_an_undecided_peer_holds_the_job_until_it_can_decide(world):
    world["carol"].desk.refusal = UnavailableError("signatures are not witnessed")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: world["alice"].scheduler.show(job.id).waiting_for == ("carol",))
    assert world["alice"].work.launched == []
    world["carol"].scheduler.decide_held()
    assert world["carol"].work.launched == []
    world["carol"].desk.refusal = None
    world["carol"].scheduler.decide_held()
    world.until_all(job.id, "finished")


def test_held_jobs_survive_a_restart(world):
    carol = world["carol"]
    carol.desk.refusal = UnavailableError("not witnessed")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: world["alice"].scheduler.show(job.id).waiting_for == ("carol",))
    carol.crash()
    carol.desk.refusal = None
    carol.open()
    world.until_all(job.id, "finished")


def test_a_worker_that_fails_names_party_and_step_everywhere(world):
    world["bob"].work.errors["train"] = UsageError("column x is not numeric")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until_all(job.id, "failed")
    for name in PARTIES:
        problem = world[name].scheduler.show(job.id).problem
        assert (problem.party, problem.step, problem.code) == ("bob", "train", "usage")
    assert "column x" not in world["alice"].scheduler.show(job.id).problem.what
    assert world["alice"].work.committed == ["align"]


def test_an_unavailable_peer_is_tried_again(world):
    world["bob"].work.errors["align"] = UnavailableError("link lost")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until_all(job.id, "finished")
    assert world["bob"].work.launched == [("align", 1), ("align", 2), ("train", 1)]
    assert ("align", 1) in world["alice"].work.killed
    assert world["bob"].scheduler.show(job.id).tasks[0].attempt == 2


def test_a_task_that_may_no_longer_run_ends_the_job(world):
    world["bob"].desk.task_refusal = DeniedError("expired", clause="validity")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until_all(job.id, "failed")
    assert world["carol"].scheduler.show(job.id).problem.code == "denied"
    assert world["bob"].work.launched == []


def test_cancel_stops_everyone(world):
    for name in PARTIES:
        world[name].work.silent = True
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: world["bob"].work.launched == [("align", 1)])
    assert world["bob"].scheduler.cancel(job.id, "changed our mind").state == "cancelled"
    world.until_all(job.id, "cancelled")
    world.until(lambda: ("align", 1) in world["alice"].work.killed)
    assert world["carol"].scheduler.show(job.id).problem.party == "bob"
    with pytest.raises(UsageError, match="over already"):
        world["bob"].scheduler.cancel(job.id)


def test_cancelling_a_held_job_tells_the_others(world):
    world["carol"].desk.refusal = UnavailableError("not witnessed")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: world["alice"].scheduler.show(job.id).waiting_for == ("carol",))
    world["carol"].scheduler.cancel(job.id)
    world.until(lambda: world["alice"].scheduler.show(job.id).state == "failed")


@pytest.mark.parametrize("victim", PARTIES)
def test_a_node_killed_while_running_resumes_with_the_next_attempt(world, victim):
    site = world[victim]
    site.work.silent = True
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until(lambda: site.work.launched)
    task, _ = site.work.launched[0]
    site.crash()
    site.open()
    world.until_all(job.id, "finished")
    assert (task, 2) in site.work.launched
    assert (task, 1) not in site.work.launched
    assert site.desk.admitted == [job.id]  # a resume is the same run


def test_a_node_that_is_down_at_the_start_comes_up_later(world):
    world["carol"].crash()
    world.down.add("carol")
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.deliver()
    assert world["alice"].scheduler.show(job.id).waiting_for == ("bob", "carol") or (
        world["alice"].scheduler.show(job.id).waiting_for == ("carol",)
    )
    world["carol"].open()
    world.down.clear()
    world.until_all(job.id, "finished")


def test_a_full_disk_at_commit_is_waited_out(world):
    world["bob"].work.commit_trouble = 2
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until_all(job.id, "finished")
    world.until(lambda: world["bob"].work.committed == ["align", "train"])


def test_jobs_that_are_settled_are_left_alone_at_the_next_start(world):
    job = world["alice"].scheduler.start(CONTRACT.id)
    world.until_all(job.id, "finished")
    world.until(lambda: world["alice"].work.ended == ["finished"] and not world["alice"].room.counts())
    time.sleep(0.05)
    world["alice"].crash()
    world["alice"].open()
    assert world["alice"].work.ended == []
    assert world["alice"].room.counts() == {}


def test_rubbish_by_mail_changes_nothing(world):
    job = world["alice"].scheduler.start(CONTRACT.id)
    for body in (b"", b"\xff", b"\x80", b"\x92\x01\x02"):
        with world["bob"].database.write() as transaction:
            world["bob"].room.post(transaction, "alice", "job", body)
    world.until_all(job.id, "finished")


def test_nobody_can_make_up_a_job_in_our_name(world):
    from unseen.jobs import messages as jm  # noqa: PLC0415

    ref = jm.JobRef("job-forged", CONTRACT.id, "alice")
    stranger = jm.JobRef("job-stranger", CONTRACT.id, "mallory")
    with world["bob"].database.write() as transaction:
        for made_up in (ref, stranger):
            world["bob"].room.post(transaction, "alice", "job", jm.encode(jm.Accepted(made_up)))
    world.deliver()
    assert world["alice"].scheduler.list() == ()


@pytest.mark.parametrize("wanted", ["", "job-x", "nothing"])
def test_there_is_no_such_job(world, wanted):
    with pytest.raises(UsageError, match="job list"):
        world["alice"].scheduler.show(wanted)


def test_a_job_is_found_by_the_beginning_of_its_id(world):
    job = world["alice"].scheduler.start(CONTRACT.id)
    assert world["alice"].scheduler.show(job.id[:12]).id == job.id
    world["alice"].scheduler.start(CONTRACT.id)
    with pytest.raises(UsageError, match="2 jobs"):
        world["alice"].scheduler.show("job-")
