"""The prime-order group ristretto255 (RFC 9496), on arrays of encoded elements; arithmetic by libsodium.

Elements and scalars are 32-byte strings; a batch of n elements is a uint8 array of shape (n, 32). What a peer sent is
checked by the operation that uses it: an encoding that is not canonical, and the identity, are refused.

libsodium computes in constant time and without the interpreter's lock, so batches spread over threads.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rbcl._sodium import _sodium

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.crypto.expand import expand_message

Elements = NDArray[np.uint8]

ELEMENT_BYTES = 32
SCALAR_BYTES = 32
HASH_BYTES = 64

_from_hash = _sodium.crypto_core_ristretto255_from_hash
_mult = _sodium.crypto_scalarmult_ristretto255
_mult_base = _sodium.crypto_scalarmult_ristretto255_base
_valid = _sodium.crypto_core_ristretto255_is_valid_point
_add = _sodium.crypto_core_ristretto255_add
_subtract = _sodium.crypto_core_ristretto255_sub
for _function in (_from_hash, _mult, _mult_base, _valid, _add, _subtract):
    _function.restype = ctypes.c_int
_add.argtypes = _subtract.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
_mult_base.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_from_hash.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_mult.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
_valid.argtypes = [ctypes.c_void_p]


def scalar_random() -> bytes:
    """A uniform scalar other than 0."""
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _sodium.crypto_core_ristretto255_scalar_random(out)
    return out.raw


def scalar_invert(scalar: bytes) -> bytes:
    """1 / scalar modulo the order of the group.

    Raises
    ------
    LocalProtocolError
        The scalar is 0.
    """
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    if _sodium.crypto_core_ristretto255_scalar_invert(out, _scalar(scalar)) != 0:
        raise LocalProtocolError("The scalar 0 has no inverse.")
    return out.raw


def scalar_reduce(number: bytes) -> bytes:
    """A 64-byte little-endian number modulo the order of the group."""
    if len(number) != HASH_BYTES:
        raise LocalProtocolError(f"{HASH_BYTES} bytes are reduced to a scalar, not {len(number)}.")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _sodium.crypto_core_ristretto255_scalar_reduce(out, number)
    return out.raw


def from_uniform(numbers: Elements) -> Elements:
    """The one-way map of RFC 9496 section 4.3.4: shape (n, 64) of uniform bytes to (n, 32) elements."""
    source = np.ascontiguousarray(numbers, np.uint8)
    if source.ndim != 2 or source.shape[1] != HASH_BYTES:  # noqa: PLR2004 - rows of bytes
        raise LocalProtocolError(
            f"The one-way map takes rows of {HASH_BYTES} bytes, not shape {source.shape}."
        )
    out = np.empty((len(source), ELEMENT_BYTES), np.uint8)
    for index in range(len(source)):
        _from_hash(_address(out, index), _address(source, index))
    return out


def hash_to_group(messages: Sequence[bytes], domain: bytes) -> Elements:
    """Each message as an element, shape (n, 32): HashToGroup of RFC 9497 for ristretto255-SHA512.

    `domain` is the whole domain separation tag (RFC 9380 section 3.1: at most 255 bytes, unique to the use).
    """
    numbers = [expand_message(message, domain, HASH_BYTES) for message in messages]
    return from_uniform(np.frombuffer(b"".join(numbers), np.uint8).reshape(-1, HASH_BYTES))


def scalar_mult(scalar: bytes, elements: Elements, *, sender: str) -> Elements:
    """`scalar` times each element, shape (n, 32).

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding, or the identity, or becomes it; `sender` is named.
    """
    source = _received(elements, sender)
    factor = np.frombuffer(_scalar(scalar), np.uint8)
    return _multiplied(np.broadcast_to(factor, (len(source), SCALAR_BYTES)).copy(), source, sender)


def scalar_mult_each(scalars: Elements, elements: Elements, *, sender: str) -> Elements:
    """Scalar i times element i, shapes (n, 32).

    Raises
    ------
    RemoteProtocolError
        See :func:`scalar_mult`.
    """
    source = _received(elements, sender)
    return _multiplied(_scalars(scalars, len(source)), source, sender)


def base_mult_each(scalars: Elements) -> Elements:
    """Each scalar times the generator, shape (n, 32).

    Raises
    ------
    LocalProtocolError
        A scalar is 0.
    """
    factors = _scalars(scalars, len(scalars))
    out = np.empty((len(factors), ELEMENT_BYTES), np.uint8)
    for index in range(len(factors)):
        if _mult_base(_address(out, index), _address(factors, index)) != 0:
            raise LocalProtocolError("The scalar 0 gives the identity.")
    return out


def add(left: Elements, right: Elements, *, sender: str) -> Elements:
    """Element by element left + right, shapes (n, 32). The identity (32 zero bytes) is taken and may come out.

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding; `sender` is named.
    """
    return _combined(_add, left, right, sender)


def subtract(left: Elements, right: Elements, *, sender: str) -> Elements:
    """Element by element left - right; see :func:`add`."""
    return _combined(_subtract, left, right, sender)


def scalar_mult_base(scalar: bytes) -> bytes:
    """`scalar` times the generator.

    Raises
    ------
    LocalProtocolError
        The scalar is 0.
    """
    out = ctypes.create_string_buffer(ELEMENT_BYTES)
    if _mult_base(out, _scalar(scalar)) != 0:
        raise LocalProtocolError("The scalar 0 gives the identity.")
    return out.raw


def is_valid(element: bytes) -> bool:
    """Whether it is the canonical encoding of an element (the identity too)."""
    return len(element) == ELEMENT_BYTES and bool(_valid(ctypes.create_string_buffer(element, ELEMENT_BYTES)))


def to_array(elements: Sequence[bytes]) -> Elements:
    """Encoded elements as one array, shape (n, 32)."""
    return np.frombuffer(b"".join(elements), np.uint8).reshape(len(elements), ELEMENT_BYTES)


def _received(elements: Elements, sender: str) -> Elements:
    source = np.ascontiguousarray(elements, np.uint8)
    if source.ndim != 2 or source.shape[1] != ELEMENT_BYTES:  # noqa: PLR2004 - rows of bytes
        raise RemoteProtocolError(f"{sender} sent group elements of shape {source.shape}.", party=sender)
    return source


def _scalars(scalars: Elements, count: int) -> Elements:
    factors = np.ascontiguousarray(scalars, np.uint8)
    if factors.shape != (count, SCALAR_BYTES):
        raise LocalProtocolError(f"{count} scalars are due, not shape {factors.shape}.")
    return factors


def _multiplied(factors: Elements, source: Elements, sender: str) -> Elements:
    out = np.empty_like(source)
    for index in range(len(source)):
        if _mult(_address(out, index), _address(factors, index), _address(source, index)) != 0:
            raise _no_element(index, len(source), sender, "or the identity")
    return out


def _combined(
    operation: Callable[[int, int, int], int], left: Elements, right: Elements, sender: str
) -> Elements:
    one, other = _received(left, sender), _received(right, sender)
    if one.shape != other.shape:
        raise RemoteProtocolError(f"{sender} sent {len(one)} and {len(other)} elements.", party=sender)
    out = np.empty_like(one)
    for index in range(len(one)):
        if operation(_address(out, index), _address(one, index), _address(other, index)) != 0:
            raise _no_element(index, len(one), sender, "")
    return out


def _no_element(index: int, count: int, sender: str, also: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{sender} sent something that is no element of the group.",
        why=f"number {index + 1} of {count} is not a canonical encoding{also and ', ' + also}",
        party=sender,
    )


def _scalar(scalar: bytes) -> bytes:
    if len(scalar) != SCALAR_BYTES:
        raise LocalProtocolError(f"A scalar has {SCALAR_BYTES} bytes, not {len(scalar)}.")
    return scalar


def _address(array: Elements, index: int) -> int:
    address: int = array.ctypes.data + index * array.shape[1]
    return address
