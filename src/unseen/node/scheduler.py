"""Runs jobs: feeds what happens to the machine of `jobs.coordination`, and does what it answers.

The database is the only memory. Each event is one transaction: load the job's machine, let it take the event,
store its new state, put its messages into the outbox. What must happen outside (start a worker, write the ledger)
goes to the agenda once that is on disk; after a crash the machine says it again (`Restarted`).

A job that a peer starts is *held* until this node can decide: the contract must be final by its own rule (every
party's signature witnessed) before a first run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sql
import structlog

from unseen.core.errors import DeniedError, UnavailableError, UnseenError, UsageError, from_dict
from unseen.core.ids import new_id
from unseen.govern.contract import Contract
from unseen.jobs import events as e
from unseen.jobs import messages as jm
from unseen.jobs.coordination import JobMachine
from unseen.jobs.standing import JobPhase, Phase, encode
from unseen.node import models as m
from unseen.node.agenda import Agenda
from unseen.node.board import Board, now
from unseen.node.database import Database, Transaction, held, jobs
from unseen.node.mailroom import Mailroom

MAIL = "job"
_STATES: dict[str, m.TaskState] = {
    Phase.RUNNING: "running",
    Phase.PREPARED: "running",
    Phase.COMMITTED: "finished",
}
_log = structlog.get_logger("unseen.jobs")


class Contracts(Protocol):
    """What the scheduler asks the contract desk."""

    def contract(self, contract_id: str) -> Contract:
        """The contract of that id; UsageError if there is none."""

    def admit(self, transaction: Transaction, contract: Contract, job: str) -> None:
        """Check that a run may begin now, and count it durably.

        Raises
        ------
        DeniedError
            It may not.
        UnavailableError
            Not decided yet: signatures are not witnessed.
        """

    def check_task(self, contract: Contract, task: str) -> None:
        """Check once more, right before a task: it may still run."""


class Work(Protocol):
    """What the scheduler asks for outside the database."""

    def launch(self, job: jm.JobRef, contract: Contract, task: str, attempt: int) -> None:
        """Start a worker; it reports by `Scheduler.feed`."""

    def kill(self, job: jm.JobRef, task: str, attempt: int) -> None:
        """No worker of this attempt lives afterwards, and its outputs are gone."""

    def commit(self, job: jm.JobRef, contract: Contract, done: e.Commit) -> None:
        """Publish a task's outputs to store and ledger. May come twice."""

    def end(self, job: jm.JobRef, contract: Contract, end: e.Finish) -> None:
        """The job is over: write the ledger, tidy up. May come twice."""


