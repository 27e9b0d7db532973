"""Runs CrypTen: two parties as processes, Gloo over loopback TCP, one operation on secret tensors at a time.

A request names an operation, shapes and the range of the inputs; the answer has the slower party's seconds of one run (after
one that warms up), both parties' bytes, and the larger peak of memory.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

PARTIES = 2


def measure(request: dict[str, object]) -> dict[str, float]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crypten_party.py")), json.dumps(request)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "WORLD_SIZE": str(PARTIES),
                "RANK": str(rank),
                "RENDEZVOUS": "env://",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "DISTRIBUTED_BACKEND": "gloo",
                "GLOO_SOCKET_IFNAME": "lo",
            },
        )
        for rank in range(PARTIES)
    ]
    told = []
    for process in processes:
        text = process.communicate()[0]
        found = re.search(r"ANSWER (.*)", text)
        if not found:
            raise RuntimeError(f"a party of CrypTen ended with code {process.returncode}: {text[-500:]}")
        told.append(json.loads(found.group(1)))
    return {
        "seconds": max(item[0] for item in told),
        "bytes": sum(item[1] for item in told),
        "peak_mib": max(item[2] for item in told),
    }


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(measure(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
