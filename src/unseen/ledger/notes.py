"""Signed notes, checkpoints and cosignatures as specified by C2SP (signed-note, tlog-checkpoint, tlog-cosignature).

A note is text, an empty line, and signature lines `— NAME BASE64`. A checkpoint is a note whose text is origin, size and
root of a log. A cosignature is another party's dated signature on a checkpoint. A verifier key (vkey) is the written form
of name, algorithm and public key, for those who witness with other software.

Here every note has exactly one written form: what another reader might take otherwise is refused.
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
from unseen.ledger.merkle import HASH_BYTES

ED25519, COSIGNATURE = 0x01, 0x04
_ID_BYTES = 4
_TIME_BYTES = 8
_KEY_BYTES = 32
_MAX_TIME = 2**63 - 1
_MAX_SIZE = 2**63 - 1
_MAX_NOTE_CHARS = 1 << 20
_MAX_SIGNATURES = 1000
_DASH = "\u2014 "


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
    """Head of a log. Our own logs have no `extensions`: lines of no meaning to a witness, which others may add."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def key_id(name: str, public: bytes, algorithm: int = ED25519) -> bytes:
    """First 4 bytes of SHA-256(name ‖ newline ‖ algorithm ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_ID_BYTES]


def written_verifier(name: str, public: bytes, algorithm: int = ED25519) -> str:
    """The vkey: `NAME+KEYID+BASE64`."""
    key = base64.b64encode(bytes([algorithm]) + public).decode()
    return f"{name}+{key_id(name, public, algorithm).hex()}+{key}"


def parse_verifier(text: str) -> tuple[str, bytes, int]:
    """Name, raw public key and algorithm of a vkey.

    Raises
    ------
    VerificationError
        It is none, of an algorithm other than the two known here, or its key id is not its key's.
    """
    name, _, rest = text.partition("+")
    data = _decode(rest.partition("+")[2])
    public, algorithm = data[1:], data[0] if data else 0
    known = algorithm in {ED25519, COSIGNATURE} and len(public) == _KEY_BYTES and _is_name(name)
    if not known or text != written_verifier(name, public, algorithm):
        raise VerificationError("This is not a verifier key.", why=text[:80])
    return name, public, algorithm


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
    if len(written) > _MAX_NOTE_CHARS:
        raise VerificationError("This is not a signed note.", why=f"it has {len(written)} characters")
    if any(character < " " and character != "\n" for character in written):
        raise VerificationError("This is not a signed note.", why="there are control characters in it")
    text, separator, tail = written.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() or not 0 < len(lines) <= _MAX_SIGNATURES:
        raise VerificationError("This is not a signed note.", why="its signatures are missing or too many")
    return Note(text + "\n", tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """Take a signature line (without its newline) apart.

    Raises
    ------
    VerificationError
        It is none.
    """
    name, space, encoded = line.removeprefix(_DASH).rpartition(" ")
    data = _decode(encoded)
    if not (line.startswith(_DASH) and space and _is_name(name)) or len(data) <= _ID_BYTES:
        raise VerificationError("A signature line of a note is malformed.", why=line[:80].strip())
    return Signature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _decode(encoded: str) -> bytes:
    """What this base64 is the only written form of; nothing if it is none."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if base64.b64encode(data).decode() == encoded else b""


def check_note(note: Note, name: str, public: bytes) -> None:
    """Check that `note` is signed under that name by that key.

    Raises
    ------
    VerificationError
        It is not.
    """
    wanted = key_id(name, public)
    found = [item for item in note.signatures if (item.name, item.key_id) == (name, wanted)]
    for signature in found:
        _verify(public, signature.value, note.text.encode(), name)
    if not found:
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
    if time > _MAX_TIME:
        raise VerificationError(f"The cosignature of {name} has an impossible time.")
    _verify(public, signature.value[_TIME_BYTES:], _cosigned(note.text, time), name)
    return time


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _verify(public: bytes, signature: bytes, message: bytes, name: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationError(f"The signature of {name} on a note does not verify.") from None


def parse_checkpoint(note: Note, *, extensions: bool = False) -> Checkpoint:
    """The head that a note states. Logs of this project have no extension lines: refused unless asked for.

    Raises
    ------
    VerificationError
        It is no checkpoint.
    """
    origin, *lines = note.text.split("\n")
    try:
        size, root, rest = int(lines[0]), _decode(lines[1]), tuple(lines[2:-1])
    except (IndexError, ValueError) as error:
        raise VerificationError("This note is not a checkpoint.", why=str(error)) from error
    checkpoint = Checkpoint(origin, size, root, rest)
    if (
        checkpoint.text() != note.text
        or not all((origin, *rest))
        or not 0 <= size <= _MAX_SIZE
        or len(root) != HASH_BYTES
        or (rest and not extensions)
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
