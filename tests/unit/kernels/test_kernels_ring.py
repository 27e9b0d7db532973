"""Every instruction set gives what the NumPy reference gives."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.kernels import backend, matmul, ring
from unseen.kernels.reference import ring as reference

NATIVE = backend().startswith("native")
needs_native = pytest.mark.skipif(not NATIVE, reason="the native kernels are not built")


def random(seed: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, (1 << 64) - 1, (rows, columns), np.uint64, endpoint=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 70), st.integers(1, 60), st.integers(0, 1000))
def test_any_shape(n: int, k: int, m: int, seed: int) -> None:
    a, b = random(seed, n, k), random(seed + 1, k, m)
    np.testing.assert_array_equal(matmul(a, b), reference.matmul(a, b))


@pytest.mark.parametrize("value", [0, 1, (1 << 63), (1 << 64) - 1])
def test_edges_of_the_ring(value: int) -> None:
    a = np.full((9, 300), value, np.uint64)
    np.testing.assert_array_equal(matmul(a, a.T), reference.matmul(a, a.T))


def test_views_and_strides() -> None:
    a, b = random(1, 40, 30), random(2, 60, 50)
    left, right = a[::2, ::3], b[:10, 1::2]
    np.testing.assert_array_equal(matmul(left, right), reference.matmul(left, right))
    np.testing.assert_array_equal(matmul(a.T, a), reference.matmul(a.T, a))


def test_large_products_by_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "_EACH_THREAD", 1000)
    monkeypatch.setattr(ring.os, "cpu_count", lambda: 7)
    a, b = random(1, 40, 30), random(2, 60, 40)
    np.testing.assert_array_equal(matmul(a.T, b.T), reference.matmul(a.T, b.T))


@needs_native
def test_inner_dimensions_must_agree() -> None:
    with pytest.raises(ValueError, match="inner"):
        matmul(random(1, 2, 3), random(1, 4, 2))


@needs_native
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint32])
def test_another_dtype_is_refused(dtype: type) -> None:
    with pytest.raises(TypeError, match="uint64"):
        matmul(np.ones((2, 2), dtype), random(1, 2, 2))


@needs_native
@pytest.mark.parametrize("name", ["portable", "avx2", "avx512", "amx", "reference", "nonsense"])
def test_the_variable_chooses(name: str) -> None:
    """In a process of its own: the choice is made once."""
    code = (
        "import numpy as np\nfrom unseen.kernels import backend, matmul\n"
        "from unseen.kernels.reference import ring as reference\n"
        "a = np.arange(35 * 27, dtype=np.uint64).reshape(35, 27) ** np.uint64(9)\n"
        "assert (matmul(a, a.T) == reference.matmul(a, a.T)).all()\nprint(backend())"
    )
    known = __import__("unseen.kernels._native", fromlist=["x"]).matrix_sets()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "UNSEEN_ISA": name},
        capture_output=True,
        text=True,
        check=False,
    )
    if name == "reference":
        assert done.stdout.strip() == "reference"
    elif name in known:
        assert done.stdout.strip() == f"native:{name}"
    else:
        assert "UNSEEN_ISA" in done.stderr
