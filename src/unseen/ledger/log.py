"""Logs on disk: the own one, written by this party alone, and mirrors of the others', which are checked and witnessed.

A log is a file of lines: leaf hash (hex), then the entry's canonical bytes if this party may see them. A line is on disk
before it counts; a torn last line is cut off at the next start. Cosignatures lie beside it in a file of the same kind.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.durable import sync_folder
from unseen.core.errors import UnavailableError, VerificationError
from unseen.ledger import merkle
from unseen.ledger.entries import Entry, Head
from unseen.ledger.notes import (
    Checkpoint,
    Note,
    Signature,
    check_note,
    key_id,
    parse_checkpoint,
    parse_note,
    sign_note,
)

_HEX = 2 * merkle.HASH_BYTES


def check_head(head: Head, party: str, public: bytes) -> None:
    """Check that `party` signed that head of its log.

    Raises
    ------
    VerificationError
        It did not, or its signature is not there.
    """
    text = Checkpoint(party, head.size, bytes.fromhex(head.root)).text()
    try:
        value = base64.b64decode(head.signature or "", validate=True)
    except ValueError:
        value = b""
    check_note(Note(text, (Signature(party, key_id(party, public), value),)), party, public)


class Lines:
    """An append-only file of lines; what is appended is on disk when the call returns. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        fresh = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if fresh:
            sync_folder(path.parent)  # else a power cut may leave lines without a file that has them
        with os.fdopen(os.dup(self._handle), "rb") as stored:
            data = stored.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._handle, whole)
            os.fsync(self._handle)
        os.lseek(self._handle, whole, os.SEEK_SET)
        self.lines = data[:whole].splitlines()

    def append(self, lines: Sequence[bytes]) -> None:
        """Append.

        Raises
        ------
        UnavailableError
            The disk is full; nothing was appended.
        """
        before = os.lseek(self._handle, 0, os.SEEK_CUR)
        view = memoryview(b"".join(line + b"\n" for line in lines))
        try:
            while view:
                view = view[os.write(self._handle, view) :]
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, before)
            os.lseek(self._handle, before, os.SEEK_SET)
            raise UnavailableError(
                "The log cannot be written.",
                why=str(error.strerror),
                mend=f"free space on the disk of {self._path.parent}",
            ) from error
        self.lines += lines

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


class Leaves:
    """Leaf hashes and visible entries of one log. Thread-safe reading."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self.lock = threading.RLock()
        self.hashes: list[bytes] = []
        self.entries: dict[int, Entry] = {}
        for line in self._lines.lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        leaf, data = bytes.fromhex(line[:_HEX].decode("ascii")), line[_HEX + 1 :]
        if data and merkle.leaf_hash(data) != leaf:
            raise VerificationError(
                f"Entry {len(self.hashes)} of a log on this disk was changed.",
                mend="restore the node from a backup: `unseen node restore`",
            )
        if data:
            self.entries[len(self.hashes)] = Entry.from_bytes(data)
        self.hashes.append(leaf)

    def add(self, items: Sequence[tuple[bytes, bytes]]) -> None:
        """Append (leaf hash, entry bytes or nothing) pairs."""
        lines = [leaf.hex().encode() + b" " + data for leaf, data in items]
        with self.lock:
            self._lines.append(lines)
            for line in lines:
                self._take(line)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.hashes)

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` entries (default: all)."""
        with self.lock:
            return merkle.root(self.hashes[: self.size if size is None else size])

    def head(self) -> Head:
        """Size and root."""
        with self.lock:
            return Head(size=self.size, root=self.root().hex())

    def last_of(self, contract: str) -> int | None:
        """Index of the newest visible entry on a contract."""
        with self.lock:
            return max(
                (index for index, entry in self.entries.items() if entry.contract == contract), default=None
            )

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


