"""The tables of functions in docs/mpc.md, errors on dense grids and costs, hold under every protocol.

`python tests/contract/mpc/test_contract_mpc_tables.py` writes the table of costs anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from protocol_run import measure, result

from unseen import mpc

FILE = Path(__file__).parents[3] / "docs" / "mpc.md"
PAGE = FILE.read_text()
SEATS = [("dealer2", 2), ("replicated3", 3), ("pair2", 2), ("replicated3-malicious", 3)]
BAR = 2.0**-12
ROWS = 4096


def rows_of(heading: str) -> dict[str, list[str]]:
    """First cell -> the others, of the table under that heading."""
    text = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {cells[0].strip("` "): [cell.strip() for cell in cells[1:]] for cells in lines[2:]}


def linear(low: float, high: float) -> Callable[[int], Any]:
    return lambda points: np.linspace(low, high, points)


def powers(low: float, high: float) -> Callable[[int], Any]:
    return lambda points: np.exp2(np.linspace(low, high, points))


GRIDS: dict[str, tuple[Any, Any, Callable[[int], Any], int, bool]] = {
    "sigmoid": (mpc.sigmoid, lambda x: 1 / (1 + np.exp(-x)), linear(-32, 32), 20, False),
    "tanh": (np.tanh, np.tanh, linear(-16, 16), 20, False),
    "log": (np.log, np.log, powers(-20, 20.99), 20, False),
    "exp, x from -4 to 10": (np.exp, np.exp, linear(-4, 10), 20, True),
    "exp, x from -10 to 10": (np.exp, np.exp, linear(-10, 10), 28, True),
    "reciprocal": (np.reciprocal, lambda x: 1 / x, powers(-20, 6), 20, True),
    "rsqrt": (mpc.rsqrt, lambda x: 1 / np.sqrt(x), powers(-20, 12), 20, True),
}


def error_of(name: str, seat: tuple[str, int], points: int) -> float:
    ours, exact, grid, bits, relative = GRIDS[name]
    x = np.rint(grid(points) * 2.0**bits) / 2.0**bits
    wanted = exact(x)
    error = np.abs(result(seat, ours, x, bits=bits, timeout_s=500) - wanted)
    return float((error / wanted if relative else error).max())


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat[0])
@pytest.mark.parametrize("name", GRIDS)
def test_errors_on_dense_grids(name: str, seat: tuple[str, int]) -> None:
    published = float(rows_of("Errors on dense grids")[name][-1])
    error = error_of(name, seat, 4097 if seat[0] == "replicated3-malicious" else 65537)
    assert error <= published <= BAR


COSTS: dict[str, Callable[[Any, Any], Any]] = {
    "a * b": lambda x, y: x * y,
    "a > b": lambda x, y: x > y,
    "mpc.equal": mpc.equal,
    "np.where(a > 0, a, b)": lambda x, y: np.where(x > 0, x, y),
    "np.maximum": np.maximum,
    "abs": lambda x, _: abs(x),
    "np.floor": lambda x, _: np.floor(x),
    "np.exp": lambda x, _: np.exp(x),
    "np.log": lambda _, y: np.log(y),
    "np.sqrt": lambda _, y: np.sqrt(y),
    "mpc.rsqrt": lambda _, y: mpc.rsqrt(y),
    "np.reciprocal": lambda _, y: np.reciprocal(y),
    "a / b": lambda x, y: x / y,
    "mpc.sigmoid": lambda x, _: mpc.sigmoid(x),
    "np.tanh": lambda x, _: np.tanh(x),
    "mpc.gelu": lambda x, _: mpc.gelu(x),
    "mpc.softmax": lambda x, _: mpc.softmax(x.reshape(-1, 16)),
    "max": lambda x, _: x.max(),
    "argmax": lambda x, _: x.argmax(),
    "var": lambda x, _: x.var(),
    "np.sort": lambda x, _: np.sort(x),
}


def cost_of(name: str, seat: tuple[str, int]) -> tuple[int, float]:
    rng = np.random.default_rng(1)
    body = COSTS[name]
    options = (
        {"assumption": "symmetric"} if seat[0] == "pair2" else {}
    )  # silent transfers come in large rounds
    inputs = rng.uniform(-8, 8, ROWS), rng.uniform(0.5, 8, ROWS)
    found = measure(seat, lambda _, x, y: body(x, y), *inputs, **options)
    return found.depth, found.size_bytes / ROWS


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat[0])
@pytest.mark.parametrize("name", COSTS)
def test_costs(name: str, seat: tuple[str, int]) -> None:
    cell = rows_of("Cost")[name][SEATS.index(seat)]
    rounds, size_bytes = (float(item) for item in re.fullmatch(r"(\d+), ([\d.]+)", cell).groups())  # type: ignore[union-attr]
    slack = 0.3 if name == "np.sort" else 0.1  # quicksort goes by chance
    measured = cost_of(name, seat)
    assert measured[0] == pytest.approx(rounds, rel=slack, abs=2)
    assert measured[1] == pytest.approx(size_bytes, rel=slack)


def test_the_tables_are_complete() -> None:
    assert set(rows_of("Cost")) == set(COSTS)
    assert set(rows_of("Errors on dense grids")) == set(GRIDS)


def written(name: str) -> str:
    cells = ("{}, {:.0f}".format(*cost_of(name, seat)) for seat in SEATS)
    return f"| `{name}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    before, costs = PAGE.split("## Cost\n")
    lines = [
        written(line.split("`")[1]) if line.startswith("| `") and line.split("`")[1] in COSTS else line
        for line in costs.split("\n")
    ]
    FILE.write_text(f"{before}## Cost\n" + "\n".join(lines))
