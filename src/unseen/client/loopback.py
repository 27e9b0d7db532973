"""All parties of a consortium on this machine, each a real node in a process and folder of its own.

    with Loopback(("hospital", "laboratory", "helper")) as world:
        world["hospital"].peer_list()

What differs from the real thing: one person owns all folders, and the network is the loopback device.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from unseen.client import together
from unseen.client.homes import make
from unseen.client.outcome import Outcome, PartyOutcome
from unseen.client.remote import RemoteNode
from unseen.client.together import Watch
from unseen.client.workflow import Workflow
from unseen.core.errors import UnavailableError, UnseenError, UsageError, from_dict
from unseen.core.ids import check_name
from unseen.jobs.artefacts import Artefact
from unseen.node.models import AcceptPeer
from unseen.node.operations import Node

_PRIVATE = 0o700
NODE_COMMAND = (sys.executable, "-m", "unseen.cli.main", "node", "run")
START_S = 60.0
STOP_S = 20.0


class Daemon:
    """One `unseen node run` on a home. It ends when we do: its standard input is a pipe from us."""

    def __init__(self, home: Path, command: Sequence[str] = NODE_COMMAND) -> None:
        self.home = home
        self._command = tuple(command)
        self.log = home.with_name(f"{home.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Start the process; :meth:`wait_ready` waits until it serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*self._command, "--json", "--stop-with-stdin", "--home", str(self.home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is ours to pass on, in order
            )

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait for the line that the daemon prints when it serves.

        Raises
        ------
        UnseenError
            It ended instead: its own error, as far as its log tells.
        UnavailableError
            It did neither in time.
        """
        process = self._process
        if process is None or process.stdout is None:
            raise UsageError(f"The node at {self.home} was not started.")
        timeout_s = START_S if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                raise UnavailableError(
                    f"The node at {self.home} was not ready in {timeout_s:g} s.", mend=f"see {self.log}"
                )
            piece = os.read(process.stdout.fileno(), 1 << 12)
            if not piece:
                process.wait(STOP_S)
                raise self._last_words(process.returncode)
            line += piece

    def signal(self, *, kill: bool = False) -> None:
        """Ask the process to end (`kill`: make it)."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)

    def stop(self, *, kill: bool = False) -> int | None:
        """End the process, by force if it takes too long or `kill` says so; gives its exit code."""
        process = self._process
        if process is None:
            return None
        self.signal(kill=kill)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        self._process = None
        return code

    def _last_words(self, code: int) -> UnseenError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        for line in reversed(lines):
            try:
                fields = json.loads(line).get("error")
            except (ValueError, AttributeError):
                continue
            if isinstance(fields, dict):
                return from_dict(fields)
        return UnavailableError(
            f"The node at {self.home} ended with code {code}.",
            why=lines[-1] if lines else "",
            mend=f"see {self.log}",
        )


class Loopback:
    """Nodes of all parties, started, introduced to each other, and stopped at the end.

    Parameters
    ----------
    parties
        Their names.
    folder
        Where their homes go (one private folder each); a temporary one, removed at the end, if left out.
    settings
        Additions to the `node.toml` of a party, or of all under the name '*'.
    command
        What runs a node (another installation of unseen, a wrapper that limits it, ...).
    """

    def __init__(
        self,
        parties: Sequence[str],
        folder: str | os.PathLike[str] | None = None,
        *,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        command: Sequence[str] = NODE_COMMAND,
    ) -> None:
        self.parties = tuple(check_name(name, kind="party") for name in parties)
        if len(set(self.parties)) != len(self.parties) or not self.parties:
            raise UsageError("Parties need names, each its own.", why=", ".join(self.parties))
        self._settings = settings or {}
        self._command = tuple(command)
        self._given = None if folder is None else Path(folder).expanduser().absolute()
        self._stack = ExitStack()
        self._daemons: dict[str, Daemon] = {}
        self._nodes: dict[str, RemoteNode] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self._nodes.values():
            node.close()
        self._nodes.clear()
        for daemon in self._daemons.values():
            daemon.signal()
        for daemon in self._daemons.values():
            daemon.stop()
        self._stack.close()

    def __getitem__(self, party: str) -> RemoteNode:
        if party not in self._nodes:
            raise UsageError(f"There is no party '{party}' here.", why=f"there are {', '.join(self.parties)}")
        return self._nodes[party]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parties)

    @property
    def nodes(self) -> Mapping[str, RemoteNode]:
        """Party -> its node."""
        return dict(self._nodes)

    @property
    def identities(self) -> dict[str, str]:
        """Party -> identity key, as contracts want them."""
        return {party: node.identity().identity for party, node in self._nodes.items()}

    def daemon(self, party: str) -> Daemon:
        """The process of a party's node."""
        return self._daemons[party]

    def home(self, party: str) -> Path:
        """The folder of a party's node."""
        return self._daemons[party].home

    def restart(self, party: str, *, kill: bool = False) -> RemoteNode:
        """Stop a party's daemon (`kill`: as a power cut would) and start it again on the same home."""
        daemon = self._daemons[party]
        node = self._nodes.pop(party, None)  # none where an earlier start failed
        if node is not None:
            node.close()
        daemon.stop(kill=kill)
        daemon.start()
        daemon.wait_ready()
        self._nodes[party] = RemoteNode.of_home(daemon.home, token=_owner(daemon.home))
        return self._nodes[party]

    def run(self, workflow: Workflow, *, watch: Watch = lambda _party, _event: None) -> Outcome:
        """Run a workflow whose tables were given with :meth:`Workflow.table`, on the nodes of its parties.

        Raises
        ------
        UnseenError
            What a node says when something is wrong or fails.
        """
        nodes = _Nodes(self, workflow.parties)
        starter = next(terms.holder for terms in workflow.assets)
        folder = self._folder_of(starter).parent
        together.bring(nodes, workflow, folder)
        contract = together.agree(nodes, workflow, starter)
        job = together.run(nodes, starter, contract, watch)
        bundle = together.evidence(nodes, starter, contract)
        return Outcome({name: _collect(name, node, job) for name, node in nodes.items()}, bundle)

    def _folder_of(self, party: str) -> Path:
        return self._daemons[party].home

    def _open(self) -> None:
        folder = self._folder()
        for party, port in zip(self.parties, _free_ports(len(self.parties)), strict=True):
            home = folder / party
            if not (home / "node.toml").exists():
                make(home, self._config(party, port))
            self._daemons[party] = Daemon(home, self._command)
            self._daemons[party].start()
        for party, daemon in self._daemons.items():
            daemon.wait_ready()
            self._nodes[party] = RemoteNode.of_home(daemon.home, token=_owner(daemon.home))
        self._introduce()

    def _folder(self) -> Path:
        if self._given is None:
            made = Path(tempfile.mkdtemp(prefix="unseen-"))
            self._stack.callback(shutil.rmtree, made, ignore_errors=True)
            return made
        self._given.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        return self._given

    def _config(self, party: str, port: int) -> dict[str, Any]:
        address = f"127.0.0.1:{port}"
        values: dict[str, Any] = {"name": party, "link": {"listen": address, "public": [address]}}
        for addition in (self._settings.get("*", {}), self._settings.get(party, {})):
            for key, value in addition.items():
                inner = isinstance(value, Mapping) and isinstance(values.get(key), Mapping)
                values[key] = {**values[key], **value} if inner else value
        return values

    def _introduce(self) -> None:
        """Every party accepts every other: here one person sees all fingerprints."""
        invitations = {party: node.peer_invite() for party, node in self._nodes.items()}
        for party, node in self._nodes.items():
            known = {peer.name for peer in node.peer_list()}
            for other, invitation in invitations.items():
                if other != party and other not in known:
                    node.peer_accept(AcceptPeer(text=invitation.text, fingerprint=invitation.fingerprint))


