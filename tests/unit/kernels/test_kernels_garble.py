"""Half gates: against the reference on every instruction set, and the evaluator's labels against the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import garble
from unseen.kernels.garble import MOST_LANES
from unseen.kernels.native import native
from unseen.kernels.reference import garble as reference

INPUTS, SLOTS, GATES = 6, 20, 60


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def random_gates(seed: int, gates: int = GATES) -> tuple[np.ndarray, ...]:
    """Slots are read and written at will, also the same one."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, gates, np.uint8)
    return kinds, *(rng.integers(0, SLOTS, gates).astype(np.int32) for _ in range(3))


def secrets(seed: int) -> tuple[np.ndarray, np.ndarray]:
    delta, start = noise(seed, 2, 16)
    delta[0] |= 1
    return delta, start


def values_of(gates: tuple[np.ndarray, ...], bits: np.ndarray) -> np.ndarray:
    """Slots of bits (slots, ...) after all gates."""
    slots = bits.copy()
    for kind, left, right, out in zip(*gates, strict=True):
        a, b = slots[left], slots[right]
        slots[out] = (a ^ b, a & b, 1 - a)[kind]
    return slots


def shapes() -> list[tuple[int, int]]:
    return [(1, 1), (1, 2), (2, 3), (1, 4), (3, 5), (2, 8), (1, 15), (2, 16), (0, 1)]


@pytest.mark.parametrize(("groups", "lanes"), shapes())
@pytest.mark.parametrize("number", [0, 77, (1 << 64) - 40])
def test_as_the_reference(instruction_set: str, groups: int, lanes: int, number: int) -> None:
    gates, (delta, start) = random_gates(groups + lanes), secrets(lanes)
    labels = noise(5, groups, SLOTS, lanes, 16)
    keys: dict[str, Any] = {"start": start, "number": number, "stride": 1000}
    ours, theirs = labels.copy(), labels.copy()
    tables = garble.garble(gates, ours, delta, **keys)
    expected = reference.garble(gates, theirs, delta, **keys)
    np.testing.assert_array_equal(tables, expected)
    np.testing.assert_array_equal(ours, theirs)
    ours, theirs = labels.copy(), labels.copy()
    garble.evaluate(gates, ours, tables, **keys)
    reference.evaluate(gates, theirs, tables, **keys)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("groups", "lanes"), shapes())
def test_labels_are_those_of_the_values(instruction_set: str, groups: int, lanes: int) -> None:
    gates, (delta, start) = random_gates(lanes, 200), secrets(groups)
    bits = np.random.default_rng(3).integers(0, 2, (SLOTS, groups, lanes), np.uint8)
    zero = noise(1, groups, SLOTS, lanes, 16)
    active = zero ^ np.moveaxis(bits, 0, 1)[..., None] * delta
    keys: dict[str, Any] = {"start": start, "number": 5, "stride": 400}
    tables = garble.garble(gates, zero, delta, **keys)
    garble.evaluate(gates, active, tables, **keys)
    expected = np.moveaxis(values_of(gates, bits), 0, 1)
    np.testing.assert_array_equal(active ^ zero, expected[..., None] * delta)
    np.testing.assert_array_equal((active ^ zero)[..., 0] & 1, expected)


def test_stretches_of_gates_are_the_whole(instruction_set: str) -> None:
    gates, (delta, start) = random_gates(4), secrets(4)
    whole = noise(9, 1, SLOTS, 3, 16)
    parts = whole.copy()
    tables = garble.garble(gates, whole, delta, start=start, number=10, stride=0)
    number, pieces = 10, []
    for begin in range(0, GATES, 7):
        some = tuple(column[begin : begin + 7] for column in gates)
        pieces.append(garble.garble(some, parts, delta, start=start, number=number, stride=0))
        number += 2 * pieces[-1].shape[1]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), tables)
    np.testing.assert_array_equal(parts, whole)


