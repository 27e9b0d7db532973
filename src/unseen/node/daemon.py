"""The daemon: one process per party that runs its node until it is told to stop.

The fork-server comes first, before any thread and any key is in memory; then the home is locked, the node is built and
started, and the API served. The signals TERM and INT end it in order.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import structlog

from unseen.core.errors import UsageError
from unseen.jobs.forkserver import ForkServer
from unseen.node import logs
from unseen.node.compose import build
from unseen.node.config import NodeConfig, load
from unseen.node.confine import confine
from unseen.node.home import Home
from unseen.node.metrics import Metrics
from unseen.node.operations import Node
from unseen.node.signals import take_stop_signals

Serve = Callable[[Node, NodeConfig, Metrics], AbstractContextManager[Any]]
_log = structlog.get_logger("unseen.daemon")


def run(folder: Path, *, serve: Serve) -> None:
    """Run the node whose home is `folder` until a signal comes.

    Parameters
    ----------
    serve
        Serves the API while its block is open; the API stands on the floor above, so it comes as an argument.

    Raises
    ------
    UsageError
        The configuration is wrong, a port is in use, or another daemon runs on this home.
    """
    config = load(folder)
    logs.configure(config.log_level)
    wait_for_stop = take_stop_signals()
    _place_scratch(config)
    if config.confine.on:
        _confine(config)
    forkserver = ForkServer.start()
    try:
        home = Home(config.home)
        home.make()
        with home.locked():
            services = build(folder, forkserver)
            try:
                services.start()
                with serve(services.node, config, services.metrics):
                    _log.info("running", party=config.name, home=str(config.home))
                    wait_for_stop()
            finally:
                services.stop()
    finally:
        forkserver.stop()


def _place_scratch(config: NodeConfig) -> None:
    """Where temporary files go, of workers too. Those of a confined node go into the home: /tmp is everybody's."""
    home, folder = Home(config.home), config.jobs.scratch
    if folder is None and not config.confine.on:
        return
    home.make()
    folder = folder or home.run
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"No temporary file can be made in {folder}.",
            why=str(error.strerror),
            mend="set jobs.scratch in node.toml to a folder that the node may write in",
        ) from error
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _confine(config: NodeConfig) -> None:
    """Before the first thread and the first worker."""
    keys = [path for path in (config.keys.keyfile, config.keys.passphrase_file) if path is not None]
    scratch = [config.jobs.scratch] if config.jobs.scratch is not None else []
    confine((config.home, *scratch, *config.confine.allow), readable=keys)
