"""Running hashes over what two parties said to each other.

Per channel and direction: h_0 = SHA-256(tag ‖ nonce ‖ channel ‖ sender), h_i = SHA-256(h_{i-1} ‖ seq ‖ len ‖
payload). The nonce is 32 fresh bytes known to both ends, so that equal conversations have different heads and
a head tells an outsider nothing about guessable payloads. Both ends sign :meth:`Transcript.head` before the
last reveal of a task.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Sequence

from unseen.link.channel import Buffer

_LENGTHS = struct.Struct(">QQ")


class Transcript:
    """The heads of all channels of one link, as one end keeps them. Thread-safe."""

    def __init__(self, nonce: bytes) -> None:
        self._nonce = nonce
        self._heads: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._lock = threading.Lock()

    def add(self, channel: str, sender: str, parts: Sequence[Buffer]) -> None:
        """Append one message of `sender` on `channel`; the parts are hashed as their concatenation."""
        key = (channel, sender)
        with self._lock:
            count, head = self._heads.get(key) or (0, self._start(channel, sender))
            size = sum(memoryview(part).nbytes for part in parts)
            state = hashlib.sha256(head)
            state.update(_LENGTHS.pack(count, size))
            for part in parts:
                state.update(part)
            self._heads[key] = (count + 1, state.digest())

    def _start(self, channel: str, sender: str) -> bytes:
        names = f"{len(channel)}:{channel}{len(sender)}:{sender}".encode()
        return hashlib.sha256(b"unseen/transcript/v1\n" + self._nonce + names).digest()

    def head(self) -> bytes:
        """32-byte digest over the heads of all channels and both directions."""
        with self._lock:
            state = hashlib.sha256(b"unseen/transcript-head/v1\n" + self._nonce)
            for (channel, sender), (count, head) in sorted(self._heads.items()):
                state.update(f"{len(channel)}:{channel}{len(sender)}:{sender}".encode())
                state.update(struct.pack(">Q", count) + head)
            return state.digest()
