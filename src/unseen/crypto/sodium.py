"""libsodium's ristretto255, through `rbcl`, on arrays: the twin of the native kernels, and the arithmetic of scalars.

:mod:`unseen.crypto.group` computes with this where the native kernels are not built, and the tests hold one against the
other. Shapes and meanings are those of :mod:`unseen.kernels.curve`; nothing is checked here.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]
Flags = NDArray[np.bool_]

_BYTES = 32
_Operation = Callable[..., int]


@cache
def load() -> Any:
    """The library. It is loaded when it is first needed: it is slow to unpack, and most processes never ask.

    Who limits itself, or forks, calls this before.
    """
    module = import_module("rbcl._sodium")
    if os.name == "posix":  # each process writes the library to a temporary file, and would leave it there
        Path(module.lib_path).unlink(missing_ok=True)
    vars(module).pop(
        "sodium_bs", None
    )  # three megabytes: what was written; a thread beside this one may have been first
    return module._sodium  # noqa: SLF001 - it has no other name


def _function(name: str, arguments: int) -> _Operation:
    @cache
    def loaded() -> _Operation:
        function = getattr(load(), name)
        function.restype = ctypes.c_int
        function.argtypes = [ctypes.c_void_p] * arguments
        operation: _Operation = function
        return operation

    def call(*values: Any) -> int:
        return loaded()(*values)

    return call


_from_hash = _function("crypto_core_ristretto255_from_hash", 2)
_mult = _function("crypto_scalarmult_ristretto255", 3)
_mult_base = _function("crypto_scalarmult_ristretto255_base", 2)
_valid = _function("crypto_core_ristretto255_is_valid_point", 1)
_add = _function("crypto_core_ristretto255_add", 3)
_subtract = _function("crypto_core_ristretto255_sub", 3)
_invert = _function("crypto_core_ristretto255_scalar_invert", 2)
_scalar_mult = _function("crypto_core_ristretto255_scalar_mul", 3)
_scalar_add = _function("crypto_core_ristretto255_scalar_add", 3)
_scalar_subtract = _function("crypto_core_ristretto255_scalar_sub", 3)
_scalar_reduce = _function("crypto_core_ristretto255_scalar_reduce", 2)


def _rows(rows: Rows) -> Rows:
    return np.ascontiguousarray(rows, np.uint8)


def _at(rows: Rows, index: int) -> int:
    address: int = rows.ctypes.data + index * rows.shape[1]
    return address


def ristretto_map(uniform: Rows) -> Rows:
    """See the kernel."""
    source = _rows(uniform)
    out = np.empty((len(source), _BYTES), np.uint8)
    for index in range(len(source)):
        _from_hash(_at(out, index), _at(source, index))
    return out


def ristretto_multiply(scalars: Rows, elements: Rows) -> tuple[Rows, Flags]:
    """See the kernel; where the product is the identity it is 0 all the same."""
    source, factors = _rows(elements), _rows(scalars)
    out = np.zeros_like(source)
    for index in range(len(source)):
        _mult(_at(out, index), _at(factors, index if len(factors) == len(source) else 0), _at(source, index))
    return out, ristretto_valid(source)


def ristretto_multiply_base(scalars: Rows) -> Rows:
    """See the kernel."""
    factors = _rows(scalars)
    out = np.zeros((len(factors), _BYTES), np.uint8)
    for index in range(len(factors)):
        _mult_base(_at(out, index), _at(factors, index))
    return out


def ristretto_add(left: Rows, right: Rows, *, minus: bool = False) -> tuple[Rows, Flags]:
    """See the kernel."""
    one, other = _rows(left), _rows(right)
    out, valid = np.zeros_like(one), np.empty(len(one), np.bool_)
    operation = _subtract if minus else _add
    for index in range(len(one)):
        valid[index] = operation(_at(out, index), _at(one, index), _at(other, index)) == 0
    return out, valid & _below_2_255(one) & _below_2_255(other)


def ristretto_sum(scalars: Rows, elements: Rows) -> tuple[Rows, Flags]:
    """See the kernel."""
    products, valid = (
        ristretto_multiply(scalars, elements) if len(elements) else (elements, np.ones(0, np.bool_))
    )
    total = np.zeros((1, _BYTES), np.uint8)
    for index in range(len(products)):
        _add(_at(total, 0), _at(total, 0), _at(products, index))
    return total, valid


def ristretto_valid(elements: Rows) -> Flags:
    """See the kernel."""
    source = _rows(elements)
    valid = np.array([_valid(_at(source, index)) == 1 for index in range(len(source))], np.bool_)
    return valid & _below_2_255(source)


def _below_2_255(elements: Rows) -> Flags:
    """Libsodium up to 1.0.18 overlooks bit 255, so that an element would have two encodings; RFC 9496 refuses it."""
    below: Flags = elements[:, _BYTES - 1] < 1 << 7
    return below


def scalar_random() -> bytes:
    """A uniform scalar other than 0."""
    out = ctypes.create_string_buffer(_BYTES)
    load().crypto_core_ristretto255_scalar_random(out)
    return out.raw


def scalar_invert(scalar: bytes) -> bytes | None:
    """1 / scalar; None for 0."""
    return _scalar(_invert, scalar)


def scalar_multiply(left: bytes, right: bytes) -> bytes:
    """Product."""
    return _scalar(_scalar_mult, left, right) or bytes(_BYTES)


def scalar_add(left: bytes, right: bytes) -> bytes:
    """Sum."""
    return _scalar(_scalar_add, left, right) or bytes(_BYTES)


def scalar_subtract(left: bytes, right: bytes) -> bytes:
    """Difference."""
    return _scalar(_scalar_subtract, left, right) or bytes(_BYTES)


def scalar_reduce(number: bytes) -> bytes:
    """A 64-byte number modulo the order."""
    return _scalar(_scalar_reduce, number) or bytes(_BYTES)


def _scalar(operation: _Operation, *numbers: bytes) -> bytes | None:
    out = ctypes.create_string_buffer(_BYTES)
    failed = operation(out, *(ctypes.create_string_buffer(number, len(number)) for number in numbers))
    return None if failed == -1 else out.raw
