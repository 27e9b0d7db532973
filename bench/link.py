"""How fast is the link: worker to worker over loopback TCP, transcript on, beside a bare TLS socket.

    python bench/link.py [--json]

Two processes per measurement. Reported: median time of an exchange of 8 KiB (both send, both receive), and the
throughput of one party sending to the other, with the same for Python's bare `ssl` socket in the same run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import socket
import statistics
import time
from multiprocessing.connection import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.crypto.certificates import Credentials, issue, tls_context
from unseen.crypto.sign import raw_public_key
from unseen.link.channel import Link
from unseen.link.stream import open_link

EXCHANGES = 2000
SMALL = 8192
LARGE = 1 << 24
REPEATS = 24
USE = "bench/bench/1"


class One:
    """A source with one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def next(self, timeout_s: float) -> socket.socket:
        return self._sock


def connect(me: str, sock: socket.socket, credentials: Credentials, identity: bytes) -> Link:
    peer = "b" if me == "a" else "a"
    role = "dial" if me == "a" else "accept"
    return open_link(
        me=me,
        peer=peer,
        role=role,
        sockets=One(sock),
        credentials=credentials,
        peer_identity=identity,
        reconnect_s=0,
    )


def link_end(
    me: str, sock: socket.socket, credentials: Credentials, identity: bytes, told: Connection
) -> None:
    link = connect(me, sock, credentials, identity)
    channel = link.channel("main")
    payload = bytes(SMALL)
    times = []
    for _ in range(EXCHANGES):
        start = time.perf_counter()
        channel.send([payload])
        channel.recv(30)
        times.append(time.perf_counter() - start)
    big = bytes(LARGE)
    start = time.perf_counter()
    for _ in range(REPEATS):
        if me == "a":
            channel.send([big])
        else:
            channel.recv(60)
    if me == "a":
        channel.recv(60)
    else:
        channel.send([b"done"])
    seconds = time.perf_counter() - start
    told.send((statistics.median(times), LARGE * REPEATS / seconds))
    link.close()


def bare_end(
    me: str, sock: socket.socket, credentials: Credentials, identity: bytes, told: Connection
) -> None:
    context = tls_context(
        credentials,
        server=me == "b",
        peer="b" if me == "a" else "a",
        peer_identity=identity,
        now=dt.datetime.now(dt.UTC),
    )
    tls = context.wrap_socket(sock, server_side=me == "b", server_hostname="x" if me == "a" else None)
    tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(LARGE)
    view = memoryview(buffer)

    def fill(count: int) -> None:
        got = 0
        while got < count:
            got += tls.recv_into(view[got:count])

    times = []
    payload = bytes(SMALL)
    for _ in range(EXCHANGES):
        start = time.perf_counter()
        tls.sendall(payload)
        fill(SMALL)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    for _ in range(REPEATS):
        if me == "a":
            tls.sendall(buffer)
        else:
            fill(LARGE)
    if me == "a":
        fill(4)
    else:
        tls.sendall(b"done")
    told.send((statistics.median(times), LARGE * REPEATS / (time.perf_counter() - start)))


def measure(body: object) -> tuple[float, float]:
    keys = {name: Ed25519PrivateKey.generate() for name in "ab"}
    now = dt.datetime.now(dt.UTC)
    listener = socket.create_server(("127.0.0.1", 0))
    one = socket.create_connection(listener.getsockname())
    other, _ = listener.accept()
    context = multiprocessing.get_context("fork")
    ears, processes = [], []
    for name, sock, peer in (("a", one, "b"), ("b", other, "a")):
        ear, mouth = context.Pipe(duplex=False)
        credentials = issue(keys[name], name, use=USE, now=now)
        arguments = (name, sock, credentials, raw_public_key(keys[peer]), mouth)
        processes.append(context.Process(target=body, args=arguments))  # type: ignore[arg-type]
        ears.append(ear)
    for process in processes:
        process.start()
    told = [ear.recv() for ear in ears]
    for process in processes:
        process.join()
    return statistics.mean(item[0] for item in told), min(item[1] for item in told)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = {"link": [], "bare TLS": []}
    for _ in range(options.rounds):
        rows["link"].append(measure(link_end))
        rows["bare TLS"].append(measure(bare_end))
    figures = {
        name: {
            "exchange_8k_us": statistics.median(item[0] for item in found) * 1e6,
            "throughput_bytes_per_s": statistics.median(item[1] for item in found),
        }
        for name, found in rows.items()
    }
    ratio = figures["link"]["throughput_bytes_per_s"] / figures["bare TLS"]["throughput_bytes_per_s"]
    if options.json:
        print(json.dumps({**figures, "throughput_ratio": ratio}))
        return
    for name, found in figures.items():
        print(
            f"{name:>9}: exchange {found['exchange_8k_us']:.0f} us, {found['throughput_bytes_per_s'] / 1e6:.0f} MB/s"
        )
    print(f"throughput: {ratio:.0%} of bare TLS")


if __name__ == "__main__":
    main()
