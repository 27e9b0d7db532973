"""A message as uniform bytes under a domain of its own: expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512.

Everything that is hashed into a group or to a scalar goes through here, so that no two uses of the random oracle meet.
"""

from __future__ import annotations

import numpy as np

from unseen.core.errors import LocalProtocolError
from unseen.kernels import curve

_MAX_BYTES = 255 * 64
_MAX_DOMAIN = 255


def expand_message(message: bytes, domain: bytes, length: int) -> bytes:
    """`length` bytes (at most 16,320).

    Raises
    ------
    LocalProtocolError
        A domain that is empty or longer than 255 bytes, or too many bytes asked for.
    """
    if not 0 < len(domain) <= _MAX_DOMAIN or not 0 < length <= _MAX_BYTES:
        raise LocalProtocolError(f"No expansion to {length} bytes under a domain of {len(domain)} bytes.")
    row = np.frombuffer(message, np.uint8).reshape(1, len(message))
    return curve.expand_message(row, domain, length).tobytes()
