"""Sealing at rest: AES-256-GCM (NIST SP 800-38D) under a key derived for each sealed value.

Each value gets a fresh 32-byte salt; HKDF makes a one-time key and nonce of master key and salt, so no nonce is ever
used twice under a key, however many values are sealed. `context` says what the value is and where it belongs; a
sealed value does not open in another place.

Stored form: format number (1 byte), salt (32 bytes), ciphertext with 16-byte tag.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from unseen.core.errors import VerificationError
from unseen.crypto.derive import derive

FORMAT = 1
KEY_BYTES = 32
_SALT_BYTES = 32
_NONCE_BYTES = 12

Context = Sequence[str | int]


def seal(key: bytes, plain: bytes, context: Context) -> bytes:
    """Encrypt and authenticate `plain` for this place."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher, nonce = _one_time(key, salt)
    head = bytes([FORMAT])
    return head + salt + cipher.encrypt(nonce, plain, _associated(head, context))


def unseal(key: bytes, sealed: bytes, context: Context) -> bytes:
    """What was sealed.

    Raises
    ------
    VerificationError
        Another key, another place, a format of another version, or damaged bytes.
    """
    head, salt, body = sealed[:1], sealed[1 : 1 + _SALT_BYTES], sealed[1 + _SALT_BYTES :]
    place = "/".join(str(item) for item in context)
    if head != bytes([FORMAT]) or len(salt) != _SALT_BYTES:
        raise VerificationError(
            f"What is stored as {place} is not in a form that this version knows.",
            mend="run the version of unseen that wrote it, or restore a backup",
        )
    cipher, nonce = _one_time(key, salt)
    try:
        return cipher.decrypt(nonce, body, _associated(head, context))
    except InvalidTag:
        raise VerificationError(
            f"What is stored as {place} does not open.",
            why="it was damaged, moved from elsewhere, or sealed under another key",
            mend="check that the node's key file belongs to this home, or restore a backup",
        ) from None


def _one_time(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    material = derive(key, "seal", [salt.hex()], length=KEY_BYTES + _NONCE_BYTES)
    return AESGCM(material[:KEY_BYTES]), material[KEY_BYTES:]


def _associated(head: bytes, context: Context) -> bytes:
    parts = [str(item).encode() for item in context]
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
