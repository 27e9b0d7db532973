"""Runs SPU: every party a process, brpc over loopback TCP, one operation on secret arrays at a time.

A request names an operation, a protocol, shapes and the range of the inputs; the answer has the slowest party's seconds
of one run (after one that warms up), all parties' bytes, and the largest peak of memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import spu
from spu import libspu
from spu.utils import frontend

EPOCHS, BATCH, RATE = 10, 1024, 0.5  # as in bench/mpc/logistic.py


def logistic(x: Any, y: Any) -> Any:
    """Logistic regression by mini-batches: the batches of full size in a loop, and the last one."""
    rows = x.shape[0]
    full, rest = divmod(rows, BATCH)
    x = jnp.concatenate([x, jnp.ones((rows, 1))], axis=1)

    def step(weights: Any, xs: Any, ys: Any) -> Any:
        errors = jax.nn.sigmoid(xs @ weights) - ys
        return weights - RATE / xs.shape[0] * (xs.T @ errors)

    def batch(place: Any, weights: Any) -> Any:
        xs = jax.lax.dynamic_slice(x, (place * BATCH, 0), (BATCH, x.shape[1]))
        return step(weights, xs, jax.lax.dynamic_slice(y, (place * BATCH,), (BATCH,)))

    def epoch(_: Any, weights: Any) -> Any:
        weights = jax.lax.fori_loop(0, full, batch, weights)
        return step(weights, x[full * BATCH :], y[full * BATCH :]) if rest else weights

    return jax.lax.fori_loop(0, EPOCHS, epoch, jnp.zeros(x.shape[1]))


PARTIES = {"ABY3": 3, "SEMI2K": 2, "CHEETAH": 2}
FRACTION_BITS = 20
FUNCTIONS = {
    "multiply": lambda x, y: x * y,
    "matmul": lambda x, y: x @ y,
    "less": lambda x, y: x < y,
    "sigmoid": jax.nn.sigmoid,
    "reciprocal": lambda x: 1.0 / x,
    "exp": jnp.exp,
    "rsqrt": jax.lax.rsqrt,
    "sort": jnp.sort,
    "logistic": logistic,
}


def config(protocol: str, *, profile: bool) -> Any:
    made = libspu.RuntimeConfig(protocol=getattr(libspu.ProtocolKind, protocol), field=libspu.FieldType.FM64)
    made.fxp_fraction_bits = FRACTION_BITS
    made.enable_pphlo_profile = profile
    return made


def measure(op: str, protocol: str, shapes: list[list[int]], low: float, high: float) -> dict[str, float]:
    count = PARTIES[protocol]
    inputs = [np.random.default_rng(place).uniform(low, high, shape) for place, shape in enumerate(shapes)]
    names = [f"in{place}" for place in range(len(inputs))]
    program, _ = frontend.compile(
        frontend.Kind.JAX,
        FUNCTIONS[op],
        inputs,
        {},
        names,
        [libspu.Visibility.VIS_SECRET] * len(inputs),
        lambda out: [f"out{place}" for place in range(len(out))],
    )
    store = spu.Io(count, config(protocol, profile=False))
    shares = [store.make_shares(values, libspu.Visibility.VIS_SECRET) for values in inputs]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        addresses = ["127.0.0.1:" + str(sock.getsockname()[1]) for sock in sockets]
    configs = {name: config(protocol, profile=name == "profile") for name in ("profile", "timed")}
    processes = []
    for rank in range(count):
        given = (rank, addresses, configs, program, [share[rank] for share in shares])
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("spu_party.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        process.stdin.write(pickle.dumps(given))
        process.stdin.close()
        processes.append(process)
    told = [answer(process) for process in processes]
    for process in processes:
        process.kill()
        process.wait()
    return {
        "seconds": max(item[0] for item in told),
        "bytes": sum(item[1] for item in told),
        "peak_mib": max(item[2] for item in told),
    }


def answer(process: subprocess.Popen[bytes]) -> list[float]:
    for line in process.stdout:
        if found := re.search(rb"ANSWER (.*)", line):
            return json.loads(found.group(1))
    raise RuntimeError(f"a party of SPU ended with code {process.wait()}")


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # its log goes to standard output
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(measure(**request)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
