"""Every protocol moves rows by secret orders and sorts, in rounds that do not grow with the number of lines."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from protocol_run import measure, result, seat

from unseen import mpc
from unseen.mpc.functions import permute, pieces, quicksort, radix

RNG = np.random.default_rng(5)


@seat
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_rows_moved_by_a_secret_order(seat: tuple[str, int], count: int) -> None:
    places, rows = RNG.permutation(count), RNG.integers(0, 99, (count, 2, 3))
    got = result(seat, mpc.permute, rows, places, dtype=int)
    np.testing.assert_array_equal(got, rows[places])
    got = result(seat, lambda a, b: mpc.permute(a > 50, b, back=True), rows, places, dtype=int)
    np.testing.assert_array_equal(got[places], rows > 50)


@seat
def test_an_order_and_its_inverse(seat: tuple[str, int]) -> None:
    places = RNG.permutation(30)

    def body(order: Any) -> Any:
        protocol = order.engine.protocol
        inverse = permute.inverse(protocol, order.share)
        return mpc.permute(order.engine.number(inverse, 0), order)

    np.testing.assert_array_equal(result(seat, body, places, dtype=int), np.arange(30))


@seat
def test_rows_by_two_keys(seat: tuple[str, int]) -> None:
    rows = RNG.integers(-4, 4, (100, 3))
    got = result(seat, lambda a: mpc.order_by([a[:, 0], a[:, 1]], a, key_bits=3), rows, dtype=int)
    np.testing.assert_array_equal(got, rows[np.lexsort((rows[:, 1], rows[:, 0]))])


@seat
@pytest.mark.parametrize("length", [9, 40])
def test_lines_are_sorted_in_the_same_rounds(seat: tuple[str, int], length: int) -> None:
    body = partial(_sorted, key_bits=2)
    one, ten = (measure(seat, body, np.zeros((lines, length))).depth for lines in (1, 10))
    assert ten <= one + 1  # where transfers are made, more may take one round more


def _sorted(_engine: Any, x: Any, *, key_bits: int) -> Any:
    return mpc.sort(x, key_bits=key_bits)


@pytest.mark.parametrize(
    "seat",
    [
        ("dealer2", 2),
        pytest.param(("dealer", 3), marks=pytest.mark.long),
        ("replicated3", 3),
        pytest.param(("pair2", 2), marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("key_bits", [None, 22])
def test_in_pieces_as_at_once(
    seat: tuple[str, int], key_bits: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By radix and by quicksort; several lines, of which a piece may hold parts, and ties."""
    for module, name in ((pieces, "SMALLEST"), (radix, "_LEAST"), (quicksort, "_LEAST")):
        monkeypatch.setattr(module, name, 64)
    x = np.round(np.random.default_rng(8).uniform(-1, 1, (3, 90)), 1)
    x = x.ravel() if key_bits is None else x
    np.testing.assert_allclose(
        result(seat, lambda s: mpc.sort(s, key_bits=key_bits), x), np.sort(x), atol=1e-5
    )
