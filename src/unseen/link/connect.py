"""Making the connections of a link: sockets from wherever they come, TLS, the greeting; again until it works.

Whoever knows a server name can knock there, and server names travel in the clear. So the party that accepts turns a
stranger away and goes on waiting for its peer; else a stranger could end a job.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from unseen.core.errors import RemoteProtocolError, UnavailableError, UnseenError, VerificationError
from unseen.crypto.certificates import Credentials
from unseen.link.frames import Hello
from unseen.link.front import server_name
from unseen.link.greeting import Greeted, greet
from unseen.link.tls import ConnectionLost, Refused, TlsConnection

HANDSHAKE_S = 15.0
_PAUSE_S = 0.05
_log = structlog.get_logger("unseen.link")


class SocketSource(Protocol):
    """Where connected sockets come from."""

    def next(self, timeout_s: float) -> socket.socket:
        """A fresh socket, connected to the peer's front.

        Raises
        ------
        UnavailableError
            There was none in that time.
        """


@dataclass(frozen=True, slots=True)
class Meeting:
    """Who meets whom, and how.

    Attributes
    ----------
    accepts
        Whether the peer dialled.
    peer_identity
        The 32 bytes that this party pinned.
    others
        Further parties, whom the peer may name as those that failed before it did.
    """

    me: str
    peer: str
    accepts: bool
    sockets: SocketSource
    credentials: Credentials
    peer_identity: bytes
    others: frozenset[str] = frozenset()

    def connect(self, hello: Callable[[], Hello], deadline: float) -> tuple[TlsConnection, Greeted]:
        """A new connection, greeted; tries again until `deadline`.

        Raises
        ------
        UnavailableError
            There was none in that time.
        RemoteProtocolError, VerificationError
            Who answers is not `peer`, or `peer` does not agree on what this is.
        """
        last: BaseException | None = None
        while True:
            sock = self._socket(deadline, last)
            try:
                until = min(deadline, time.monotonic() + HANDSHAKE_S)
                connection = self._shake_hands(sock, until)
                try:
                    return connection, greet(connection, hello(), deadline=until)
                except BaseException:
                    connection.leave(0.0)
                    raise
            except (ConnectionLost, _Stranger) as error:
                sock.close()
                if isinstance(error, Refused) and not self.accepts:
                    raise self._refusal(error) from error
                last = error.__cause__ if isinstance(error, _Stranger) else error
                time.sleep(min(_PAUSE_S, max(0.0, deadline - time.monotonic())))
            except BaseException:
                sock.close()
                raise

    def _socket(self, deadline: float, last: BaseException | None) -> socket.socket:
        """The next socket; why there is none is most truly said by what went wrong before."""
        left = deadline - time.monotonic()
        problem: UnseenError | None = None
        if left > 0:
            try:
                sock = self.sockets.next(left)
            except UnavailableError as error:
                problem = error
            else:
                _keep_alive(sock)
                return sock
        if isinstance(last, UnseenError):
            raise last
        if problem is not None:
            raise problem
        raise UnavailableError(
            f"There is no connection with {self.peer}.",
            why=str(last) if last else "none came about in time",
            mend=f"see whether the node of {self.peer} runs, and its address and firewall",
            party=self.peer,
        )

    def _refusal(self, alert: Refused) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"{self.peer} does not take us for {self.me}.",
            why=str(alert),
            mend=f"let {self.peer} compare the fingerprint of {self.me}'s identity key, and both clocks",
            party=self.peer,
        )

    def _shake_hands(self, sock: socket.socket, until: float) -> TlsConnection:
        try:
            return TlsConnection.shake_hands(
                sock,
                self.credentials,
                server=self.accepts,
                server_name=server_name(self.credentials.use, self.me, self.peer),
                peer=self.peer,
                peer_identity=self.peer_identity,
                deadline=until,
            )
        except (RemoteProtocolError, VerificationError) as error:
            if not self.accepts:
                raise
            _log.warning("a stranger was turned away", peer=self.peer, problem=error.why or error.what)
            raise _Stranger from error


class _Stranger(Exception):  # noqa: N818 - a fact, not a fault
    """Who came is not the peer."""


def _keep_alive(sock: socket.socket) -> None:
    """Notice within half a minute that the other side is gone without a word, if it is a TCP socket."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", 10),
            ("TCP_KEEPINTVL", 5),
            ("TCP_KEEPCNT", 4),
            ("TCP_USER_TIMEOUT", 30_000),
        ):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
