"""Ring products from digits: the same lines as on a GPU, on NumPy; and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.kernels import gpu, ring
from unseen.kernels.reference import ring as reference

RNG = np.random.default_rng(5)
TOP = 1 << 63
ALL = (1 << 64) - 1
LOWEST_DIGITS = (1 << 64) - 0x8080808080808080  # every digit is -128
EDGES = np.array(
    [0, 1, ALL, TOP, TOP - 1, TOP + 1, LOWEST_DIGITS, 0x7F7F7F7F7F7F7F7F, 0x80, 0xFF, 0x100], np.uint64
)
SHAPES = [(1, 1, 1), (3, 5, 2), (17, 40, 9), (33, 100, 65)]


def times(a: Any, b: Any) -> Any:
    """Sums in 32 bits that may wrap, as on the GPU."""
    return (a.astype(np.int32) @ b.T.astype(np.int32)).astype(np.int64)


def by_digits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    pair = (np.ascontiguousarray(item).view(np.int64) for item in (left, right.T))
    return gpu.by_digits(*pair, np, times).view(np.uint64)


def words(*shape: int) -> np.ndarray:
    return RNG.integers(0, 1 << 64, shape, np.uint64)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_digits_give_the_product(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    left, right = words(rows, inner), words(inner, columns)
    np.testing.assert_array_equal(by_digits(left, right), reference.matmul(left, right))


def test_digits_of_edges() -> None:
    left, right = EDGES[:, None], EDGES[None]
    np.testing.assert_array_equal(by_digits(left, right), left * right)


@pytest.mark.parametrize("value", [ALL, TOP, LOWEST_DIGITS, 0x7F7F7F7F7F7F7F7F], ids=hex)
def test_sums_stay_in_32_bits_at_the_full_depth(value: int) -> None:
    """All digits of all numbers as large as they get. Sums of places from 4 on may wrap unseen; at four times the depth others do."""
    inner = gpu.DEPTH
    left, right = np.full((2, inner), value, np.uint64), np.full((inner, 1), value, np.uint64)
    expected = np.uint64(value * value * inner & ALL)
    np.testing.assert_array_equal(by_digits(left, right), np.full((2, 1), expected))
    if value == LOWEST_DIGITS:
        left, right = np.full((1, 4 * inner), value, np.uint64), np.full((4 * inner, 1), value, np.uint64)
        assert by_digits(left, right)[0, 0] != np.uint64(value * value * 4 * inner & ALL)


def test_what_is_worth_the_way() -> None:
    assert gpu.worthwhile(4096, 4096, 4096)
    assert not gpu.worthwhile(100, 100, 100)
    assert not gpu.worthwhile(1 << 20, 100, 1)  # a vector: all of the matrix would be moved for it
    assert not gpu.worthwhile(0, 5, 5)


def test_without_a_gpu_the_processor_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "device", lambda: None)
    monkeypatch.setattr(gpu.Patience, "ends", lambda *_: True)
    left, right = words(5, 7), words(7, 3)
    assert gpu.matmul(left, right) is None
    assert gpu.multiply(left, left) is None
    np.testing.assert_array_equal(ring.matmul(left, right), reference.matmul(left, right))


def test_few_products_do_not_wait_for_the_library() -> None:
    patience = gpu.Patience()
    assert not any(patience.ends(100, 100, 100) for _ in range(10**5))
    asked = [patience.ends(1000, 1000, 1000) for _ in range(20)]
    assert asked == [False] * 17 + [True] * 3
    assert gpu.Patience().ends(4096, 4096, 4096)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_GPU", "off")
    assert gpu.device.__wrapped__() is None


# ---------------------------------------------------------------- on a GPU

on_a_gpu = pytest.mark.skipif(gpu.device() is None, reason="no NVIDIA GPU that PyTorch can use")


@on_a_gpu
@pytest.mark.parametrize(
    "shape", [*SHAPES, (1, 1, 300), (500, 1, 1), (64, 20000, 31), (1000, 1000, 1000), (5, 0, 4)], ids=str
)
def test_bit_for_bit_as_on_the_processor(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    left, right = words(rows, inner), words(inner, columns)
    np.testing.assert_array_equal(gpu.matmul(left, right), left @ right)
    np.testing.assert_array_equal(gpu.matmul(right.T, left.T), right.T @ left.T)


@on_a_gpu
@pytest.mark.parametrize("value", [ALL, TOP, LOWEST_DIGITS, 0x7F7F7F7F7F7F7F7F], ids=hex)
def test_extremes_on_the_gpu(value: int) -> None:
    left, right = np.full((40, 20000), value, np.uint64), np.full((20000, 24), value, np.uint64)
    expected = np.full((40, 24), np.uint64(value * value * 20000 & ALL))
    np.testing.assert_array_equal(gpu.matmul(left, right), expected)
    np.testing.assert_array_equal(gpu.matmul(EDGES[:, None], EDGES[None]), EDGES[:, None] * EDGES[None])


@on_a_gpu
def test_elementwise_on_the_gpu() -> None:
    left, right = words(1000, 77), words(1000, 77)
    np.testing.assert_array_equal(gpu.multiply(left, right), left * right)


@on_a_gpu
def test_the_facade_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(gpu, "_PATIENCE", 0)
    honest = gpu.matmul
    monkeypatch.setattr(gpu, "matmul", lambda left, right: asked.append(1) or honest(left, right))
    left, right = words(1200, 1100), words(1100, 1000)
    np.testing.assert_array_equal(ring.matmul(left, right), left @ right)
    assert asked
