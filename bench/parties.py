"""Run a protocol with every party a process of its own on loopback, and measure it.

    played = play(program, ("a", "b", "helper"), disclosures=[...])
    played.sample()          # seconds, bytes of all parties, rounds, peak memory

`program(party)` runs at every party, as on nodes. Its return value must be small and plain: it comes back by a pipe.
What a party prepares before it is timed goes into `ready`: `program(party, ready(name))`.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from multiprocessing.connection import Connection
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.report import Sample
from bench.shaping import Shaper
from unseen.crypto import sodium
from unseen.crypto.certificates import Credentials, issue
from unseen.crypto.sign import raw_public_key
from unseen.kernels.memory import arrays_in_pages
from unseen.link.channel import Link
from unseen.link.stream import open_link
from unseen.party import Disclosure, DisclosurePolicy, Gate, MemoryJournal, Party, Pool, Session
from unseen.testing import plain

Wire = Literal["lan", "link"]
"""`lan`: bare TCP, as rivals use. `link`: what nodes use: TLS 1.3, frames, acknowledgements, transcript."""

USE = "bench/bench/1"
RECV_S = 600.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one party's process measured."""

    result: Any
    seconds: float
    bytes_sent: int
    rounds: int
    peak_mib: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Played:
    """All parties' figures."""

    parties: Mapping[str, Told]

    def sample(self, *, error: float | None = None, more: Mapping[str, float] | None = None) -> Sample:
        """The slowest party's time, everybody's bytes and processor time, the largest number of rounds and peak."""
        told = self.parties.values()
        return Sample(
            seconds=max(item.seconds for item in told),
            bytes=sum(item.bytes_sent for item in told),
            rounds=max(item.rounds for item in told),
            peak_mib=max(item.peak_mib for item in told),
            error=error,
            more={"cpu_s": sum(item.cpu_s for item in told), **(more or {})},
        )


class _One:
    """A source with one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def next(self, timeout_s: float) -> socket.socket:
        return self._sock


@dataclass(frozen=True, slots=True)
class _Seat:
    """What one party's process is given."""

    name: str
    sockets: Mapping[str, socket.socket]
    credentials: Credentials
    identities: Mapping[str, bytes]
    wire: Wire
    disclosures: Sequence[Disclosure]
    threads: int
    on_links: bool


def play(
    program: Callable[..., Any],
    parties: Sequence[str],
    *,
    wire: Wire = "lan",
    disclosures: Sequence[Disclosure] = (),
    ready: Callable[[str], Any] | None = None,
    threads: int = 1,
    on_links: bool = False,
    shaper: Shaper | None = None,
) -> Played:
    """Run `program` at every party at once.

    Parameters
    ----------
    ready
        Called as `ready(name)` in each process before the clock starts; its value is the program's second argument.
    threads
        Of each party's pool.
    on_links
        The program's first argument is the mapping of the bare links instead of a Party.
    shaper
        The network between any two of them; None: loopback.

    Raises
    ------
    RuntimeError
        A party failed: its traceback.
    """
    sodium.load()  # as libraries are that all parties have
    context = multiprocessing.get_context("fork")
    gates = [context.Barrier(len(parties)) for _ in ("start", "end")]
    ears, processes = [], []
    seats = [
        _Seat(*ends, wire=wire, disclosures=disclosures, threads=threads, on_links=on_links)
        for ends in _ends(parties, shaper)
    ]
    for seat in seats:
        ear, mouth = context.Pipe(duplex=False)
        process = context.Process(target=_body, args=(seat, program, ready, gates, mouth))
        process.start()
        mouth.close()
        for sock in seat.sockets.values():
            sock.close()
        ears.append(ear)
        processes.append(process)
    told = dict(zip(parties, [_hear(ear) for ear in ears], strict=True))
    for process in processes:
        process.join()
    failed = [f"{name}:\n{text}" for name, text in told.items() if isinstance(text, str)]
    if failed:
        raise RuntimeError("\n".join(failed))
    return Played(told)


def peak_mib() -> float:
    """Peak resident memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _hear(ear: Connection) -> Any:
    try:
        return ear.recv()
    except EOFError:
        return "the process ended without a word (out of memory?)"


def _ends(
    parties: Sequence[str], shaper: Shaper | None
) -> list[tuple[str, dict[str, socket.socket], Credentials, dict[str, bytes]]]:
    """Name, connected sockets, credentials and everybody's identity, for each party."""
    sockets: dict[str, dict[str, socket.socket]] = {name: {} for name in parties}
    for left, right in combinations(parties, 2):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            way = shaper.way(to=port) if shaper else port
            sockets[left][right] = socket.create_connection(("127.0.0.1", way))
            sockets[right][left], _ = listener.accept()
    keys = {name: Ed25519PrivateKey.generate() for name in parties}
    identities = {name: raw_public_key(key) for name, key in keys.items()}
    now = dt.datetime.now(dt.UTC)
    return [(name, sockets[name], issue(keys[name], name, use=USE, now=now), identities) for name in parties]


@arrays_in_pages()  # as nodes do
def _body(
    seat: _Seat,
    program: Callable[..., Any],
    ready: Callable[[str], Any] | None,
    gates: Sequence[Any],
    mouth: Connection,
) -> None:
    start_gate, end_gate = gates
    started = False
    try:
        links = _links(seat)
        given = [ready(seat.name)] if ready else []
        first = links if seat.on_links else _party(seat, links)
        start_gate.wait()
        started = True
        start, used = time.perf_counter(), time.process_time()
        result = program(first, *given)
        seconds, used = time.perf_counter() - start, time.process_time() - used
        stats = [link.stats() for link in links.values()]
        sent = sum(item.bytes_sent for item in stats)
        rounds = max((item.rounds for item in stats), default=0)
        mouth.send(Told(result, seconds, sent, rounds, peak_mib(), used))
        end_gate.wait()
        for link in links.values():
            link.close()
    except BaseException:  # noqa: BLE001 - told to the parent, which raises it
        mouth.send(traceback.format_exc())
        (end_gate if started else start_gate).abort()


def _party(seat: _Seat, links: Mapping[str, Link]) -> Party:
    policy = DisclosurePolicy("bench", "bench", tuple(seat.disclosures))
    return Party(
        seat.name,
        links,
        session=Session("bench", "bench", 1),
        gate=Gate(seat.name, policy, MemoryJournal(), attempt=1),
        pool=Pool(seat.threads),
        timeout_s=RECV_S,
    )


def _links(seat: _Seat) -> dict[str, Link]:
    """All links of this party, joined at once: each join waits for the other end."""
    made: dict[str, Link] = {}
    threads = [
        threading.Thread(target=lambda peer=peer: made.update({peer: _link(seat, peer)}))
        for peer in seat.sockets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {peer: made[peer] for peer in seat.sockets}


def _link(seat: _Seat, peer: str) -> Link:
    if seat.wire == "lan":
        return plain.join(seat.name, peer, seat.sockets[peer])
    return open_link(
        me=seat.name,
        peer=peer,
        role="dial" if seat.name < peer else "accept",
        sockets=_One(seat.sockets[peer]),
        credentials=seat.credentials,
        peer_identity=seat.identities[peer],
        reconnect_s=0,
    )
