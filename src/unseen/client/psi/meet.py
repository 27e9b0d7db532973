"""Join the two sides: a listener and a caller, mutual TLS 1.3, each knowing the other's public key."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.errors import UnavailableError, UsageError
from unseen.crypto.certificates import issue
from unseen.link.dial import dial
from unseen.link.stream import StreamLink, open_link

USE = "psi/standalone/1"
WINDOW_BYTES = 1 << 24

_LIFETIME_S = 30 * 86_400
_RECONNECT_S = 0.0  # a cut link ends; the run goes on over a new one
_PAUSE_S = 0.2


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, also [v6]:PORT.

    Raises
    ------
    UsageError
        It is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535 or not host:  # noqa: PLR2004 - ports
        raise UsageError(f"'{text}' is no address.", why="one is HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


@dataclass(frozen=True, slots=True)
class Door:
    """The listener's socket: the same for all attempts, so that a caller never finds it closed."""

    server: socket.socket

    @classmethod
    def open(cls, place: tuple[str, int]) -> Door:
        """Listen.

        Raises
        ------
        UsageError
            The address is taken or not ours.
        """
        try:
            family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            return cls(socket.create_server(place, family=family, backlog=16))
        except OSError as error:
            raise UsageError(
                f"Nothing can listen on {place[0]}:{place[1]}.",
                why=str(error.strerror or error),
                mend="choose another address or port",
            ) from error

    def next(self, timeout_s: float) -> socket.socket:
        """See :class:`unseen.link.connect.SocketSource`."""
        self.server.settimeout(max(0.01, timeout_s))
        try:
            return self.server.accept()[0]
        except OSError as error:
            raise UnavailableError(
                "Nobody called.", why=f"waited {timeout_s:.0f} s", mend="start the other side"
            ) from error

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self.server.close()


@dataclass(frozen=True, slots=True)
class Line:
    """Where the caller calls, again until somebody is there."""

    place: tuple[str, int]

    def next(self, timeout_s: float) -> socket.socket:
        """See :class:`unseen.link.connect.SocketSource`."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return dial(self.place, timeout_s=min(10.0, max(0.1, deadline - time.monotonic())))
            except UnavailableError:
                if time.monotonic() + _PAUSE_S > deadline:
                    raise
                time.sleep(_PAUSE_S)

    def close(self) -> None:
        """Nothing is open between calls."""


def join(
    me: str, peer: str, sockets: Door | Line, *, key: Ed25519PrivateKey, peer_identity: bytes, wait_s: float
) -> StreamLink:
    """A link to the other side.

    Raises
    ------
    UnavailableError
        It did not come in `wait_s`.
    RemoteProtocolError, VerificationError
        Who answers is not who has that key.
    """
    credentials = issue(key, me, use=USE, now=dt.datetime.now(dt.UTC), lifetime_s=_LIFETIME_S)
    return open_link(
        me=me,
        peer=peer,
        role="accept" if isinstance(sockets, Door) else "dial",
        sockets=sockets,
        credentials=credentials,
        peer_identity=peer_identity,
        window_bytes=WINDOW_BYTES,
        reconnect_s=_RECONNECT_S,
        connect_s=wait_s,
    )
