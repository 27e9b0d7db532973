"""Artefacts on disk, sealed: inputs and outputs of tasks, by job.

A worker writes the outputs of an attempt into a folder of its own. When the attempt is committed the folder is renamed
to that of the task, in one step: there is never half an output. Everything of a job is sealed under a key of that job,
which is all that a worker gets.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from unseen.core.durable import sync_folder, write_whole
from unseen.core.errors import UnavailableError, UsageError
from unseen.crypto.derive import derive
from unseen.crypto.seal import seal, unseal
from unseen.jobs import artefacts, spec
from unseen.jobs.artefacts import Artefact
from unseen.node.home import Home

_DONE = ".done"
_ATTEMPTS = ".attempts"
_INPUTS = ".inputs"
_PRIVATE = 0o700


class ArtefactStore:
    """See the module. Thread-safe for different tasks."""

    def __init__(self, home: Home, key: bytes) -> None:
        self._home = home
        self._key = key

    # ------------------------------------------------------------------ keys and places

    def job_key(self, job: str) -> bytes:
        """Seals the artefacts of one job."""
        return derive(self._key, "artefacts", [job])

    def journal_key(self, job: str, task: str) -> bytes:
        """Seals the journal of one task."""
        return derive(self._key, "journal", [job, task])

    @property
    def stocks(self) -> Path:
        """Where this node's stocks are."""
        return self._home.stocks

    @property
    def stocks_key(self) -> bytes:
        """Seals them."""
        return derive(self._key, "stocks", [])

    def journal(self, job: str, task: str) -> Path:
        """Where the journal of a task is."""
        folder = self._home.journals / job
        _make(folder)
        return folder / task

    def drop_checkpoints(self, job: str, task: str) -> None:
        """The task is committed: nobody goes on from there any more."""
        for kept in self._home.journals.joinpath(job).glob(f"{task}.checkpoint-*"):
            kept.unlink(missing_ok=True)

    def _job(self, job: str) -> Path:
        return self._home.artefacts / job

    def _attempt(self, job: str, task: str, attempt: int) -> Path:
        return self._job(job) / _ATTEMPTS / f"{task}.{attempt}"

    # ------------------------------------------------------------------ writing

    def begin(self, job: str, task: str, attempt: int) -> Path:
        """An empty folder for the outputs of an attempt."""
        folder = self._attempt(job, task, attempt)
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder)
        return folder

    def put_input(self, job: str, name: str, artefact: Artefact) -> Path:
        """Seal something of this party as an input of the job; returns its file."""
        folder = self._job(job) / _INPUTS
        _make(folder)
        place = folder / name
        write_whole(place, seal(self.job_key(job), artefacts.encode(artefact), [job]))
        return place

    def finish(self, job: str, task: str, attempt: int, done: spec.Done) -> None:
        """Keep what the worker said of its outputs, beside them. On disk when it returns."""
        sealed = seal(self.job_key(job), spec.encode(done), [job, task])
        write_whole(self._attempt(job, task, attempt) / _DONE, sealed)

    def publish(self, job: str, task: str, attempt: int) -> None:
        """Make the outputs of an attempt those of the task. May come twice."""
        source, target = self._attempt(job, task, attempt), self._job(job) / task
        if source.exists():
            try:
                source.rename(target)
                sync_folder(target.parent)
            except OSError as error:
                raise UnavailableError(
                    f"The outputs of {task} cannot be stored.",
                    why=str(error.strerror),
                    mend="free space on the disk",
                ) from error

    def discard(self, job: str, task: str, attempt: int) -> None:
        """The attempt came to nothing."""
        shutil.rmtree(self._attempt(job, task, attempt), ignore_errors=True)

    def tidy(self, job: str, *, kinds: frozenset[str]) -> None:
        """The job is over: drop attempts, inputs, journals, and outputs of these kinds."""
        for leftover in (self._job(job) / _ATTEMPTS, self._job(job) / _INPUTS, self._home.journals / job):
            shutil.rmtree(leftover, ignore_errors=True)
        for task, output, kept in list(self.outputs(job)):
            if kept.kind in kinds:
                with contextlib.suppress(OSError):
                    (self._job(job) / task / output).unlink()

    # ------------------------------------------------------------------ reading

    def done(self, job: str, task: str, attempt: int | None = None) -> spec.Done:
        """What the worker of a committed task (or of an attempt) said.

        Raises
        ------
        UsageError
            There is no such task.
        """
        folder = self._job(job) / task if attempt is None else self._attempt(job, task, attempt)
        try:
            sealed = (folder / _DONE).read_bytes()
        except OSError as error:
            raise UsageError(f"There are no outputs of '{task}' in {job}.") from error
        return msgspec.msgpack.decode(unseal(self.job_key(job), sealed, [job, task]), type=spec.Done)

    def outputs(self, job: str) -> Iterator[tuple[str, str, spec.Output]]:
        """(task, output, what is known of it) of all committed tasks."""
        folder = self._job(job)
        if not folder.is_dir():
            return
        for task in sorted(folder.iterdir()):
            if not task.name.startswith(".") and (task / _DONE).exists():
                for name, output in sorted(self.done(job, task.name).outputs.items()):
                    yield task.name, name, output

    def path(self, job: str, reference: str) -> Path:
        """The sealed file of `TASK.OUTPUT`.

        Raises
        ------
        UsageError
            There is none.
        """
        task, _, output = reference.partition(".")
        place = self._job(job) / task / output
        if not output or output.startswith(".") or "/" in reference or not place.is_file():
            raise _none(job, reference)
        return place

    def read(self, job: str, reference: str) -> Artefact:
        """An output.

        Raises
        ------
        UsageError
            There is none.
        VerificationError
            It was damaged on disk.
        """
        return self.read_sized(job, reference)[0]

    def read_sized(self, job: str, reference: str) -> tuple[Artefact, int]:
        """An output, and its bytes on disk; see :meth:`read`."""
        place = self.path(job, reference)
        try:
            sealed = place.read_bytes()
        except FileNotFoundError as error:  # the job is over, and it was dropped this moment
            raise _none(job, reference) from error
        return artefacts.decode(unseal(self.job_key(job), sealed, [job])), len(sealed)


def _none(job: str, reference: str) -> UsageError:
    return UsageError(
        f"There is no '{reference}' in {job}.", mend="`unseen job result` shows what this party received"
    )


def _make(folder: Path) -> None:
    try:
        if not folder.is_dir():
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            sync_folder(folder.parent)
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be made.", why=str(error.strerror), mend="free space on the disk"
        ) from error
