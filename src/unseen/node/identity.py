"""Who this party is: its long-lived Ed25519 key, which never leaves this process.

Written form of a public key: `ed25519:` and 64 hex digits. Its fingerprint, for people, is the first 128 bits of
SHA-256 over the raw key in eight groups of four hex digits.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from unseen.core.errors import UsageError, VerificationError
from unseen.crypto.certificates import Credentials, issue, raw_public_key

_PREFIX = "ed25519:"
_KEY_BYTES = 32
_GROUPS = 8


class Identity:
    """A party's name and key. `repr` shows the public half only."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key

    @property
    def public(self) -> bytes:
        """The 32 bytes that peers pin."""
        return raw_public_key(self._key)

    @property
    def text(self) -> str:
        """Written form of :attr:`public`."""
        return _PREFIX + self.public.hex()

    @property
    def key(self) -> Ed25519PrivateKey:
        """The key itself, for the signers of other floors; never stored or sent."""
        return self._key

    def __repr__(self) -> str:
        return f"Identity({self.name!r}, {self.text!r})"

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over already tagged bytes."""
        return self._key.sign(message)

    def credentials(self, use: str, *, lifetime_s: int = 86_400) -> Credentials:
        """A fresh short-lived key, certified for one use."""
        return issue(self._key, self.name, use=use, now=datetime.now(UTC), lifetime_s=lifetime_s)


def public_key(text: str) -> bytes:
    """The raw key in its written form.

    Raises
    ------
    UsageError
        It is not a key.
    """
    digits = text.removeprefix(_PREFIX)
    if (
        not text.startswith(_PREFIX)
        or len(digits) != 2 * _KEY_BYTES
        or not digits.islower() | digits.isdigit()
    ):
        raise UsageError(f"'{text[:80]}' is not an identity key.", why="one is ed25519: and 64 hex digits")
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise UsageError(f"'{text}' is not an identity key.", why=str(error)) from error


def fingerprint(text: str) -> str:
    """What people compare: `3f9c 12ab …`."""
    digits = hashlib.sha256(public_key(text)).hexdigest()
    return " ".join(digits[4 * group : 4 * group + 4] for group in range(_GROUPS))


def same_fingerprint(left: str, right: str) -> bool:
    """Whether two fingerprints agree; spaces, colons and case do not matter."""
    plain = [
        text.casefold().replace(" ", "").replace(":", "").replace("-", "").encode() for text in (left, right)
    ]
    return hmac.compare_digest(*plain)


def verify(identity: str, message: bytes, signature: bytes, *, who: str) -> None:
    """Check a signature by an identity key over tagged bytes.

    Raises
    ------
    VerificationError
        It is not by that key over these bytes; the text names `who`.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key(identity)).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(
            f"The signature of {who} does not verify.", why="other bytes or another key were signed"
        ) from error
