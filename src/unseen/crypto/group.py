"""The prime-order group ristretto255 (RFC 9496), on arrays of encoded elements.

Elements and scalars are 32-byte strings; a batch of n elements is a uint8 array of shape (n, 32). What a peer sent is
checked by the operation that uses it: an encoding that is not canonical, and the identity where it is multiplied, are
refused with the sender's name.

The native kernels compute where they are built, libsodium (:mod:`unseen.crypto.sodium`) where not, and for single
scalars. Both are constant time and work without the interpreter's lock, so batches spread over threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.crypto import sodium
from unseen.crypto.expand import expand_message
from unseen.kernels import curve

Elements = NDArray[np.uint8]

ELEMENT_BYTES = 32
SCALAR_BYTES = 32
HASH_BYTES = 64

_backend: Any = curve if curve.is_native() else sodium


def scalar_random() -> bytes:
    """A uniform scalar other than 0."""
    return sodium.scalar_random()


def scalar_invert(scalar: bytes) -> bytes:
    """1 / scalar modulo the order of the group.

    Raises
    ------
    LocalProtocolError
        The scalar is 0.
    """
    inverse = sodium.scalar_invert(_scalar(scalar))
    if inverse is None:
        raise LocalProtocolError("The scalar 0 has no inverse.")
    return inverse


def scalar_invert_each(scalars: Elements) -> Elements:
    """1 / each scalar, shape (n, 32): one inversion for all, by products up to each and back.

    Raises
    ------
    LocalProtocolError
        A scalar is 0.
    """
    numbers = [row.tobytes() for row in _scalars(scalars, len(scalars))]
    if not numbers:
        return to_array([])
    before = [numbers[0]]
    for number in numbers[1:]:
        before.append(sodium.scalar_multiply(before[-1], number))
    rest = scalar_invert(before[-1])
    inverses = [rest] * len(numbers)
    for index in range(len(numbers) - 1, 0, -1):
        inverses[index] = sodium.scalar_multiply(rest, before[index - 1])
        rest = sodium.scalar_multiply(rest, numbers[index])
    inverses[0] = rest
    return to_array(inverses)


def scalar_multiply(left: bytes, right: bytes) -> bytes:
    """Product left * right modulo the order of the group."""
    return sodium.scalar_multiply(_scalar(left), _scalar(right))


def scalar_add(left: bytes, right: bytes) -> bytes:
    """Sum left + right modulo the order of the group."""
    return sodium.scalar_add(_scalar(left), _scalar(right))


def scalar_subtract(left: bytes, right: bytes) -> bytes:
    """Difference left - right modulo the order of the group."""
    return sodium.scalar_subtract(_scalar(left), _scalar(right))


def scalar_reduce(number: bytes) -> bytes:
    """A 64-byte little-endian number modulo the order of the group."""
    if len(number) != HASH_BYTES:
        raise LocalProtocolError(f"{HASH_BYTES} bytes are reduced to a scalar, not {len(number)}.")
    return sodium.scalar_reduce(number)


def from_uniform(numbers: Elements) -> Elements:
    """The one-way map of RFC 9496 section 4.3.4: shape (n, 64) of uniform bytes to (n, 32) elements."""
    source = np.ascontiguousarray(numbers, np.uint8)
    if source.ndim != 2 or source.shape[1] != HASH_BYTES:  # noqa: PLR2004 - rows of bytes
        raise LocalProtocolError(
            f"The one-way map takes rows of {HASH_BYTES} bytes, not shape {source.shape}."
        )
    out: Elements = _backend.ristretto_map(source)
    return out


def hash_to_group(messages: Sequence[bytes], domain: bytes) -> Elements:
    """Each message as an element, shape (n, 32): HashToGroup of RFC 9497 for ristretto255-SHA512.

    `domain` is the whole domain separation tag (RFC 9380 section 3.1: at most 255 bytes, unique to the use).
    """
    numbers = [expand_message(message, domain, HASH_BYTES) for message in messages]
    return from_uniform(np.frombuffer(b"".join(numbers), np.uint8).reshape(-1, HASH_BYTES))


def hash_rows_to_group(rows: NDArray[np.uint8], domain: bytes) -> Elements:
    """:func:`hash_to_group` of many messages of one length, shape (n, length)."""
    return from_uniform(curve.expand_message(rows, domain, HASH_BYTES))


def scalar_mult(scalar: bytes, elements: Elements, *, sender: str) -> Elements:
    """`scalar` times each element, shape (n, 32).

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding, or the identity, or becomes it; `sender` is named.
    """
    factor = np.frombuffer(_scalar(scalar), np.uint8).reshape(1, SCALAR_BYTES)
    return _multiplied(factor, _received(elements, sender), sender)


def scalar_mult_each(scalars: Elements, elements: Elements, *, sender: str) -> Elements:
    """Scalar i times element i, shapes (n, 32).

    Raises
    ------
    RemoteProtocolError
        See :func:`scalar_mult`.
    """
    source = _received(elements, sender)
    return _multiplied(_scalars(scalars, len(source)), source, sender)


def products(scalars: Elements, elements: Elements, *, sender: str) -> Elements:
    """Scalar i times element i, shapes (n, 32); unlike :func:`scalar_mult_each` the identity is taken and may come out.

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding; `sender` is named.
    """
    source = _received(elements, sender)
    out, valid = _backend.ristretto_multiply(_scalars(scalars, len(source)), source)
    return _required(out, valid, sender, "")


def sum_of_products(scalars: Elements, elements: Elements, *, sender: str) -> bytes:
    """The sum of scalar i times element i, shapes (n, 32): faster than :func:`products` and as constant in time.

    The identity (32 zero bytes) is taken and may come out.

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding; `sender` is named.
    """
    source = _received(elements, sender)
    out, valid = _backend.ristretto_sum(_scalars(scalars, len(source)), source)
    _required(source, valid, sender, "")
    total: bytes = out.tobytes()
    return total


def scalar_mult_base(scalar: bytes) -> bytes:
    """`scalar` times the generator.

    Raises
    ------
    LocalProtocolError
        The scalar is 0.
    """
    return base_mult_each(np.frombuffer(_scalar(scalar), np.uint8).reshape(1, SCALAR_BYTES)).tobytes()


def base_mult_each(scalars: Elements) -> Elements:
    """Each scalar times the generator, shape (n, 32).

    Raises
    ------
    LocalProtocolError
        A scalar is 0.
    """
    out: Elements = _backend.ristretto_multiply_base(_scalars(scalars, len(scalars)))
    if not out.any(axis=1).all():
        raise LocalProtocolError("The scalar 0 gives the identity.")
    return out


def add(left: Elements, right: Elements, *, sender: str) -> Elements:
    """Element by element left + right, shapes (n, 32). The identity (32 zero bytes) is taken and may come out.

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding; `sender` is named.
    """
    return _combined(left, right, sender, minus=False)


def subtract(left: Elements, right: Elements, *, sender: str) -> Elements:
    """Element by element left - right; see :func:`add`."""
    return _combined(left, right, sender, minus=True)


def is_valid(element: bytes) -> bool:
    """Whether it is the canonical encoding of an element (the identity too)."""
    if len(element) != ELEMENT_BYTES:
        return False
    return bool(_backend.ristretto_valid(to_array([element]))[0])


def to_array(elements: Sequence[bytes]) -> Elements:
    """Encoded elements as one array, shape (n, 32)."""
    return np.frombuffer(b"".join(elements), np.uint8).reshape(len(elements), ELEMENT_BYTES)


def _scalar(scalar: bytes) -> bytes:
    if len(scalar) != SCALAR_BYTES:
        raise LocalProtocolError(f"A scalar has {SCALAR_BYTES} bytes, not {len(scalar)}.")
    return scalar


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
    out, valid = _backend.ristretto_multiply(factors, source)
    product: Elements = _required(out, valid & out.any(axis=1), sender, ", or the identity")
    return product


def _combined(left: Elements, right: Elements, sender: str, *, minus: bool) -> Elements:
    one, other = _received(left, sender), _received(right, sender)
    if one.shape != other.shape:
        raise RemoteProtocolError(f"{sender} sent {len(one)} and {len(other)} elements.", party=sender)
    out, valid = _backend.ristretto_add(one, other, minus=minus)
    return _required(out, valid, sender, "")


def _required(out: Elements, valid: NDArray[np.bool_], sender: str, also: str) -> Elements:
    if not valid.all():
        raise RemoteProtocolError(
            f"{sender} sent something that is no element of the group.",
            why=f"number {int(np.argmin(valid)) + 1} of {len(out)} is not a canonical encoding{also}",
            party=sender,
        )
    return out
