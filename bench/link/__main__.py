"""The link beside a bare TLS socket.

Two processes on loopback. Ours is the link that nodes use, worker to worker: TLS 1.3, numbered and acknowledged frames,
back-pressure, transcript on. The rival is Python's `ssl` socket in the same run: the floor, which does none of that.

`exchange`: both ends send 8 KiB and both receive; time per exchange. `throughput`: one party sends messages of 16 MiB to
the other; time per message. Both are medians over many exchanges or messages in each run.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.parties import USE, play
from bench.report import Report, Sample
from unseen.crypto.certificates import issue, tls_context
from unseen.crypto.sign import raw_public_key
from unseen.link.channel import Link

SMALL, LARGE = 8192, 1 << 24
EXCHANGES, MESSAGES = 2000, 24
RIVAL = "bare TLS socket (ssl)"


def exchange(links: Mapping[str, Link]) -> float:
    """Median seconds of one exchange."""
    (channel,) = (link.channel("bench") for link in links.values())
    payload = bytes(SMALL)
    times = []
    for _ in range(EXCHANGES):
        start = time.perf_counter()
        channel.send([payload])
        channel.recv(30)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def throughput(links: Mapping[str, Link]) -> float:
    """Seconds per message, from a to b."""
    ((peer, link),) = links.items()
    channel = link.channel("bench")
    payload = bytes(LARGE)
    start = time.perf_counter()
    for _ in range(MESSAGES):
        if peer == "b":
            channel.send([payload])
        else:
            channel.recv(60)
    if peer == "b":
        channel.recv(60)
    else:
        channel.send([b"done"])
    return (time.perf_counter() - start) / MESSAGES


def bare(body: Callable[[ssl.SSLSocket, str], float]) -> float:
    """Run both ends of a bare TLS connection as processes; the slower end's figure."""
    keys = {name: Ed25519PrivateKey.generate() for name in "ab"}
    now = dt.datetime.now(dt.UTC)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sockets = {"a": socket.create_connection(listener.getsockname())}
        sockets["b"], _ = listener.accept()
    context = multiprocessing.get_context("fork")

    def end(name: str, mouth: Connection) -> None:
        peer = "b" if name == "a" else "a"
        tls = tls_context(
            issue(keys[name], name, use=USE, now=now),
            server=name == "b",
            peer=peer,
            peer_identity=raw_public_key(keys[peer]),
            now=now,
        ).wrap_socket(sockets[name], server_side=name == "b", server_hostname="x" if name == "a" else None)
        tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        mouth.send(body(tls, name))

    ears, processes = [], []
    for name in "ab":
        ear, mouth = context.Pipe(duplex=False)
        processes.append(context.Process(target=end, args=(name, mouth)))
        processes[-1].start()
        ears.append(ear)
    told = [float(ear.recv()) for ear in ears]
    for process in processes:
        process.join()
    return max(told)


def fill(tls: ssl.SSLSocket, view: memoryview) -> None:
    got = 0
    while got < len(view):
        got += tls.recv_into(view[got:])


def bare_exchange(tls: ssl.SSLSocket, _name: str) -> float:
    payload, view = bytes(SMALL), memoryview(bytearray(SMALL))
    times = []
    for _ in range(EXCHANGES):
        start = time.perf_counter()
        tls.sendall(payload)
        fill(tls, view)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bare_throughput(tls: ssl.SSLSocket, name: str) -> float:
    view = memoryview(bytearray(LARGE))
    start = time.perf_counter()
    for _ in range(MESSAGES):
        if name == "a":
            tls.sendall(view)
        else:
            fill(tls, view)
    if name == "a":
        fill(tls, view[:4])
    else:
        tls.sendall(b"done")
    return (time.perf_counter() - start) / MESSAGES


def ours(program: Callable[[Mapping[str, Link]], float], size: int) -> Sample:
    played = play(program, ("a", "b"), wire="link", on_links=True)
    seconds = max(told.result for told in played.parties.values())
    peak = max(told.peak_mib for told in played.parties.values())
    return Sample(seconds, peak_mib=peak, more={"MB_per_s": size / seconds / 1e6})


def main() -> None:
    with Report("link", __doc__) as report:
        for case, program, rival, size in (
            ("link/exchange/8KiB/loopback", exchange, bare_exchange, 2 * SMALL),
            ("link/throughput/16MiB/loopback", throughput, bare_throughput, LARGE),
        ):
            if report.wants(case, quick=True):
                report.case(
                    case,
                    lambda program=program, size=size: ours(program, size),
                    rival=(RIVAL, lambda rival=rival: Sample(bare(rival))),
                    trust="both authenticate each other's pinned key",
                )


if __name__ == "__main__":
    main()
