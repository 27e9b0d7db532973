"""What a run has finished, on disk: so that after a kill it goes on where it stopped.

The journal is written whole or not at all. A partition counts as finished when its rows are on disk; an interrupted one
is run again with fresh randomness. The journal names the agreement it belongs to and the data: a run goes on only with the
same data and the same terms at both sides, else the other side could put in another set each time.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.durable import write_whole
from unseen.core.errors import UsageError

_FORMAT = 1
_NAME = "journal.json"
MOST_ATTEMPTS = 20


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of an interrupted run; bytes as hex."""

    format: int
    run: str
    agreement: str
    salt: str
    fingerprint: str
    parts: int
    done: int
    begun: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Journal:
    """The folder of one run."""

    folder: Path

    def load(self, fingerprint: bytes) -> Entry | None:
        """The interrupted run, if there is one.

        Raises
        ------
        UsageError
            It was of other data, or of another version.
        """
        try:
            entry = msgspec.json.decode((self.folder / _NAME).read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise UsageError(
                f"The journal in {self.folder} cannot be read.",
                why=str(error),
                mend="start anew: --fresh at both sides",
            ) from error
        if entry.format != _FORMAT:
            raise UsageError(
                f"The journal in {self.folder} is of another version.",
                mend="start anew: --fresh at both sides",
            )
        if entry.fingerprint != hashlib.sha256(fingerprint).hexdigest():
            raise UsageError(
                "The input has changed since the interrupted run.",
                why="an interrupted run goes on only with the same ids in the same rows, and the same --duplicates",
                mend="bring the old file back, or start anew: --fresh at both sides",
            )
        return entry

    def save(self, entry: Entry) -> None:
        """Write it, durably."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.folder / _NAME, msgspec.json.encode(entry))

    def store(self, part: int, rows: NDArray[np.int64]) -> None:
        """Keep the rows that a partition gave, durably."""
        write_whole(self._part(part), rows.astype("<i8", copy=False).tobytes())

    def rows(self, part: int) -> NDArray[np.int64]:
        """The rows that a finished partition gave."""
        return np.frombuffer(self._part(part).read_bytes(), "<i8").astype(np.int64, copy=False)

    def clear(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, part: int) -> Path:
        return self.folder / f"part-{part:05d}.rows"


def entry(*, run: bytes, agreement: bytes, salt: bytes, fingerprint: bytes, parts: int) -> Entry:
    """The first entry of a run."""
    return Entry(
        _FORMAT,
        run.hex(),
        agreement.hex(),
        salt.hex(),
        hashlib.sha256(fingerprint).hexdigest(),
        parts,
        0,
        begun=False,
        attempts=0,
    )


def commitment(salt: bytes, fingerprint: bytes) -> bytes:
    """Tells the other side whether the data is the same as before, and nothing else about it."""
    return hashlib.sha256(b"unseen/psi-commitment/v1\n" + salt + fingerprint).digest()
