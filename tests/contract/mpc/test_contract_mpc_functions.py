"""Every function of the engine, once through every protocol; dense grids are for the long run (test_contract_mpc_tables.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from protocol_run import result, seat

from unseen import mpc

POINTS = np.array([0.75, 2.5, 0.1, 6.0, 1.0, 3.25])
SIGNED = POINTS * np.array([1, -1, 1, -1, -1, 1])
FUNCTIONS: dict[str, Any] = {
    "exp": lambda x, s: np.exp(s),
    "log": lambda x, s: np.log(x) + np.log1p(x),
    "sqrt": lambda x, s: np.sqrt(x),
    "rsqrt": lambda x, s: mpc.rsqrt(x),
    "reciprocal": lambda x, s: np.reciprocal(s) + x / (s * s),
    "sigmoid": lambda x, s: mpc.sigmoid(s),
    "tanh": lambda x, s: np.tanh(s),
    "gelu": lambda x, s: mpc.gelu(s),
    "softmax": lambda x, s: mpc.softmax(s.reshape(2, 3)),
    "orders": lambda x, s: np.concatenate([np.sort(s), np.argsort(s), *mpc.topk(s, 2)]),
}


@seat
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_plain_arrays(name: str, seat: tuple[str, int]) -> None:
    expected = FUNCTIONS[name](POINTS, SIGNED)
    got = result(seat, FUNCTIONS[name], POINTS, SIGNED)
    np.testing.assert_allclose(got, expected, rtol=2.0**-12, atol=2.0**-11)
