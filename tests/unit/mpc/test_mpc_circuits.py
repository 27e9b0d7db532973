"""Circuits from Python functions compute what the functions compute; orders, slots and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import UsageError
from unseen.mpc import apply
from unseen.mpc.circuits import Circuit, Gate, Word, choose, inline, trace

WIDTH = 11
MODULUS = 1 << WIDTH


def signed(x: int) -> int:
    return x - MODULUS if x >= MODULUS // 2 else x


OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[[int, int], int]]] = {
    "+": (lambda x, y: x + y, lambda x, y: x + y),
    "-": (lambda x, y: x - y, lambda x, y: x - y),
    "*": (lambda x, y: x * y, lambda x, y: x * y),
    "negative": (lambda x, y: -x, lambda x, y: -x),
    "+ 5": (lambda x, y: 5 + x, lambda x, y: x + 5),
    "3 -": (lambda x, y: 3 - x, lambda x, y: 3 - x),
    "* 12": (lambda x, y: x * 12, lambda x, y: x * 12),
    "&": (lambda x, y: x & y, lambda x, y: x & y),
    "|": (lambda x, y: x | y, lambda x, y: x | y),
    "^": (lambda x, y: x ^ y ^ 7, lambda x, y: x ^ y ^ 7),
    "~": (lambda x, y: ~x, lambda x, y: ~x),
    "<<": (lambda x, y: x << 3, lambda x, y: x << 3),
    ">>": (lambda x, y: x >> 3, lambda x, y: x >> 3),
    ">> all": (lambda x, y: x >> 40, lambda x, y: 0),
    "rotated": (lambda x, y: x.rotated(4), lambda x, y: x >> 4 | x << (WIDTH - 4)),
    "less": (lambda x, y: x.less(y), lambda x, y: signed(x) < signed(y)),
    "below": (lambda x, y: x.less(y, signed=False), lambda x, y: x < y),
    "less than 4": (lambda x, y: x.less(4), lambda x, y: signed(x) < 4),
    "equals": (lambda x, y: x.equals(y), lambda x, y: x == y),
    "every": (lambda x, y: x.every(), lambda x, y: x == MODULUS - 1),
    "some": (lambda x, y: x.some(), lambda x, y: x != 0),
    "choose": (lambda x, y: choose(x[0], x, y), lambda x, y: x if x & 1 else y),
    "wider": (
        lambda x, y: (x.resized(20, signed=True) + y.resized(20)) >> 9,
        lambda x, y: ((signed(x) + y) & 0xFFFFF) >> 9,
    ),
    "joined": (lambda x, y: x[:3].joined(y[:4]), lambda x, y: x & 7 | (y & 15) << 3),
}

pairs = st.tuples(st.integers(0, MODULUS - 1), st.integers(0, MODULUS - 1))


@pytest.mark.parametrize("shallow", [False, True])
@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=2, deadline=None)
@given(given_pairs=st.lists(pairs, min_size=60, max_size=70))
def test_operations(name: str, shallow: bool, given_pairs: list[tuple[int, int]]) -> None:
    of_words, plain = OPERATIONS[name]
    circuit = trace(of_words, WIDTH, WIDTH, shallow=shallow)
    cases = [*given_pairs, (0, 0), (MODULUS - 1, MODULUS - 1), (MODULUS // 2, MODULUS // 2 - 1), (5, 5)]
    x, y = np.array(cases).T
    got = np.asarray(apply(circuit, x, y)).astype(int)
    expected = np.array([plain(*case) for case in cases]).astype(int) % (1 << circuit.outputs[0])
    np.testing.assert_array_equal(got, expected)


def test_sizes() -> None:
    assert trace(lambda x, y: x + y, 64, 64).ands == 63
    assert trace(lambda x, y: x.less(y), 64, 64).ands == 64
    assert trace(lambda x, y: x.equals(y), 64, 64).ands == 63
    assert trace(choose, 1, 64, 64).ands == 64
    tree = trace(lambda x, y: x + y, 64, 64, shallow=True)
    assert tree.depth <= 8
    assert trace(lambda x, y: x + y, 64, 64).depth == 63


def test_what_is_known_makes_no_gate() -> None:
    circuit = trace(lambda x: ((x ^ x) & x) ^ ~~x ^ (x | ~x) ^ (x & x & (x ^ 0)), 8)
    assert (circuit.ands, len(circuit.kinds)) == (0, 2)  # the constant ones: x ^ x, and its inverse
    assert apply(circuit, np.arange(256)).tolist() == [255] * 256
    assert len(trace(lambda x, y: (x + y) ^ (y + x), 16, 16).kinds) == 1  # a zero


def random_circuit(seed: int, gates: int = 300) -> Circuit:
    rng = np.random.default_rng(seed)
    limit = 9 + np.arange(gates)
    kinds, left, right = rng.integers(0, 3, gates), rng.integers(0, limit), rng.integers(0, limit)
    return Circuit(
        [4, 5], [7, 3], kinds=kinds, left=left, right=right, results=rng.integers(0, 9 + gates, 10)
    )


def one_by_one(circuit: Circuit, bits: np.ndarray) -> np.ndarray:
    """Gate after gate, wire by wire."""
    wires = list(bits)
    for kind, a, b in zip(circuit.kinds, circuit.left, circuit.right, strict=True):
        wires.append(
            {Gate.XOR: wires[a] ^ wires[b], Gate.AND: wires[a] & wires[b], Gate.INV: 1 - wires[a]}[kind]
        )
    return np.stack([wires[place] for place in circuit.results])


@pytest.mark.parametrize("seed", range(30))
def test_random_circuits_in_steps_over_slots(seed: int) -> None:
    circuit = random_circuit(seed)
    bits = np.random.default_rng(seed + 99).integers(0, 2, (9, 130), np.uint8)
    made = circuit.evaluate(bits[:4].T, bits[4:].T)
    np.testing.assert_array_equal(np.concatenate(made, axis=1).T, one_by_one(circuit, bits))
    ends = [step.end for step in circuit.steps]
    assert [0, *ends[:-1]] == [step.begin for step in circuit.steps]
    assert circuit.program.slots <= circuit.input_bits + len(circuit.kinds)
    for step in circuit.steps:  # no gate of a step reads another one
        made_here = circuit.input_bits + np.arange(step.begin, step.end)
        assert not np.isin(circuit.left[step.begin : step.end], made_here).any()
        assert not np.isin(circuit.right[step.begin : step.end], made_here).any()


def test_a_circuit_may_hand_on_its_inputs() -> None:
    circuit = Circuit([2], [1, 2], kinds=[], left=[], right=[], results=[1, 0, 1])
    first, second = circuit.evaluate(np.array([[0, 1], [1, 0]], np.uint8))
    assert (first.tolist(), second.tolist()) == ([[1], [0]], [[0, 1], [1, 0]])
    assert circuit.depth == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": []},
        {"inputs": [0, 2]},
        {"outputs": []},
        {"kinds": [3]},
        {"left": [2]},
        {"right": [-1]},
        {"left": [0, 1]},
        {"results": [3]},
        {"results": [0, 1]},
    ],
)
def test_what_is_no_circuit_is_refused(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "inputs": [1, 1],
        "outputs": [1],
        "kinds": [1],
        "left": [0],
        "right": [1],
        "results": [2],
    }
    Circuit(good.pop("inputs"), good.pop("outputs"), **good)
    merged = {"inputs": [1, 1], "outputs": [1], **good, **wrong}
    with pytest.raises(UsageError):
        Circuit(merged.pop("inputs"), merged.pop("outputs"), **merged)


def test_a_circuit_inside_another() -> None:
    inner = trace(lambda x, y: (x * y, x.less(y)), 8, 8)

    def outer(x: Word, y: Word) -> Word:
        product, less = inline(inner, x, y)
        return choose(less, inline(inner, product, y)[0], product)

    x, y = np.array([3, 90, 200, 17]), np.array([5, 2, 100, 17])
    product = x * y & 255
    less = apply(trace(lambda x, y: x.less(y), 8, 8), x, y)
    np.testing.assert_array_equal(apply(trace(outer, 8, 8), x, y), np.where(less, product * y & 255, product))
    with pytest.raises(UsageError, match="takes words"):
        trace(lambda x: inline(inner, x, x[:4])[0], 8)


def test_mistakes_while_tracing() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        trace(lambda x, y: x + y, 4, 5)
    with pytest.raises(UsageError, match="no value yet"):
        trace(lambda x: x if x.some() else ~x, 4)
    with pytest.raises(UsageError, match="returns words"):
        trace(lambda x: 5, 4)
    with pytest.raises(UsageError, match="one bit"):
        trace(lambda x, y: choose(x, x, y), 4, 4)
    with pytest.raises(UsageError, match="without bits"):
        trace(lambda x: x[4:], 4)
    for wrong in (lambda x: x if x == 3 else ~x, lambda x: x if x != 3 else ~x):
        with pytest.raises(UsageError, match="equals"):
            trace(wrong, 4)
    for wrong in (lambda x: x << -1, lambda x: x >> -1, lambda x: x << x):
        with pytest.raises(UsageError, match="not shifted"):
            trace(wrong, 4)
    with pytest.raises(UsageError, match=r"go with 1\.5"):
        trace(lambda x: x + 1.5, 4)
    np.testing.assert_array_equal(
        apply(trace(lambda x: x + np.int8(3) << np.int64(1), 8), np.array([1])), [8]
    )


def test_mistakes_when_applied() -> None:
    circuit = trace(lambda x, y: x & y, 8, 8)
    for arrays in ([np.arange(3)], [np.arange(3), np.ones(3)], [np.arange(3), np.ones((3, 7), bool)]):
        with pytest.raises(UsageError):
            apply(circuit, *arrays)
    with pytest.raises(UsageError):
        circuit.evaluate(np.zeros((3, 8), np.uint8))
    with pytest.raises(UsageError):
        circuit.evaluate(np.zeros((3, 8), np.uint8), np.zeros((3, 9), np.uint8))


def test_plain_arrays_broadcast_and_have_signs() -> None:
    circuit = trace(lambda x, y: (x - y, x.less(y), x.joined(y)), 64, 64)
    difference, less, both = apply(circuit, np.array([[1], [-5]]), np.array([2, 3]))
    assert difference.tolist() == [[-1, -2], [-7, -8]]
    assert less.dtype == bool
    assert both.shape == (2, 2, 128)
