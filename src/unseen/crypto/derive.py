"""Key derivation: HKDF-SHA-256 (RFC 5869) with a label that no two uses share."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from unseen.core.canonical import Json, tagged
from unseen.core.errors import LocalProtocolError

SECRET_BYTES = 32


def derive(secret: bytes, label: str, context: Json = None, *, length: int = SECRET_BYTES) -> bytes:
    """Derive `length` bytes (at most 8,160) from a uniform 32-byte `secret`.

    `label` names the use (`"mask"`, `"sni"`), `context` its coordinates (job, task, attempt, peer, stream);
    both enter the HKDF info in canonical form, so different uses give independent outputs.

    Raises
    ------
    LocalProtocolError
        `secret` is not 32 bytes: HKDF-Expand needs a uniform key.
    """
    if len(secret) != SECRET_BYTES:
        raise LocalProtocolError(
            f"derive() was given {len(secret)} bytes of secret where {SECRET_BYTES} are due."
        )
    return HKDFExpand(SHA256(), length, tagged(f"derive-{label}", 1, context)).derive(secret)
