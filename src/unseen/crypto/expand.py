"""A message as uniform bytes under a domain of its own: expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512.

Everything that is hashed into a group or to a scalar goes through here, so that no two uses of the random oracle meet.
"""

from __future__ import annotations

import hashlib

from unseen.core.errors import LocalProtocolError

_DIGEST_BYTES = 64
_BLOCK_BYTES = 128
_MAX_BLOCKS = 255
_MAX_DOMAIN = 255


def expand_message(message: bytes, domain: bytes, length: int) -> bytes:
    """`length` bytes (at most 16,320).

    Raises
    ------
    LocalProtocolError
        A domain that is empty or longer than 255 bytes, or too many bytes asked for.
    """
    if not 0 < len(domain) <= _MAX_DOMAIN or not 0 < length <= _MAX_BLOCKS * _DIGEST_BYTES:
        raise LocalProtocolError(f"No expansion to {length} bytes under a domain of {len(domain)} bytes.")
    tail = domain + bytes([len(domain)])
    first = hashlib.sha512(bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + tail).digest()
    out, block = b"", bytes(_DIGEST_BYTES)
    for index in range(1, -(-length // _DIGEST_BYTES) + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + tail).digest()
        out += block
    return out[:length]
