"""Boolean circuits on secret arrays, under every protocol: a round for each level of ANDs.

Bits of integers come from :func:`unseen.mpc.planes.bits_of`, and bits become integers again by the protocol's `to_ring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.circuits.circuit import Circuit
from unseen.mpc.engine import Engine
from unseen.mpc.functions import garbling
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Bits, Planes

U = TypeVar("U", bound=np.unsignedinteger[Any])

_BYTES_AT_ONCE = 1 << 26
_BITS_AT_ONCE = 1 << 22


def apply_circuit(circuit: Circuit, arrays: Sequence[Any], *, bits: bool, garbled: bool) -> Any:
    """See :func:`unseen.mpc.functions.anywhere.apply`; at least one of the arrays is secret."""
    engine = next(array for array in arrays if isinstance(array, SecretArray)).engine
    shape = common_shape(circuit, arrays)
    if garbled:
        return outputs(engine, circuit, garbling.evaluate(engine, circuit, arrays, shape), bits=bits)
    inputs = [
        _planes(engine, array, width, shape) for width, array in zip(circuit.inputs, arrays, strict=True)
    ]
    made = walk(engine.protocol, circuit, np.concatenate(inputs, axis=1))
    return outputs(engine, circuit, planes.unpack(made, shape), bits=bits)


def common_shape(circuit: Circuit, arrays: Sequence[Any]) -> tuple[int, ...]:
    """The shape of one bit of every input, broadcast.

    Raises
    ------
    UsageError
        Not one array per input, an array of bits of another width, or numbers where more than 64 bits are due.
    """
    if len(arrays) != len(circuit.inputs):
        raise UsageError(f"The circuit has {len(circuit.inputs)} inputs, not {len(arrays)}.")
    return np.broadcast_shapes(
        *(elements(array, width) for width, array in zip(circuit.inputs, arrays, strict=True))
    )


def elements(array: Any, width: int) -> tuple[int, ...]:
    """The shape of an input without its bits: Booleans have them in their last axis, but for a single bit."""
    known = array if isinstance(array, SecretArray) else np.asarray(array)
    shape, dtype = tuple(known.shape), known.dtype
    if dtype == np.bool_:
        if width == 1:
            return shape
        if shape[-1:] == (width,):
            return shape[:-1]
    elif np.issubdtype(dtype, np.integer) and 1 < width <= planes.WORD:
        return shape
    raise UsageError(
        f"An input of {width} bit{'s' * (width > 1)} got {dtype} of shape {shape}.",
        why="one bit is a Boolean; more are Booleans along the last axis, lowest first, or, up to 64, integers",
        mend="share it with dtype=int or dtype=bool, or take a circuit of another width",
    )


def walk(protocol: Protocol, circuit: Circuit, inputs: Planes) -> Planes:
    """The output planes, in pieces of words that bound the memory."""
    ones = protocol.public_bits(np.full((1, 1), ~np.uint64(0)))

    def conjoin(left: Planes, right: Planes) -> Planes:
        return protocol.and_both(np.ascontiguousarray(left), (np.ascontiguousarray(right),))[0]

    piece = max(1, _BYTES_AT_ONCE // (8 * len(inputs) * circuit.program.slots))
    parts = [
        circuit.walk(inputs[..., begin : begin + piece], conjoin=conjoin, ones=np.asarray(ones, np.uint64))
        for begin in range(0, max(inputs.shape[2], 1), piece)
    ]
    return np.concatenate(parts, axis=2)


def outputs(engine: Engine, circuit: Circuit, made: Bits, *, bits: bool) -> Any:
    """Secret arrays of the output bits (components, output_bits, *shape); a tuple if there are several."""
    ends = np.cumsum(circuit.outputs)[:-1]
    found = tuple(_output(engine, part, bits=bits) for part in np.split(made, ends, axis=1))
    return found if len(found) > 1 else found[0]


def _output(engine: Engine, made: Bits, *, bits: bool) -> SecretArray:
    width = made.shape[1]
    if width == 1:
        return engine.boolean(made[:, 0])
    if bits or width > planes.WORD:
        return engine.boolean(np.moveaxis(made, 1, -1))
    rows = made.reshape(len(made), width, -1)
    places = np.arange(width, dtype=np.uint64).reshape(1, width, 1)
    piece, words = _BITS_AT_ONCE // width, []
    for begin in range(0, max(rows.shape[2], 1), piece):
        part = np.ascontiguousarray(rows[..., begin : begin + piece])
        ring = engine.protocol.to_ring(part.reshape(len(part), -1)).reshape(part.shape)
        words.append((ring << places).sum(axis=1, dtype=np.uint64))
    return engine.number(np.concatenate(words, axis=1).reshape(len(made), *made.shape[2:]), 0)


def _planes(engine: Engine, array: Any, width: int, shape: tuple[int, ...]) -> Planes:
    if not isinstance(array, SecretArray):
        return _packed(engine.protocol.public_bits(plain_bits(array, width, shape)))
    if array.boolean:
        return _packed(secret_bits(array, width, shape))
    number = spread(array.share[:, None], shape)[:, 0]
    return planes.bits_of(engine.protocol, number.reshape(len(number), -1), width)


def secret_bits(array: SecretArray, width: int, shape: tuple[int, ...]) -> Bits:
    """The shares of a Boolean array's bits: (components, width, *shape)."""
    share = array.bit_share[:, None] if width == 1 else np.moveaxis(array.bit_share, -1, 1)
    return spread(share, shape)


def plain_bits(array: Any, width: int, shape: tuple[int, ...]) -> Bits:
    """The bits of a public array: (width, *shape)."""
    plain = np.asarray(array)
    if plain.dtype == np.bool_:
        found = plain[None] if width == 1 else np.moveaxis(plain, -1, 0)
    else:
        places = np.arange(width, dtype=np.uint64).reshape(width, *[1] * plain.ndim)
        found = plain.astype(np.int64).view(np.uint64)[None] >> places & np.uint64(1)
    bits: Bits = spread(found.astype(np.uint8)[None], shape)[0]
    return bits


def plain_output(made: Bits, *, bits: bool) -> NDArray[Any]:
    """What is public of bits (*shape, width), like :func:`outputs`."""
    width = made.shape[-1]
    if width == 1:
        return made[..., 0].astype(bool)
    if bits or width > planes.WORD:
        return made.astype(bool)
    places = np.arange(width, dtype=np.uint64)
    words: NDArray[np.uint64] = (made.astype(np.uint64) << places).sum(axis=-1, dtype=np.uint64)
    return words.view(np.int64)


def spread(share: NDArray[U], shape: tuple[int, ...]) -> NDArray[U]:
    """(components, width, *smaller shape) to (components, width, *shape)."""
    narrow = share.reshape(*share.shape[:2], *[1] * (len(shape) - share.ndim + 2), *share.shape[2:])
    return np.ascontiguousarray(np.broadcast_to(narrow, (*share.shape[:2], *shape)))


def _packed(share: Bits) -> Planes:
    """(components, width, *shape) to planes."""
    components, width = share.shape[:2]
    rows = share.reshape(components * width, prod(share.shape[2:]))
    return planes.pack(rows).reshape(components, width, -1)
