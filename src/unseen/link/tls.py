"""One TLS 1.3 connection on a socket that never blocks, with the peer's certificate checked for its use.

The TLS machine works on memory (OpenSSL's memory BIOs), so that reading and writing the socket need no lock on it.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from datetime import UTC, datetime

from unseen.core.errors import RemoteProtocolError, UnavailableError
from unseen.crypto.certificates import Credentials, PeerCertificate, check_certificate, tls_context
from unseen.link.channel import Buffer

READ_BYTES = 1 << 18
_SEND_BYTES = 1 << 16  # small enough for malloc to use the same memory again
ALPN = "unseen-link"


class ConnectionLost(Exception):  # noqa: N818 - a fact, not a fault
    """The connection ended; the text says how."""


class TlsConnection:
    """See the module. The owner holds a lock around every method but :meth:`wait` and :meth:`receive`."""

    def __init__(
        self, sock: socket.socket, machine: ssl.SSLObject, inward: ssl.MemoryBIO, outward: ssl.MemoryBIO
    ) -> None:
        self.socket = sock
        self._tls = machine
        self._inward = inward
        self._outward = outward
        self._cipher = memoryview(b"")
        self._arrived = memoryview(bytearray(READ_BYTES))
        self._plain = memoryview(bytearray(READ_BYTES))
        self._poller = select.poll()
        self.peer_certificate: PeerCertificate | None = None
        self.bytes_sent = 0
        self.bytes_received = 0

    # ------------------------------------------------------------------ making one

    @classmethod
    def shake_hands(
        cls,
        sock: socket.socket,
        credentials: Credentials,
        *,
        server: bool,
        server_name: str,
        peer: str,
        peer_identity: bytes,
        deadline: float,
    ) -> TlsConnection:
        """Make a fresh socket a connection with `peer` for the use of our credentials, and nobody else.

        Raises
        ------
        ConnectionLost
            The other side went away, or did not answer in time.
        RemoteProtocolError
            It is not `peer`, or not for this use.
        """
        now = datetime.now(UTC)
        context = tls_context(credentials, server=server, peer=peer, peer_identity=peer_identity, now=now)
        context.set_alpn_protocols([ALPN])
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        machine = context.wrap_bio(
            inward, outward, server_side=server, server_hostname=None if server else server_name
        )
        sock.setblocking(False)
        connection = cls(sock, machine, inward, outward)
        try:
            connection._handshake(deadline)
        except ssl.SSLError as error:
            connection.flush()
            raise RemoteProtocolError(
                f"Who answers for {peer} cannot prove to be {peer}.",
                why=error.reason or str(error),
                mend=f"compare the fingerprint of {peer}'s identity key, and both clocks",
                party=peer,
            ) from error
        certificate = machine.getpeercert(binary_form=True)
        if certificate is None or machine.selected_alpn_protocol() != ALPN:
            raise RemoteProtocolError(f"{peer} does not speak our link.", party=peer)
        connection.peer_certificate = check_certificate(
            certificate, party=peer, identity=peer_identity, use=credentials.use, now=datetime.now(UTC)
        )
        return connection

    def _handshake(self, deadline: float) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                if not self.wait(deadline - time.monotonic(), reading=True):
                    raise ConnectionLost("no answer to the TLS greeting in time") from None
                self.feed(self.receive())
            else:
                self.flush()
                return

    # ------------------------------------------------------------------ data

    def write(self, data: Buffer) -> None:
        """Encrypt."""
        if len(data):
            self._tls.write(data)

    def flush(self) -> bool:
        """Write to the socket as much as it takes; whether nothing is left.

        Raises
        ------
        ConnectionLost
            The connection ended.
        """
        try:
            while self._cipher or self._outward.pending:
                if not self._cipher:
                    self._cipher = memoryview(self._outward.read(_SEND_BYTES))
                sent = self.socket.send(self._cipher)
                self.bytes_sent += sent
                self._cipher = self._cipher[sent:]
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            raise ConnectionLost(str(error.strerror or error)) from error
        return True

    @property
    def clogged(self) -> bool:
        """Whether the socket has not taken everything yet."""
        return bool(self._cipher) or bool(self._outward.pending)

    def receive(self) -> memoryview:
        """Ciphertext that has come (a view that holds until the next call); needs no lock.

        Raises
        ------
        ConnectionLost
            The connection ended.
        """
        try:
            count = self.socket.recv_into(self._arrived)
        except (BlockingIOError, InterruptedError):
            return self._arrived[:0]
        except OSError as error:
            raise ConnectionLost(str(error.strerror or error)) from error
        if not count:
            raise ConnectionLost("the other side hung up")
        return self._arrived[:count]

    def feed(self, cipher: memoryview) -> None:
        """Hand ciphertext to the TLS machine."""
        self.bytes_received += len(cipher)
        self._inward.write(cipher)

    def read(self) -> memoryview:
        """Plaintext that is ready (a view that holds until the next call); empty if none.

        Raises
        ------
        ConnectionLost
            TLS found the data broken, or the other side ended it.
        """
        filled = 0
        try:
            while self._inward.pending or self._tls.pending():
                filled += int(self._tls.read(READ_BYTES - filled, self._plain[filled:]))
                if filled == READ_BYTES:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise ConnectionLost(error.reason or str(error)) from error
        return self._plain[:filled]

    @property
    def more(self) -> bool:
        """Whether :meth:`read` has more."""
        return bool(self._inward.pending or self._tls.pending())

    def wait(self, timeout_s: float, *, reading: bool, wake: int = -1) -> bool:
        """Wait until something has come, or (if clogged) something may go; needs no lock. Whether so."""
        poller = self._poller if wake < 0 else select.poll()
        wanted = (select.POLLIN if reading else 0) | (select.POLLOUT if self.clogged else 0)
        try:
            poller.register(self.socket, wanted)
            if wake >= 0:
                poller.register(wake, select.POLLIN)
            return bool(poller.poll(max(0, int(timeout_s * 1000))))
        except (OSError, ValueError):
            return True  # closed meanwhile: receiving will say so

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def expect_peer(connection: TlsConnection, deadline: float, peer: str) -> memoryview:
    """Wait for the next plaintext before the link itself reads.

    Raises
    ------
    UnavailableError
        Nothing came in time.
    """
    while True:
        if plain := connection.read():
            return plain
        connection.flush()
        if not connection.wait(deadline - time.monotonic(), reading=True):
            raise UnavailableError(f"{peer} does not greet.", party=peer)
        connection.feed(connection.receive())
