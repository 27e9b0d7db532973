"""Bristol Fashion: the text format in which Boolean circuits are exchanged.

Source: Nigel Smart and others, "'Bristol Fashion' MPC circuits" (https://nigelsmart.github.io/MPC-Circuits/): a line with the
numbers of gates and of wires, one with the number of inputs and their widths, one with the number of outputs and theirs;
then one line a gate: how many wires it reads and makes, which, and its kind. Inputs are the first wires, outputs the
last ones. Kinds: XOR, AND, INV, EQ (a constant 0 or 1), EQW (a copy), MAND (several ANDs in one line).

A circuit that is read is simplified like one that was traced: constants are folded, equal gates and gates that nothing reads
are left out. What is wrong in a file is an error with the number of its line.
"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.errors import UsageError
from unseen.mpc.circuits.circuit import Circuit, Gate
from unseen.mpc.circuits.words import ONE, ZERO, Builder

_MOST_BITS = 1 << 20
_SHAPES = {"XOR": (2, 1), "AND": (2, 1), "INV": (1, 1), "EQ": (1, 1), "EQW": (1, 1)}


def read(text: str | bytes) -> Circuit:
    """The circuit of a file's text, or of its bytes.

    Raises
    ------
    UsageError
        Anything that is not Bristol Fashion: the line, and what is wrong with it.
    """
    lines = _lines(text.decode("ascii", "replace") if isinstance(text, bytes) else text)
    gates, wires = _numbers(*_next(lines, "the numbers of gates and wires"), exactly=2)
    inputs = _widths(*_next(lines, "the inputs"))
    outputs = _widths(*_next(lines, "the outputs"))
    if max(sum(inputs), sum(outputs)) > min(wires, _MOST_BITS):
        raise UsageError(
            f"Bristol Fashion: {wires} wires cannot have {sum(inputs)} input and {sum(outputs)} output bits.",
            why=f"there are more bits than wires, or more than {_MOST_BITS}",
        )
    builder = Builder(inputs)
    known: dict[int, int] = {wire: wire for wire in range(sum(inputs))}
    for _ in range(gates):
        number, words = _next(lines, "a gate")
        _gate(builder, known, wires, number, words)
    for number, _words in lines:
        raise UsageError(f"Bristol Fashion, line {number}: the file goes on after its {gates} gates.")
    if len(known) != wires:
        raise UsageError(f"Bristol Fashion: {len(known)} wires are made, the file speaks of {wires}.")
    results, end = [], wires - sum(outputs)
    for width in outputs:
        results.append([known[wire] for wire in range(end, end + width)])
        end += width
    return builder.build(results)


def write(circuit: Circuit) -> str:
    """The text of a circuit; :func:`read` makes the same circuit of it."""
    first, count = circuit.input_bits, len(circuit.kinds)
    names = [gate.name for gate in Gate]
    columns = (circuit.kinds.tolist(), circuit.left.tolist(), circuit.right.tolist())
    lines = [
        f"1 1 {a} {wire} INV" if kind == Gate.INV else f"2 1 {a} {b} {wire} {names[kind]}"
        for wire, (kind, a, b) in enumerate(zip(*columns, strict=True), start=first)
    ]
    # Outputs must be the last wires: each is a copy.
    lines += [
        f"1 1 {wire} {first + count + place} EQW" for place, wire in enumerate(circuit.results.tolist())
    ]
    head = [
        f"{len(lines)} {first + len(lines)}",
        " ".join(map(str, (len(circuit.inputs), *circuit.inputs))),
        " ".join(map(str, (len(circuit.outputs), *circuit.outputs))),
        "",
    ]
    return "\n".join([*head, *lines, ""])


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words:
            yield number, words


def _next(lines: Iterator[tuple[int, list[str]]], due: str) -> tuple[int, list[str]]:
    found = next(lines, None)
    if found is None:
        raise UsageError(f"Bristol Fashion: the file ends where {due} should stand.")
    return found


def _numbers(number: int, words: list[str], *, exactly: int | None = None) -> list[int]:
    if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):  # noqa: PLR2004
        raise UsageError(f"Bristol Fashion, line {number}: '{' '.join(words)[:60]}' are not whole numbers.")
    if exactly is not None and len(words) != exactly:
        raise UsageError(f"Bristol Fashion, line {number}: {len(words)} numbers where {exactly} are due.")
    return [int(word) for word in words]


def _widths(number: int, words: list[str]) -> list[int]:
    count, *widths = _numbers(number, words)
    if count != len(widths) or not widths or min(widths) < 1:
        raise UsageError(
            f"Bristol Fashion, line {number}: a count and as many widths of at least 1 are due.",
            mend="files of the older 'Bristol Format' have another head: convert them",
        )
    return widths


def _gate(builder: Builder, known: dict[int, int], wires: int, number: int, words: list[str]) -> None:
    *rest, kind = words
    numbers = _numbers(number, rest)
    if len(numbers) < 2 or len(numbers) != 2 + numbers[0] + numbers[1]:  # noqa: PLR2004
        raise UsageError(f"Bristol Fashion, line {number}: the counts of wires do not fit the line.")
    reads, makes = numbers[0], numbers[1]
    shape = (2 * makes, makes) if kind == "MAND" and makes else _SHAPES.get(kind)
    if shape != (reads, makes):
        raise UsageError(
            f"Bristol Fashion, line {number}: there is no gate {kind[:20]} of {reads} wires that makes {makes}.",
            mend="known are XOR, AND, INV, EQ, EQW and MAND",
        )
    read_wires, made = numbers[2 : 2 + reads], numbers[2 + reads :]
    if kind == "EQ":
        if read_wires[0] > 1:
            raise UsageError(f"Bristol Fashion, line {number}: a constant is 0 or 1.")
        operands = [ONE if read_wires[0] else ZERO]
    else:
        missing = [wire for wire in read_wires if wire not in known]
        if missing:
            raise UsageError(f"Bristol Fashion, line {number}: wire {missing[0]} is read before it is made.")
        operands = [known[wire] for wire in read_wires]
    for place, wire in enumerate(made):
        if wire in known or wire >= wires:
            raise UsageError(
                f"Bristol Fashion, line {number}: wire {wire} is "
                + ("made twice." if wire in known else f"none of the {wires} wires.")
            )
        if kind in ("AND", "MAND"):
            known[wire] = builder.conjoin(operands[place], operands[place + makes])
        elif kind == "XOR":
            known[wire] = builder.xor(*operands)
        else:
            known[wire] = builder.inv(operands[0]) if kind == "INV" else operands[0]
