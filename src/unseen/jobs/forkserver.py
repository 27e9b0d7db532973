"""The fork-server: one process per node that has loaded everything a task may need and forks a worker per task.

It is started before the node has a thread or a key, so no worker can inherit one, and a worker starts in
milliseconds. Node and fork-server are joined by a Unix socket; for each worker the node sends the worker's ends of two
more (control, sockets) and gets its process id back. When the node dies, the fork-server ends, and the workers with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unseen.core.errors import UnavailableError
from unseen.core.loading import loading
from unseen.crypto import sodium
from unseen.jobs.pipe import Pipe

_PID = struct.Struct(">i")
_GO = b"fork"
_KEPT_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "UNSEEN_ISA",
    "VIRTUAL_ENV",
    "TMPDIR",
)
PRELOAD = (
    "unseen.jobs.worker",
    "unseen.jobs.steps.psi",
    "unseen.jobs.steps.train_linear",
    "unseen.jobs.steps.evaluate",
    "unseen.psi.protocols.dh",
    "unseen.mpc.protocols.dealer",
)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker process: its id, the control pipe, and the socket that sockets are passed over."""

    pid: int
    control: Pipe
    sockets: socket.socket

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class ForkServer:
    """The node's end. Thread-safe."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self._process = process
        self._line = line
        self._lock = threading.Lock()

    @classmethod
    def start(cls, preload: Sequence[str] = PRELOAD) -> ForkServer:
        """Start it. Call this before threads are made and keys are read."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment.setdefault("OPENBLAS_NUM_THREADS", "1")
        source = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, environment.get("PYTHONPATH")]))
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "unseen.jobs.forkserver", str(theirs.fileno()), *preload],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        return cls(process, ours)

    def fork(self) -> Forked:
        """A fresh worker, waiting for its task on the control pipe.

        Raises
        ------
        UnavailableError
            The fork-server is gone, or no process can be made.
        """
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        sockets, their_sockets = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with self._lock:
                socket.send_fds(self._line, [_GO], [their_control.fileno(), their_sockets.fileno()])
                answer = self._line.recv(_PID.size, socket.MSG_WAITALL)
        except OSError:
            answer = b""
        finally:
            their_control.close()
            their_sockets.close()
        pid = _PID.unpack(answer)[0] if len(answer) == _PID.size else 0
        if pid <= 0:
            control.close()
            sockets.close()
            raise UnavailableError(
                "No worker can be started.",
                why="the fork-server is gone, or the machine has no room for another process",
                mend="free memory, or restart the node",
            )
        return Forked(pid, Pipe(control), sockets)

    def stop(self) -> None:
        """End the fork-server and every worker."""
        self._line.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(line: socket.socket, preload: Sequence[str]) -> None:
    """The fork-server's life."""
    with loading():
        for name in preload:
            importlib.import_module(name)
        sodium.load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    children: set[int] = set()
    while True:
        try:
            word, handles, _, _ = socket.recv_fds(line, len(_GO), 2)
        except OSError:
            word, handles = b"", []
        if word != _GO or len(handles) != 2:  # noqa: PLR2004 - control and sockets
            break
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            line.close()
            _become_worker(*handles)
        if pid > 0:
            with contextlib.suppress(OSError):  # here and in the child: the group is there whoever is first
                os.setpgid(pid, pid)
        children.add(pid)
        for handle in handles:
            os.close(handle)
        line.sendall(_PID.pack(pid))
    for child in children - {-1}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)


def _become_worker(control: int, sockets: int) -> None:
    """In the child: alone in its group, dying with the fork-server, without core dumps, then the task."""
    code = 1
    try:
        os.setpgid(0, 0)
        parent = os.getppid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from unseen.jobs.worker import work  # noqa: PLC0415 - loaded before; named here to keep floors apart

        work(socket.socket(fileno=control), socket.socket(fileno=sockets))
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