class Scheduler:
    """All jobs of this node. Thread-safe."""

    def __init__(
        self,
        me: str,
        *,
        database: Database,
        mailroom: Mailroom,
        board: Board,
        contracts: Contracts,
        work: Work,
        max_attempts: int,
        limit_s: float,
    ) -> None:
        self.me = me
        self._database = database
        self._mailroom = mailroom
        self._board = board
        self._contracts = contracts
        self._work = work
        self._max_attempts = max_attempts
        self._limit_s = limit_s
        self._agenda = Agenda(self._agenda_failed)
        mailroom.handle(MAIL, self._on_mail)

    # ------------------------------------------------------------------ life

    def start_up(self) -> None:
        """Take up every job that is not settled. No worker runs yet."""
        query = sql.select(jobs.c.id).where(sql.not_(jobs.c.settled)).order_by(jobs.c.started_at)
        with self._database.read() as view:
            open_jobs = list(view.execute(query).scalars())
        for job in open_jobs:
            if not self._is_held(job):
                self.feed(job, e.Restarted())
                self._set_deadline(job)
        self.decide_held()
        self._agenda.start()

    def shut_down(self) -> None:
        """Do nothing more; jobs go on after the next start."""
        self._agenda.stop()

    # ------------------------------------------------------------------ what people ask

    def start(self, contract_id: str) -> m.JobView:
        """See :meth:`unseen.node.operations.Node.job_start`."""
        contract = self._contracts.contract(contract_id)
        ref = jm.JobRef(new_id("job"), contract.id, self.me)
        with self._database.write() as transaction:
            self._contracts.admit(transaction, contract, ref.id)
            self._insert(transaction, ref, contract)
            self._feed(transaction, ref.id, e.Accept())
        self._set_deadline(ref.id)
        return self.show(ref.id)

    def cancel(self, job_id: str, reason: str = "") -> m.JobView:
        """See :meth:`unseen.node.operations.Node.job_cancel`."""
        job = self._find(job_id)
        if job.state in m.JOB_OVER:
            raise UsageError(f"{job.id} is over already ({job.state}).")
        with self._database.write() as transaction:
            if _machine_is_new(job.machine, self._contracts.contract(job.contract), self.me):
                self._feed(
                    transaction, job.id, e.Deny(DeniedError(f"{self.me} cancelled the job.", why=reason))
                )
            else:
                self._feed(transaction, job.id, e.Cancel(reason))
        return self.show(job.id)

    def cancel_all_of(self, transaction: Transaction, contract_id: str, reason: str) -> None:
        """End all running jobs of a contract that is withdrawn."""
        query = sql.select(jobs.c.id).where(jobs.c.contract == contract_id, jobs.c.state == "running")
        for job in list(transaction.execute(query).scalars()):
            self._feed(transaction, job, e.Cancel(reason))

    def list(self) -> tuple[m.JobView, ...]:
        """All jobs, newest first."""
        with self._database.read() as view:
            rows = view.execute(sql.select(jobs).order_by(jobs.c.started_at.desc(), jobs.c.id)).all()
        return tuple(self._view(row) for row in rows)

    def show(self, job_id: str) -> m.JobView:
        """One job, by any unambiguous beginning of its id."""
        return self._view(self._find(job_id))

    def watch(self, job_id: str, *, after: int, timeout_s: float | None) -> Iterator[m.JobEvent]:
        """See :meth:`unseen.node.operations.Node.job_watch`."""
        job = self._find(job_id).id
        return self._board.watch(
            job, after=after, over=lambda: self._find(job).state in m.JOB_OVER, timeout_s=timeout_s
        )

    def takes_part(self, job_id: str) -> bool:
        """Whether this party has decided to take part in a job: its run is counted."""
        row = self._find(job_id)
        return (
            JobMachine.load(self._contracts.contract(row.contract), self.me, row.machine).state.phase
            != JobPhase.NEW
        )

    def require_result(self, job_id: str) -> m.JobView:
        """The job, if it finished; else the error it ended with."""
        job = self.show(job_id)
        if job.state not in m.JOB_OVER:
            raise UsageError(f"{job.id} is still running.", mend=f"`unseen job watch {job.id}`")
        if job.problem is not None:
            raise from_dict(job.problem.model_dump())
        return job

    # ------------------------------------------------------------------ events

    def feed(self, job: str, event: e.Event) -> None:
        """Let something happen to a job."""
        with self._database.write() as transaction:
            self._feed(transaction, job, event)

    def _feed(self, transaction: Transaction, job: str, event: e.Event) -> None:
        row = transaction.execute(sql.select(jobs).where(jobs.c.id == job)).one()
        contract = self._contracts.contract(row.contract)
        machine = JobMachine.load(contract, self.me, row.machine, max_attempts=self._max_attempts)
        before = machine.state
        for action in machine.handle(event):
            self._perform(transaction, machine.state.job, contract, action)
        for name, task in machine.state.tasks.items():
            if task != before.tasks[name]:
                self._show_task(transaction, job, contract, name, machine)

    def _perform(
        self, transaction: Transaction, job: jm.JobRef, contract: Contract, action: e.Action
    ) -> None:
        match action:
            case e.Persist():
                transaction.execute(sql.update(jobs).where(jobs.c.id == job.id).values(machine=action.state))
            case e.Tell():
                for peer in action.peers:
                    self._mailroom.post(transaction, peer, MAIL, jm.encode(action.message))
            case e.Wait():
                waited = e.Waited(action.task, action.attempt)
                transaction.afterwards(
                    lambda: self._agenda.add_later(job.id, action.delay_s, lambda: self.feed(job.id, waited))
                )
            case e.PutOff():
                again = e.Received(action.sender, action.message, late=True)
                transaction.afterwards(
                    lambda: self._agenda.add_later(job.id, action.delay_s, lambda: self.feed(job.id, again))
                )
            case e.Finish():
                self._finish(transaction, job, action)
                self._queue(transaction, job, lambda: self._settle(job, contract, action))
            case e.Launch():
                self._queue(transaction, job, lambda: self._launch(job, contract, action))
            case e.Kill():
                self._queue(transaction, job, lambda: self._work.kill(job, action.task, action.attempt))
            case e.Commit():
                self._queue(transaction, job, lambda: self._work.commit(job, contract, action))

    def _queue(self, transaction: Transaction, job: jm.JobRef, do: Callable[[], None]) -> None:
        transaction.afterwards(lambda: self._agenda.add(job.id, do))

    def _launch(self, job: jm.JobRef, contract: Contract, action: e.Launch) -> None:
        try:
            self._contracts.check_task(contract, action.task)
            self._work.launch(job, contract, action.task, action.attempt)
        except UnseenError as error:
            self.feed(job.id, e.WorkerFailed(action.task, action.attempt, error))

    def _finish(self, transaction: Transaction, job: jm.JobRef, action: e.Finish) -> None:
        problem = action.error.to_dict() if action.error else None
        state = {
            JobPhase.FINISHED: "finished",
            JobPhase.CANCELLED: "cancelled",
            JobPhase.DENIED: "denied",
        }.get(action.phase, "failed")
        changed = transaction.execute(
            sql.update(jobs)
            .where(jobs.c.id == job.id, jobs.c.ended_at.is_(None))
            .values(state=state, ended_at=time.time(), problem=problem)
        )
        if changed.rowcount:
            self._tell_board(transaction, job.id, "job", state, problem=_problem(problem))

    def _settle(self, job: jm.JobRef, contract: Contract, action: e.Finish) -> None:
        self._work.end(job, contract, action)
        with self._database.write() as transaction:
            transaction.execute(sql.update(jobs).where(jobs.c.id == job.id).values(settled=True))

    def _agenda_failed(self, job: str, error: BaseException) -> None:
        """Something outside the database cannot be done: the job cannot go on here."""
        _log.error("job cannot go on", job=job, problem=repr(error))
        if self.show(job).state not in m.JOB_OVER:
            self.feed(job, e.Cancel(f"a fault in the node of {self.me}"))

    def _set_deadline(self, job: str) -> None:
        self._agenda.add_later(job, self._limit_s, lambda: self._deadline(job))

    def _deadline(self, job: str) -> None:
        if self.show(job).state == "running":
            self.feed(job, e.DeadlinePassed())

    # ------------------------------------------------------------------ peers

    def _on_mail(self, transaction: Transaction, sender: str, body: bytes) -> None:
        message = jm.decode(body, sender=sender)
        ref = message.job
        row = transaction.execute(sql.select(jobs).where(jobs.c.id == ref.id)).one_or_none()
        if row is None:
            contract = self._contracts.contract(ref.contract)
            if sender not in contract.party_names or not isinstance(message, jm.Accepted):
                return  # a job that this node never took part in, or whose beginning it has yet to hear
            if ref.started_by not in contract.party_names or ref.started_by == self.me:
                return  # our own jobs are all in the database: somebody made this one up
            self._insert(transaction, ref, contract)
        if row is None or _machine_is_new(row.machine, self._contracts.contract(row.contract), self.me):
            transaction.execute(sql.insert(held).values(job=ref.id, sender=sender, body=body))
            self._decide(transaction, ref.id)
        else:
            self._feed(transaction, ref.id, e.Received(sender, message))

    def decide_held(self) -> None:
        """Decide on jobs of peers that could not be decided before: something has changed."""
        with self._database.read() as view:
            waiting = list(view.execute(sql.select(held.c.job).distinct()).scalars())
        for job in waiting:
            with self._database.write() as transaction:
                self._decide(transaction, job)

    def _decide(self, transaction: Transaction, job: str) -> None:
        row = transaction.execute(sql.select(jobs).where(jobs.c.id == job)).one()
        contract = self._contracts.contract(row.contract)
        try:
            self._contracts.admit(transaction, contract, job)
        except UnavailableError:
            return
        except DeniedError as error:
            self._feed(transaction, job, e.Deny(error))
            transaction.execute(sql.delete(held).where(held.c.job == job))
            return
        self._feed(transaction, job, e.Accept())
        query = sql.select(held.c.sender, held.c.body).where(held.c.job == job).order_by(held.c.id)
        for said in transaction.execute(query).all():
            self._feed(transaction, job, e.Received(said.sender, jm.decode(said.body, sender=said.sender)))
        transaction.execute(sql.delete(held).where(held.c.job == job))
        transaction.afterwards(lambda: self._set_deadline(job))

    def _is_held(self, job: str) -> bool:
        with self._database.read() as view:
            return view.execute(sql.select(held.c.id).where(held.c.job == job)).first() is not None

    # ------------------------------------------------------------------ showing

    def _insert(self, transaction: Transaction, ref: jm.JobRef, contract: Contract) -> None:
        state = encode(JobMachine.new(contract, self.me, ref).state)
        transaction.execute(
            sql.insert(jobs).values(
                id=ref.id,
                contract=ref.contract,
                started_by=ref.started_by,
                started_at=time.time(),
                state="running",
                machine=state,
            )
        )
        self._tell_board(transaction, ref.id, "job", "running", text=f"started by {ref.started_by}")

    def _find(self, job_id: str) -> sql.Row[Any]:
        with self._database.read() as view:
            rows = view.execute(sql.select(jobs).where(jobs.c.id.startswith(job_id, autoescape=True))).all()
        if len(rows) != 1 or not job_id:
            raise UsageError(
                f"{len(rows) or 'No'} job{'s' if len(rows) != 1 else ''} of this node begin{'s' * (not rows)} "
                f"with '{job_id}'.",
                mend="`unseen job list` shows them",
            )
        return rows[0]

    def _view(self, row: sql.Row[Any]) -> m.JobView:
        contract = self._contracts.contract(row.contract)
        machine = JobMachine.load(contract, self.me, row.machine)
        latest = self._board.latest(row.id)
        tasks = [self._task(contract, name, machine) for name in machine.state.tasks]
        own = {task.task: task for task in tasks}
        for (party, name), progress in latest.items():
            if party != self.me:
                tasks.append(progress)
            elif own[name].state == "running":
                tasks[tasks.index(own[name])] = own[name].model_copy(
                    update={"done": progress.done, "total": progress.total, "note": progress.note}
                )
        return m.JobView(
            id=row.id,
            contract=row.contract,
            title=contract.title,
            state=row.state,
            started_at=datetime.fromtimestamp(row.started_at, UTC),
            ended_at=None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, UTC),
            started_by=row.started_by,
            tasks=tuple(tasks),
            problem=_problem(row.problem),
            waiting_for=machine.waiting_for,
        )

    def _task(self, _contract: Contract, name: str, machine: JobMachine) -> m.TaskProgress:
        task = machine.state.tasks[name]
        over = machine.over and task.phase != Phase.COMMITTED
        ended: m.TaskState = "cancelled" if machine.state.phase == JobPhase.CANCELLED else "failed"
        return m.TaskProgress(
            party=self.me,
            task=name,
            state=ended if over else _STATES.get(task.phase, "waiting"),
            attempt=task.attempt,
        )

    def _show_task(
        self, transaction: Transaction, job: str, contract: Contract, name: str, machine: JobMachine
    ) -> None:
        progress = self._task(contract, name, machine)
        self._tell_board(transaction, job, "task", progress.state, progress=progress)

    def _tell_board(self, transaction: Transaction, job: str, kind: Any, state: str, **fields: Any) -> None:
        self._board.post(transaction, m.JobEvent(seq=0, at=now(), job=job, kind=kind, state=state, **fields))


def _problem(fields: dict[str, str | None] | None) -> m.Problem | None:
    return None if fields is None else m.Problem(**{**fields, "code": fields["code"] or "internal"})


def _machine_is_new(machine: bytes, contract: Contract, me: str) -> bool:
    return JobMachine.load(contract, me, machine).state.phase == JobPhase.NEW
