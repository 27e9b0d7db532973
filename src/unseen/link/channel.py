"""What a protocol may expect of its transport, whichever it is.

A *link* joins two parties for one attempt of one task. Inside it run *channels*, told apart by name; within a
channel, messages arrive once, in order and unaltered, or the link ends in an error. `send` queues and returns
at once: all parties may send a gigabyte at the same time. Who sends much and receives little calls `drain` now and then,
or what it sends piles up in its memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from unseen.core.errors import UnavailableError, UnseenError, from_dict

Buffer: TypeAlias = bytes | bytearray | memoryview

MAX_MESSAGE_BYTES = 1 << 32


@dataclass(frozen=True, slots=True)
class LinkStats:
    """Traffic of one link as one end sees it.

    Bytes are payload bytes (messages, without frame and TLS overhead). `rounds` counts how often this end
    turned from sending to waiting: the number of times latency was paid on it. Where messages go round in a ring, a link is for one
    way only and turns seldom: a protocol of three can take ten times the rounds that its links count. Wire bytes are what the network
    carried, overhead and repetitions after a cut included; a link without a network leaves them 0.
    """

    bytes_sent: int = 0
    bytes_received: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    rounds: int = 0
    wire_bytes_sent: int = 0
    wire_bytes_received: int = 0


def too_slow(peer: str) -> UnseenError:
    """The error of :meth:`Channel.drain` when its time has passed."""
    return UnavailableError(
        f"{peer} does not take what is sent to it.", mend=f"see whether {peer} runs", party=peer
    )


def peer_failed(peer: str, code: str, step: str | None, *, cause: str = "") -> UnseenError:
    """The error that an abort of `peer` becomes here: of the class it failed with, naming the step and the party where it happened.

    `cause`: another party that failed first, by the word of `peer`; "" where it is the peer itself.
    """
    party = cause or peer
    what = f"{party} failed" + (f" at step '{step}'." if step else ".")
    why = f"so says {peer}" if cause else ""
    mend = f"ask {party} for the cause"
    return from_dict({"code": code, "what": what, "why": why, "mend": mend, "party": party, "step": step})


def abort_all(links: Mapping[str, Link], error: BaseException, step: str | None) -> None:
    """Tell all peers that this party failed, and whom its error names as the one that failed first, if that is another."""
    code, cause = "internal", None
    if isinstance(error, UnseenError):
        code, cause = error.code, error.party
    for peer, link in links.items():
        link.abort(code, step, cause=cause if cause is not None and cause in links and cause != peer else "")


class Channel(Protocol):
    """An ordered, reliable, authenticated sequence of messages in both directions."""

    @property
    def name(self) -> str:
        """The channel's name, the same at both ends."""

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue one message made of the concatenated `parts` and return.

        The caller must not change the buffers afterwards.

        Raises
        ------
        UnavailableError
            The link is closed or was aborted by the peer.
        """

    def drain(self, most_bytes: int, timeout_s: float | None = None) -> None:
        """Wait until at most `most_bytes` of what was sent on this channel wait on this side to go out.

        They do while the peer takes slower than this party sends. The messages of a channel wait apart from those of the others.

        Raises
        ------
        UnavailableError
            Nothing of it left for `timeout_s`, or the link is closed.
        UnseenError
            The peer aborted: an error of the peer's class, with the step and the party that failed first.
        """

    def recv(self, timeout_s: float | None = None) -> memoryview:
        """Wait for the next message (writable memory, owned by the caller).

        Raises
        ------
        UnavailableError
            `timeout_s` passed, or the connection is lost for good.
        RemoteProtocolError
            The peer sent something malformed.
        UnseenError
            The peer aborted: an error of the peer's class, with its party and step.
        """


class Link(Protocol):
    """Everything between this party and one peer within one attempt of one task."""

    @property
    def me(self) -> str:
        """This party's name."""

    @property
    def peer(self) -> str:
        """The other party's name."""

    @property
    def secret(self) -> bytes:
        """32 uniform bytes that only the two ends know, fresh for every link."""

    def channel(self, name: str) -> Channel:
        """The channel of that name; both ends may ask first, messages wait until it is asked for."""

    def transcript(self) -> bytes:
        """32-byte digest of all payloads sent and received so far on all channels.

        Equal at both ends whenever everything sent has been received (see :mod:`unseen.link.transcript`).
        """

    def stats(self) -> LinkStats:
        """Traffic so far."""

    def abort(self, code: str, step: str | None, *, cause: str = "") -> None:
        """Tell the peer that this party failed, and close; `cause`: which other party failed before. Never raises."""

    def close(self) -> None:
        """Deliver what is queued, then close. Never raises."""
