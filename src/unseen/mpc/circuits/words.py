"""Python functions on vectors of bits become circuits.

    larger = trace(lambda x, y: choose(x.less(y), y, x), 64, 64)      # two inputs of 64 bits, one output

A :class:`Word` is a vector of wires, lowest bit first, with the operators of an integer of that width. What is known
while tracing (constants, x ^ x, a gate made before) makes no gate.

Additions take the fewest ANDs (one a bit) or, with `shallow=True`, a tree with fewer levels and more ANDs. Which is better
depends on who runs the circuit: garbling sends 32 bytes an AND and has no rounds, secret sharing pays a round for each
level.

Sources: Boyar, Peralta, Pochuev, "On the Multiplicative Complexity of Boolean Functions over the Basis (AND, XOR, 1)" (2000)
for one AND a bit; Sklansky, "Conditional-Sum Addition Logic" (1960) for the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from numbers import Integral
from typing import Any, NoReturn

from unseen.core.errors import UsageError
from unseen.mpc.circuits.circuit import Circuit, Gate

ZERO, ONE = -2, -1
"""Wires of the constants: they exist while tracing only."""


class Builder:
    """Gates under construction. Wires are integers; :data:`ZERO` and :data:`ONE` are constants."""

    def __init__(self, inputs: Sequence[int], *, shallow: bool = False) -> None:
        self.inputs = tuple(inputs)
        self.shallow = shallow
        self._first = sum(self.inputs)
        self._gates: list[tuple[Gate, int, int]] = []
        self._made: dict[tuple[Gate, int, int], int] = {}
        self._inverse: dict[int, int] = {ZERO: ONE, ONE: ZERO}

    def words(self) -> list[Word]:
        """The inputs."""
        found, begin = [], 0
        for width in self.inputs:
            found.append(Word(self, range(begin, begin + width)))
            begin += width
        return found

    def xor(self, a: int, b: int) -> int:
        """The wire of a ^ b."""
        if a > b:
            a, b = b, a
        if a == ZERO:
            return b
        if a == ONE:
            return self.inv(b)
        if a == b:
            return ZERO
        if self._inverse.get(a) == b:
            return ONE
        return self._gate(Gate.XOR, a, b)

    def conjoin(self, a: int, b: int) -> int:
        """The wire of a & b."""
        if a > b:
            a, b = b, a
        if a == ZERO or self._inverse.get(a) == b:
            return ZERO
        if a in (ONE, b):
            return b
        return self._gate(Gate.AND, a, b)

    def inv(self, a: int) -> int:
        """The wire of ~a."""
        known = self._inverse.get(a)
        if known is None:
            known = self._gate(Gate.INV, a, a)
            self._inverse[a], self._inverse[known] = known, a
        return known

    def _gate(self, kind: Gate, a: int, b: int) -> int:
        wire = self._made.get((kind, a, b))
        if wire is None:
            wire = self._made[kind, a, b] = self._first + len(self._gates)
            self._gates.append((kind, a, b))
        return wire

    def build(self, outputs: Sequence[Sequence[int]]) -> Circuit:
        """The circuit whose outputs are these wires."""
        kinds, left, right = (
            (list(column) for column in zip(*self._gates, strict=True)) if self._gates else ([], [], [])
        )
        constants: dict[int, int] = {}
        for value, kind, wires in ((ZERO, Gate.XOR, (0, 0)), (ONE, Gate.INV, None)):
            if any(value in word for word in outputs) or (
                value == ZERO and any(ONE in word for word in outputs)
            ):
                a, b = (
                    wires or (constants[ZERO],) * 2
                )  # a constant that leaves is made of the first input: x ^ x
                constants[value] = self._first + len(kinds)
                kinds.append(kind)
                left.append(a)
                right.append(b)
        results = [constants.get(wire, wire) for word in outputs for wire in word]
        return Circuit(
            self.inputs, [len(word) for word in outputs], kinds=kinds, left=left, right=right, results=results
        )


class Word:
    """A vector of wires, lowest bit first. Integers on the other side of an operator are constants of its width."""

    __slots__ = ("_builder", "wires")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, builder: Builder, wires: Iterable[int]) -> None:
        self._builder = builder
        self.wires = tuple(wires)

    def __len__(self) -> int:
        return len(self.wires)

    def __bool__(self) -> bool:
        raise UsageError(
            "A word of a circuit has no value yet.", mend="use choose(condition, a, b) instead of if"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise UsageError(
            "Words of a circuit are not compared by ==.",
            why="they have no values yet, so it would always be False",
            mend="a.equals(b), ~a.equals(b)",
        )

    __ne__ = __eq__

    def __getitem__(self, places: int | slice) -> Word:
        return self._of(self.wires[places] if isinstance(places, slice) else (self.wires[places],))

    def _of(self, wires: Iterable[int]) -> Word:
        return Word(self._builder, wires)

    def _with(self, other: Word | int) -> Word:
        if not isinstance(other, Word):
            if not isinstance(other, Integral):
                raise UsageError(
                    f"A word of a circuit does not go with {other!r}.", mend="take a word or a whole number"
                )
            other = int(other)
            return self._of(ONE if other >> place & 1 else ZERO for place in range(len(self)))
        if len(other) != len(self):
            raise UsageError(
                f"Words of {len(self)} and {len(other)} bits do not fit together.", mend="word.resized(width)"
            )
        return other

    def _each(self, other: Word | int, gate: Callable[[int, int], int]) -> Word:
        return self._of(gate(a, b) for a, b in zip(self.wires, self._with(other).wires, strict=True))

    # ------------------------------------------------------------------ bits

    def __xor__(self, other: Word | int) -> Word:
        return self._each(other, self._builder.xor)

    def __and__(self, other: Word | int) -> Word:
        return self._each(other, self._builder.conjoin)

    def __or__(self, other: Word | int) -> Word:
        return ~(~self & ~self._with(other))

    def __invert__(self) -> Word:
        return self._of(self._builder.inv(wire) for wire in self.wires)

    __rxor__, __rand__, __ror__ = __xor__, __and__, __or__

    def __lshift__(self, places: int) -> Word:
        places = self._shift(places)
        return self._of((*[ZERO] * places, *self.wires[: len(self) - places]))

    def __rshift__(self, places: int) -> Word:
        """Zeros come in from above."""
        places = self._shift(places)
        return self._of((*self.wires[places:], *[ZERO] * places))

    def _shift(self, places: int) -> int:
        if not isinstance(places, Integral) or places < 0:
            raise UsageError(
                f"A word is not shifted by {places!r}.",
                mend="by a whole number of places, the other way if negative",
            )
        return min(int(places), len(self))

    def rotated(self, places: int) -> Word:
        """To the right: the lowest bits come in from above."""
        places %= len(self)
        return self._of((*self.wires[places:], *self.wires[:places]))

    def resized(self, width: int, *, signed: bool = False) -> Word:
        """Cut off, or filled up with zeros or (`signed`) with the highest bit."""
        top = self.wires[-1] if signed else ZERO
        return self._of((*self.wires[:width], *[top] * (width - len(self))))

    def joined(self, *others: Word) -> Word:
        """Followed by the others, which are the higher bits."""
        return self._of(wire for word in (self, *others) for wire in word.wires)

    def every(self) -> Word:
        """One bit: whether all bits are set; a tree of ANDs."""
        wires = list(self.wires)
        while len(wires) > 1:
            wires = [
                self._builder.conjoin(*pair) if len(pair) > 1 else pair[0]
                for pair in (wires[place : place + 2] for place in range(0, len(wires), 2))
            ]
        return self._of(wires)

    def some(self) -> Word:
        """One bit: whether any bit is set."""
        return ~(~self).every()

    # ------------------------------------------------------------------ numbers, modulo 2^width

    def __add__(self, other: Word | int) -> Word:
        other = self._with(other)
        return self ^ other ^ self._carries(other, ZERO)[:-1]

    def __sub__(self, other: Word | int) -> Word:
        other = ~self._with(other)
        return self ^ other ^ self._carries(other, ONE)[:-1]

    def __neg__(self) -> Word:
        return self._with(0) - self

    def __rsub__(self, other: int) -> Word:
        return self._with(other) - self

    def __mul__(self, other: Word | int) -> Word:
        """By rows, of which each is added to the places that it reaches."""
        other, width = self._with(other), len(self)
        total = self & self._of([other.wires[0]] * width)
        for place in range(1, width):
            row = self[: width - place] & self._of([other.wires[place]] * (width - place))
            total = total[:place].joined(total[place:] + row)
        return total

    __radd__, __rmul__ = __add__, __mul__

    def equals(self, other: Word | int) -> Word:
        """One bit."""
        return (~(self ^ other)).every()

    def less(self, other: Word | int, *, signed: bool = True) -> Word:
        """One bit: self < other, as numbers in two's complement or (`signed=False`) without a sign."""
        one, two = self, self._with(other)
        if signed:  # moved by half the range, the order is that of numbers without a sign
            one, two = (
                self._of((*word.wires[:-1], self._builder.inv(word.wires[-1]))) for word in (one, two)
            )
        return ~one._carries(~two, ONE)[-1]  # noqa: SLF001 - a word of ours

    def _carries(self, other: Word, into: int) -> Word:
        """The carries of self + other + into, into every place and out of the last: width + 1 bits."""
        build = self._builder
        if self._builder.shallow:
            return self._of(_tree(build, self.wires, other.wires, into))
        carries = [into]
        for a, b in zip(self.wires, other.wires, strict=True):
            carry = carries[-1]
            carries.append(build.xor(carry, build.conjoin(build.xor(a, carry), build.xor(b, carry))))
        return self._of(carries)


