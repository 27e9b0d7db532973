"""The native module, if it was built, on the instruction set that this machine (or UNSEEN_ISA) chooses.

The environment variable UNSEEN_ISA chooses among what the machine has: `reference`, `portable`, `avx2`, `avx512`,
`amx` (the same as `avx512` with matrix products on the matrix unit).
Every kernel module beside this one asks :func:`native` once and falls back to its twin in
:mod:`unseen.kernels.reference`, which defines what is computed.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from unseen.core.errors import UsageError

_VARIABLE = "UNSEEN_ISA"


def _load() -> tuple[ModuleType | None, str]:
    wanted = os.environ.get(_VARIABLE, "")
    if wanted == "reference":
        return None, wanted
    try:
        module = import_module("unseen.kernels._native")
    except ImportError:
        if wanted:
            raise UsageError(f"{_VARIABLE}={wanted} needs the native kernels, which are not built.") from None
        return None, "reference"
    known = tuple(module.matrix_sets())
    if wanted and wanted not in known:
        raise UsageError(
            f"{_VARIABLE}={wanted} is not among those of this machine: {', '.join(known)}, reference."
        )
    chosen = wanted or known[-1]
    module.use(chosen)
    return module, f"native:{chosen}"


_native, _backend = _load()


def native() -> ModuleType | None:
    """The native module, set to its instruction set; None where only the reference is there."""
    return _native


def backend() -> str:
    """What computes: `native:amx`, `native:avx512`, `native:avx2`, `native:portable` or `reference`."""
    return _backend
