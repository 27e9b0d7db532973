"""How the parties of a job agree on attempts and outcomes, without a coordinator: a machine without I/O.

One :class:`JobMachine` per job and node. It takes events (:mod:`unseen.jobs.events`) and answers with actions that
the node performs in order. It reads no clock, disk or network, so every crash and every order of messages can be
tried in a test.

*Who may begin.* No task begins before every party that has tasks accepted the job. A task begins at a party when
its inputs there are committed, in the contract's order.

*Attempts.* A party says Ready(task, n) once n is on its disk and no worker of a lower attempt will go on; whoever
hears of a higher attempt takes it over. A worker is launched when all parties of the task said Ready for the same
n, after "running" is on disk. A party that finds "running" on its disk after a crash cannot know how far that
attempt got, and takes the next number: no attempt is launched twice anywhere, so no mask is ever drawn twice.

*Outcome.* A worker that is done leaves its outputs on disk; the party persists and says Prepared(task, n). Who has
Prepared for the same n from all, commits. *Why no two attempts are both committed:* attempt n + 1 is first said by
a party whose attempt n failed or crashed, which therefore never says Prepared(n); without it nobody commits n. A
party that is prepared never runs again unless such a party asks for it.

*Failure.* Only UnavailableError is tried again, a bounded number of times. Everything else ends the job at all
parties, naming party and step. What was committed stays. Where a worker of the failed task still runs, its own word is waited for a
moment: a party that fails for the same reason then says which, rather than whom to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from unseen.core.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    from_dict,
)
from unseen.govern.contract import Contract, TaskTerms
from unseen.jobs import endings, rules
from unseen.jobs import events as e
from unseen.jobs import messages as m
from unseen.jobs.standing import (
    OVER,
    JobPhase,
    JobStanding,
    PeerPrepared,
    Phase,
    TaskStanding,
    decode,
    encode,
)

MAX_ATTEMPTS = 12
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
OWN_WORD_S = 1.0
"""How long a peer's word that a task failed waits for that of the own worker at it."""
_AT_WORK = frozenset({Phase.RUNNING, Phase.PREPARED})


