"""The in-process twin: links between threads, with the same interface and a place to misbehave.

:func:`pair` joins two ends. A *wire* function sees every message on its way and returns what arrives: the
payload as it was, another payload (tamper: after authentication, as a lying peer would), or None (lost for
good, as a cut cable). It may also block, to delay.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from unseen.core.errors import LocalProtocolError, UnavailableError, UnseenError
from unseen.link.channel import MAX_MESSAGE_BYTES, Buffer, LinkStats, peer_failed, too_slow
from unseen.link.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way."""

    sender: str
    receiver: str
    channel: str
    seq: int
    payload: bytes


Wire = Callable[[Parcel], bytes | None]


def faithful(parcel: Parcel) -> bytes | None:
    """Deliver what was sent."""
    return parcel.payload


@dataclass(slots=True)
class _Abort:
    error: UnseenError


@dataclass(slots=True)
class _Mailbox:
    """What one end has been sent, by channel; `waiting` is how many bytes of it that end has not taken."""

    lock: threading.Condition = field(default_factory=threading.Condition)
    queues: dict[str, queue.SimpleQueue[bytes | _Abort]] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    ended: _Abort | None = None

    def queue(self, channel: str) -> queue.SimpleQueue[bytes | _Abort]:
        with self.lock:
            if channel not in self.queues:
                self.queues[channel] = queue.SimpleQueue()
                if self.ended:
                    self.queues[channel].put(self.ended)
            return self.queues[channel]

    def put(self, channel: str, payload: bytes) -> None:
        with self.lock:
            self.waiting[channel] += len(payload)
        self.queue(channel).put(payload)

    def taken(self, channel: str, size: int) -> None:
        with self.lock:
            self.waiting[channel] -= size
            self.lock.notify_all()

    def drain(
        self, channel: str, most_bytes: int, timeout_s: float | None, ended: Callable[[], _Abort | None]
    ) -> bool:
        """Whether there was little enough of a channel, in time; an error if the link has ended before."""
        with self.lock:
            little = self.waiting[channel] <= most_bytes
            while not little and not ended():
                less = partial(self._less, channel, self.waiting[channel], ended)
                if not self.lock.wait_for(less, timeout_s):
                    break  # nothing was taken for so long
                little = self.waiting[channel] <= most_bytes
            if not little and (over := ended()):
                raise over.error
            return little

    def _less(self, channel: str, before: int, ended: Callable[[], _Abort | None]) -> bool:
        return self.waiting[channel] < before or bool(ended())

    def wake(self) -> None:
        with self.lock:
            self.lock.notify_all()

    def end(self, error: UnseenError) -> None:
        with self.lock:
            self.lock.notify_all()
            if self.ended is None:
                self.ended = _Abort(error)
                for waiting in self.queues.values():
                    waiting.put(self.ended)


class MemoryChannel:
    """See :class:`unseen.link.channel.Channel`."""

    def __init__(self, link: MemoryLink, name: str) -> None:
        self._link = link
        self.name = name
        self._sent = 0

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        payload = b"".join(parts)
        self._link.deliver(Parcel(self._link.me, self._link.peer, self.name, self._sent, payload))
        self._sent += 1

    def drain(self, most_bytes: int, timeout_s: float | None = None) -> None:
        """Wait until the peer has taken all but so much."""
        self._link.drain(self.name, most_bytes, timeout_s)

    def recv(self, timeout_s: float | None = None) -> memoryview:
        """Wait for the next message."""
        return self._link.collect(self.name, timeout_s)


