"""The dual code itself: full rank, no light words where they are easy to look for, and why it has weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unseen.kernels import blocks, lpn
from unseen.kernels.reference import ggm as trees
from unseen.kernels.reference import lpn as reference

SIZE = 256  # rows; the smallest size there is


def matrix(size: int, version: int = 1) -> np.ndarray:
    """H as (size / 2, size, 16): column i is what the unit vector i is compressed to."""
    key = lpn.code_key("test", version, size)
    out = np.zeros((size // 2, size, 16), np.uint8)
    for column in range(0, size, 2):
        rows = lpn.room(size, 2)
        rows[:] = 0
        rows[column, 0, 0] = rows[column + 1, 1, 0] = 1
        pair = lpn.dual_encode(key, rows, size // 2, field=128, scratch=lpn.room(size, 2))
        out[:, column], out[:, column + 1] = pair
    return out


def inverse(block: np.ndarray) -> np.ndarray:
    power = int.from_bytes(block.tobytes(), "little")
    result = 1
    for _ in range(127):  # 2 + 4 + ... + 2^127 = 2^128 - 2
        power = trees.times(power, power)
        result = trees.times(result, power)
    return np.frombuffer(result.to_bytes(16, "little"), np.uint8)


def reduced(rows: np.ndarray) -> np.ndarray:
    """Row echelon form over GF(2^128) of a matrix whose first columns are independent."""
    rows = rows.copy()
    for r in range(len(rows)):
        pivot = r + int(np.flatnonzero(rows[r:, r].any(axis=1))[0])
        rows[[r, pivot]] = rows[[pivot, r]]
        rows[r] = blocks.gf_multiply(rows[r], inverse(rows[r, r]))
        factors = rows[:, r].copy()
        factors[r] = 0
        for k in np.flatnonzero(factors.any(axis=1)):
            rows[k] ^= blocks.gf_multiply(rows[r], factors[k])
    return rows


@pytest.mark.parametrize("seed", [0, 1])
def test_full_rank_and_no_light_words_from_information_sets(seed: int) -> None:
    """Words that vanish on half of the places but one, as Prange's attack has them, vanish nowhere else."""
    h = matrix(SIZE, version=1 + seed)[:, np.random.default_rng(seed).permutation(SIZE)]
    systematic = reduced(h)  # raises if the first half of the columns is singular
    assert systematic[:, SIZE // 2 :].any(axis=2).all()


@pytest.mark.parametrize("size", [SIZE, 4096])
def test_rows_are_heavy(size: int) -> None:
    """One message symbol reaches nearly every place: as a noise vector, each place reaches nearly every output."""
    key = lpn.code_key("test", 1, size)
    for place in range(0, size, size // 16):
        rows = lpn.room(size, 1)
        rows[:] = 0
        rows[place, 0, 3] = 5
        out = lpn.dual_encode(key, rows, size // 2, field=128, scratch=lpn.room(size, 1))
        weight = np.count_nonzero(out[0].any(axis=1))
        assert weight > 0.4 * (size // 2) or place > size * 3 // 4  # the last places have short running sums


def noise_support(encode: Callable[[np.ndarray], np.ndarray], noise: np.ndarray) -> set[int]:
    """Metzner and Kapturowski's attack: noise positions from H e, for a binary H, by linear algebra alone.

    Combinations of the outputs that vanish in all 128 components are orthogonal to the noise values; if these are
    independent, the same combinations of H vanish at every noise position, and hardly anywhere else.
    """
    size = len(noise)
    bits = np.unpackbits(encode(noise), axis=1, bitorder="little")
    h = np.zeros((size // 2, size), np.uint8)
    for first in range(0, size, 128):
        unit = np.zeros((size, 16), np.uint8)
        unit[np.arange(first, first + 128), np.arange(128) // 8] = 1 << (np.arange(128) % 8)
        h[:, first : first + 128] = np.unpackbits(encode(unit), axis=1, bitorder="little")
    used = np.zeros(len(bits), bool)
    for component in range(128):
        candidates = np.flatnonzero(bits[:, component] & ~used)
        if not len(candidates):
            continue
        used[candidates[0]] = True
        others = np.flatnonzero(bits[:, component])
        others = others[others != candidates[0]]
        bits[others] ^= bits[candidates[0]]
        h[others] ^= h[candidates[0]]
    return set(np.flatnonzero(~h[~used].any(axis=0)).tolist())


@pytest.mark.parametrize("weighted", [True, False])
def test_without_weights_the_noise_positions_are_found(
    weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant that the weights are there to prevent: a binary code over a large field."""
    size, count = 1024, 100
    rng = np.random.default_rng(1)
    positions = rng.choice(size, count, replace=False)
    noise = np.zeros((size, 16), np.uint8)
    noise[positions] = rng.integers(0, 256, (count, 16), np.uint8)
    key = lpn.code_key("test", 1, size)
    if not weighted:
        monkeypatch.setattr(reference, "weigh", lambda rows, weights, field: rows)

    def encode(rows: np.ndarray) -> np.ndarray:
        out: np.ndarray = reference.dual(key, rows[:, None].copy(), lpn.chunk_bits(size), size // 2, 128)[0]
        return out

    found = noise_support(encode, noise)
    assert (found == set(positions.tolist())) is not weighted
    if weighted:
        assert not found
