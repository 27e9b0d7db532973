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

import crypten  # noqa: E402
import crypten.communicator as comm  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from crypten.config import cfg  # noqa: E402

FRACTION_BITS = 20
EPOCHS, BATCH, RATE = 10, 1024, 0.5  # as in logistic.py


def logistic(x: Any, y: Any) -> Any:
    """Logistic regression by mini-batches."""
    x = crypten.cat([x, crypten.cryptensor(torch.ones(x.shape[0], 1), src=0)], dim=1)
    weights = crypten.cryptensor(torch.zeros(x.shape[1], 1), src=0)
    for _ in range(EPOCHS):
        for start in range(0, x.shape[0], BATCH):
            xs, ys = x[start : start + BATCH], y[start : start + BATCH].unsqueeze(1)
            errors = xs.matmul(weights).sigmoid() - ys
            weights = weights - xs.transpose(0, 1).matmul(errors) * (RATE / xs.shape[0])
    return weights


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": lambda x, y: x * y,
    "matmul": lambda x, y: x.matmul(y),
    "less": lambda x, y: x < y,
    "sigmoid": lambda x: x.sigmoid(),
    "reciprocal": lambda x: x.reciprocal(),
    "exp": lambda x: x.exp(),
    "rsqrt": lambda x: x.inv_sqrt(),
    "logistic": logistic,
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
    if request["op"] == "logistic":  # which takes minutes
        function(*(secret[: 2 * BATCH] for secret in secrets))
    else:
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
