"""Arithmetic in Z_2^64 on whole arrays: the native kernel where it was built, else the NumPy reference.

The environment variable UNSEEN_ISA chooses among what the machine has: `reference`, `portable`, `avx2`, `avx512`.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.kernels import reference

_VARIABLE = "UNSEEN_ISA"


def _load() -> tuple[ModuleType | None, str]:
    wanted = os.environ.get(_VARIABLE, "")
    if wanted == "reference":
        return None, wanted
    try:
        native = import_module("unseen.kernels._native")
    except ImportError:
        if wanted:
            raise UsageError(f"{_VARIABLE}={wanted} needs the native kernels, which are not built.") from None
        return None, "reference"
    known = tuple(native.instruction_sets())
    if wanted and wanted not in known:
        raise UsageError(
            f"{_VARIABLE}={wanted} is not among those of this machine: {', '.join(known)}, reference."
        )
    chosen = wanted or known[-1]
    native.use(chosen)
    return native, f"native:{chosen}"


_native, _backend = _load()


def backend() -> str:
    """What computes: `native:avx512`, `native:avx2`, `native:portable` or `reference`."""
    return _backend


def matmul(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Matrix product mod 2^64 of shapes (n, k) and (k, m); any strides."""
    if _native is None:
        return reference.matmul(left, right)
    product: NDArray[np.uint64] = _native.matmul(left, right)
    return product
