"""One TLS 1.3 connection on a socket that never blocks, with the peer's certificate checked for its use.

The TLS machine works on memory (OpenSSL's memory BIOs), so that reading and writing the socket need no lock on it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from datetime import UTC, datetime

from unseen.core.errors import RemoteProtocolError
from unseen.crypto.certificates import Credentials, PeerCertificate, check_certificate, tls_context
from unseen.link.channel import Buffer

READ_BYTES = 1 << 18
_SEND_BYTES = 1 << 16  # small enough for malloc to use the same memory again
ALPN = "unseen-link"


class ConnectionLost(Exception):  # noqa: N818 - a fact, not a fault
    """The connection ended; the text says how."""


class Refused(ConnectionLost):
    """The other side ended it with a TLS alert: it does not take us for who we say we are."""


class TlsConnection:
    """See the module.

    The owner holds a lock around every method but :meth:`wait` and :meth:`receive`, which one thread at a time calls
    without it, and :meth:`leave`, which is the last.
    """

    def __init__(
        self, sock: socket.socket, machine: ssl.SSLObject, inward: ssl.MemoryBIO, outward: ssl.MemoryBIO
    ) -> None:
        self.socket = sock
        self._tls = machine
        self._inward = inward
        self._outward = outward
        self._cipher = memoryview(b"")
        self._arrived = memoryview(bytearray(READ_BYTES))
        self._poller = select.poll()
        self._polled = 0
        self._wake: socket.socket | None = None
        self._over = False
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
        RemoteProtocolError, VerificationError
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
            connection.leave(0.0)
            raise _not_believed(peer, error.reason or str(error)) from error
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
                if not self.wait(deadline - time.monotonic()):
                    raise ConnectionLost("no answer to the TLS greeting in time") from None
                self.feed(self.receive())
            else:
                self.flush()
                return

    # ------------------------------------------------------------------ data

    def first_words(self, room: memoryview, deadline: float) -> int:
        """Wait for the first plaintext and write it to `room`; how many bytes.

        Raises
        ------
        ConnectionLost
            The connection ended, or nothing came in time.
        """
        while not (count := self.read(room)):
            self.flush()
            if not self.wait(deadline - time.monotonic()):
                raise ConnectionLost("no greeting in time")
            self.feed(self.receive())
        return count

    def write(self, data: Buffer) -> None:
        """Encrypt."""
        if len(data) and not self._over:
            try:
                self._tls.write(data)
            except ssl.SSLError:
                self._give_up()

    def flush(self) -> bool:
        """Write to the socket as much as it takes; whether nothing is left.

        A connection that takes nothing any more is only marked so: what the other side said last may still be there to
        be read.
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
        except OSError:
            self._give_up()
        return True

    def _give_up(self) -> None:
        """Nothing goes out any more; reading finds the end."""
        self._over, self._cipher = True, self._cipher[:0]
        self._outward.read()
        self._hang_up()

    @property
    def over(self) -> bool:
        """Whether nothing can be written any more."""
        return self._over

    @property
    def clogged(self) -> bool:
        """Whether the socket has not taken everything yet."""
        return bool(self._cipher) or bool(self._outward.pending)

    def receive(self) -> memoryview:
        """Ciphertext that has come (a view that holds until the next call).

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

    def read(self, room: memoryview) -> int:
        """Write plaintext that is ready to `room`; how many bytes.

        Raises
        ------
        ConnectionLost
            TLS found the data broken, or the other side ended it.
        """
        filled = 0
        try:
            while self._inward.pending or self._tls.pending():
                filled += int(self._tls.read(len(room) - filled, room[filled:]))
                if filled == len(room):
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if filled:
                return filled  # the end is found again by the next call
            kind = Refused if "ALERT" in (error.reason or "") else ConnectionLost
            raise kind(error.reason or str(error)) from error
        return filled

    @property
    def more(self) -> bool:
        """Whether :meth:`read` has more."""
        return bool(self._inward.pending or self._tls.pending())

    # ------------------------------------------------------------------ waiting and ending

    def heed(self, wake: socket.socket) -> None:
        """From now on, a byte on `wake` ends :meth:`wait`."""
        self._wake = wake
        self._poller.register(wake, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Wait until something has come, more may go (if clogged), or the owner wakes us. Whether any of it happened."""
        wanted = select.POLLIN | (select.POLLOUT if self.clogged else 0)
        if self.socket.fileno() < 0:
            return True  # closed meanwhile: receiving will say so
        try:
            if wanted != self._polled:
                self._poller.register(self.socket, wanted)
                self._polled = wanted
            ready = self._poller.poll(max(0, int(timeout_s * 1000)))
        except (OSError, ValueError):
            return True
        if self._wake is not None and any(handle == self._wake.fileno() for handle, _ in ready):
            with contextlib.suppress(OSError):
                self._wake.recv(4096)
        return bool(ready)

    def leave(self, timeout_s: float) -> None:
        """Write out what is left, wait for the other side to hang up, and close.

        To close at once would throw away at the other side what it has not read yet, if it was sending just then.
        """
        deadline, poller, ended = time.monotonic() + timeout_s, select.poll(), False
        with contextlib.suppress(OSError, ValueError):
            while True:
                if self.flush() and not ended:
                    self.socket.shutdown(socket.SHUT_WR)
                    ended = True
                poller.register(self.socket, select.POLLIN | (0 if ended else select.POLLOUT))
                if not poller.poll(max(0, int((deadline - time.monotonic()) * 1000))):
                    break
                with contextlib.suppress(BlockingIOError):
                    if not self.socket.recv(READ_BYTES):
                        break
        self.close()

    def close(self) -> None:
        """Close the socket, also for other processes that hold it and for threads that wait for it."""
        self._hang_up()
        self.socket.close()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


def _not_believed(peer: str, reason: str) -> RemoteProtocolError:
    """One end did not believe the other; an alert is the word of the other end."""
    if "ALERT" in reason:
        return RemoteProtocolError(
            f"Who answers for {peer} does not accept our certificate.",
            why=reason,
            mend=f"let {peer} compare the fingerprint of our identity key, and both clocks",
            party=peer,
        )
    return RemoteProtocolError(
        f"Who answers for {peer} cannot prove to be {peer}.",
        why=reason,
        mend=f"compare the fingerprint of {peer}'s identity key, and both clocks",
        party=peer,
    )
