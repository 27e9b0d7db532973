"""Garbled circuits on secret arrays of two holders, and the way between sharings.

Shares of Booleans by XOR are what garbling takes and gives, so they cost nothing on either way but a transfer a bit on the way
in. An integer is the sum of the holders' numbers: the circuit adds them first, an AND a bit. Integers come out as bits and go
into the ring by the protocol's `to_ring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.array import SecretArray
from unseen.mpc.circuits import Circuit, Word, inline, trace
from unseen.mpc.functions import circuits
from unseen.mpc.garbled import Garbler, Owner
from unseen.mpc.shares import Bits

if TYPE_CHECKING:
    from unseen.mpc.engine import Engine

_BITS_AT_ONCE = 1 << 23


def evaluate(engine: Engine, circuit: Circuit, arrays: Sequence[Any], shape: tuple[int, ...]) -> Bits:
    """The shares of all output bits, (1, output_bits, *shape); zeros at a helper."""
    side = engine.garbled()
    if side is None:
        return np.zeros((1, circuit.output_bits, *shape), np.uint8)
    summed = tuple(isinstance(array, SecretArray) and not array.boolean for array in arrays)
    whole = with_sums(circuit, summed)
    inputs: list[NDArray[Any] | None] = []
    owners: list[Owner] = []
    for width, array in zip(circuit.inputs, arrays, strict=True):
        mine, whose = _input(array, width, shape, garbles=isinstance(side, Garbler))
        inputs += mine
        owners += whose
    count, made = prod(shape), []
    piece = max(1, _BITS_AT_ONCE // whole.input_bits)
    for begin in range(0, count, piece):
        end = min(begin + piece, count)
        bits = [
            None if values is None else _bits(values[begin:end], width)
            for width, values in zip(whole.inputs, inputs, strict=True)
        ]
        made.append(side.run(whole, bits, owners=owners, count=end - begin))
    rows = np.concatenate(made) if made else np.zeros((0, circuit.output_bits), np.uint8)
    return np.ascontiguousarray(rows.T).reshape(1, circuit.output_bits, *shape)


@lru_cache(maxsize=64)
def with_sums(circuit: Circuit, summed: tuple[bool, ...]) -> Circuit:
    """The circuit whose marked inputs come as two summands, the garbler's and the evaluator's, modulo 2^width."""
    if not any(summed):
        return circuit

    def body(*words: Word) -> tuple[Word, ...]:
        left = iter(words)
        return inline(circuit, *(next(left) + next(left) if two else next(left) for two in summed))

    widths = [width for width, two in zip(circuit.inputs, summed, strict=True) for _ in range(1 + two)]
    return trace(body, *widths)


def _input(
    array: Any, width: int, shape: tuple[int, ...], *, garbles: bool
) -> tuple[list[NDArray[Any] | None], list[Owner]]:
    """This end's words or rows of bits, an element a row, for one input of the circuit (two if it is a sum)."""
    if not isinstance(array, SecretArray):
        public = circuits.plain_bits(array, width, shape).reshape(width, -1).T
        return [public if garbles else None], ["garbler"]
    if array.boolean:
        return [circuits.secret_bits(array, width, shape)[0].reshape(width, -1).T], ["both"]
    words = circuits.spread(array.share[:, None], shape).reshape(-1)
    return [words, None] if garbles else [None, words], ["garbler", "evaluator"]


def _bits(values: NDArray[Any], width: int) -> Bits:
    """Rows of bits: those of words, or as they are."""
    if values.ndim > 1:
        return np.ascontiguousarray(values)
    data = np.ascontiguousarray(values.astype("<u8")).view(np.uint8).reshape(-1, 8)
    return np.unpackbits(data, axis=1, count=width, bitorder="little")
