"""`unseen node`: make, run and look after this party's node."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unseen.cli.session import COMMON, Common, connect, emit, emit_line, say
from unseen.core.loading import loading

if TYPE_CHECKING:
    from unseen.node.config import NodeConfig
    from unseen.node.metrics import Metrics
    from unseen.node.operations import Node

Flag = Annotated[bool, Parameter(negative="")]
Names = Annotated[tuple[str, ...], Parameter(negative="")]


def init(
    name: str,
    *,
    listen: str | None = None,
    public: Names = (),
    api: str = "127.0.0.1:0",
    proxy: str | None = None,
    relay: str | None = None,
    title: str = "",
    common: Common = COMMON,
) -> None:
    """Make a node: its folder, configuration, identity key, and the first owner's token. No daemon is needed.

    Parameters
    ----------
    name
        What the other parties call this one.
    listen
        host:port for other organisations; leave it out for a node that only dials out.
    public
        Addresses under which they reach it; `listen` if left out. May be given several times.
    api
        Internal host:port for commands and programs; port 0 takes any free one.
    proxy
        HTTP CONNECT proxy for everything the node dials.
    relay
        host:port of a relay, to meet peers that let nothing in either; see `unseen relay`.
    title
        The organisation's full name.
    """
    from unseen.cli import show  # noqa: PLC0415 - after the arguments are known to be right
    from unseen.client.homes import make  # noqa: PLC0415

    link = {
        "listen": listen,
        "public": public or ((listen,) if listen else ()),
        "proxy": proxy,
        "relay": relay,
    }
    made = make(
        common.folder,
        {
            "name": name,
            "title": title,
            "link": {key: value for key, value in link.items() if value},
            "api": {"listen": api},
        },
    )
    emit(common, made, show.who)
    if not common.json:
        say(f"Made {common.folder}. Start it with `unseen node run --home {common.folder}`.")


def run(*, stop_with_stdin: Flag = False, common: Common = COMMON) -> None:
    """Run the node until it is told to stop (Ctrl-C, or the signal TERM). Its log goes to standard error.

    When it is ready, a line with the address of its API goes to standard output.

    Parameters
    ----------
    stop_with_stdin
        Also stop when standard input ends: a node that lives as long as the program that started it.
    """
    with loading():
        from unseen.api.server import serve  # noqa: PLC0415 - loads the web server
        from unseen.node.daemon import run as run_daemon  # noqa: PLC0415

    @contextmanager
    def announced(node: Node, config: NodeConfig, metrics: Metrics | None = None) -> Iterator[str]:
        with serve(node, config, metrics) as address:
            if common.json:
                emit_line({"api": address, "home": str(common.folder)})
            else:
                print(f"Ready: API on {address}", flush=True)  # noqa: T201 - the answer
            yield address

    if stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, name="stdin", daemon=True).start()
    run_daemon(common.folder, serve=announced)


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1 << 12):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def status(*, common: Common = COMMON) -> None:
    """Show the node at a glance: peers, running jobs, log, free disk, and why it refuses work if it does."""
    from unseen.cli import show  # noqa: PLC0415 - after the arguments are known to be right

    with connect(common) as node:
        emit(common, node.status(), show.status)


def backup(path: Path, *, common: Common = COMMON) -> None:
    """Write a consistent snapshot of the node (keys stay sealed) to a file that does not exist yet.

    Parameters
    ----------
    path
        The file.
    """
    from unseen.cli import show  # noqa: PLC0415 - after the arguments are known to be right

    with connect(common) as node:
        made = node.backup(str(path.expanduser().absolute()))
    emit(
        common,
        made,
        lambda value: show.facts(
            (("file", value.path), ("size", show.size(value.size_bytes)), ("log entries", value.log_size))
        ),
    )


def restore(path: Path, *, common: Common = COMMON) -> None:
    """Make the node's folder of a backup. The node must not run; what its peers know to be newer stops it.

    Parameters
    ----------
    path
        What `unseen node backup` wrote.
    """
    from unseen.cli.session import done  # noqa: PLC0415
    from unseen.node.backup import restore as restored  # noqa: PLC0415 - after the arguments

    restored(path.expanduser().absolute(), common.folder)
    done(common, f"Restored {common.folder}. Start it with `unseen node run --home {common.folder}`.")
