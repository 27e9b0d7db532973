"""Real worker processes from the fork-server: started fast, isolated, killed, and telling what went wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.errors import UnavailableError
from unseen.crypto.certificates import issue
from unseen.crypto.commit import check
from unseen.crypto.seal import seal, unseal
from unseen.crypto.sign import raw_public_key
from unseen.data.table import Table
from unseen.govern.contract import TaskTerms
from unseen.jobs import artefacts, spec
from unseen.jobs.forkserver import Forked, ForkServer
from unseen.jobs.step import fingerprint, step
from unseen.jobs.tables import from_table, to_table
from unseen.link.front import send_socket

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    made = ForkServer.start()
    made.fork().kill()  # wait until everything is loaded
    yield made
    made.stop()


class Side:
    """One party of a psi task, with a worker of its own."""

    def __init__(self, name: str, rows: range, folder: Path, world: dict[str, Any], **changes: Any) -> None:
        self.name, self.world, self.folder = name, world, folder / name
        (self.folder / "out").mkdir(parents=True)
        table = Table.of(pa.table({"id": [f"P{row}" for row in rows]}), id_columns=("id",))
        plain = artefacts.encode(from_table(table))
        (self.folder / "table").write_bytes(seal(KEY, plain, ["job-1"]))
        peer = "b" if name == "a" else "a"
        terms = TaskTerms(
            name="align",
            step="psi",
            version=step("psi").VERSION,
            fingerprint=fingerprint("psi"),
            roles={"holders": ("a", "b")},
            inputs={"table": "asset:x"},
        )
        told = spec.DisclosureSpec("intersection", "", ("a", "b"), "release", None, 1)
        credentials = issue(world["keys"][name], name, use="job-1/align/1", now=dt.datetime.now(dt.UTC))
        self.task = spec.TaskSpec(
            job="job-1",
            task="align",
            attempt=1,
            me=name,
            contract="contract-x",
            terms=terms.model_dump_json().encode(),
            disclosures=(told,),
            peers=(
                spec.PeerSpec(
                    peer,
                    "dial" if name == "a" else "accept",
                    raw_public_key(world["keys"][peer]),
                    fetched=name == "a",
                ),
            ),
            credentials=spec.CredentialsSpec.of(credentials),
            inputs={"table": str(self.folder / "table")},
            outputs=str(self.folder / "out"),
            artefact_key=KEY,
            journal=str(self.folder / "journal"),
            stocks=str(folder / "stocks"),
            stocks_key=bytes(32),
            stocks_taken={},
            journal_key=KEY,
            silence_s=10.0,
            reconnect_s=2.0,
            connect_s=5.0,
            window_bytes=1 << 20,
        )
        self.task = msgspec.structs.replace(self.task, **changes)
        self.heard: list[Any] = []
        self.over = threading.Event()

    def start(self, server: ForkServer) -> Forked:
        self.worker = server.fork()
        threading.Thread(target=self._listen, daemon=True).start()
        self.worker.control.send(spec.encode(self.task))
        return self.worker

    def _listen(self) -> None:
        while (data := self.worker.control.recv()) is not None:
            message = spec.decode_from_worker.decode(data)
            self.heard.append(message)
            if isinstance(message, spec.WantSocket):
                one, other = socket.socketpair()
                send_socket(self.worker.sockets, b"b\n", one)
                with contextlib.suppress(UnavailableError):
                    send_socket(self.world["b"].worker.sockets, b"a\n", other)
        self.over.set()

    @property
    def last(self) -> Any:
        assert self.over.wait(60), "the worker hangs"
        return self.heard[-1] if self.heard else None

    def output(self) -> Table:
        stored = (self.folder / "out" / "table").read_bytes()
        plain = unseal(KEY, stored, ["job-1"])
        output = self.last.outputs["table"]
        check(output.commitment, plain, output.salt, what="output")
        return to_table(artefacts.decode(plain))


def world_of(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    world: dict[str, Any] = {"keys": {name: Ed25519PrivateKey.generate() for name in "ab"}}
    for name, rows in (("b", range(50, 150)), ("a", range(100))):
        world[name] = Side(name, rows, tmp_path, world, **(changes if name == "a" else {}))
    return world


def test_a_task_runs_in_two_processes(server: ForkServer, tmp_path: Path) -> None:
    world = world_of(tmp_path)
    for name in "ba":
        world[name].start(server)
    assert isinstance(world["a"].last, spec.Done), world["a"].last
    assert isinstance(world["b"].last, spec.Done), world["b"].last
    assert world["a"].output().data.equals(world["b"].output().data)
    assert world["a"].output().rows == 50
    record = world["a"].last.record
    assert [passage.name for passage in record.passages] == ["intersection"]
    assert record.transcripts[-1].statement == world["b"].last.record.transcripts[-1].statement
    assert record.transcripts[-1].theirs == world["b"].last.record.transcripts[-1].ours
    assert record.transcripts[-1].their_certificate == world["b"].last.record.transcripts[-1].our_certificate
    assert any(isinstance(item, spec.Step) for item in world["a"].heard)


def test_a_worker_starts_within_300_ms(server: ForkServer) -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        worker = server.fork()
        times.append(time.perf_counter() - start)
        worker.kill()
    assert sorted(times)[2] < 0.3


def test_the_death_of_one_worker_ends_the_other_in_order(server: ForkServer, tmp_path: Path) -> None:
    world = world_of(tmp_path, connect_s=1.0, reconnect_s=1.0)
    frozen = world["b"].start(server)
    os.kill(frozen.pid, signal.SIGSTOP)
    world["a"].start(server)
    time.sleep(0.2)
    frozen.kill()
    assert world["b"].over.wait(60)
    assert isinstance(world["a"].last, spec.Gone)
    assert world["a"].last.error["code"] == "unavailable"


def test_a_denial_is_told_with_its_clause_and_the_peer_hears_its_class(
    server: ForkServer, tmp_path: Path
) -> None:
    world = world_of(tmp_path, disclosures=())
    for name in "ba":
        world[name].start(server)
    assert world["a"].last.error["code"] == "denied"
    assert "intersection" in world["a"].last.error["what"]
    theirs = world["b"].last.error
    assert (theirs["code"], theirs["party"]) == ("denied", "a")
    assert "intersection" not in theirs["what"]


def test_another_fingerprint_is_refused(server: ForkServer, tmp_path: Path) -> None:
    world = world_of(tmp_path)
    terms = TaskTerms.model_validate_json(world["a"].task.terms).model_copy(update={"fingerprint": "0" * 64})
    world["a"].task = msgspec.structs.replace(world["a"].task, terms=terms.model_dump_json().encode())
    for name in "ba":
        world[name].start(server)
    assert world["a"].last.error["code"] == "denied"


def test_a_full_disk_is_an_error_that_may_pass(server: ForkServer, tmp_path: Path) -> None:
    world = world_of(tmp_path, outputs=str(tmp_path / "nowhere"))
    for name in "ba":
        world[name].start(server)
    assert world["a"].last.error["code"] in ("unavailable", "internal")


@pytest.mark.skipif(not Path("/proc/self/ns/net").exists(), reason="Linux only")
def test_a_worker_is_alone(server: ForkServer) -> None:
    """No network but what it is handed, no file of the node, and it dies with the fork-server."""
    other = ForkServer.start(["unseen.jobs.worker"])
    worker = other.fork()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        if time.monotonic() > deadline:
            pytest.skip("this system does not let a process leave the network")
        time.sleep(0.01)
    handles = [str(handle.readlink()) for handle in Path(f"/proc/{worker.pid}/fd").iterdir()]
    assert sum("socket:" in name for name in handles) == 2
    environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
    assert b"UNSEEN_TOKEN" not in environment
    other.stop()
    deadline = time.monotonic() + 60
    while (
        Path(f"/proc/{worker.pid}").exists()
        and "zombie" not in Path(f"/proc/{worker.pid}/status").read_text()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)
