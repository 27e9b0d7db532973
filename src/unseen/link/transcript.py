"""Running hashes over what two parties said to each other.

Per channel and direction: h_0 = H(tag ‖ nonce ‖ channel ‖ sender), h_i = H(h_{i-1} ‖ seq ‖ len ‖ payload), with H =
BLAKE3, which is several times as fast as SHA-256 and so lets the link run near the speed of TLS. The nonce is 32 fresh bytes known to both ends, so that equal conversations have different heads and
a head tells an outsider nothing about guessable payloads. Both ends sign :meth:`Transcript.head` before the
last reveal of a task.

A message counts when it is sent, at the one end, and when it is *taken* by the receiving program, at the other:
what merely lies in a buffer is not yet said.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from blake3 import blake3

from unseen.link.channel import Buffer

_LENGTHS = struct.Struct(">QQ")


@dataclass(frozen=True, slots=True)
class Head:
    """The state of one direction of one channel after `count` messages."""

    count: int
    digest: bytes


class Transcript:
    """The heads of all channels of one link, as one end keeps them. Thread-safe."""

    def __init__(self, nonce: bytes) -> None:
        self._nonce = nonce
        self._heads: dict[tuple[str, str], Head] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, secret: bytes) -> Transcript:
        """The transcript of the link with that secret."""
        return cls(hashlib.sha256(b"transcript" + secret).digest())

    def add(self, channel: str, sender: str, parts: Sequence[Buffer]) -> None:
        """Append one message of `sender` on `channel`; the parts are hashed as their concatenation."""
        with self._lock:
            head = self._heads.get((channel, sender)) or self._start(channel, sender)
            state = blake3(head.digest)
            state.update(_LENGTHS.pack(head.count, sum(memoryview(part).nbytes for part in parts)))
            for part in parts:
                state.update(part)
            self._heads[channel, sender] = Head(head.count + 1, state.digest())

    def _start(self, channel: str, sender: str) -> Head:
        names = f"{len(channel)}:{channel}{len(sender)}:{sender}".encode()
        return Head(0, blake3(b"unseen/transcript/v1\n" + self._nonce + names).digest())

    def head(self) -> bytes:
        """32-byte digest over the heads of all channels and both directions."""
        with self._lock:
            state = blake3(b"unseen/transcript-head/v1\n" + self._nonce)
            for (channel, sender), head in sorted(self._heads.items(), key=lambda item: item[0]):
                state.update(f"{len(channel)}:{channel}{len(sender)}:{sender}".encode())
                state.update(struct.pack(">Q", head.count) + head.digest)
            return state.digest()
