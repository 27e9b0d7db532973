"""SoftSpoken's two sides: against the reference on every instruction set, and against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.kernels import softspoken
from unseen.kernels.native import native
from unseen.kernels.reference import softspoken as reference

SHAPES = [(2, 1), (2, 70), (4, 0), (4, 1), (4, 3), (4, 16), (4, 64), (4, 65), (4, 131), (8, 1), (8, 17)]


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def trees(k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The receiver's leaves, Delta, and the sender's leaves, in its order and with rubbish for the one it lacks."""
    keys, delta = noise(seed, 128 // k, 1 << k, 16), noise(seed + 1, 16)
    digits = np.packbits(np.unpackbits(delta, bitorder="little").reshape(-1, k), axis=1, bitorder="little")[
        :, 0
    ]
    theirs = np.stack([keys[tree][np.arange(1 << k) ^ digit] for tree, digit in enumerate(digits)])
    theirs[:, 0] = noise(seed + 2, len(digits), 16)
    return keys, delta, theirs


def received(
    module: Any, keys: np.ndarray, first: int, blocks: int, choices: np.ndarray | None = None
) -> Any:
    rows = np.empty((128 * blocks, 16), np.uint8)
    return (*module.receive(keys, first, rows, choices), rows)


def sent(module: Any, keys: np.ndarray, delta: np.ndarray, first: int, corrections: np.ndarray) -> np.ndarray:
    rows = np.empty((128 * corrections.shape[1], 16), np.uint8)
    module.send(keys, delta, first, corrections, rows)
    return rows


@pytest.mark.parametrize(("k", "blocks"), SHAPES)
@pytest.mark.parametrize("given", [False, True])
def test_both_sides(instruction_set: str, k: int, blocks: int, given: bool) -> None:
    keys, delta, theirs = trees(k, blocks)
    choices = noise(5, blocks, 16) if given else None
    got = received(softspoken, keys, 9, blocks, choices)
    for one, other in zip(got, received(reference, keys, 9, blocks, choices), strict=True):
        np.testing.assert_array_equal(one, other)
    bits, corrections, rows = got
    if given:
        np.testing.assert_array_equal(bits, choices)
    theirs_rows = sent(softspoken, theirs, delta, 9, corrections)
    np.testing.assert_array_equal(theirs_rows, sent(reference, theirs, delta, 9, corrections))
    plain = np.unpackbits(bits.reshape(-1), bitorder="little")
    np.testing.assert_array_equal(theirs_rows, rows ^ plain[:, None] * delta)


def test_a_stretch_in_pieces_is_the_same_stretch(instruction_set: str) -> None:
    keys, _, _ = trees(4, 1)
    choices, corrections, rows = received(softspoken, keys, (1 << 64) - 30, 90)
    parts = [received(softspoken, keys, start % (1 << 64), 45) for start in ((1 << 64) - 30, (1 << 64) + 15)]
    np.testing.assert_array_equal(choices, np.concatenate([part[0] for part in parts]))
    np.testing.assert_array_equal(corrections, np.concatenate([part[1] for part in parts], axis=1))
    np.testing.assert_array_equal(rows, np.concatenate([part[2] for part in parts]))


@pytest.mark.parametrize("blocks", [0, 1, 3, 4, 15, 16, 17, 40])
def test_fold(instruction_set: str, blocks: int) -> None:
    rows, seed = noise(blocks, 128 * blocks, 16), noise(1, 16)
    np.testing.assert_array_equal(softspoken.fold(seed, 7, rows), reference.fold(seed, 7, rows))


def test_fold_is_linear_and_sees_every_bit(instruction_set: str) -> None:
    rows, seed = noise(1, 256, 16), noise(2, 16)
    before = softspoken.fold(seed, 0, rows)
    for row in range(0, 256, 17):
        changed = rows.copy()
        changed[row, row % 16] ^= 1 << row % 8
        column = 8 * (row % 16) + row % 8
        differs = (softspoken.fold(seed, 0, changed) ^ before).any(axis=1)
        assert np.flatnonzero(differs).tolist() == [column]


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_other_shapes_are_refused() -> None:
    keys, delta, _ = trees(4, 1)
    rows = np.empty((256, 16), np.uint8)
    with pytest.raises(ValueError, match="keys have shape"):
        softspoken.receive(keys[:31], 0, rows)
    with pytest.raises(ValueError, match="keys have shape"):
        softspoken.receive(noise(1, 128, 2, 16), 0, rows)
    with pytest.raises(ValueError, match="one block per"):
        softspoken.receive(keys, 0, rows, noise(1, 3, 16))
    with pytest.raises(ValueError, match="128 to a block"):
        softspoken.receive(keys, 0, rows[:200])
    with pytest.raises(ValueError, match="every tree"):
        softspoken.send(keys, delta, 0, noise(1, 30, 2, 16), rows)
    with pytest.raises(ValueError, match="every tree"):
        softspoken.send(keys, delta, 0, noise(1, 31, 2, 15), rows)
    with pytest.raises(ValueError, match="128 to a block"):
        softspoken.send(keys, delta, 0, noise(1, 31, 3, 16), rows)
    with pytest.raises(ValueError, match="16 bytes"):
        softspoken.send(keys, delta[:8], 0, noise(1, 31, 2, 16), rows)
    with pytest.raises(ValueError, match="multiple of 128"):
        softspoken.fold(delta, 0, noise(1, 100, 16))
