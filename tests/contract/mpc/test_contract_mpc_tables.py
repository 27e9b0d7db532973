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


UNIT, LARGEST = 2.0**-20, 2000
Case = tuple[Callable[..., Any], Callable[..., Any], Callable[[int], Any], float, float]
"""Ours, exact, arguments, largest absolute error and, instead of it where that is more, largest relative one."""


def either_sign(low: float, high: float) -> Callable[[int], Any]:
    return lambda points: powers(low, high)(points) * np.where(np.arange(points) % 2, -1, 1)


def pairs(points: int) -> Any:
    """Dividends and divisors of all sizes, whose quotients fit."""
    rng = np.random.default_rng(4)
    divisor = either_sign(-20, 20.99)(points)
    quotient = rng.normal(size=points) * np.exp2(rng.uniform(-10, 19, points))
    return np.stack([np.clip(quotient * divisor, -(2.0**20), 2.0**20), divisor])


def lines(points: int) -> Any:
    """Of 16 entries, near one another and as far apart as may be."""
    shape = (-(-points // 64), 16)
    rng = np.random.default_rng(6)
    return np.concatenate([rng.uniform(-wide, wide, shape) for wide in (1, 8, 65535)])


def factors(points: int) -> Any:
    return np.random.default_rng(5).uniform(-LARGEST, LARGEST, (2, points))


def near(value: float) -> Callable[[int], Any]:
    """Unit by unit around it."""
    return lambda points: (np.rint(value / UNIT) + np.arange(points) - points // 2) * UNIT


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


RELATIVE = 2.0**-15
PUBLIC = "product with or division by public numbers"
EXACT = "comparisons, `where`, `max`, `argmax`, `sort"
BOUND = np.rint(1.1 / UNIT) * UNIT
STATED: dict[str, tuple[str, list[Case]]] = {
    "product": ("1 unit", [(lambda x: x[0] * x[1], lambda x: x[0] * x[1], factors, UNIT, 0)]),
    PUBLIC: (
        "1 unit, and abs(x) 2^-21",
        [
            (lambda x: x[0] / 3, lambda x: x[0] / 3, factors, UNIT * (1 + LARGEST / 2), 0),
            (lambda x: x[0] * 0.1, lambda x: x[0] * 0.1, factors, UNIT * (1 + LARGEST / 2), 0),
        ],
    ),
    "sigmoid": (
        "1.2e-4 (`precise=True`: 4e-6) absolute",
        [
            (mpc.sigmoid, logistic, linear(-64, 64), 1.2e-4, 0),
            (lambda x: mpc.sigmoid(x, precise=True), logistic, linear(-64, 64), 4e-6, 0),
        ],
    ),
    "tanh": ("8e-6 absolute", [(np.tanh, np.tanh, linear(-64, 64), 8e-6, 0)]),
    "gelu": (
        "6e-4 against x Φ(x)'s usual approximation",
        [
            (mpc.gelu, mpc.gelu, linear(-12, 12), 6e-4, 0),
            (mpc.gelu, mpc.gelu, linear(-255.5, 255.5), 6e-4, 0),
        ],
    ),
    "exp": ("2^-15 relative, or 2 units", [(np.exp, np.exp, linear(-30, 10.99), 2 * UNIT, RELATIVE)]),
    "softmax": ("8e-6 absolute", [(mpc.softmax, mpc.softmax, lines, 8e-6, 0)]),
    "log": ("2^-15 absolute", [(np.log, np.log, powers(-20, 20.99), RELATIVE, 0)]),
    "reciprocal": (
        "2^-15 relative, or 2 units; 1/0 is 0",
        [(np.reciprocal, lambda x: 1 / x, either_sign(-20, 20.99), 2 * UNIT, RELATIVE)],
    ),
    "a / b": (
        "2^-15 relative, or 3 units, for large b too; a / 0 is 0",
        [(lambda x: x[0] / x[1], lambda x: x[0] / x[1], pairs, 3 * UNIT, RELATIVE)],
    ),
    "rsqrt`, `sqrt": (
        "2^-14 relative, or 2 units",
        [
            (mpc.rsqrt, lambda x: 1 / np.sqrt(x), powers(-20, 20.99), 2 * UNIT, 2 * RELATIVE),
            (np.sqrt, np.sqrt, powers(-20, 20.99), 2 * UNIT, 2 * RELATIVE),
        ],
    ),
    "comparisons with public numbers": (
        "exact, of the nearest unit of both: 1.1 equals 1.1, what is less than a unit apart is equal",
        [
            (lambda x: (x < 1.1) * 1, lambda x: (x < BOUND) * 1, near(1.1), 0, 0),
            (lambda x: (x <= 1.1) * 1, lambda x: (x <= BOUND) * 1, near(1.1), 0, 0),
        ],
    ),
}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat[0])
@pytest.mark.parametrize("name", STATED)
def test_largest_errors(name: str, seat: tuple[str, int]) -> None:
    for ours, exact, grid, absolute, relative in STATED[name][1]:
        x = np.rint(grid(513 if seat[0] == "replicated3-malicious" else 4097) / UNIT) * UNIT
        wanted = exact(x)
        off = np.abs(result(seat, ours, x, timeout_s=500) - wanted)
        # half a unit more: what is wanted lies between units
        assert (off <= np.maximum(absolute, relative * np.abs(wanted)) + UNIT / 2).all(), off.max()


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
    stated = {name: cells[-1].split(": the factor")[0] for name, cells in rows_of("Errors").items()}
    assert stated == {name: text for name, (text, _) in STATED.items()} | {EXACT: "exact"}


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