class JobMachine:
    """One job at one node; see the module.

    Parameters
    ----------
    contract
        The contract the job is a run of.
    me
        This party.
    state
        As last persisted; :meth:`new` makes the first one.
    max_attempts
        How often a task is tried before the job fails.
    parallel
        How many tasks may be under way at once at this party. They are taken in the contract's order, which is
        the same at all parties: so no two parties wait for each other, whatever the number.
    """

    def __init__(
        self,
        contract: Contract,
        me: str,
        state: JobStanding,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        parallel: int = 1,
    ) -> None:
        if state.job.contract != contract.id:
            raise LocalProtocolError(f"The state of {state.job.id} belongs to another contract.")
        self.me = me
        self.state = state
        self._contract = contract
        self._max_attempts = max_attempts
        self._parallel = parallel
        self._peers = tuple(name for name in contract.party_names if name != me)
        self._mine: dict[str, TaskTerms] = {task.name: task for task in contract.tasks if me in task.parties}
        self._workers = tuple(sorted({party for task in contract.tasks for party in task.parties}))
        self._actions: list[e.Action] = []

    @classmethod
    def new(cls, contract: Contract, me: str, job: m.JobRef, **options: int) -> JobMachine:
        """A job nobody has accepted yet."""
        tasks = {task.name: TaskStanding() for task in contract.tasks if me in task.parties}
        return cls(contract, me, JobStanding(job, tasks=tasks), **options)

    @classmethod
    def load(cls, contract: Contract, me: str, data: bytes, **options: int) -> JobMachine:
        """A job from what :class:`~unseen.jobs.events.Persist` stored.

        Raises
        ------
        VerificationError
            The bytes are damaged or of an unknown format.
        """
        return cls(contract, me, decode(data), **options)

    # ------------------------------------------------------------------ what others may look at

    @property
    def over(self) -> bool:
        """Whether the job has ended at this party."""
        return self.state.phase in OVER

    @property
    def all_mine_committed(self) -> bool:
        """Whether this party has nothing left to do."""
        return all(task.phase == Phase.COMMITTED for task in self.state.tasks.values())

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The peers whose word is due before this party can go on."""
        if self.over or self.state.phase == JobPhase.NEW:
            return ()
        late = {peer for peer in self._workers if peer not in self.state.accepted}
        if not late and self.all_mine_committed:
            late = {peer for peer in self._workers if peer not in self.state.finished}
        for name in self._active() if not late else ():
            task = self.state.tasks[name]
            if task.phase == Phase.READY:
                late |= {peer for peer in self._task_peers(name) if task.ready.get(peer, 0) < task.attempt}
            elif task.phase == Phase.PREPARED:
                late |= {peer for peer in self._task_peers(name) if not task.is_prepared(peer)}
        return tuple(sorted(late - {self.me}))

    # ------------------------------------------------------------------ the one door

    def handle(self, event: e.Event) -> tuple[e.Action, ...]:
        """Take one event; answer with what the node must do, in order.

        Raises
        ------
        LocalProtocolError
            An event that the node may not feed now.
        RemoteProtocolError
            A message that makes no sense (another job, an unknown task, a stranger). Nothing changed; drop it.
        """
        before = self.state
        self._actions = []
        try:
            self._dispatch(event)
        except UnseenError:
            self.state = before
            raise
        if self.state != before:
            self._actions.append(e.Persist(encode(self.state)))
        return tuple(sorted(self._actions, key=lambda action: e.ORDER.index(type(action))))

    def _dispatch(self, event: e.Event) -> None:
        if self.state.phase == JobPhase.NEW and not isinstance(event, e.Accept | e.Deny):
            raise LocalProtocolError(f"{self.state.job.id} must be accepted or denied first.")
        handlers: dict[type, Callable[[Any], None]] = {
            e.Accept: self._on_accept,
            e.Deny: self._on_deny,
            e.Received: self._on_received,
            e.WorkerDone: self._on_done,
            e.WorkerFailed: self._on_failed,
            e.Waited: self._on_waited,
            e.Restarted: self._on_restarted,
            e.Cancel: self._on_cancel,
            e.DeadlinePassed: self._on_deadline,
        }
        handlers[type(event)](event)

    # ------------------------------------------------------------------ the beginning

    def _on_accept(self, _event: e.Accept) -> None:
        if self.state.phase != JobPhase.NEW:
            return
        accepted = (self.me,) if self.me in self._workers else ()
        self._set(phase=JobPhase.RUNNING, accepted=accepted)
        self._tell(self._peers, m.Accepted(self.state.job))
        self._advance()

    def _on_deny(self, event: e.Deny) -> None:
        if self.state.phase == JobPhase.NEW:
            self._end(JobPhase.DENIED, endings.owned(event.error, self._contract, self.me, None))

    def _on_restarted(self, _event: e.Restarted) -> None:
        """Say again whatever may not have been said, do again whatever may not have been done."""
        for name, task in self.state.tasks.items():
            if task.phase == Phase.COMMITTED:
                self._tell_prepared(name)
                self._commit(name)
        if self.over:
            self._say_the_end(self._peers)
            self._act(e.Finish(self.state.phase, self._problem()))
            return
        self._tell(self._peers, m.Accepted(self.state.job))
        for name, task in self.state.tasks.items():
            if self.over:
                return
            if task.phase == Phase.RUNNING:
                self._act(e.Kill(name, task.attempt))
                self._go_to(name, task.attempt + 1, "the node stopped while it was running")
            elif task.phase == Phase.PREPARED:
                self._tell_prepared(name)
            elif task.phase in {Phase.READY, Phase.WAITING}:
                self._go_to(name, task.attempt, "")
        if self.all_mine_committed and self.me in self._workers:
            self._tell(self._peers, m.Finished(self.state.job))
        self._advance()

    # ------------------------------------------------------------------ peers

    def _on_received(self, event: e.Received) -> None:
        sender, message = event.sender, event.message
        rules.check_sense(self._contract, self.me, self.state.job, sender, message)
        if self.over:
            self._answer(sender, message)
            return
        match message:
            case m.Failed() if self._at_work(message.step) and not event.late:
                # the own worker hears of it too, or fails for the same reason and can say which
                self._act(e.PutOff(sender, message, OWN_WORD_S))
                return
            case m.Failed():
                self._end(JobPhase.FAILED, endings.reported(sender, message), ours=False)
            case m.Cancelled():
                self._end(JobPhase.CANCELLED, endings.cancelled(message.party, message.reason), ours=False)
            case _:
                if sender in self._workers:
                    self._set(accepted=_with(self.state.accepted, sender))
                self._on_statement(sender, message)
        self._advance()

    def _on_statement(self, sender: str, message: m.AnyMessage) -> None:
        if isinstance(message, m.Finished) and sender in self._workers:
            self._set(finished=_with(self.state.finished, sender))
        if not isinstance(message, m.Ready | m.Prepared):
            return
        task = self.state.tasks[message.task]
        if objection := rules.objection(task, sender, message, max_attempts=self._max_attempts):
            self._end(JobPhase.FAILED, endings.broken_rules(sender, message.task, objection))
            return
        ready = {**task.ready, sender: max(task.ready.get(sender, 0), message.attempt)}
        prepared = task.prepared
        if isinstance(message, m.Prepared) and message.attempt > task.prepared_attempt(sender):
            prepared = {**prepared, sender: PeerPrepared(message.attempt, message.outputs)}
        self._set_task(message.task, ready=ready, prepared=prepared)

    def _answer(self, sender: str, message: m.AnyMessage) -> None:
        """The job is over here: tell a peer that seems not to know."""
        if isinstance(message, m.Failed | m.Cancelled | m.Finished):
            return
        if self.state.phase != JobPhase.FINISHED:
            self._say_the_end((sender,))
        elif isinstance(message, m.Ready) and message.attempt > self.state.tasks[message.task].attempt:
            code = RemoteProtocolError.code
            self._tell((sender,), m.Failed(self.state.job, code, sender, message.task))

    # ------------------------------------------------------------------ workers and clock

    def _on_done(self, event: e.WorkerDone) -> None:
        task = self.state.tasks[event.task]
        if self.over or task.phase != Phase.RUNNING or task.attempt != event.attempt:
            return
        self._set_task(event.task, phase=Phase.PREPARED, outputs=event.outputs)
        self._tell_prepared(event.task)
        self._advance()

    def _on_failed(self, event: e.WorkerFailed) -> None:
        task = self.state.tasks[event.task]
        if self.over or task.phase != Phase.RUNNING or task.attempt != event.attempt:
            return
        error = endings.owned(event.error, self._contract, self.me, event.task)
        self._act(e.Kill(event.task, event.attempt))
        if not isinstance(error, UnavailableError):
            self._end(JobPhase.FAILED, error)
        elif event.attempt >= self._max_attempts:
            reason = f"{error.what} {error.why}".strip()
            self._give_up(event.task, event.attempt, reason, party=error.party, mend=error.mend)
        else:
            delay_s = min(FIRST_PAUSE_S * 2.0 ** (event.attempt - 1), LONGEST_PAUSE_S)
            self._set_task(event.task, phase=Phase.WAITING, attempt=event.attempt + 1)
            self._act(e.Wait(event.task, event.attempt + 1, delay_s))
        self._advance()

    def _on_waited(self, event: e.Waited) -> None:
        task = self.state.tasks[event.task]
        if not self.over and task.phase == Phase.WAITING and task.attempt == event.attempt:
            self._go_to(event.task, event.attempt, "")
            self._advance()

    def _on_cancel(self, event: e.Cancel) -> None:
        if not self.over:
            self._end(JobPhase.CANCELLED, endings.cancelled(self.me, event.reason[:500]))

    def _on_deadline(self, _event: e.DeadlinePassed) -> None:
        if self.over:
            return
        if self.all_mine_committed:
            self._end(JobPhase.FINISHED, None)
            return
        step = next(name for name, task in self.state.tasks.items() if task.phase != Phase.COMMITTED)
        self._end(JobPhase.FAILED, endings.late(self.me, step, self.waiting_for))

    # ------------------------------------------------------------------ going on

    def _advance(self) -> None:
        """Do all that has become possible."""
        if self.over or not set(self._workers) <= set(self.state.accepted):
            return
        before = None
        while before != self.state and not self.over:
            before = self.state
            for name in self._active():
                if not self.over:
                    self._advance_task(name)
        if self.over:
            return
        if self.all_mine_committed and self.me in self._workers and self.me not in self.state.finished:
            self._set(finished=_with(self.state.finished, self.me))
            self._tell(self._peers, m.Finished(self.state.job))
        if set(self._workers) <= set(self.state.finished):
            self._end(JobPhase.FINISHED, None)

    def _active(self) -> tuple[str, ...]:
        """This party's tasks that may be under way: the first ones not committed whose inputs are."""
        names = []
        for name, terms in self._mine.items():
            if self.state.tasks[name].phase == Phase.COMMITTED:
                continue
            needs = {reference.partition(".")[0] for reference in terms.input_of(self.me).values()}
            if all(self.state.tasks[need].phase == Phase.COMMITTED for need in needs & set(self._mine)):
                names.append(name)
        return tuple(names[: self._parallel])

    def _advance_task(self, name: str) -> None:
        task = self.state.tasks[name]
        peers = self._task_peers(name)
        if task.phase == Phase.IDLE or task.highest > task.attempt:
            if task.phase in _AT_WORK:
                self._act(e.Kill(name, task.attempt))
            self._go_to(name, max(1, task.highest), "")
        elif task.phase == Phase.READY and all(task.ready.get(peer, 0) == task.attempt for peer in peers):
            self._set_task(name, phase=Phase.RUNNING)
            self._act(e.Launch(name, task.attempt))
        elif task.phase == Phase.PREPARED and all(task.is_prepared(peer) for peer in peers):
            self._set_task(name, phase=Phase.COMMITTED)
            self._commit(name)

    def _go_to(self, name: str, attempt: int, reason: str) -> None:
        """Settle on an attempt and announce it."""
        if attempt > self._max_attempts:
            self._give_up(name, attempt - 1, reason)
            return
        self._set_task(name, phase=Phase.READY, attempt=attempt, outputs={})
        self._tell(self._task_peers(name), m.Ready(self.state.job, name, attempt))

    def _give_up(
        self, name: str, attempts: int, reason: str, *, party: str | None = None, mend: str = ""
    ) -> None:
        error = endings.given_up(name, attempts, reason, party=party or self.me, mend=mend)
        self._end(JobPhase.FAILED, error)

    def _tell_prepared(self, name: str) -> None:
        task = self.state.tasks[name]
        self._tell(self._task_peers(name), m.Prepared(self.state.job, name, task.attempt, task.outputs))

    def _commit(self, name: str) -> None:
        task = self.state.tasks[name]
        peers = {peer: task.prepared[peer].outputs for peer in self._task_peers(name)}
        self._act(e.Commit(name, task.attempt, task.outputs, peers))

    # ------------------------------------------------------------------ the end

    def _end(self, phase: JobPhase, error: UnseenError | None, *, ours: bool = True) -> None:
        for name, task in self.state.tasks.items():
            if task.phase in _AT_WORK:
                self._act(e.Kill(name, task.attempt))
        self._actions = [item for item in self._actions if not isinstance(item, e.Launch | e.Wait)]
        self._set(phase=phase, problem=error.to_dict() if error else None)
        if ours:
            self._say_the_end(self._peers)
        self._act(e.Finish(phase, self._problem()))

    def _say_the_end(self, peers: tuple[str, ...]) -> None:
        """What the others should know of how it ended here."""
        job, problem = self.state.job, self.state.problem or {}
        party = problem.get("party") or self.me
        if self.state.phase == JobPhase.FINISHED:
            if self.me in self._workers:
                self._tell(peers, m.Finished(job))
        elif self.state.phase == JobPhase.CANCELLED:
            self._tell(peers, m.Cancelled(job, party, problem.get("why") or ""))
        else:
            self._tell(peers, m.Failed(job, problem.get("code") or "internal", party, problem.get("step")))

    def _problem(self) -> UnseenError | None:
        return from_dict(self.state.problem) if self.state.problem else None

    # ------------------------------------------------------------------ small things

    def _at_work(self, step: str | None) -> bool:
        return step in self.state.tasks and self.state.tasks[step].phase == Phase.RUNNING

    def _task_peers(self, name: str) -> tuple[str, ...]:
        return tuple(party for party in self._mine[name].parties if party != self.me)

    def _act(self, action: e.Action) -> None:
        if action not in self._actions:
            self._actions.append(action)

    def _tell(self, peers: tuple[str, ...], message: m.AnyMessage) -> None:
        if peers:
            self._act(e.Tell(peers, message))

    def _set(self, **changes: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)

    def _set_task(self, name: str, **changes: Any) -> None:
        task = msgspec.structs.replace(self.state.tasks[name], **changes)
        self._set(tasks={**self.state.tasks, name: task})


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))
