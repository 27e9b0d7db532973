"""Products in Z_2^64 on an NVIDIA GPU, bit for bit those of the processor; an optional extra (`pip install unseen[gpu]`).

Tensor cores multiply bytes. A word is a sum of eight digits from -128 to 127 times 256^i; of the 64 products of digits those
with i + j < 8 count modulo 2^64. All with the same i + j are one matrix product of bytes, whose rows have the digits i side by
side and whose columns the digits j = s - i: eight products a matrix, 36 times the work of one digit. 8 K products of at most
2^14 are added in 32 bits, so K is at most 2^14 - 1 at a time.

Source: Ootomo, Ozaki, Yokota, "DGEMM on Integer Matrix Multiplication Unit" (IJHPCA 2024) for the digits, here of integers.

:func:`by_digits` takes arrays of NumPy and of PyTorch alike, so that tests run it without a GPU. Where there is none, no PyTorch,
or no room on it, :func:`matmul` answers None and the processor computes. `UNSEEN_GPU=off` leaves it alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

DEPTH = 1 << 13
"""Inner sizes beyond it are computed in pieces; a power of two below the limit."""
_DIGITS = 8
_BIAS = (
    -0x7F7F7F7F7F7F7F80
)  # 0x8080808080808080: adding it, and taking 128 from each byte, leaves the number as it was
_LEAST_WORK = 1 << 28
_LEAST_INTENSITY = 32
_PATIENCE = 1 << 34  # multiplications: one to two seconds of a processor
_OUTER, _INNER = 32, 16  # what the library wants sizes to be multiples of, on all cards and for all shapes
_DRIVER = Path("/proc/driver/nvidia/version")


def by_digits(left: Any, right: Any, kind: ModuleType, times: Callable[[Any, Any], Any]) -> Any:
    """`left @ right.T` modulo 2^64 of int64 arrays (n, k) and (m, k), both contiguous, k at most 2^14 - 1.

    Parameters
    ----------
    kind
        numpy or torch.
    times
        `a @ b.T` of int8 arrays (n, k) and (m, k), as int64, from sums in 32 bits.
    """
    depth = left.shape[1]
    one = _digits(left, kind).swapaxes(1, 2).reshape(-1, _DIGITS * depth)
    other = kind.flip(_digits(right, kind), (2,)).swapaxes(1, 2).reshape(-1, _DIGITS * depth)
    total = times(one[:, :depth], other[:, (_DIGITS - 1) * depth :])
    for place in range(1, _DIGITS):
        sums = times(one[:, : (place + 1) * depth], other[:, (_DIGITS - 1 - place) * depth :])
        total += sums << (8 * place)
    return total


def _digits(values: Any, kind: ModuleType) -> Any:
    return ((values + _BIAS) ^ _BIAS).view(kind.int8).reshape(*values.shape, _DIGITS)


def worthwhile(rows: int, inner: int, columns: int) -> bool:
    """Whether a product is so large that copying to the GPU and back does not matter."""
    work = rows * inner * columns
    moved = rows * inner + inner * columns + rows * columns
    return work >= _LEAST_WORK and work >= _LEAST_INTENSITY * moved


class Patience:
    """PyTorch takes seconds to come: a process whose large products are few computes them itself."""

    def __init__(self) -> None:
        self._offered = 0

    def ends(self, rows: int, inner: int, columns: int) -> bool:
        """Whether this product is one for the GPU, after so many others."""
        if not worthwhile(rows, inner, columns):
            return False
        self._offered += rows * inner * columns
        return self._offered >= _PATIENCE


@cache
def device() -> ModuleType | None:
    """PyTorch, if it and a GPU that it can use are there; asked once, and PyTorch is not imported where there is no driver."""
    if os.environ.get("UNSEEN_GPU") == "off" or not _DRIVER.exists() or find_spec("torch") is None:
        return None
    try:
        torch = import_module("torch")
        torch.zeros(1, device="cuda")
    except (ImportError, RuntimeError, OSError):
        return None
    return torch


def matmul(left: Words, right: Words) -> Words | None:
    """Matrix product mod 2^64 of shapes (n, k) and (k, m), or None where the GPU is not there or has no room."""
    torch = device()
    if torch is None:
        return None
    try:
        return _on(torch, left, right)
    except RuntimeError:  # no room on the card, or a shape that its library refuses
        torch.cuda.empty_cache()
        return None


def _on(torch: ModuleType, left: Words, right: Words) -> Words:
    if not left.size or not right.size:
        return np.zeros((left.shape[0], right.shape[1]), np.uint64)
    return _back(torch, product(torch, _moved(torch, left), _moved(torch, right)))


def _back(torch: ModuleType, there: Any) -> Words:
    """In memory that stays where it is, which the card writes directly: 35 times as fast as into fresh pages."""
    here = torch.empty(there.shape, dtype=torch.int64, pin_memory=True)
    here.copy_(there)
    words: Words = here.numpy().view(np.uint64)
    return words


def product(torch: ModuleType, left: Any, right: Any) -> Any:
    """Matrix product modulo 2^64 of int64 tensors on the GPU, (n, k) and (k, m), neither empty."""
    rows, columns = left.shape[0], right.shape[1]

    def times(a: Any, b: Any) -> Any:
        return torch._int_mm(a, b.t()).to(torch.int64)  # noqa: SLF001 - the library's name for it

    def padded(piece: Any) -> Any:
        across, down = -piece.shape[1] % _INNER, -piece.shape[0] % _OUTER
        return torch.nn.functional.pad(piece, (0, across, 0, down)).contiguous()

    other = right.t()
    total: Any = None
    for begin in range(0, left.shape[1], DEPTH):
        inner = slice(begin, begin + DEPTH)
        part = by_digits(padded(left[:, inner]), padded(other[:, inner]), torch, times)
        total = part if total is None else total.add_(part)
    return total[:rows, :columns].contiguous()


def multiply(left: Words, right: Words) -> Words | None:
    """Elementwise product mod 2^64 of equal shapes, or None.

    On the card a hundred times as fast as on a processor, but not with the way there and back: nothing here calls it.
    """
    torch = device()
    if torch is None:
        return None
    return _back(torch, _moved(torch, left) * _moved(torch, right))


def _moved(torch: ModuleType, values: Words) -> Any:
    return torch.from_numpy(np.ascontiguousarray(values).view(np.int64)).to("cuda")
