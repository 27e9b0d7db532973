"""What the malicious protocol does in pieces is right, is checked, and costs what is declared, however small the pieces are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from protocol_run import measure, result

from unseen.mpc import sigmoid
from unseen.mpc.protocols.replicated3_malicious import gates, price, sharing, words

SEAT = ("replicated3-malicious", 3)
SMALL = [(gates, "BATCH", 300), (sharing, "MOVED", 200), (words, "TRUNCATED", 50), (words, "_WAVED", 40)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, size in SMALL:
        monkeypatch.setattr(module, name, size)


BODIES: dict[str, Any] = {
    "multiply and truncate": lambda x: x * x,
    "less": lambda x: x < 0.5,
    "matrix": lambda x: x.reshape(50, 3) @ x[:3],
    "wide": lambda x: x.reshape(3, 50) @ x.reshape(50, 3),
    "sum of a sort": lambda x: np.sort(x)[:75].sum().reshape(1),
}


@pytest.mark.parametrize("name", BODIES)
def test_right_in_pieces(name: str) -> None:
    x = np.random.default_rng(5).normal(size=150)
    np.testing.assert_allclose(result(SEAT, BODIES[name], x), BODIES[name](x), atol=1e-4)


def test_waves_in_pieces() -> None:
    x = np.linspace(-8, 8, 150)
    np.testing.assert_allclose(result(SEAT, sigmoid, x), sigmoid(x), atol=1.3e-4)


OPERATIONS: dict[str, Any] = {
    "multiply": lambda engine, x: engine.protocol.multiply(x.share, x.share),
    "truncate": lambda engine, x: engine.protocol.truncate(x.share, 20),
    "less": lambda engine, x: engine.protocol.mask(x.share).less_than([0]),
    "shuffle": lambda engine, x: engine.protocol.shuffle(x.share[..., None]),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_declared_in_pieces(operation: str) -> None:
    elements = 170
    declared = price(operation, elements, 3)
    meter = measure(SEAT, OPERATIONS[operation], np.ones(elements))
    assert (meter.size_bytes, meter.depth) == (declared.size_bytes, declared.rounds)
