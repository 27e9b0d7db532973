"""The journal of a gate on disk: what was let out, and what a reveal is about to send, durable before it leaves.

An append-only file of sealed records, each with its length in front. The last record may be torn by a crash: it was
not acted on yet, so it is cut off. A record that is damaged in the middle is an error.

Checkpoints are sealed files beside it, two at most, each written whole or not at all: so the journal does not grow with them. One
that is damaged counts as none, for the task can go on from the other, or begin again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import msgspec

from unseen.core.durable import sync_folder, write_whole
from unseen.core.errors import UnavailableError, VerificationError
from unseen.crypto.seal import seal, unseal
from unseen.party.gate import Disclosed, Door, StoredPart

_LENGTH_BYTES = 4


class _Passage(msgspec.Struct, frozen=True, tag="passage", array_like=True):
    task: str
    name: str
    index: int
    door: str
    to: tuple[str, ...]
    elements: int
    attempt: int


class _Part(msgspec.Struct, frozen=True, tag="part", array_like=True):
    name: str
    index: int
    attempt: int
    sent: bool
    data: bytes


class _Seed(msgspec.Struct, frozen=True, tag="seed", array_like=True):
    seed: bytes


_Record: TypeAlias = _Passage | _Part | _Seed
_decoder: msgspec.msgpack.Decoder[_Record] = msgspec.msgpack.Decoder(_Record)


def checkpoint_file(journal: Path, slot: int) -> Path:
    """Where the checkpoint of that number of this journal lies."""
    return journal.with_name(f"{journal.name}.checkpoint-{slot}")


class FileJournal:
    """See the module; implements :class:`unseen.party.gate.Journal`. Used by one process at a time.

    Parameters
    ----------
    path
        The file; made if it is not there.
    key
        32 bytes that seal it.
    context
        Job and task: a journal does not open as that of another task.
    """

    def __init__(self, path: Path, key: bytes, context: tuple[str, str]) -> None:
        self._key = key
        self._context = list(context)
        self._path = path
        self._parts: dict[tuple[str, int], StoredPart] = {}
        self._seed: bytes | None = None
        self._count = 0
        self.entries: list[Disclosed] = []
        fresh = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if fresh:
            sync_folder(path.parent)  # else a power cut may leave records without a file that has them
        self._load()

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def record(self, entry: Disclosed) -> None:
        """Append a passage."""
        self._append(
            _Passage(
                entry.task, entry.name, entry.index, entry.door.value, entry.to, entry.elements, entry.attempt
            )
        )

    def load_part(self, name: str, index: int) -> StoredPart | None:
        """The stored part of a reveal."""
        return self._parts.get((name, index))

    def store_part(self, name: str, index: int, part: StoredPart) -> None:
        """Store a part."""
        self._append(_Part(name, index, part.attempt, part.sent, part.data))

    def load_output_seed(self, fresh: bytes) -> bytes:
        """The first seed wins."""
        if self._seed is None:
            self._append(_Seed(fresh))
        return self._seed or fresh

    def store_checkpoint(self, slot: int, data: bytes) -> None:
        """Seal it into the file of that number."""
        write_whole(checkpoint_file(self._path, slot), seal(self._key, data, self._place(slot)))

    def load_checkpoint(self, slot: int) -> bytes | None:
        """Unseal it, if it is there, can be read and is whole."""
        try:
            return unseal(self._key, checkpoint_file(self._path, slot).read_bytes(), self._place(slot))
        except (OSError, VerificationError):
            return None

    def _place(self, slot: int) -> list[str | int]:
        return [*self._context, "checkpoint", slot]

    def _append(self, record: _Record) -> None:
        sealed = seal(self._key, msgspec.msgpack.encode(record), [*self._context, self._count])
        view = memoryview(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
            os.fsync(self._handle)
        except OSError as error:
            raise UnavailableError(
                "The journal of a task cannot be written.",
                why=str(error.strerror),
                mend=f"free space on the disk of {self._path.parent}",
            ) from error
        self._keep(record)

    def _keep(self, record: _Record) -> None:
        self._count += 1
        if isinstance(record, _Passage):
            self.entries.append(
                Disclosed(
                    record.task,
                    record.name,
                    record.index,
                    Door(record.door),
                    record.to,
                    record.elements,
                    record.attempt,
                )
            )
        elif isinstance(record, _Part):
            self._parts[record.name, record.index] = StoredPart(record.attempt, record.data, record.sent)
        else:
            self._seed = self._seed or record.seed

    def _load(self) -> None:
        with os.fdopen(os.dup(self._handle), "rb") as stored:
            data = stored.read()
        at = 0
        while at + _LENGTH_BYTES <= len(data):
            end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
            if end > len(data):
                break
            plain = unseal(self._key, data[at + _LENGTH_BYTES : end], [*self._context, self._count])
            try:
                self._keep(_decoder.decode(plain))
            except msgspec.DecodeError as error:
                raise VerificationError("The journal of a task cannot be read.", why=str(error)) from error
            at = end
        if at < len(data):
            os.ftruncate(self._handle, at)
            os.fsync(self._handle)
        os.lseek(self._handle, at, os.SEEK_SET)
