"""One party of CrypTen: runs an operation twice, prints one line of JSON. Its dealer of randomness is the first party itself."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

# CrypTen 0.4.1 imports a part of PyTorch's ONNX export that is there no more. It is not used here.
GONE = ModuleType("torch.onnx._internal.registration")
GONE.registry = None  # type: ignore[attr-defined]
sys.modules[GONE.__name__] = GONE

import crypten
import crypten.communicator as comm
import numpy as np
import torch
from crypten.config import cfg

FRACTION_BITS = 20
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": lambda x, y: x * y,
    "matmul": lambda x, y: x.matmul(y),
    "less": lambda x, y: x < y,
    "sigmoid": lambda x: x.sigmoid(),
    "reciprocal": lambda x: x.reciprocal(),
    "exp": lambda x: x.exp(),
    "rsqrt": lambda x: x.inv_sqrt(),
}


def main() -> None:
    request = json.loads(sys.argv[1])
    cfg.encoder.precision_bits = FRACTION_BITS
    cfg.communicator.verbose = True
    crypten.init()
    torch.set_num_threads(1)
    secrets = [
        crypten.cryptensor(
            torch.from_numpy(np.random.default_rng(place).uniform(request["low"], request["high"], shape)),
            src=0,
        )
        for place, shape in enumerate(request["shapes"])
    ]
    function = FUNCTIONS[request["op"]]
    function(*secrets)
    comm.get().barrier()
    comm.get().reset_communication_stats()
    start = time.perf_counter()
    function(*secrets)
    seconds = time.perf_counter() - start
    sent = comm.get().comm_bytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write("ANSWER " + json.dumps([seconds, sent, peak]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
