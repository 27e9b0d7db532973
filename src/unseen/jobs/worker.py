"""A worker: one process for one attempt of one task at one party.

It has no identity key, nothing of other jobs, and where the operating system allows it no network but the sockets that
its node hands it. It opens the links, runs the step, puts the outputs on disk, and says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
import queue
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unseen.core.errors import UnavailableError, UnseenError
from unseen.core.events import Progress
from unseen.crypto.certificates import verify_signature
from unseen.crypto.commit import commit, fresh_salt
from unseen.crypto.seal import seal, unseal
from unseen.govern.contract import TaskTerms
from unseen.jobs import artefacts, spec
from unseen.jobs.execute import Finished, TaskRecord, run_task
from unseen.jobs.journal import FileJournal
from unseen.jobs.pipe import Pipe
from unseen.link.channel import abort_all
from unseen.link.pulse import BEAT_S
from unseen.link.stream import StreamLink, open_link
from unseen.party import Disclosure, DisclosurePolicy, Door, Session
from unseen.party.kept import Drawn, Kept

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_LABEL_BYTES = 200
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def leave_network() -> bool:
    """Move this process into an empty network of its own, where that is allowed; whether it was."""
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return bool(unshare(_NEW_NETWORK) == 0 or unshare(_NEW_USER | _NEW_NETWORK) == 0)


class _Arrivals:
    """Sockets that the node hands over, by peer."""

    def __init__(self, line: socket.socket, control: Pipe) -> None:
        self._line = line
        self._control = control
        self._queues: dict[str, queue.Queue[socket.socket]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="arrivals", daemon=True).start()

    def _queue(self, peer: str) -> queue.Queue[socket.socket]:
        with self._lock:
            return self._queues.setdefault(peer, queue.Queue())

    def _run(self) -> None:
        while True:
            try:
                label, handles, _, _ = socket.recv_fds(self._line, _LABEL_BYTES, 8)
            except OSError:
                return
            if not label:
                return
            names = label.decode().split("\n")
            for name, handle in zip([name for name in names if name], handles, strict=False):
                self._queue(name).put(socket.socket(fileno=handle))

    def source(self, peer: spec.PeerSpec) -> _Source:
        """Where the link to a peer gets its sockets."""
        return _Source(peer, self._queue(peer.name), self._control)


class _Source:
    def __init__(self, peer: spec.PeerSpec, arrived: queue.Queue[socket.socket], control: Pipe) -> None:
        self._peer = peer
        self._arrived = arrived
        self._control = control

    def next(self, timeout_s: float) -> socket.socket:
        """See :class:`unseen.link.stream.SocketSource`."""
        if self._peer.fetched:
            self._control.send(spec.encode(spec.WantSocket(self._peer.name)))
        sock = None
        try:
            sock = self._arrived.get(timeout=max(0.01, timeout_s))
            while True:  # the newest: older ones were given up by the other side
                newer = self._arrived.get_nowait()
                sock.close()
                sock = newer
        except queue.Empty:
            pass
        if sock is None:
            raise UnavailableError(
                f"No connection with {self._peer.name} came about.",
                why="its node did not come in time",
                mend=f"see whether the node of {self._peer.name} runs and can be reached",
                party=self._peer.name,
            )
        return sock


def work(control_socket: socket.socket, sockets: socket.socket) -> None:
    """Wait for the task, run it, tell what came of it."""
    leave_network()
    control = Pipe(control_socket)
    told = control.recv()
    if told is None:
        return
    task = spec.decode_spec(told)
    links: dict[str, StreamLink] = {}
    try:
        arrivals = _Arrivals(sockets, control)
        _open_links(task, arrivals, links)
        finished = _run(task, links, control)
        outputs = _store(task, finished)
    except BaseException as error:  # noqa: BLE001 - everything is told to the node
        problem = at_fault(error, links) if isinstance(error, UnseenError) else _unexpected(error)
        # our node first: else a peer, whom the abort tells nothing but the class, may tell it that we failed before
        # it knows why, and the cause is lost to the one who can mend it
        control.send(spec.encode(spec.Gone(problem.to_dict())))
        abort_all(links, problem, task.task)
        return
    for link in links.values():
        link.close()
    control.send(spec.encode(spec.Done(outputs, _with_certificates(task, links, finished.record))))


def at_fault(problem: UnseenError, links: Mapping[str, StreamLink]) -> UnseenError:
    """The problem, laid at the door of whoever shows no sign of life, rather than of one who waits for it as we do."""
    silent = {peer: link.silent_s() for peer, link in links.items()}
    if not isinstance(problem, UnavailableError) or problem.party not in silent:
        return problem
    gone = max(silent, key=silent.__getitem__)
    if silent[gone] < silent[problem.party] + 2 * BEAT_S:
        return problem
    return UnavailableError(
        f"{gone} was silent for too long.",
        why=f"no sign of life has come of it for {silent[gone]:.0f} s, and {problem.party} has nothing to go on with",
        mend=f"see whether the node of {gone} runs and is not overloaded",
        party=gone,
        step=problem.step,
    )


def _unexpected(error: BaseException) -> UnseenError:
    if isinstance(error, OSError) and error.errno in _FULL:
        return UnavailableError(
            "A disk is full.",
            why=f"{error.strerror}: {error.filename or 'a temporary file'}",
            mend="free space on the disk of the node's home and on that of its temporary files (jobs.scratch)",
        )
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "unknown"
    return UnseenError(
        "The task failed in a way that nobody foresaw.",
        why=f"{type(error).__name__}: {error} ({where})",
        mend="report this with the node's log",
    )


def _open_links(task: spec.TaskSpec, arrivals: _Arrivals, links: dict[str, StreamLink]) -> None:
    """All links at once: whoever comes last decides when we begin."""
    credentials = task.credentials.unpack()
    errors: list[UnseenError] = []

    def open_one(peer: spec.PeerSpec) -> None:
        try:
            links[peer.name] = open_link(
                me=task.me,
                peer=peer.name,
                role=peer.role,
                sockets=arrivals.source(peer),
                credentials=credentials,
                peer_identity=peer.identity,
                window_bytes=task.window_bytes,
                reconnect_s=task.reconnect_s,
                connect_s=task.connect_s,
                others=[other.name for other in task.peers],
            )
        except UnseenError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_one, args=(peer,), daemon=True) for peer in task.peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _run(task: spec.TaskSpec, links: Mapping[str, StreamLink], control: Pipe) -> Finished:
    credentials = task.credentials.unpack()
    inputs = {
        name: artefacts.decode(unseal(task.artefact_key, Path(path).read_bytes(), [task.job]))
        for name, path in task.inputs.items()
    }
    journal = FileJournal(Path(task.journal), task.journal_key, (task.job, task.task))

    def verify(peer: str, statement: bytes, signature: bytes) -> None:
        certificate = links[peer].peer_certificate
        if certificate is None:
            raise UnavailableError(f"The link to {peer} has no certificate.", party=peer)
        verify_signature(certificate, statement, signature)

    def tell(progress: Progress) -> None:
        control.send(spec.encode(spec.Step(progress.done, progress.total, progress.note)))

    def note(made: Drawn) -> None:
        control.send(spec.encode(spec.Took(made.stock, made.run, made.runs_left)))
        if control.recv() != spec.NOTED:
            raise UnavailableError(
                "The node did not write down that a run of a stock was taken.", party=task.me
            )

    policy = DisclosurePolicy(
        task.contract,
        task.task,
        tuple(
            Disclosure(item.name, item.what, item.to, Door(item.door), item.max_elements, item.times)
            for item in task.disclosures
        ),
    )
    return run_task(
        TaskTerms.model_validate_json(task.terms),
        Session(task.job, task.task, task.attempt),
        me=task.me,
        links=links,
        policy=policy,
        journal=journal,
        inputs=inputs,
        progress=tell,
        sign=credentials.sign,
        verify=verify,
        silence_s=task.silence_s,
        kept=Kept(Path(task.stocks), task.stocks_key, task.stocks_taken, note),
    )


def _with_certificates(
    task: spec.TaskSpec, links: Mapping[str, StreamLink], record: TaskRecord
) -> TaskRecord:
    """The record with the certificates of both ends beside their signatures, so that anybody can check them."""
    mine = ssl.PEM_cert_to_DER_cert(task.credentials.certificate.decode())
    signed = []
    for item in record.transcripts:
        theirs = links[item.peer].peer_certificate
        signed.append(
            msgspec.structs.replace(
                item, our_certificate=mine, their_certificate=theirs.der if theirs else b""
            )
        )
    return msgspec.structs.replace(record, transcripts=tuple(signed))


def _store(task: spec.TaskSpec, finished: Finished) -> dict[str, spec.Output]:
    """Seal every output into the attempt's folder; all of it is on disk when this returns."""
    folder = Path(task.outputs)
    outputs = {}
    for name, artefact in finished.outputs.items():
        plain, salt = artefacts.encode(artefact), fresh_salt()
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(seal(task.artefact_key, plain, [task.job]))
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        except OSError as error:
            raise UnavailableError(
                f"The output '{name}' cannot be written.",
                why=str(error.strerror),
                mend=f"free space on the disk of {folder}",
            ) from error
        finally:
            os.close(handle)
        outputs[name] = spec.Output(commit(plain, salt), salt, artefact.kind)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return outputs
