"""Signatures by identity keys: Ed25519 (RFC 8032), and how a public key is written and compared by people.

Written form of a public key: `ed25519:` and 64 hex digits. Its fingerprint, for people, is the first 128 bits of
SHA-256 over the raw key in eight groups of four hex digits.

What is signed is always tagged (:func:`unseen.core.canonical.tagged`), so that a signature made for one purpose says
nothing for another.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from unseen.core.errors import UsageError, VerificationError

PREFIX = "ed25519:"
KEY_BYTES = 32
_GROUPS = 8


def raw_public_key(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The 32 bytes that peers pin."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def written(public: bytes) -> str:
    """Written form of a raw public key."""
    return PREFIX + public.hex()


def public_key(text: str) -> bytes:
    """The raw key in its written form.

    Raises
    ------
    UsageError
        It is not a key.
    """
    digits = text.removeprefix(PREFIX)
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES or text != written(raw):
        raise UsageError(f"'{text[:80]}' is not an identity key.", why="one is ed25519: and 64 hex digits")
    return raw


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
