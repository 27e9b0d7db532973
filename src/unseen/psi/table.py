"""A server's set made ready once, for many small look-ups: tags and sealed labels under an oblivious PRF.

Entry x with label L is stored as a tag of F(key, x) (RFC 9497) and L under AES-256-GCM with a key from F(key, x): without
the server's help for x neither can be made or read. Entries are sorted by tag, so their order tells nothing, and the
table is filled up with noise to a public size. A client keeps it and downloads only the next version.

Tags have 12 bytes: with 2^26 entries and 2^30 look-ups in all, a false match has probability below 2^-40; a label's seal
turns a false match into "not found".

Stored form: the head as canonical JSON with its length (4 bytes, little-endian), tags, labels, SHA-256 of all before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from unseen.core.canonical import canonical_bytes
from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.crypto import oprf
from unseen.crypto.oprf import OprfMode
from unseen.kernels import curve
from unseen.kernels.tags import sort_tags
from unseen.party import Pool
from unseen.psi import tags
from unseen.psi.tags import Words

Rows = NDArray[np.uint8]

TAG_BYTES = 12
MOST_LABEL = 4096
_FORMAT = "unseen/psi-table/1"
_TAG_HEAD = b"unseen/psi-oprf/tag/1\n"
_KEY_HEAD = b"unseen/psi-oprf/label-key/1\n"
_SALT_BYTES = 32
_SEAL_BYTES = 16
_LENGTH = struct.Struct("<H")
_HEAD_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
_NONCE = bytes(12)  # every key seals one label
_CHUNK = 1 << 14


def tags_of(outputs: Rows) -> Rows:
    """Tags of OPRF outputs: (n, 64) to (n, 64), of which a prefix is used."""
    return curve.sha512(outputs, head=_TAG_HEAD)


@dataclass(frozen=True)
class Table:
    """A prepared set. It may be public: without the key it is noise.

    Attributes
    ----------
    version
        Counts up with the set; a client with an older one downloads this.
    mode, public
        How queries are answered, and the server's public key (empty in mode OPRF).
    salt
        Fresh for every table, so that no label key is ever used twice.
    tags, labels
        Sorted; uint8 of shapes (n, 12) and (n, width), width 0 without labels.
    """

    version: int
    mode: OprfMode
    public: bytes
    salt: bytes
    tags: Rows
    labels: Rows

    def to_bytes(self) -> bytes:
        """The stored form."""
        head = canonical_bytes(
            {
                "format": _FORMAT,
                "version": self.version,
                "mode": int(self.mode),
                "public": self.public.hex(),
                "salt": self.salt.hex(),
                "entries": len(self.tags),
                "width": self.labels.shape[1],
            }
        )
        body = b"".join((_HEAD_LENGTH.pack(len(head)), head, self.tags.tobytes(), self.labels.tobytes()))
        return body + hashlib.sha256(body).digest()

    @cached_property
    def digest(self) -> bytes:
        """What identifies it: SHA-256 of the stored form's body."""
        return self.to_bytes()[-_DIGEST_BYTES:]

    @cached_property
    def _words(self) -> Words:
        return tags.as_words(self.tags)

    def places(self, outputs: Rows) -> NDArray[np.int64]:
        """Where the entries of these OPRF outputs are, (n, 64) to (n,); -1 for none."""
        return tags.places(self._words, tags.as_words(tags_of(outputs)[:, :TAG_BYTES]))

    def open(self, outputs: Rows) -> list[bytes | None]:
        """The labels of these OPRF outputs; None where there is no such entry. Without labels, b"" for each entry."""
        places = self.places(outputs)
        if not self.labels.shape[1]:
            return [b"" if place >= 0 else None for place in places]
        keys = _label_keys(outputs, self.salt)
        return [
            self._unsealed(int(place), keys[row].tobytes()) if place >= 0 else None
            for row, place in enumerate(places)
        ]

    def _unsealed(self, place: int, key: bytes) -> bytes | None:
        try:
            padded = AESGCM(key).decrypt(_NONCE, self.labels[place].tobytes(), self.tags[place].tobytes())
        except InvalidTag:  # a false match, or noise of the filling
            return None
        (length,) = _LENGTH.unpack_from(padded)
        return padded[_LENGTH.size : _LENGTH.size + length]


