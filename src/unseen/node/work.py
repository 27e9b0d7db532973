"""What the scheduler asks for outside the database: workers, their sockets, outputs, and the log.

A worker is forked, gets its task, and reports over a pipe; a thread per worker listens to it. When the worker is done,
what it said is put on disk beside its outputs before the job machine hears of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from unseen.core.errors import UnavailableError, UnseenError, from_dict
from unseen.crypto.sign import public_key
from unseen.govern.contract import MODEL, Contract
from unseen.govern.policy import compile_policy
from unseen.jobs import events as e
from unseen.jobs import messages as jm
from unseen.jobs import spec
from unseen.jobs.evidence import task_body
from unseen.jobs.forkserver import Forked, ForkServer
from unseen.jobs.tables import from_table
from unseen.link.front import send_socket
from unseen.node.board import Board
from unseen.node.catalogue import Catalogue
from unseen.node.config import NodeConfig
from unseen.node.contracts import ContractDesk
from unseen.node.evidence import Ledger
from unseen.node.identity import Identity
from unseen.node.joint_models import JointModels
from unseen.node.metrics import Metrics
from unseen.node.models import TaskProgress
from unseen.node.post import Post
from unseen.node.store import ArtefactStore

PROGRESS = "progress"
_BREATH_S = 0.1
_CONNECT_S = 60.0
_CREDENTIAL_S = 24 * 3600
_DERIVED = frozenset({"table", "matrix"})
_ASSET = "asset:"
_log = structlog.get_logger("unseen.work")

Feed = Callable[[str, e.Event], None]
Tell = Callable[[str, str, bytes], None]


class _Note(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Progress of a task, for the other parties' watchers."""

    job: str
    task: str
    attempt: int
    done: int
    total: int
    note: str


@dataclass(slots=True)
class _Running:
    worker: Forked
    scope: str
    peers: tuple[str, ...]
    ended: threading.Event = field(default_factory=threading.Event)
    told: bool = False
    last_note: float = 0.0


