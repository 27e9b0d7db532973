"""Signed notes, checkpoints and cosignatures as specified by C2SP (signed-note, tlog-checkpoint, tlog-cosignature).

A note is text, an empty line, and signature lines `— NAME BASE64`. A checkpoint is a note whose text is origin, size and
root of a log. A cosignature is another party's dated signature on a checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from unseen.core.errors import VerificationError
from unseen.crypto.sign import raw_public_key

ED25519, COSIGNATURE = 0x01, 0x04
_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\u2014 "
_LINES = 3


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: name, key id and signature bytes."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Its written form."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """Text (ending in a newline) and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Head of a log."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, public: bytes, algorithm: int = ED25519) -> bytes:
    """First 4 bytes of SHA-256(name ‖ newline ‖ algorithm ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_ID_BYTES]


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """A note with one signature."""
    signature = Signature(name, key_id(name, raw_public_key(key)), key.sign(text.encode()))
    return Note(text, (signature,))


def parse_note(written: str) -> Note:
    """Take a note apart; nothing is verified.

    Raises
    ------
    VerificationError
        It is none.
    """
    text, separator, tail = written.rpartition("\n\n")
    lines = tail.splitlines(keepends=True)
    if not separator or not lines:
        raise VerificationError("This is not a signed note.", why="it has no signature")
    return Note(text + "\n", tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).rstrip("\n").rpartition(" ")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not (line.startswith(_DASH) and line.endswith("\n") and space and name) or len(data) <= _ID_BYTES:
        raise VerificationError("A signature line of a note is malformed.", why=line[:80].strip())
    return Signature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def check_note(note: Note, name: str, public: bytes) -> None:
    """Check that `note` is signed under that name by that key.

    Raises
    ------
    VerificationError
        It is not.
    """
    wanted = key_id(name, public)
    for signature in note.signatures:
        if (signature.name, signature.key_id) == (name, wanted):
            _verify(public, signature.value, note.text.encode(), name)
            return
    raise VerificationError(f"The note is not signed by {name}.")


def cosign(note: Note, name: str, key: Ed25519PrivateKey, *, time: int) -> Signature:
    """A cosignature v1 on a checkpoint: `time` in seconds since 1970."""
    public = raw_public_key(key)
    value = time.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(note.text, time))
    return Signature(name, key_id(name, public, COSIGNATURE), value)


def check_cosignature(note: Note, signature: Signature, name: str, public: bytes) -> int:
    """Check a cosignature; returns its time.

    Raises
    ------
    VerificationError
        It is not by `name` on this note.
    """
    if (signature.name, signature.key_id) != (name, key_id(name, public, COSIGNATURE)):
        raise VerificationError(f"The cosignature is not by {name}.")
    time = int.from_bytes(signature.value[:_TIME_BYTES], "big")
    _verify(public, signature.value[_TIME_BYTES:], _cosigned(note.text, time), name)
    return time


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _verify(public: bytes, signature: bytes, message: bytes, name: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationError(f"The signature of {name} on a note does not verify.") from None


def parse_checkpoint(note: Note) -> Checkpoint:
    """The head that a note states.

    Raises
    ------
    VerificationError
        It is no checkpoint.
    """
    lines = note.text.split("\n")
    try:
        origin, size, encoded = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as error:
        raise VerificationError("This note is not a checkpoint.", why=str(error)) from error
    checkpoint = Checkpoint(origin, size, encoded)
    if (
        not origin
        or size < 0
        or checkpoint.text() != note.text
        or len(encoded) != hashlib.sha256().digest_size
    ):
        raise VerificationError("This note is not a checkpoint.", why="it is not in canonical form")
    return checkpoint


def cosigners(note: Note, keys: Mapping[str, bytes]) -> dict[str, int]:
    """Whose cosignatures on a note verify, with their times; those of unknown names are left out.

    Raises
    ------
    VerificationError
        A cosignature under a known name and key id that does not verify.
    """
    found = {}
    for signature in note.signatures:
        public = keys.get(signature.name)
        if public is not None and signature.key_id == key_id(signature.name, public, COSIGNATURE):
            found[signature.name] = check_cosignature(note, signature, signature.name, public)
    return found