def prepare(
    key: bytes,
    ids: Rows,
    labels: Sequence[bytes] | None = None,
    *,
    mode: OprfMode = OprfMode.VOPRF,
    version: int,
    size: int | None = None,
    label_bytes: int | None = None,
    pool: Pool | None = None,
) -> Table:
    """Make a table of distinct ids, uint8 (n, any length), and their labels.

    Parameters
    ----------
    key
        The server's OPRF key: kept for as long as clients may keep the table.
    size
        Public number of entries, at least n; None: n itself.
    label_bytes
        Public length to which labels are filled up; None: that of the longest.

    Raises
    ------
    UsageError
        More ids than `size`, longer labels than `label_bytes`, or another number of labels than ids.
    """
    size = len(ids) if size is None else size
    width = _width(labels, label_bytes)
    if len(ids) > size or (labels is not None and len(labels) != len(ids)):
        raise UsageError(
            f"A table of {size} entries cannot take {len(ids)} ids with {len(labels or ids)} labels.",
            mend="raise the size, and give one label per id",
        )
    salt = secrets.token_bytes(_SALT_BYTES)
    chunks = [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
    parts = (pool or Pool()).map(lambda chunk: oprf.evaluate(key, chunk, mode), chunks)
    outputs = np.concatenate(parts) if parts else np.zeros((0, oprf.OUTPUT_BYTES), np.uint8)
    made = np.frombuffer(secrets.token_bytes(size * TAG_BYTES), np.uint8).reshape(size, TAG_BYTES).copy()
    made[: len(ids)] = tags_of(outputs)[:, :TAG_BYTES]
    sealed = np.frombuffer(secrets.token_bytes(size * width), np.uint8).reshape(size, width).copy()
    if labels is not None:
        _seal(sealed, made, labels, _label_keys(outputs, salt))
    stored, order = sort_tags(made)
    public = oprf.public_key(key) if mode == OprfMode.VOPRF else b""
    return Table(version, mode, public, salt, stored, sealed[order])


def from_bytes(data: bytes | memoryview) -> Table:
    """Rebuild a table from its stored form.

    Raises
    ------
    VerificationError
        It is damaged, or of another format.
    """
    try:
        return _parsed(memoryview(data))
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise VerificationError(
            "This is no prepared set.", why=str(error), mend="download or prepare it anew"
        ) from error


def _parsed(data: memoryview) -> Table:
    body, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if not hmac.compare_digest(hashlib.sha256(body).digest(), digest):
        raise ValueError("it is damaged")
    (length,) = _HEAD_LENGTH.unpack_from(body)
    start = _HEAD_LENGTH.size + length
    head: dict[str, Any] = json.loads(bytes(body[_HEAD_LENGTH.size : start]))
    if head["format"] != _FORMAT:
        raise ValueError("it is of another format")
    entries, width, version = int(head["entries"]), int(head["width"]), int(head["version"])
    middle = start + entries * TAG_BYTES
    if entries < 0 or width < 0 or middle + entries * width != len(body):
        raise ValueError("its length is not that of its entries")
    stored = np.frombuffer(body[start:middle], np.uint8).reshape(entries, TAG_BYTES)
    labels = np.frombuffer(body[middle:], np.uint8).reshape(entries, width)
    if not tags.strictly_sorted(stored):
        raise ValueError("its entries are not sorted")
    public, salt = bytes.fromhex(head["public"]), bytes.fromhex(head["salt"])
    return Table(version, OprfMode(head["mode"]), public, salt, stored, labels)


def _width(labels: Sequence[bytes] | None, label_bytes: int | None) -> int:
    if labels is None:
        return 0
    longest = max(map(len, labels), default=0)
    room = longest if label_bytes is None else label_bytes
    if longest > room or room > MOST_LABEL:
        raise UsageError(
            f"Labels of up to {longest} bytes do not fit {room}.",
            mend=f"raise label_bytes, to {MOST_LABEL} at most",
        )
    return _LENGTH.size + room + _SEAL_BYTES


def _seal(sealed: Rows, made: Rows, labels: Sequence[bytes], keys: Rows) -> None:
    room = sealed.shape[1] - _SEAL_BYTES - _LENGTH.size
    for row, label in enumerate(labels):
        padded = _LENGTH.pack(len(label)) + label.ljust(room, b"\0")
        text = AESGCM(keys[row].tobytes()).encrypt(_NONCE, padded, made[row].tobytes())
        sealed[row] = np.frombuffer(text, np.uint8)


def _label_keys(outputs: Rows, salt: bytes) -> Rows:
    if len(salt) != _SALT_BYTES:
        raise LocalProtocolError(f"A table's salt has {_SALT_BYTES} bytes, not {len(salt)}.")
    return np.ascontiguousarray(curve.sha512(outputs, head=_KEY_HEAD + salt)[:, :32])