def _tree(build: Builder, left: Sequence[int], right: Sequence[int], into: int) -> list[int]:
    """The same carries from generate and propagate, in a prefix tree; what comes in is a place below the lowest."""
    make = [into, *(build.conjoin(a, b) for a, b in zip(left, right, strict=True))]
    keep = [ZERO, *(build.xor(a, b) for a, b in zip(left, right, strict=True))]
    step = 1
    while step < len(make):
        for place in range(len(make)):
            if place & step:
                below = (place & ~(2 * step - 1)) + step - 1
                make[place] = build.xor(make[place], build.conjoin(keep[place], make[below]))
                keep[place] = build.conjoin(keep[place], keep[below])
        step *= 2
    return make


def choose(condition: Word, left: Word, right: Word | int) -> Word:
    """Left where the condition (one bit) is set, else right: one AND a bit."""
    if len(condition) != 1:
        raise UsageError(f"A condition has one bit, not {len(condition)}.")
    other = left._with(right)  # noqa: SLF001 - a word of ours
    wide = Word(left._builder, condition.wires * len(left))  # noqa: SLF001
    return other ^ (wide & (left ^ other))


def inline(circuit: Circuit, *words: Word) -> tuple[Word, ...]:
    """The outputs of a circuit on these words, as gates of the one under construction.

    Raises
    ------
    UsageError
        Words of other widths than the circuit's inputs.
    """
    if tuple(len(word) for word in words) != circuit.inputs:
        raise UsageError(f"The circuit takes words of {circuit.inputs} bits, not {tuple(map(len, words))}.")
    build = words[0]._builder  # noqa: SLF001 - a word of ours
    wires = [wire for word in words for wire in word.wires]
    gates = {Gate.XOR: build.xor, Gate.AND: build.conjoin}
    columns = (circuit.kinds.tolist(), circuit.left.tolist(), circuit.right.tolist())
    for kind, a, b in zip(*columns, strict=True):
        wires.append(build.inv(wires[a]) if kind == Gate.INV else gates[kind](wires[a], wires[b]))
    made = Word(build, (wires[place] for place in circuit.results.tolist()))
    ends = list(accumulate(circuit.outputs))
    return tuple(made[begin:end] for begin, end in pairwise((0, *ends)))


def trace(function: Callable[..., Any], *widths: int, shallow: bool = False) -> Circuit:
    """The circuit of a function that takes words of these widths and returns a word, or several.

    Raises
    ------
    UsageError
        It returned something else.
    """
    builder = Builder(widths, shallow=shallow)
    made = function(*builder.words())
    words = made if isinstance(made, tuple | list) else (made,)
    for word in words or (made,):
        if not isinstance(word, Word) or not len(word):
            kind = "a word without bits" if isinstance(word, Word) else f"{word!r}"
            raise UsageError(f"A function of words returns words, or several in a tuple, not {kind}.")
    return builder.build([word.wires for word in words])
