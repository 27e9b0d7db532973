"""A Boolean circuit of XOR, AND and INV gates as arrays, in an order in which many gates can be done at once.

Wires are numbered: first the bits of all inputs, then one wire a gate, so gate i makes wire `input_bits + i`. Gates stand by
the number of ANDs on the longest way to them (their level); those of one step are of one kind and do not depend on each
other. Every protocol walks the steps in the same way (:meth:`Circuit.walk`): XOR and INV cost nothing, the ANDs of a level
are one batch.

A walk does not keep all wires: a wire lives in a *slot*, which is used again after the last gate that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Numbers = NDArray[np.int32]
Bits = NDArray[np.uint8]
Planes = NDArray[np.uint64]

_WORD = 64


class Gate(IntEnum):
    """Kinds of gates. INV reads its left operand; its right one is the same wire."""

    XOR = 0
    AND = 1
    INV = 2


@dataclass(frozen=True, slots=True)
class Step:
    """Gates `begin` to `end`, all of one kind, none of which reads another one."""

    kind: Gate
    begin: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The gates with slots in the place of wires; inputs start in slots 0, 1, ....

    Attributes
    ----------
    kinds, left, right, out
        One entry a gate: uint8, and int32 slots read and written. Gates must run in order, but the gates of a step may
        all read before any of them writes.
    results
        Slots of the output bits.
    slots
        How many there are.
    """

    kinds: NDArray[np.uint8]
    left: Numbers
    right: Numbers
    out: Numbers
    results: Numbers
    slots: int


