"""The network between the nodes of a running job: cut, closed from outside, behind proxies; the result is the same."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from network_world import Cable, Proxy
from node_world import HOLDINGS, PARTIES, finish, over, prepare, start, state_of, until

from unseen.client.loopback import Loopback
from unseen.client.together import wait_for
from unseen.link.relay import Relay
from unseen.node.config import parse_address


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_ten_random_cuts_during_a_job_change_nothing(tmp_path: Path, seed: int) -> None:
    """All parties reach each other through cables; each cut breaks every connection there is, tasks' and mail's."""
    cables = {party: Cable() for party in PARTIES}
    settings = {party: {"link": {"public": [cable.address]}} for party, cable in cables.items()}
    rng, times = random.Random(seed), [0]
    with Loopback(PARTIES, folder=tmp_path, settings=settings) as world:
        for party, cable in cables.items():
            cable.target = parse_address(world[party].status().listen or "")
        contract = prepare(world, tmp_path)
        ended = threading.Event()

        def cut() -> None:
            while times[0] < 10 and not ended.wait(rng.uniform(0.01, 0.08)):
                times[0] += sum(cable.cut() for cable in cables.values()) > 0

        scissors = threading.Thread(target=cut)
        job = start(world, contract)
        scissors.start()
        for party in PARTIES:
            over(world, party, job, 90)
        ended.set()
        scissors.join()
        finish(world, job, contract, tmp_path)
        attempts = [task.attempt for party in PARTIES for task in world[party].job_show(job).tasks]
        assert max(attempts) == 1, "a cut cable is mended by the link; no task begins anew"
        assert times[0] == 10
    for cable in cables.values():
        cable.close()


def test_a_party_without_an_open_port_behind_a_proxy_takes_part(tmp_path: Path) -> None:
    """The hospital lets nothing in, and out only through its HTTP CONNECT proxy."""
    proxy = Proxy()
    closed = {"listen": None, "public": [], "proxy": f"http://{proxy.address}"}
    with Loopback(PARTIES, folder=tmp_path, settings={"hospital": {"link": closed}}) as world:
        assert world["hospital"].status().listen is None
        known = {peer.name: peer.addresses for peer in world["laboratory"].peer_list()}
        assert known["hospital"] == ()
        contract = prepare(world, tmp_path)
        finish(world, start(world, contract), contract, tmp_path)
        others = {world[party].status().public[0] for party in ("laboratory", "helper")}
        assert set(proxy.asked) == others
        assert len(proxy.asked) > 2 * len(others)  # the mail's connections, and one more for every task
    proxy.close()


@pytest.fixture
def relay() -> Iterator[str]:
    """A real `unseen relay`."""
    command = [sys.executable, "-m", "unseen.cli.main", "relay", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["relay"]
        process.terminate()
        assert process.wait(60) == 0


def test_parties_that_can_only_dial_out_meet_at_a_relay_that_sees_ciphertext(
    tmp_path: Path, relay: str
) -> None:
    """Nobody has an open port; the helper is behind a proxy besides. One node is killed on the way."""
    cable, proxy = Cable(), Proxy()
    cable.target = parse_address(relay)
    closed = {"listen": None, "public": [], "relay": cable.address}
    settings = {"*": {"link": closed}, "helper": {"link": {"proxy": f"http://{proxy.address}"}}}
    with Loopback(PARTIES, folder=tmp_path, settings=settings) as world:
        contract = prepare(world, tmp_path)
        job = start(world, contract)
        until(world, "hospital", job, lambda view: state_of(view, "hospital", "train") == "running")
        world.restart("laboratory", kill=True)
        finish(world, job, contract, tmp_path)
    assert set(proxy.asked) == {cable.address}
    ids = [str(value) for value in HOLDINGS[0].table.column(HOLDINGS[0].key)[:50].to_pylist()]
    for word in [*PARTIES, *ids, "psi-dh", "radius"]:
        assert word.encode() not in cable.heard
    assert b"UNSEEN-RELAY/1 " in cable.heard
    cable.close()
    proxy.close()


def test_a_relay_that_is_down_is_said_and_waited_for(tmp_path: Path) -> None:
    cable = Cable()
    closed = {"listen": None, "public": [], "relay": cable.address}
    with Loopback(("a", "b"), folder=tmp_path, settings={"*": {"link": closed}}) as world:
        time.sleep(0.5)
        assert not any(peer.connected for peer in world["a"].peer_list())
        served = Relay(("127.0.0.1", 0))
        served.start()
        cable.target = served.address
        wait_for(
            lambda: all(peer.connected for peer in world["a"].peer_list()) or None, "the mail's connection"
        )
        served.stop()
    cable.close()
