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
from unseen.link.stream import open_link
from unseen.node.config import NodeConfig, parse_address
from unseen.node.identity import Identity
from unseen.node.peers import PeerBook

_SLICE_S = 0.25
_LEASE_S = 12 * 3600


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
        """Whether we dial `peer`, or accept."""
        theirs = bool(self._peers.show(peer).addresses)
        dialler = who_dials(self.me, peer, one_listens=bool(self._config.link.public), other_listens=theirs)
        return "dial" if dialler == self.me else "accept"

    def dial(self, peer: str, timeout_s: float = 10.0) -> socket.socket:
        """A socket to the front of `peer`: its addresses in turn.

        Raises
        ------
        UnavailableError
            None of them answers.
        """
        addresses = self._peers.show(peer).addresses
        proxy = self._config.link.proxy
        via = parse_address(proxy.removeprefix("http://")) if proxy else None
        problem = UnavailableError(
            f"There is no address of {peer}.",
            why="neither side can be reached from outside",
            mend="let one of you set link.listen and link.public",
            party=peer,
        )
        for address in addresses:
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
            connect_s=60.0,
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
        if self._post.role(self._peer) == "dial":
            return self._post.dial(self._peer, timeout_s=min(timeout_s, 10.0))
        arrived, deadline = self._post.arrivals(self._peer), time.monotonic() + timeout_s
        while not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                return arrived.get(timeout=_SLICE_S)
            except queue.Empty:
                continue
        raise UnavailableError(f"{self._peer} has not called.", party=self._peer)