class _Nodes(Mapping[str, Node]):
    """The nodes of some parties as they are now: one that is restarted meanwhile is another."""

    def __init__(self, world: Loopback, parties: Sequence[str]) -> None:
        self._world, self._parties = world, tuple(parties)

    def __getitem__(self, party: str) -> Node:
        return self._world[party]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parties)

    def __len__(self) -> int:
        return len(self._parties)


def _owner(home: Path) -> str:
    return (home / "owner.token").read_text(encoding="utf-8").strip()


def _free_ports(count: int) -> list[int]:
    """Ports that are free now, all different: they are held together before any is let go."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [item.getsockname()[1] for item in sockets]


def _collect(party: str, node: Node, job: str) -> PartyOutcome:
    """Everything that a party may see in clear: results with their arrays, of the rest what is known of it."""
    found: dict[str, Artefact] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for view in node.artefacts(job):
            arrays: dict[str, Any] = {}
            if view.kind in {"metrics", "scores"}:
                place = Path(scratch) / view.reference
                node.artefact_export(job, view.reference, str(place))
                for name in view.arrays:
                    raw = place / f"{name}.arrow"
                    arrays[name] = (
                        np.frombuffer(raw.read_bytes(), np.uint8)
                        if raw.exists()
                        else np.load(place / f"{name}.npy", allow_pickle=False)
                    )
            found[view.reference] = Artefact(view.kind, arrays, view.meta)
    return PartyOutcome(party, found)