def test_every_and_group_and_lane_hashes_differently(instruction_set: str) -> None:
    """The same labels at two gates, in two groups, in two calls, in two lanes: no two rows are equal or Delta apart."""
    gates = (np.ones(2, np.uint8), *(np.array([place, place], np.int32) for place in (0, 1, 2)))
    (delta, start), one = secrets(1), noise(2, 1, 3, 1, 16)
    labels = np.tile(one, (2, 1, MOST_LANES, 1))
    keys: dict[str, Any] = {"start": start, "stride": 4}
    calls = [garble.garble(gates, labels.copy(), delta, number=number, **keys) for number in (0, 8)]
    calls.append(garble.garble(gates, labels.copy(), delta, number=0, start=start ^ 1, stride=4))
    for half in range(2):
        rows = np.concatenate([call[..., half, :].reshape(-1, 16) for call in calls])
        assert len(np.unique(np.concatenate([rows, rows ^ delta]), axis=0)) == 2 * 3 * 2 * 2 * MOST_LANES


def shows_delta(module: Any) -> bool:
    """A wire that is constant by its structure has label 0 or Delta in every lane; the other operand's bits differ."""
    gates = (np.ones(1, np.uint8), *(np.array([place], np.int32) for place in (0, 1, 2)))
    delta, start = secrets(1)
    labels = noise(3, 1, 3, MOST_LANES, 16)
    for constant in (np.zeros(16, np.uint8), delta):
        for place in (0, 1):
            zero = labels.copy()
            zero[:, place] = constant
            rows = module.garble(gates, zero, delta, start=start, number=0, stride=0)[0, 0]
            known = np.concatenate([rows[:, 0], rows[:, 1], labels[0, 1 - place]])
            if (known[:, None] ^ known[None] == delta).all(axis=-1).any():
                return True
    return False


def test_constant_wires_do_not_show_delta(instruction_set: str) -> None:
    assert not shows_delta(garble)


def test_mutant_lanes_that_hash_alike_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not shows_delta(reference)
    monkeypatch.setattr(reference, "_marked", lambda labels: labels.reshape(-1, 16))
    assert shows_delta(reference)


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_other_shapes_are_refused() -> None:
    gates, (delta, start) = random_gates(1), secrets(1)
    labels = noise(1, 1, SLOTS, 2, 16)
    keys: dict[str, Any] = {"start": start, "number": 0, "stride": 0}
    ands = int((gates[0] == 1).sum())
    for wrong in (noise(1, 1, SLOTS, 2, 15), noise(1, 1, SLOTS, 17, 16), noise(1, 1, SLOTS, 0, 16)):
        with pytest.raises(ValueError, match="labels have shape"):
            garble.garble(gates, wrong, delta, **keys)
    for place, value in ((1, SLOTS), (2, -1), (3, SLOTS)):
        wrong_gates = [column.copy() for column in gates]
        wrong_gates[place][7] = value
        with pytest.raises(ValueError, match="no such slot"):
            garble.garble(tuple(wrong_gates), labels, delta, **keys)
    with pytest.raises(ValueError, match="no such gate"):
        garble.garble((gates[0] + np.uint8(1), *gates[1:]), labels, delta, **keys)
    with pytest.raises(ValueError, match="one entry a gate"):
        garble.garble((gates[0], gates[1][:-1], *gates[2:]), labels, delta, **keys)
    with pytest.raises(ValueError, match="16 bytes"):
        garble.garble(gates, labels, delta[:8], **keys)
    with pytest.raises(ValueError, match="tables have shape"):
        garble.evaluate(gates, labels, noise(1, 1, ands - 1, 2, 2, 16), **keys)
    labels.flags.writeable = False
    with pytest.raises(TypeError):
        garble.garble(gates, labels, delta, **keys)


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.integers(0, 4), *[st.integers(-2, 9)] * 3), max_size=20),
    st.tuples(
        st.integers(0, 3), st.integers(0, 9), st.integers(0, 18), st.sampled_from([16] * 9 + [0, 15, 17])
    ),
    st.integers(0, 1 << 64 - 1),
)
def test_hostile_arguments(
    instruction_set: str, entries: list[tuple[int, ...]], shape: tuple[int, ...], number: int
) -> None:
    columns = list(zip(*entries, strict=True)) or [(), (), (), ()]
    gates = (np.array(columns[0], np.uint8), *(np.array(column, np.int32) for column in columns[1:]))
    delta, start = secrets(1)
    try:
        tables = garble.garble(gates, noise(1, *shape), delta, start=start, number=number, stride=3)
    except (ValueError, TypeError):
        return
    assert tables.shape == (shape[0], int((gates[0] == 1).sum()), shape[2], 2, 16)
