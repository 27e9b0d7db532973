"""Agreement on attempts and outcomes: every order of messages and every place of a crash is tried, none is sampled."""

from __future__ import annotations

import random
from typing import Any

import pytest
from jobs_world import Explorer, Nodes, Shape, contract_of, explore, outputs_of

from unseen.core.errors import (
    DeniedError,
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UsageError,
    VerificationError,
)
from unseen.jobs import events as e
from unseen.jobs import messages as m
from unseen.jobs.coordination import JobMachine
from unseen.jobs.standing import JobPhase, Phase, decode, encode

FINISHED, FAILED, CANCELLED = JobPhase.FINISHED, JobPhase.FAILED, JobPhase.CANCELLED
ONE: Shape = [("t", ("a", "b"), ())]
TWO: Shape = [("t", ("a", "b"), ()), ("u", ("a", "b"), ("t",))]
PARTLY: Shape = [("t", ("a", "b"), ()), ("u", ("b", "c"), ("t",))]
THREE: Shape = [("t", ("a", "b", "c"), ())]
ALL_FINISH = {frozenset({FINISHED})}

# Shape, parties without a task, what goes wrong how often: whatever happens, the job finishes everywhere.
HARMLESS: dict[str, tuple[Shape, tuple[str, ...], dict[str, int]]] = {
    "nothing": (ONE, (), {}),
    "two crashes": (ONE, (), {"crashes": 2}),
    "two cut cables": (ONE, (), {"failures": 2}),
    "a crash and a cut cable": (ONE, (), {"crashes": 1, "failures": 1}),
    "a crash between two tasks": (TWO, (), {"crashes": 1}),
    "a crash beside an onlooker": (ONE, ("z",), {"crashes": 1}),
    "three parties": (THREE, (), {}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_may_pass_changes_nothing(name: str) -> None:
    shape, onlookers, budgets = HARMLESS[name]
    explorer = Explorer(Nodes(contract_of(shape, onlookers)))
    found = explore(explorer, explorer.start(**budgets), {FINISHED})
    assert found.outcomes == ALL_FINISH
    assert found.worlds > 20


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("shape", "budgets"),
    [(ONE, {"crashes": 3}), (TWO, {"crashes": 2}), (PARTLY, {"crashes": 1}), (THREE, {"failures": 1})],
)
def test_more_of_it_changes_nothing_either(shape: Shape, budgets: dict[str, int]) -> None:
    explorer = Explorer(Nodes(contract_of(shape)))
    assert explore(explorer, explorer.start(**budgets), {FINISHED}).outcomes == ALL_FINISH


@pytest.mark.parametrize("crashes", [0, 1])
def test_what_cannot_pass_ends_the_job_everywhere(crashes: int) -> None:
    explorer = Explorer(Nodes(contract_of(ONE)))
    found = explore(explorer, explorer.start(hard_failures=1, crashes=crashes), {FINISHED, FAILED})
    assert found.outcomes == ALL_FINISH | {frozenset({FAILED})}  # never one of them here, the other there


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_cancelled_job_ends_everywhere(crashes: int) -> None:
    """Who had finished when the word came stays finished."""
    explorer = Explorer(Nodes(contract_of(ONE)))
    found = explore(explorer, explorer.start(cancels=1, crashes=crashes), {FINISHED, CANCELLED})
    assert frozenset({CANCELLED}) in found.outcomes


@pytest.mark.parametrize("seed", range(20))
def test_many_parties_many_crashes_at_random(seed: int) -> None:
    """Too many worlds to try them all: one path each."""
    shape: Shape = [("t", tuple("abcd"), ()), ("u", tuple("abc"), ("t",)), ("v", tuple("bcd"), ("u",))]
    rng = random.Random(seed)
    nodes = Nodes(contract_of(shape), max_attempts=40)
    explorer = Explorer(nodes)
    world = explorer.start(crashes=6, failures=4)
    while True:
        following = [after for after in explorer.successors(world) if after.crashes == world.crashes]
        crashed = [after for after in explorer.successors(world) if after.crashes < world.crashes]
        if not following:
            break
        world = rng.choice(crashed if crashed and rng.random() < 0.05 else following)
    explorer.check_stuck(world, {FINISHED})
    assert {task for task, _ in world.commits} == {"t", "u", "v"}


def test_the_explorer_finds_a_machine_that_launches_before_it_is_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tests above rest on the explorer's eyes: it must see a broken rule."""
    monkeypatch.setattr(e, "ORDER", (e.Launch, *(kind for kind in e.ORDER if kind is not e.Launch)))
    explorer = Explorer(Nodes(contract_of(ONE)))
    with pytest.raises(AssertionError):
        explore(explorer, explorer.start(crashes=1), {FINISHED})


def test_the_explorer_finds_a_machine_that_resumes_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = JobMachine._go_to
    monkeypatch.setattr(
        JobMachine,
        "_go_to",
        lambda self, name, attempt, reason: plain(self, name, attempt - 1 if reason else attempt, reason),
    )
    explorer = Explorer(Nodes(contract_of(ONE)))
    with pytest.raises(AssertionError, match="launched again"):
        explore(explorer, explorer.start(crashes=1), {FINISHED})


# ---------------------------------------------------------------------- one machine


def machine(shape: Shape = ONE, me: str = "a", **options: int) -> JobMachine:
    contract = contract_of(shape)
    made = JobMachine.new(contract, me, m.JobRef("job-1", contract.id, "a"), **options)
    made.handle(e.Accept())
    return made


def hear(made: JobMachine, sender: str, kind: type[Any], *fields: Any) -> tuple[e.Action, ...]:
    return made.handle(e.Received(sender, kind(made.state.job, *fields)))


def kinds(actions: tuple[e.Action, ...]) -> list[type[e.Action]]:
    return [type(action) for action in actions]


def running(made: JobMachine) -> JobMachine:
    hear(made, "b", m.Accepted)
    assert e.Launch("t", 1) in hear(made, "b", m.Ready, "t", 1)
    return made


def test_nothing_is_launched_before_all_have_announced_the_same_attempt() -> None:
    made = machine()
    assert e.Launch not in kinds(hear(made, "b", m.Accepted))
    hear(made, "b", m.Ready, "t", 3)  # b is ahead: a follows
    assert made.state.tasks["t"].attempt == 3
    assert made.state.tasks["t"].phase == Phase.RUNNING


def test_the_state_is_on_disk_before_anything_is_said_or_done() -> None:
    made = machine()
    hear(made, "b", m.Accepted)
    actions = hear(made, "b", m.Ready, "t", 1)
    assert kinds(actions) == [e.Persist, e.Launch]
    actions = made.handle(e.WorkerDone("t", 1, outputs_of("a", "t", 1)))
    assert kinds(actions) == [e.Persist, e.Tell]


def test_a_worker_that_was_running_when_the_node_died_is_not_believed() -> None:
    made = running(machine())
    again = JobMachine.load(made._contract, "a", encode(made.state))
    actions = again.handle(e.Restarted())
    assert e.Kill("t", 1) in actions
    assert again.state.tasks["t"].attempt == 2
    again.handle(e.WorkerDone("t", 1, outputs_of("a", "t", 1)))
    assert again.state.tasks["t"].phase == Phase.READY


def test_trying_again_has_an_end_and_longer_and_longer_pauses() -> None:
    made = running(machine(max_attempts=4))
    pauses = []
    for attempt in range(1, 5):
        actions = made.handle(e.WorkerFailed("t", attempt, UnavailableError("cut", party="b")))
        if attempt == 4:
            break
        (pause,) = [action for action in actions if isinstance(action, e.Wait)]
        pauses.append(pause.delay_s)
        made.handle(e.Waited("t", attempt + 1))
        hear(made, "b", m.Ready, "t", attempt + 1)
    assert pauses == sorted(set(pauses))
    assert made.state.phase == FAILED
    assert made.state.problem is not None
    assert (made.state.problem["party"], made.state.problem["step"]) == ("b", "t")


@pytest.mark.parametrize("error", [UsageError("x"), DeniedError("x"), VerificationError("x")])
def test_only_what_may_pass_is_tried_again(error: UsageError | DeniedError | VerificationError) -> None:
    made = running(machine())
    actions = made.handle(e.WorkerFailed("t", 1, error))
    assert made.state.phase == FAILED
    (told,) = [action.message for action in actions if isinstance(action, e.Tell)]
    assert told == m.Failed(
        made.state.job, error.code, "a", "t"
    )  # the class and the step; no word of the cause


@pytest.mark.parametrize("named", ["a", "b"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_failed_here_the_own_worker_says_and_not_a_peer(order: tuple[int, int], named: str) -> None:
    made = running(machine())
    events = [
        lambda: made.handle(e.WorkerFailed("t", 1, UsageError("no label", mend="bring one"))),
        lambda: hear(made, "b", m.Failed, "usage", named, "t"),
    ]
    for place in order:
        events[place]()
    assert made.state.phase == FAILED
    assert made.state.problem is not None
    assert (made.state.problem["what"], made.state.problem["party"]) == ("no label", "a")


@pytest.mark.parametrize("own", ["says nothing", "lost its link"])
@pytest.mark.parametrize("named", ["a", "b"])
def test_a_peers_word_of_a_failure_is_put_off_once(named: str, own: str) -> None:
    made = running(machine())
    (off,) = hear(made, "b", m.Failed, "usage", named, "t")
    assert isinstance(off, e.PutOff)
    assert made.state.phase == JobPhase.RUNNING
    if own == "lost its link":
        made.handle(e.WorkerFailed("t", 1, UnavailableError("the link is closed", party="b")))
        assert made.state.phase == JobPhase.RUNNING
    made.handle(e.Received(off.sender, off.message, late=True))
    assert made.state.phase == FAILED
    assert made.state.problem is not None
    assert made.state.problem["party"] == named


def test_time_out_names_whom_the_job_waited_for() -> None:
    made = machine()
    made.handle(e.DeadlinePassed())
    assert made.state.phase == FAILED
    assert made.state.problem is not None
    assert "b" in str(made.state.problem)
    assert made.state.problem["step"] == "t"


def test_time_out_after_all_is_done_is_no_failure() -> None:
    made = running(machine())
    made.handle(e.WorkerDone("t", 1, outputs_of("a", "t", 1)))
    hear(made, "b", m.Prepared, "t", 1, outputs_of("b", "t", 1))
    made.handle(e.DeadlinePassed())
    assert made.state.phase == FINISHED


@pytest.mark.parametrize(
    ("kind", "fields", "objection"),
    [
        (m.Ready, ("t", 99), "over the limit"),
        (m.Prepared, ("t", 5, {}), "remembers no part in"),
    ],
)
def test_a_peer_that_contradicts_itself_ends_the_job_by_name(
    kind: type[Any], fields: tuple[Any, ...], objection: str
) -> None:
    made = running(machine())
    hear(made, "b", kind, *fields)
    assert made.state.phase == FAILED
    assert made.state.problem is not None
    assert made.state.problem["party"] == "b"
    assert objection in str(made.state.problem)


def test_two_different_outputs_of_one_attempt_are_a_contradiction() -> None:
    made = running(machine())
    hear(made, "b", m.Prepared, "t", 1, outputs_of("b", "t", 1))
    hear(made, "b", m.Prepared, "t", 1, outputs_of("b", "t", 2))
    assert made.state.phase == FAILED
    assert "two different outputs" in str(made.state.problem)


@pytest.mark.parametrize(
    ("sender", "kind", "fields"),
    [
        ("mallory", m.Accepted, ()),
        ("a", m.Accepted, ()),
        ("b", m.Ready, ("nothing", 1)),
        ("b", m.Failed, ("denied", "mallory", None)),
        ("b", m.Failed, ("denied", "b", "nothing")),
    ],
)
def test_nonsense_changes_nothing(sender: str, kind: type[Any], fields: tuple[Any, ...]) -> None:
    made = running(machine())
    before = made.state
    with pytest.raises(RemoteProtocolError, match="makes no sense"):
        hear(made, sender, kind, *fields)
    assert made.state == before


def test_of_a_job_that_is_over_only_those_hear_who_do_not_know() -> None:
    made = running(machine())
    made.handle(e.Cancel("enough"))
    (told,) = [item.message for item in hear(made, "b", m.Ready, "t", 2) if isinstance(item, e.Tell)]
    assert isinstance(told, m.Cancelled)
    assert hear(made, "b", m.Cancelled, "b", "") == ()


def test_nothing_happens_before_the_job_is_accepted() -> None:
    contract = contract_of(ONE)
    made = JobMachine.new(contract, "a", m.JobRef("job-1", contract.id, "b"))
    with pytest.raises(LocalProtocolError, match="accepted or denied first"):
        made.handle(e.Restarted())
    made.handle(e.Deny(DeniedError("no")))
    assert made.state.phase == JobPhase.DENIED


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x80", encode(machine().state)[:-1]])
def test_a_damaged_state_is_an_error(data: bytes) -> None:
    with pytest.raises(VerificationError):
        decode(data)
