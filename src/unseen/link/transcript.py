"""Running hashes over what two parties said to each other.

Per channel and direction: h_0 = SHA-256(tag ‖ nonce ‖ channel ‖ sender), h_i = SHA-256(h_{i-1} ‖ seq ‖ len ‖
payload). The nonce is 32 fresh bytes known to both ends, so that equal conversations have different heads and
a head tells an outsider nothing about guessable payloads. Both ends sign :meth:`Transcript.head` before the
last reveal of a task.

A message counts when it is sent, at the one end, and when it is *taken* by the receiving program, at the other:
what merely lies in a buffer is not yet said. A :class:`Chain` may therefore run ahead of the transcript, hashing
a message while its pieces arrive.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from unseen.link.channel import Buffer

_LENGTHS = struct.Struct(">QQ")


@dataclass(frozen=True, slots=True)
class Head:
    """The state of one direction of one channel after `count` messages."""

    count: int
    digest: bytes


class Chain:
    """Hashes the messages of one direction of one channel, piece by piece. Not thread-safe."""

    __slots__ = ("_state", "head")

    def __init__(self, start: Head) -> None:
        self.head = start
        self._state = hashlib.sha256()

    def begin(self, size: int) -> None:
        """The next message has `size` bytes."""
        self._state = hashlib.sha256(self.head.digest)
        self._state.update(_LENGTHS.pack(self.head.count, size))

    def update(self, piece: Buffer) -> None:
        """Its next bytes."""
        self._state.update(piece)

    def finish(self) -> Head:
        """The message is complete."""
        self.head = Head(self.head.count + 1, self._state.digest())
        return self.head


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
            chain = Chain(self._heads.get((channel, sender)) or self._start(channel, sender))
            chain.begin(sum(memoryview(part).nbytes for part in parts))
            for part in parts:
                chain.update(part)
            self._heads[channel, sender] = chain.finish()

    def chain(self, channel: str, sender: str) -> Chain:
        """A chain that goes on from where this direction stands. Its heads count once they are set."""
        with self._lock:
            return Chain(self._heads.get((channel, sender)) or self._start(channel, sender))

    def set(self, channel: str, sender: str, head: Head) -> None:
        """Record how far a chain has got."""
        with self._lock:
            self._heads[channel, sender] = head

    def _start(self, channel: str, sender: str) -> Head:
        names = f"{len(channel)}:{channel}{len(sender)}:{sender}".encode()
        return Head(0, hashlib.sha256(b"unseen/transcript/v1\n" + self._nonce + names).digest())

    def head(self) -> bytes:
        """32-byte digest over the heads of all channels and both directions."""
        with self._lock:
            state = hashlib.sha256(b"unseen/transcript-head/v1\n" + self._nonce)
            for (channel, sender), head in sorted(self._heads.items(), key=lambda item: item[0]):
                state.update(f"{len(channel)}:{channel}{len(sender)}:{sender}".encode())
                state.update(struct.pack(">Q", head.count) + head.digest)
            return state.digest()