class Workshop:
    """See the module; implements :class:`unseen.node.scheduler.Work`. Thread-safe."""

    def __init__(
        self,
        identity: Identity,
        config: NodeConfig,
        *,
        forkserver: ForkServer,
        store: ArtefactStore,
        catalogue: Catalogue,
        desk: ContractDesk,
        ledger: Ledger,
        post: Post,
        board: Board,
        metrics: Metrics,
        models: JointModels,
    ) -> None:
        self.me = identity.name
        self._identity = identity
        self._config = config
        self._forkserver = forkserver
        self._store = store
        self._catalogue = catalogue
        self._desk = desk
        self._ledger = ledger
        self._post = post
        self._board = board
        self._metrics = metrics
        self._models = models
        self._running: dict[tuple[str, str, int], _Running] = {}
        self._lock = threading.Lock()
        self._feed: Feed = lambda _job, _event: None
        self._tell: Tell = lambda _peer, _kind, _body: None

    def listen(self, *, feed: Feed, tell: Tell) -> None:
        """Who hears of workers' ends, and who carries notes to peers."""
        self._feed, self._tell = feed, tell

    def stop(self) -> None:
        """Kill every worker; the jobs go on after the next start."""
        with self._lock:
            running = list(self._running.values())
        for item in running:
            item.told = True
            item.worker.kill()

    # ------------------------------------------------------------------ Work

    def launch(self, job: jm.JobRef, contract: Contract, task: str, attempt: int) -> None:
        """Start a worker."""
        self._ledger.publish()
        prepared = self._spec(job, contract, task, attempt)
        worker = self._forkserver.fork()
        peers = tuple(peer.name for peer in prepared.peers)
        running = _Running(worker, prepared.credentials.use, peers)
        with self._lock:
            self._running[job.id, task, attempt] = running
        for peer in prepared.peers:
            if not peer.fetched:
                self._post.expect(running.scope, peer.name, _hand_over(worker, peer.name))
        listener = threading.Thread(
            target=self._hear,
            args=(job, contract.id, task, attempt, running),
            name=f"worker-{task}",
            daemon=True,
        )
        listener.start()
        worker.control.send(spec.encode(prepared))

    def kill(self, job: jm.JobRef, task: str, attempt: int) -> None:
        """No worker of this attempt lives afterwards, and its outputs are gone."""
        with self._lock:
            running = self._running.get((job.id, task, attempt))
        if running is not None:
            running.told = True
            running.worker.kill()
            running.ended.wait(10.0)
        self._store.discard(job.id, task, attempt)

    def commit(self, job: jm.JobRef, contract: Contract, done: e.Commit) -> None:
        """Publish a task's outputs to store and ledger; may come twice."""
        self._store.publish(job.id, done.task, done.attempt)
        if self._ledger.find("task-finished", contract.id, job=job.id, task=done.task) is None:
            told = self._store.done(job.id, done.task)
            inputs = self._commitments(job.id, contract, done.task)
            outputs = {name: output.commitment for name, output in told.outputs.items()}
            body = task_body(
                contract.task(done.task), done.attempt, told.record, inputs=inputs, outputs=outputs
            )
            self._ledger.append("task-finished", contract.id, body, job=job.id, task=done.task)
        self._store.drop_checkpoints(job.id, done.task)
        self._ledger.publish()

    def end(self, job: jm.JobRef, contract: Contract, end: e.Finish) -> None:
        """Write how it ended into the log, and tidy up; may come twice."""
        counted = self._ledger.find("run-started", contract.id, job=job.id) is not None
        if counted and self._ledger.find("run-ended", contract.id, job=job.id) is None:
            problem = None
            if end.error is not None:
                problem = {"code": end.error.code, "party": end.error.party, "step": end.error.step}
            self._ledger.append(
                "run-ended", contract.id, {"state": end.phase.value, "problem": problem}, job=job.id
            )
        self._ledger.publish()
        self._metrics.jobs.labels(end.phase.value).inc()
        self._store.tidy(job.id, kinds=frozenset() if self._config.keep.intermediates else _DERIVED)
        self._board.forget(job.id)

    # ------------------------------------------------------------------ a worker's task

    def _spec(self, job: jm.JobRef, contract: Contract, task: str, attempt: int) -> spec.TaskSpec:
        terms = contract.task(task)
        scope = f"{job.id}/{task}/{attempt}"
        peers = tuple(
            spec.PeerSpec(
                name,
                self._post.role(name),
                public_key(contract.party(name).identity),
                fetched=self._post.fetches(name),
            )
            for name in terms.parties
            if name != self.me
        )
        policy = compile_policy(contract, task)
        link = self._config.link
        return spec.TaskSpec(
            job=job.id,
            task=task,
            attempt=attempt,
            me=self.me,
            contract=contract.id,
            terms=terms.model_dump_json().encode(),
            disclosures=tuple(
                spec.DisclosureSpec(
                    item.name, item.what, item.to, item.door.value, item.max_elements, item.times
                )
                for item in policy.disclosures
            ),
            peers=peers,
            credentials=spec.CredentialsSpec.of(self._identity.credentials(scope, lifetime_s=_CREDENTIAL_S)),
            inputs=self._inputs(job, contract, task),
            outputs=str(self._store.begin(job.id, task, attempt)),
            artefact_key=self._store.job_key(job.id),
            journal=str(self._store.journal(job.id, task)),
            journal_key=self._store.journal_key(job.id, task),
            stocks=str(self._store.stocks),
            stocks_key=self._store.stocks_key,
            stocks_taken=self._ledger.stocks_taken(),
            silence_s=self._config.jobs.silence_s,
            reconnect_s=link.reconnect_s,
            connect_s=min(_CONNECT_S, self._config.jobs.silence_s),
            window_bytes=link.window_bytes,
        )

    def _inputs(self, job: jm.JobRef, contract: Contract, task: str) -> dict[str, str]:
        """Input name -> sealed file; an asset, or a part of a model, is read, checked and sealed into the job first."""
        places = {}
        for name, reference in contract.inputs_of(task, self.me).items():
            if reference.startswith(_ASSET):
                asset = reference.removeprefix(_ASSET)
                table = from_table(self._catalogue.table(asset))
                places[name] = str(self._store.put_input(job.id, f"asset-{asset}", table))
            elif reference.startswith(MODEL):
                part = self._models.part(reference)
                places[name] = str(self._store.put_input(job.id, reference.removeprefix(MODEL), part))
            elif self._has(job.id, reference):
                places[name] = str(self._store.path(job.id, reference))
        return places

    def _has(self, job: str, reference: str) -> bool:
        """Whether the earlier task gave this party that output at all."""
        task, _, output = reference.partition(".")
        return output in self._store.done(job, task).outputs

    def _commitments(self, job: str, contract: Contract, task: str) -> dict[str, str]:
        """What the inputs were: the commitment to an asset's file, or to an earlier output."""
        found = {}
        for name, reference in contract.inputs_of(task, self.me).items():
            if reference.startswith(_ASSET):
                found[name] = contract.asset(reference.removeprefix(_ASSET)).commitment
            elif reference.startswith(MODEL):
                found[name] = self._models.commitment(reference)
            elif self._has(job, reference):
                earlier, _, output = reference.partition(".")
                found[name] = self._store.done(job, earlier).outputs[output].commitment
        return found

    # ------------------------------------------------------------------ a worker's words

    def _hear(self, job: jm.JobRef, contract: str, task: str, attempt: int, running: _Running) -> None:
        started, outcome = time.monotonic(), "died"
        try:
            while (data := running.worker.control.recv()) is not None:
                message = spec.decode_from_worker.decode(data)
                if isinstance(message, spec.WantSocket):
                    self._dial(running, message.peer)
                elif isinstance(message, spec.Step):
                    self._show(job.id, task, attempt, running, message)
                elif isinstance(message, spec.Took):
                    self._note_taken(job.id, contract, task, attempt, running, message)
                else:
                    outcome = "done" if isinstance(message, spec.Done) else "failed"
                    self._take_end(job.id, task, attempt, running, message)
        except (UnseenError, msgspec.DecodeError) as error:
            _log.warning("a worker's words were lost", job=job.id, task=task, problem=str(error))
        finally:
            self._let_go(job.id, task, attempt, running)
            self._metrics.tasks.labels(outcome).inc()
            self._metrics.task_seconds.observe(time.monotonic() - started)
        if not running.told:
            running.told = True
            died = UnavailableError("The worker died.", why="its process ended without a word", party=self.me)
            self._feed(job.id, e.WorkerFailed(task, attempt, died))

    def _note_taken(
        self, job: str, contract: str, task: str, attempt: int, running: _Running, taken: spec.Took
    ) -> None:
        """A run of a stock is in the log before it is used: whatever becomes of the attempt, and of the stock's folder."""
        body = {
            "stock": taken.stock,
            "run": str(taken.run),
            "runs_left": str(taken.runs_left),
            "attempt": attempt,
        }
        self._ledger.append("stock-taken", contract, body, job=job, task=task)
        self._ledger.publish()
        running.worker.control.send(spec.NOTED)

    def _take_end(
        self, job: str, task: str, attempt: int, running: _Running, message: spec.Done | spec.Gone
    ) -> None:
        if running.told:
            return
        running.told = True
        if isinstance(message, spec.Gone):
            self._feed(job, e.WorkerFailed(task, attempt, from_dict(message.error)))
            return
        try:
            self._store.finish(job, task, attempt, message)
        except UnavailableError as error:
            self._feed(job, e.WorkerFailed(task, attempt, error))
            return
        outputs = {name: output.commitment for name, output in message.outputs.items()}
        self._feed(job, e.WorkerDone(task, attempt, outputs))

    def _let_go(self, job: str, task: str, attempt: int, running: _Running) -> None:
        for peer in running.peers:
            self._post.forget(running.scope, peer)
        running.worker.kill()
        running.worker.control.close()
        running.worker.sockets.close()
        with self._lock:
            self._running.pop((job, task, attempt), None)
        running.ended.set()

    def _dial(self, running: _Running, peer: str) -> None:
        """Get the worker a socket, in a thread of its own: others must not wait for it."""

        def go() -> None:
            deadline = time.monotonic() + _CONNECT_S
            while not running.ended.is_set() and time.monotonic() < deadline:
                try:
                    sock = self._post.dial(peer, running.scope)
                    send_socket(running.worker.sockets, f"{peer}\n".encode(), sock)
                except UnavailableError as error:
                    _log.info("no socket for a worker", peer=peer, problem=error.what)
                    running.ended.wait(0.3)
                else:
                    return

        threading.Thread(target=go, name=f"dial-{peer}", daemon=True).start()

    def _show(self, job: str, task: str, attempt: int, running: _Running, step: spec.Step) -> None:
        progress = TaskProgress(
            party=self.me,
            task=task,
            state="running",
            attempt=attempt,
            done=step.done,
            total=step.total,
            note=step.note,
        )
        self._board.progress(job, progress)
        now = time.monotonic()
        if now - running.last_note >= _BREATH_S or step.done == step.total:
            running.last_note = now
            note = _Note(job, task, attempt, step.done, step.total, step.note[:200])
            for peer in running.peers:
                self._tell(peer, PROGRESS, msgspec.msgpack.encode(note))

    def on_note(self, sender: str, body: bytes) -> None:
        """A peer tells how far it is."""
        with contextlib.suppress(msgspec.DecodeError):
            note = msgspec.msgpack.decode(body, type=_Note)
            progress = TaskProgress(
                party=sender,
                task=note.task,
                state="running",
                attempt=note.attempt,
                done=note.done,
                total=note.total,
                note=note.note,
            )
            self._board.progress(note.job, progress)


def _hand_over(worker: Forked, peer: str) -> Callable[..., None]:
    return lambda sock: send_socket(worker.sockets, f"{peer}\n".encode(), sock)