class Circuit:
    """See the module.

    Parameters
    ----------
    inputs, outputs
        Widths in bits.
    kinds, left, right
        The gates, each after those whose wires it reads; gate i makes wire sum(inputs) + i.
    results
        The wires of all output bits.

    Raises
    ------
    UsageError
        A width below one, a wire that does not exist yet, an unknown kind, or arrays that do not fit together.
    """

    def __init__(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        kinds: Sequence[int],
        left: Sequence[int],
        right: Sequence[int],
        results: Sequence[int],
    ) -> None:
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        if not self.inputs or not self.outputs or min(*self.inputs, *self.outputs) < 1:
            raise UsageError("A circuit has inputs and outputs of at least one bit each.")
        self.input_bits, self.output_bits = sum(self.inputs), sum(self.outputs)
        gates = _checked(self.input_bits, kinds, left, right)
        ends = np.asarray(results, np.int64)
        if (
            ends.shape != (self.output_bits,)
            or (ends < 0).any()
            or (ends >= self.input_bits + len(kinds)).any()
        ):
            raise UsageError("The outputs of a circuit are one existing wire per bit.")
        self.kinds, self.left, self.right, self.results, self._levels = _ordered(
            self.input_bits, *gates, ends
        )
        self.ands = int((self.kinds == Gate.AND).sum())

    def __repr__(self) -> str:
        return (
            f"Circuit(inputs={self.inputs}, outputs={self.outputs}, gates={len(self.kinds)}, ands={self.ands}, "
            f"depth={self.depth})"
        )

    @property
    def depth(self) -> int:
        """ANDs on the longest way: the rounds of a protocol that opens something for each."""
        return int(self._levels[0].max(initial=0))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The gates in batches."""
        if not len(self.kinds):
            return ()
        changes = np.zeros(len(self.kinds) - 1, bool)
        for key in (*self._levels, self.kinds):
            changes |= key[1:] != key[:-1]
        edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(self.kinds)]
        return tuple(Step(Gate(int(self.kinds[begin])), begin, end) for begin, end in pairwise(edges))

    @cached_property
    def program(self) -> Program:
        """The gates over slots."""
        return _with_slots(self)

    # ------------------------------------------------------------------ running it

    def walk(
        self,
        planes: Planes,
        *,
        conjoin: Callable[[Planes, Planes], Planes],
        ones: Planes,
    ) -> Planes:
        """The output bits of many elements at once.

        Parameters
        ----------
        planes
            Shares of the input bits, (components, input_bits, words), 64 elements a word.
        conjoin
            AND of shares (components, k, words) and as many others.
        ones
            A share of words of ones, (components, 1, words) or what broadcasts to that.

        Returns
        -------
        (components, output_bits, words)
        """
        program = self.program
        wires = np.empty((planes.shape[0], program.slots, planes.shape[2]), np.uint64)
        wires[:, : self.input_bits] = planes
        for step in self.steps:
            gates = slice(step.begin, step.end)
            left = wires[:, program.left[gates]]
            if step.kind is Gate.INV:
                made = left ^ ones
            elif step.kind is Gate.XOR:
                made = left ^ wires[:, program.right[gates]]
            else:
                made = conjoin(left, wires[:, program.right[gates]])
            wires[:, program.out[gates]] = made
        out: Planes = wires[:, program.results]
        return out

    def evaluate(self, *values: Bits) -> tuple[Bits, ...]:
        """In clear: bits of each input, uint8 or bool (*shape, width), lowest first; so are the outputs.

        Raises
        ------
        UsageError
            Not one array per input, or arrays of other widths.
        """
        if len(values) != len(self.inputs):
            raise UsageError(f"The circuit has {len(self.inputs)} inputs, not {len(values)}.")
        shape = np.broadcast_shapes(*(np.shape(value)[:-1] for value in values))
        rows = []
        for width, value in zip(self.inputs, values, strict=True):
            if np.shape(value)[-1:] != (width,):
                raise UsageError(f"An input of {width} bits got an array of shape {np.shape(value)}.")
            rows.append(np.broadcast_to(value, (*shape, width)).reshape(-1, width))
        bits = np.ascontiguousarray(np.concatenate(rows, axis=1).T.astype(np.uint8))
        count = bits.shape[1]
        packed = np.zeros((len(bits), 8 * -(-count // _WORD)), np.uint8)
        packed[:, : -(-count // 8)] = np.packbits(bits, axis=1, bitorder="little")
        made = self.walk(
            packed.view(np.uint64)[None], conjoin=np.bitwise_and, ones=~np.zeros((1, 1, 1), np.uint64)
        )
        flat = np.unpackbits(made[0].copy().view(np.uint8), axis=1, count=count, bitorder="little").T
        ends = np.cumsum(self.outputs)[:-1]
        return tuple(part.reshape(*shape, part.shape[1]) for part in np.split(flat, ends, axis=1))


def _checked(
    first: int, kinds: Sequence[int], left: Sequence[int], right: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    what, one, other = np.asarray(kinds, np.uint8), np.asarray(left, np.int64), np.asarray(right, np.int64)
    if not what.shape == one.shape == other.shape == (len(what),) or (what > max(Gate)).any():
        raise UsageError(
            "The gates of a circuit are three arrays of one length: kinds 0 to 2, and two wires."
        )
    other = np.where(what == Gate.INV, one, other)
    limit = first + np.arange(len(what))
    bad = np.flatnonzero((one < 0) | (one >= limit) | (other < 0) | (other >= limit))
    if len(bad):
        raise UsageError(f"Gate {bad[0]} reads a wire that does not exist before it.")
    return what, one, other


def _ordered(
    first: int,
    kinds: NDArray[np.uint8],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    results: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Without gates that nothing reads, by level, by place within the level's linear part, by kind."""
    alive = bytearray(first + len(kinds))
    for wire in results.tolist():
        alive[wire] = 1
    one, other = left.tolist(), right.tolist()
    for gate in range(len(kinds) - 1, -1, -1):
        if alive[first + gate]:
            alive[one[gate]] = alive[other[gate]] = 1
    level, place = [0] * (first + len(kinds)), [0] * (first + len(kinds))
    for gate, kind in enumerate(kinds.tolist(), start=first):
        a, b = one[gate - first], other[gate - first]
        deepest = max(level[a], level[b])
        if kind == Gate.AND:
            level[gate] = deepest + 1
        else:
            level[gate] = deepest
            place[gate] = 1 + max(place[wire] for wire in (a, b) if level[wire] == deepest)
    levels, places = np.array(level[first:], np.int32), np.array(place[first:], np.int32)
    order = np.lexsort((kinds, places, levels))
    order = order[np.frombuffer(alive, np.uint8)[first:][order] == 1]
    renamed = np.zeros(first + len(kinds), np.int32)
    renamed[:first] = np.arange(first)
    renamed[first + order] = first + np.arange(len(order))
    operands = renamed[left[order]], renamed[right[order]]
    return (
        kinds[order],
        np.minimum(*operands),
        np.maximum(*operands),
        renamed[results],
        (levels[order], places[order]),
    )


def _with_slots(circuit: Circuit) -> Program:
    first, gates = circuit.input_bits, len(circuit.kinds)
    last = np.full(first + gates, -1, np.int64)
    numbers = np.arange(gates)
    np.maximum.at(last, circuit.left, numbers)
    np.maximum.at(last, circuit.right, numbers)
    last[circuit.results] = gates
    slot = list(range(first)) + [0] * gates
    free = [wire for wire in range(first - 1, -1, -1) if last[wire] < 0]
    slots, ends = first, last.tolist()
    left, right = circuit.left.tolist(), circuit.right.tolist()
    for gate in range(gates):
        free += [slot[wire] for wire in {left[gate], right[gate]} if ends[wire] == gate]
        if free:
            slot[first + gate] = free.pop()
        else:
            slot[first + gate] = slots
            slots += 1
    of = np.array(slot, np.int32)
    return Program(circuit.kinds, of[circuit.left], of[circuit.right], of[first:], of[circuit.results], slots)
