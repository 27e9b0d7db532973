"""Commitments by salted hash: SHA-256 over a tag, a fresh 32-byte salt and the data.

Binding because SHA-256 is collision-resistant, hiding because the salt is secret and uniform: without it a
commitment to guessable data tells nothing. Who opens a commitment shows data and salt.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from unseen.core.errors import VerificationError

SALT_BYTES = 32
_DOMAIN = b"unseen/commitment/v1\n"


def fresh_salt() -> bytes:
    """A salt for one commitment."""
    return secrets.token_bytes(SALT_BYTES)


def commit(data: bytes, salt: bytes) -> str:
    """The commitment, 64 hex digits."""
    return hashlib.sha256(_DOMAIN + salt + data).hexdigest()


def check(commitment: str, data: bytes, salt: bytes, *, what: str) -> None:
    """Check an opened commitment.

    Raises
    ------
    VerificationError
        Other data or another salt was committed to; the text names `what`.
    """
    if len(salt) != SALT_BYTES or not hmac.compare_digest(commit(data, salt), commitment):
        raise VerificationError(f"{what} is not what was committed to.")