class MemoryLink:
    """See :class:`unseen.link.channel.Link`. Made in pairs by :func:`pair`."""

    def __init__(
        self, me: str, peer: str, secret: bytes, wire: Wire, inbox: _Mailbox, outbox: _Mailbox
    ) -> None:
        self.me = me
        self.peer = peer
        self.secret = secret
        self._wire = wire
        self._inbox = inbox
        self._outbox = outbox
        self._transcript = Transcript.of(secret)
        self._channels: dict[str, MemoryChannel] = {}
        self._lock = threading.Lock()
        self._sent_since_wait = False
        self._counts = [0, 0, 0, 0, 0]

    def channel(self, name: str) -> MemoryChannel:
        """The channel of that name."""
        with self._lock:
            if name not in self._channels:
                self._channels[name] = MemoryChannel(self, name)
            return self._channels[name]

    def deliver(self, parcel: Parcel) -> None:
        """Put one message into the peer's mailbox, by way of the wire."""
        if self._outbox.ended:
            raise (self._inbox.ended or self._outbox.ended).error
        if len(parcel.payload) > MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"A message of {len(parcel.payload)} bytes is over the limit.")
        with self._lock:
            self._counts[0] += len(parcel.payload)
            self._counts[2] += 1
            self._sent_since_wait = True
        self._transcript.add(parcel.channel, self.me, [parcel.payload])
        arriving = self._wire(parcel)
        if arriving is not None:
            self._outbox.put(parcel.channel, arriving)

    def drain(self, channel: str, most_bytes: int, timeout_s: float | None) -> None:
        """Wait until at most so much lies in the peer's mailbox."""
        if not self._outbox.drain(
            channel, most_bytes, timeout_s, lambda: self._inbox.ended or self._outbox.ended
        ):
            raise too_slow(self.peer)

    def collect(self, channel: str, timeout_s: float | None) -> memoryview:
        """Take the next message out of this end's mailbox."""
        with self._lock:
            self._counts[4] += self._sent_since_wait
            self._sent_since_wait = False
        waiting = self._inbox.queue(channel)
        try:
            item = waiting.get(timeout=timeout_s)
        except queue.Empty:
            raise UnavailableError(
                f"{self.peer} sent nothing for {timeout_s:g} s.",
                mend=f"see whether {self.peer} runs",
                party=self.peer,
            ) from None
        if isinstance(item, _Abort):
            waiting.put(item)
            raise item.error
        self._inbox.taken(channel, len(item))
        with self._lock:
            self._counts[1] += len(item)
            self._counts[3] += 1
        self._transcript.add(channel, self.peer, [item])
        return memoryview(bytearray(item))

    def transcript(self) -> bytes:
        """Digest of all payloads so far."""
        return self._transcript.head()

    def stats(self) -> LinkStats:
        """Traffic so far."""
        with self._lock:
            return LinkStats(*self._counts)

    def abort(self, code: str, step: str | None, *, cause: str = "") -> None:
        """Tell the peer and close."""
        error = peer_failed(self.me, code, step, cause=cause)
        self._outbox.end(error)
        self._inbox.end(UnavailableError(f"The link to {self.peer} is closed.", party=self.peer))
        self._outbox.wake()

    def close(self) -> None:
        """Close; what is queued stays readable."""
        self._outbox.end(UnavailableError(f"{self.me} closed the link.", party=self.me))
        self._inbox.wake()


def pair(left: str, right: str, *, wire: Wire = faithful) -> tuple[MemoryLink, MemoryLink]:
    """Two joined ends."""
    secret = secrets.token_bytes(32)
    to_left, to_right = _Mailbox(), _Mailbox()
    return (
        MemoryLink(left, right, secret, wire, to_left, to_right),
        MemoryLink(right, left, secret, wire, to_right, to_left),
    )


def mesh(names: Sequence[str], *, wire: Wire = faithful) -> dict[str, dict[str, MemoryLink]]:
    """All links among `names`: mesh[a][b] is a's end of the link to b."""
    ends: dict[str, dict[str, MemoryLink]] = {name: {} for name in names}
    for index, left in enumerate(names):
        for right in names[index + 1 :]:
            ends[left][right], ends[right][left] = pair(left, right, wire=wire)
    return ends
