"""All nodes of one job as one value, to be explored: every order of messages, repeated messages, crashes anywhere.

The network is a set that only grows: whatever was ever said may arrive at any time, and again. A crash may fall
between any two actions; it loses the machine's memory, kills the party's workers and pauses, and is followed by a
restart from what was persisted. A worker may finish or fail at any moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from unseen.core.errors import UnavailableError, UsageError
from unseen.govern.contract import Contract, PartyTerms, TaskTerms
from unseen.jobs import events as e
from unseen.jobs import messages as m
from unseen.jobs.coordination import JobMachine
from unseen.jobs.standing import JobPhase, JobStanding, Phase, decode, encode

Shape = Sequence[tuple[str, Sequence[str], Sequence[str]]]
"""Tasks as (name, parties, names of earlier tasks it takes inputs from)."""

FAR = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def contract_of(shape: Shape, parties: Sequence[str] = ()) -> Contract:
    names = sorted({*parties, *(party for _, members, _ in shape for party in members)})
    return Contract(
        title="t",
        purpose="p",
        parties=tuple(
            PartyTerms(name=name, identity=f"ed25519:{name}", roles=("computer",)) for name in names
        ),
        assets=(),
        tasks=tuple(
            TaskTerms(
                name=name,
                step="s",
                version=1,
                fingerprint="f",
                roles={"members": tuple(members)},
                inputs={f"in-{need}": f"{need}.out" for need in needs},
            )
            for name, members, needs in shape
        ),
        disclosures=(),
        security_level="shared",
        valid_from=LONG_AGO,
        valid_until=FAR,
    )


def outputs_of(party: str, task: str, attempt: int) -> m.Outputs:
    return {"out": hashlib.sha256(f"{party}/{task}/{attempt}".encode()).hexdigest()}


class Nodes:
    """The machines, with their answers remembered: (party, state, event) → (state, actions)."""

    def __init__(self, contract: Contract, *, max_attempts: int = 6, parallel: int = 1) -> None:
        self.contract = contract
        self.names = contract.party_names
        self.job = m.JobRef("job-1", contract.id, self.names[0])
        self.options = {"max_attempts": max_attempts, "parallel": parallel}
        self._answers: dict[tuple[str, bytes, object], tuple[bytes, tuple[e.Action, ...]]] = {}
        self._decoded: dict[bytes, JobStanding] = {}

    def standing(self, state: bytes) -> JobStanding:
        if state not in self._decoded:
            self._decoded[state] = decode(state)
        return self._decoded[state]

    def answer(
        self, party: str, state: bytes, key: object, event: e.Event
    ) -> tuple[bytes, tuple[e.Action, ...]]:
        known = self._answers.get((party, state, key))
        if known is None:
            machine = JobMachine.load(self.contract, party, state, **self.options)
            actions = machine.handle(event)
            persisted = [action.state for action in actions if isinstance(action, e.Persist)]
            known = self._answers[party, state, key] = (persisted[0] if persisted else state, actions)
        return known


@dataclass(frozen=True, slots=True)
class World:
    states: tuple[bytes, ...]
    said: frozenset[tuple[str, str, bytes]] = frozenset()
    workers: frozenset[tuple[str, str, int]] = frozenset()
    pauses: frozenset[tuple[str, str, int]] = frozenset()
    off: frozenset[tuple[str, str, bytes]] = frozenset()
    launched: frozenset[tuple[str, str, int]] = frozenset()
    commits: frozenset[tuple[str, int]] = frozenset()
    ended: frozenset[str] = frozenset()
    crashes: int = 0
    failures: int = 0
    hard_failures: int = 0
    cancels: int = 0


class Explorer:
    """Steps from world to world, checking every one of them."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def start(self, **budgets: int) -> World:
        fresh = [JobMachine.new(self.nodes.contract, name, self.nodes.job) for name in self.nodes.names]
        world = World(tuple(encode(machine.state) for machine in fresh), **budgets)
        for name in self.nodes.names:
            world = self.perform(world, name, ("accept",), e.Accept())
        return world

    # ------------------------------------------------------------------ steps

    def perform(
        self, world: World, party: str, key: object, event: e.Event, upto: int | None = None
    ) -> World:
        """The event and the first `upto` actions of its answer (None: all)."""
        place = self.nodes.names.index(party)
        _, actions = self.nodes.answer(party, world.states[place], key, event)
        for action in actions[:upto]:
            world = self._act(world, party, place, action)
        return world

    def _act(self, world: World, party: str, place: int, action: e.Action) -> World:  # noqa: PLR0911
        match action:
            case e.Persist():
                states = (*world.states[:place], action.state, *world.states[place + 1 :])
                return replace(world, states=states)
            case e.Tell():
                data = m.encode(action.message)
                return replace(world, said=world.said | {(party, peer, data) for peer in action.peers})
            case e.Kill():
                return replace(world, workers=world.workers - {(party, action.task, action.attempt)})
            case e.Launch():
                worker = (party, action.task, action.attempt)
                assert worker not in world.launched, f"{worker} is launched again"
                self._check_launch(world, *worker)
                return replace(world, workers=world.workers | {worker}, launched=world.launched | {worker})
            case e.Wait():
                return replace(world, pauses=world.pauses | {(party, action.task, action.attempt)})
            case e.PutOff():
                return replace(world, off=world.off | {(party, action.sender, m.encode(action.message))})
            case e.Commit():
                self._check_commit(world, party, action)
                return replace(world, commits=world.commits | {(action.task, action.attempt)})
            case e.Finish():
                return replace(world, ended=world.ended | {party})
        raise AssertionError(action)

    def crash(self, world: World, party: str, upto: int | None = None) -> World:
        """Memory, workers and pauses are gone; the node begins again, and may crash after `upto` actions."""
        world = replace(
            world,
            crashes=world.crashes - 1,
            workers=frozenset(worker for worker in world.workers if worker[0] != party),
            pauses=frozenset(pause for pause in world.pauses if pause[0] != party),
            off=frozenset(item for item in world.off if item[0] != party),
        )
        return self.perform(world, party, ("restarted",), e.Restarted(), upto)

    # ------------------------------------------------------------------ what can happen

    def moves(self, world: World) -> Iterator[tuple[str, object, e.Event, World]]:
        """(party, key, event, world with the budget spent) of everything but crashes."""
        for sender, receiver, data in world.said:
            key = (sender, data)
            yield receiver, key, e.Received(sender, m.decode(data, sender=sender)), world
        for party, task, attempt in world.workers:
            left = replace(world, workers=world.workers - {(party, task, attempt)})
            done = e.WorkerDone(task, attempt, outputs_of(party, task, attempt))
            yield party, ("done", task, attempt), done, left
            if world.failures:
                failed = e.WorkerFailed(task, attempt, UnavailableError("cut"))
                yield party, ("cut", task, attempt), failed, replace(left, failures=world.failures - 1)
            if world.hard_failures:
                broken = e.WorkerFailed(task, attempt, UsageError("bad column"))
                spent = replace(left, hard_failures=world.hard_failures - 1)
                yield party, ("broken", task, attempt), broken, spent
        for party, task, attempt in world.pauses:
            left = replace(world, pauses=world.pauses - {(party, task, attempt)})
            yield party, ("waited", task, attempt), e.Waited(task, attempt), left
        for party, sender, data in world.off:
            left = replace(world, off=world.off - {(party, sender, data)})
            late = e.Received(sender, m.decode(data, sender=sender), late=True)
            yield party, (sender, data, "late"), late, left
        if world.cancels:
            for party in self.nodes.names:
                yield party, ("cancel",), e.Cancel("enough"), replace(world, cancels=world.cancels - 1)

    def successors(self, world: World) -> Iterator[World]:
        """All worlds one step away, crashes included, that differ from this one."""
        for party, key, event, before in self.moves(world):
            after = self.perform(before, party, key, event)
            if after != world:
                yield after
                yield from self._crashes_within(before, party, key, event)
        if world.crashes:
            for party in self.nodes.names:
                yield from self._restarts(world, party)

    def _crashes_within(self, before: World, party: str, key: object, event: e.Event) -> Iterator[World]:
        if not before.crashes:
            return
        place = self.nodes.names.index(party)
        _, actions = self.nodes.answer(party, before.states[place], key, event)
        for upto in range(len(actions) + 1):
            yield self.crash(self.perform(before, party, key, event, upto), party)

    def _restarts(self, world: World, party: str) -> Iterator[World]:
        whole = self.crash(world, party)
        yield whole
        if world.crashes > 1:
            place = self.nodes.names.index(party)
            _, actions = self.nodes.answer(party, world.states[place], ("restarted",), e.Restarted())
            for upto in range(1, len(actions)):
                yield self.crash(self.crash(world, party, upto), party)

    # ------------------------------------------------------------------ what must hold

    def _task_states(self, world: World, task: str) -> list[tuple[str, Phase, int]]:
        members = self.nodes.contract.task(task).parties
        found = []
        for name, state in zip(self.nodes.names, world.states, strict=True):
            if name in members:
                standing = self.nodes.standing(state).tasks[task]
                found.append((name, standing.phase, standing.attempt))
        return found

    def _check_launch(self, world: World, party: str, task: str, attempt: int) -> None:
        """All parties have announced this attempt, durably; and none of ours still runs."""
        assert not any(worker[:2] == (party, task) for worker in world.workers), "two workers of one task"
        for name, phase, at in self._task_states(world, task):
            assert at >= attempt, f"{name} has not persisted attempt {attempt}"
            assert phase != Phase.IDLE
        for need in self.nodes.contract.task(task).input_of(party).values():
            phases = {n: phase for n, phase, _ in self._task_states(world, need.partition(".")[0])}
            assert phases.get(party, Phase.COMMITTED) == Phase.COMMITTED

    def _check_commit(self, world: World, party: str, action: e.Commit) -> None:
        """Everybody's outputs of exactly this attempt are on disk, and no other attempt is ever committed."""
        assert all(
            known == (action.task, action.attempt) for known in world.commits if known[0] == action.task
        )
        for name, phase, attempt in self._task_states(world, action.task):
            assert phase in {Phase.PREPARED, Phase.COMMITTED}, f"{name} is {phase} when {party} commits"
            assert attempt == action.attempt
            assert action.outputs == outputs_of(party, action.task, action.attempt)
            if name != party:
                assert action.peers[name] == outputs_of(name, action.task, action.attempt)

    def phases(self, world: World) -> set[JobPhase]:
        return {self.nodes.standing(state).phase for state in world.states}

    def check_stuck(self, world: World, allowed: set[JobPhase]) -> None:
        """Nothing can happen any more: then everybody must know how it ended."""
        phases = self.phases(world)
        assert phases <= allowed, f"stuck with {phases}"
        assert world.ended == set(self.nodes.names), f"{set(self.nodes.names) - world.ended} never finished"


@dataclass(slots=True)
class Explored:
    worlds: int = 0
    ends: int = 0
    outcomes: set[frozenset[JobPhase]] = field(default_factory=set)


def explore(explorer: Explorer, start: World, allowed: set[JobPhase], *, limit: int = 2_000_000) -> Explored:
    """Every world there is."""
    seen = {start}
    frontier = [start]
    found = Explored()
    while frontier:
        world = frontier.pop()
        found.worlds += 1
        assert found.worlds <= limit, "too many worlds"
        stuck = True
        for after in explorer.successors(world):
            if after.crashes == world.crashes:
                stuck = False
            if after not in seen:
                seen.add(after)
                frontier.append(after)
        if stuck:
            explorer.check_stuck(world, allowed)
            found.ends += 1
            found.outcomes.add(frozenset(explorer.phases(world)))
    return found
