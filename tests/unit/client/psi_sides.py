"""Both sides of `psi.match` as threads of this process, over real TLS on loopback."""

from __future__ import annotations

import csv
import socket
import threading
from pathlib import Path

from unseen.client import psi


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def make_keys(folder: Path):
    for name in ("listener", "caller"):
        if not (folder / f"{name}.key").exists():
            psi.make_keys(folder / name)


def sides(folder, listener, caller, **common):
    """What each side returned or raised."""
    make_keys(folder)
    place = f"127.0.0.1:{free_port()}"
    outcome = {}

    def go(me, peer, **options):
        try:
            outcome[me] = psi.match(
                **{
                    "my_key": folder / f"{me}.key",
                    "peer_key": folder / f"{peer}.pub",
                    "wait_s": 20,
                    **common,
                    **options,
                },
            )
        except BaseException as error:  # noqa: BLE001 - handed to the test
            outcome[me] = error

    threads = [
        threading.Thread(target=go, args=("listener", "caller"), kwargs={"listen": place, **listener}),
        threading.Thread(target=go, args=("caller", "listener"), kwargs={"connect": place, **caller}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
        assert not thread.is_alive()
    return outcome["listener"], outcome["caller"]


def good(outcomes):
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


def write_ids(path: Path, values, extra="x"):
    """A CSV with an id column and one more."""
    rows = "".join(f'"{value}",{extra}{place}\n' for place, value in enumerate(values))
    path.write_text(f"id,{extra}\n{rows}", encoding="utf-8")
    return path


def read_rows(path: Path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
