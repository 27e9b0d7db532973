"""Who this party is: its long-lived Ed25519 key, which never leaves this process."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.crypto.certificates import Credentials, issue
from unseen.crypto.sign import raw_public_key, written


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
        return written(self.public)

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
