"""Serves the API on the node's internal address for as long as the daemon lives.

uvicorn runs in a thread of its own. The address (port 0 means any free one) is written to `run/api.address` in the
home once connections are accepted, and removed at the end.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from unseen.api.app import create_app
from unseen.api.tokens import Tokens
from unseen.core.durable import write_whole
from unseen.core.errors import UnavailableError, UsageError
from unseen.node.config import NodeConfig, parse_address
from unseen.node.home import Home
from unseen.node.metrics import Metrics
from unseen.node.operations import Node

ADDRESS_FILE = "api.address"
_log = structlog.get_logger("unseen.api")
_START_S = 20.0
_STOP_S = 10.0


@contextmanager
def serve(node: Node, config: NodeConfig, metrics: Metrics | None = None) -> Iterator[str]:
    """Serve until the block ends; gives the address (`host:port`) that was bound.

    At the end no new request is taken and those under way get a few seconds to finish.

    Raises
    ------
    UsageError
        The address cannot be bound.
    UnavailableError
        The server did not come up.
    """
    home = Home(config.home)
    note = home.run / ADDRESS_FILE
    note.unlink(missing_ok=True)  # of a daemon that was killed: the port may be anybody's now
    listener = _bind(config.api.listen)
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not ipaddress.ip_address(host).is_loopback:
        _log.warning("api.open", address=address, text="not a loopback address: put TLS in front of it")
    server = _server(node, home, metrics)
    thread = threading.Thread(target=server.run, args=([listener],), name="api", daemon=True)
    thread.start()
    try:
        if not server.up.wait(_START_S):
            raise UnavailableError("The API did not come up.", why="see the node's log")
        write_whole(note, f"{address}\n".encode())
        _log.info("api.listening", address=address)
        yield address
    finally:
        note.unlink(missing_ok=True)
        server.should_exit = True
        thread.join(_STOP_S)
        listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to the daemon, and says when it is up (or has given up)."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals: we are not in the main thread."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the base, and tell who waits."""
        await super().startup(sockets)
        self.up.set()


def _server(node: Node, home: Home, metrics: Metrics | None) -> _Server:
    app = create_app(node, Tokens(home.path), metrics=metrics)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=int(_STOP_S / 2),
        limit_concurrency=512,
        h11_max_incomplete_event_size=1 << 16,
    )
    return _Server(config)


def _bind(address: str) -> socket.socket:
    host, port = parse_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"The API cannot listen on {address}.",
            why=str(error.strerror or error),
            mend="set another address as listen in [api] of node.toml; port 0 takes any free one",
        ) from error
    listener.set_inheritable(False)
    return listener
