"""Ways to peers: dials their fronts, and takes what our own front hands over."""

from __future__ import annotations

import queue
import socket
import threading
import time

from unseen.core.errors import UnavailableError
from unseen.crypto.certificates import NODE_USE
from unseen.crypto.sign import public_key
from unseen.link.channel import Link
from unseen.link.dial import dial, who_dials
from unseen.link.front import Front, Sink, server_name
from unseen.link.relay import dial_relay
from unseen.link.stream import open_link
from unseen.node.config import NodeConfig, parse_address
from unseen.node.identity import Identity
from unseen.node.peers import PeerBook

_SLICE_S = 0.25
_DIAL_S = 10.0
_RELAY_SLICE_S = 2.0  # how long a node that stops may still stand at a relay
_LEASE_S = 12 * 3600
_MAIL_S = 15.0  # after so long it is said why there is no connection; then it is tried again


class Post:
    """See the module. Makes the mail's connections (:class:`unseen.node.courier.Connector`) and workers' sockets."""

    def __init__(
        self, identity: Identity, config: NodeConfig, *, front: Front | None, peers: PeerBook
    ) -> None:
        self.me = identity.name
        self._identity = identity
        self._config = config
        self._front = front
        self._peers = peers
        self._arrived: dict[str, queue.Queue[socket.socket]] = {}

    def role(self, peer: str) -> str:
        """Whether we dial `peer`, or accept. At a relay both dial, and this says who opens the TLS greeting."""
        theirs = bool(self._peers.show(peer).addresses)
        dialler = who_dials(self.me, peer, one_listens=bool(self._config.link.public), other_listens=theirs)
        return "dial" if dialler == self.me else "accept"

    def fetches(self, peer: str) -> bool:
        """Whether we open the sockets to `peer`, itself or a relay. Else `peer` opens them."""
        return self.role(peer) == "dial" or self.meets_at_relay(peer)

    def meets_at_relay(self, peer: str) -> bool:
        """Whether neither of us can be dialled."""
        return not self._config.link.public and not self._peers.show(peer).addresses

    def dial(self, peer: str, scope: str, timeout_s: float = _DIAL_S) -> socket.socket:
        """A socket to the front of `peer`, its addresses in turn; or one that meets `peer` for `scope` at the relay.

        Raises
        ------
        UnavailableError
            None of them answers.
        """
        proxy = self._config.link.proxy
        via = parse_address(proxy.removeprefix("http://")) if proxy else None
        relay = self._config.link.relay
        if relay and self.meets_at_relay(peer):
            name = server_name(scope, self.me, peer)
            return dial_relay(parse_address(relay), name, self.role(peer), proxy=via, timeout_s=timeout_s)
        problem = UnavailableError(
            f"There is no address of {peer}.",
            why="neither side can be reached from outside",
            mend="let one of you set link.listen and link.public, or both set link.relay to the same relay",
            party=peer,
        )
        for address in self._peers.show(peer).addresses:
            try:
                return dial(parse_address(address), proxy=via, timeout_s=timeout_s)
            except UnavailableError as error:
                problem = error
        raise problem

    def expect(self, scope: str, peer: str, sink: Sink) -> None:
        """Hand sockets that `peer` opens for `scope` to `sink`."""
        if self._front is not None:
            self._front.register(server_name(scope, self.me, peer), sink)

    def forget(self, scope: str, peer: str) -> None:
        """Nobody waits for `scope` any more."""
        if self._front is not None:
            self._front.unregister(server_name(scope, self.me, peer))

    def connect(self, peer: str, stopping: threading.Event) -> Link:
        """A fresh link for the mail with `peer`."""
        return open_link(
            me=self.me,
            peer=peer,
            role=self.role(peer),
            sockets=_MailSockets(self, peer, stopping),
            credentials=self._identity.credentials(NODE_USE, lifetime_s=_LEASE_S),
            peer_identity=public_key(self._peers.show(peer).identity),
            reconnect_s=0,
            connect_s=_MAIL_S,
        )

    def arrivals(self, peer: str) -> queue.Queue[socket.socket]:
        """Sockets that `peer` opened for the mail."""
        if peer not in self._arrived:
            self._arrived[peer] = queue.Queue(16)
            self.expect(NODE_USE, peer, self._arrived[peer].put_nowait)
        return self._arrived[peer]


class _MailSockets:
    def __init__(self, post: Post, peer: str, stopping: threading.Event) -> None:
        self._post = post
        self._peer = peer
        self._stopping = stopping

    def next(self, timeout_s: float) -> socket.socket:
        """See :class:`unseen.link.stream.SocketSource`."""
        deadline = time.monotonic() + timeout_s
        if self._post.fetches(self._peer):
            return self._fetch(deadline)
        arrived = self._post.arrivals(self._peer)
        while not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                sock = arrived.get(timeout=_SLICE_S)
            except queue.Empty:
                continue
            while not arrived.empty():  # of several, the peer has given up all but the last
                sock.close()
                sock = arrived.get_nowait()
            return sock
        raise UnavailableError(
            f"{self._peer} has not called.",
            mend=f"see whether the node of {self._peer} runs, and whether it knows this node's address",
            party=self._peer,
        )

    def _fetch(self, deadline: float) -> socket.socket:
        """Dial once; at a relay, stand there until the peer has come, too."""
        slice_s = _RELAY_SLICE_S if self._post.meets_at_relay(self._peer) else _DIAL_S
        while True:
            left = deadline - time.monotonic()
            try:
                return self._post.dial(self._peer, NODE_USE, timeout_s=max(0.01, min(left, slice_s)))
            except UnavailableError:
                if slice_s == _DIAL_S or left <= slice_s or self._stopping.wait(_SLICE_S):
                    raise