class Log:
    """This party's own log. Thread-safe.

    Parameters
    ----------
    folder
        Where its files are.
    party
        The author; also the origin of its checkpoints.
    key
        The identity key.
    """

    def __init__(self, folder: Path, party: str, key: Ed25519PrivateKey) -> None:
        self.party = party
        self._key = key
        self.leaves = Leaves(folder / "own")
        self._cosigned = Lines(folder / "cosignatures")
        self._witnessed: dict[str, int] = {}
        self._cosignatures: dict[int, dict[str, Signature]] = {}
        for line in self._cosigned.lines:
            size, _, written = line.decode().partition(" ")
            self._keep(int(size), parse_note(f"x\n\n{written}\n").signatures[0])

    def append(self, entry: Entry) -> int:
        """Write an entry, with its place in the contract's sequence; returns its index. On disk when it returns."""
        with self.leaves.lock:
            data = entry.model_copy(update={"previous": self.leaves.last_of(entry.contract)}).to_bytes()
            self.leaves.add([(merkle.leaf_hash(data), data)])
            return self.leaves.size - 1

    def checkpoint(self, size: int | None = None) -> Note:
        """The signed head, with the cosignatures there are for that size."""
        with self.leaves.lock:
            size = self.leaves.size if size is None else size
            note = sign_note(
                Checkpoint(self.party, size, self.leaves.root(size)).text(), self.party, self._key
            )
            return Note(note.text, (*note.signatures, *self._cosignatures.get(size, {}).values()))

    def cosigned(self, size: int, signature: Signature) -> None:
        """Keep a cosignature that was checked."""
        with self.leaves.lock:
            if signature.name not in self._cosignatures.get(size, {}):
                self._cosigned.append([f"{size} ".encode() + signature.line().rstrip("\n").encode()])
                self._keep(size, signature)

    def _keep(self, size: int, signature: Signature) -> None:
        self._cosignatures.setdefault(size, {})[signature.name] = signature
        self._witnessed[signature.name] = max(size, self._witnessed.get(signature.name, 0))

    def witnesses(self, index: int) -> tuple[str, ...]:
        """Who has cosigned a head that covers this entry."""
        with self.leaves.lock:
            return tuple(sorted(name for name, size in self._witnessed.items() if size > index))

    def best_size(self) -> int:
        """The newest size that has the most cosignatures: the head to show to others."""
        with self.leaves.lock:
            if not self._cosignatures:
                return self.leaves.size
            return max(self._cosignatures, key=lambda size: (len(self._cosignatures[size]), size))

    def close(self) -> None:
        """Close the files."""
        self.leaves.close()
        self._cosigned.close()


class Mirror:
    """What this party knows of another's log: every leaf, entries where it may see them, and the newest signed head.

    Nothing that was once taken in can be replaced: a head that does not continue it is refused and kept as evidence.
    """

    def __init__(self, folder: Path, party: str, public: bytes) -> None:
        self.party = party
        self._public = public
        self._folder = folder
        self.leaves = Leaves(folder / f"of-{party}")
        self._heads = Lines(folder / f"heads-of-{party}")
        self.note: Note | None = None
        for line in self._heads.lines:
            self.note = parse_note(bytes.fromhex(line.decode()).decode())

    def signed_head(self) -> Head:
        """The newest head that its author signed, with the signature: what an own entry may lean on."""
        with self.leaves.lock:
            if self.note is None:
                return Head(size=0, root=merkle.root([]).hex())
            head = parse_checkpoint(self.note)
            signature = base64.b64encode(self.note.signatures[0].value).decode()
            return Head(size=head.size, root=head.root.hex(), signature=signature)

    def extend(self, start: int, items: Sequence[tuple[bytes, bytes]], note: Note) -> Checkpoint:
        """Take in leaves from index `start` on, up to the signed head `note`; returns that head.

        Raises
        ------
        VerificationError
            A bad signature, an entry that is not its leaf's or another author's, or a head that does not continue
            what this party has seen (a fork: both heads are kept in `forks-of-PARTY`).
        """
        check_note(note, self.party, self._public)
        head = parse_checkpoint(note)
        with self.leaves.lock:
            known = self.leaves.size
            fresh = list(items[max(0, known - start) :])
            fits = 0 <= start <= known and start + len(items) == head.size
            if (
                head.origin != self.party
                or not fits
                or any(len(leaf) != merkle.HASH_BYTES for leaf, _ in items)
            ):
                raise VerificationError(
                    f"{self.party} sent a piece of its log that does not fit.", party=self.party
                )
            repeated = [leaf for leaf, _ in items[: max(0, known - start)]]
            hashes = [*self.leaves.hashes, *(leaf for leaf, _ in fresh)]
            forked = repeated != self.leaves.hashes[start : start + len(repeated)]
            if forked or merkle.root(hashes[: head.size]) != head.root:
                self._accuse(note)
            for leaf, data in fresh:
                if data and (merkle.leaf_hash(data) != leaf or Entry.from_bytes(data).party != self.party):
                    raise VerificationError(
                        f"{self.party} sent an entry that is not in its log.", party=self.party
                    )
            if fresh:
                self.leaves.add(fresh)
            if self.note is None or parse_checkpoint(self.note).size <= head.size:
                self._heads.append([str(note).encode().hex().encode()])
                self.note = note
        return head

    def _accuse(self, note: Note) -> None:
        evidence = Lines(self._folder / f"forks-of-{self.party}")
        evidence.append([str(item).encode().hex().encode() for item in (note, self.note) if item is not None])
        evidence.close()
        raise VerificationError(
            f"The log of {self.party} was changed: its head does not continue what {self.party} had signed before.",
            why="both signed heads are kept as evidence",
            mend=f"stop working with {self.party} until it can explain this",
            party=self.party,
        )

    def close(self) -> None:
        """Close the files."""
        self.leaves.close()
        self._heads.close()
