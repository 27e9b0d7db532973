"""Trees: the native kernels against the definition on every instruction set, and the relations that protocols rest on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.kernels import backend, ggm
from unseen.kernels.native import native
from unseen.kernels.reference import ggm as reference

SETS = native().instruction_sets() if native() else ["reference"]


@pytest.fixture(params=SETS, autouse=True, scope="module")
def instruction_set(request: pytest.FixtureRequest):
    """Every test runs on each of this machine's sets."""
    module = native()
    if module is None:
        yield
        return
    module.use(request.param)
    yield
    module.use(backend().removeprefix("native:"))


def blocks(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 16), np.uint8)


def known_sums(sums: np.ndarray, delta: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """What the receiver gets: of each level the parity that the position has not."""
    depth = sums.shape[1]
    bits = positions[:, None] >> np.arange(depth - 1, -1, -1, dtype=np.uint64) & np.uint64(1)
    return sums ^ delta * (bits == 0).astype(np.uint8)[:, :, None]


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 5), st.integers(1, 8), st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 999)
)
def test_equals_the_definition(
    trees: int, depth: int, width: int, tweaked: bool, truncated: bool, seed: int
) -> None:
    keys, roots, delta = blocks(seed, 3), blocks(seed + 1, trees), blocks(seed + 2)
    options = {"tweaked": tweaked, "truncated": truncated and width > 0}
    for ours, theirs in zip(
        ggm.expand(keys, roots, delta, depth, width, **options),
        reference.expand(keys, roots, delta, depth, width, **options),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    sums, corrections, noise = (
        blocks(seed + 3, trees, depth),
        blocks(seed + 4, trees, width),
        blocks(seed + 5, trees),
    )
    positions = np.random.default_rng(seed).integers(0, 1 << depth, trees).astype(np.uint64)
    np.testing.assert_array_equal(
        ggm.puncture(keys, sums, positions, corrections, noise, **options),
        reference.puncture(keys, sums, positions, corrections, noise, **options),
    )


@pytest.mark.parametrize("tweaked", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 5, 6, 9])
def test_leaves_differ_by_delta_at_the_position_alone(depth: int, tweaked: bool) -> None:
    keys, delta = blocks(1, 3), blocks(2) | np.array([1] + 15 * [0], np.uint8)
    positions = np.arange(1 << depth, dtype=np.uint64)  # every position
    roots = blocks(3, len(positions))
    full, sums, totals = ggm.expand(keys, roots, delta, depth, 0, tweaked=tweaked)
    assert totals.size == 0
    none = np.zeros((len(positions), 0, 16), np.uint8)
    noise = blocks(4, len(positions))
    known = known_sums(sums, delta, positions)
    difference = full ^ ggm.puncture(keys, known, positions, none, noise, tweaked=tweaked)
    expected = np.zeros((len(positions), 1 << depth, 16), np.uint8)
    expected[np.arange(len(positions)), positions] = delta
    np.testing.assert_array_equal(difference.reshape(expected.shape), expected)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("truncated", [False, True])
def test_corrections_make_any_difference_at_the_position(width: int, truncated: bool) -> None:
    depth, trees = 7, 9
    keys, delta, roots, noise = blocks(1, 3), blocks(2), blocks(3, trees), blocks(4, trees)
    positions = np.random.default_rng(5).integers(0, 1 << depth, trees).astype(np.uint64)
    full, sums, totals = ggm.expand(keys, roots, delta, depth, width, truncated=truncated)
    wanted = blocks(6, trees, width)
    if truncated:
        wanted[..., 12:] = 0
        assert not full[..., 12:].any()
    rows = ggm.puncture(
        keys, known_sums(sums, delta, positions), positions, totals ^ wanted, noise, truncated=truncated
    )
    at = np.arange(trees) * (1 << depth) + positions.astype(np.int64)
    difference = rows[:, 1:] ^ full
    np.testing.assert_array_equal(difference[at], wanted)
    assert np.flatnonzero(difference.any(axis=(1, 2))).tolist() == at.tolist()
    np.testing.assert_array_equal(rows[at, 0], noise)
    assert np.flatnonzero(rows[:, 0].any(axis=1)).tolist() == at.tolist()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 70), st.integers(1, 3), st.integers(0, 999))
def test_fold_equals_the_definition(count: int, width: int, seed: int) -> None:
    rows = blocks(seed, count, width)
    np.testing.assert_array_equal(ggm.fold(blocks(1), rows), reference.fold(blocks(1), rows))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 3), st.sampled_from([96, 128]), st.integers(0, 999))
def test_pack_equals_the_definition(count: int, field: int, seed: int) -> None:
    rows = blocks(seed, count * field)
    np.testing.assert_array_equal(ggm.pack(rows, field), reference.pack(rows, field))


@pytest.mark.parametrize("field", [96, 128])
def test_packing_makes_a_multiple_of_delta(field: int) -> None:
    delta, ours = blocks(1), blocks(2, field)
    choices = np.random.default_rng(3).integers(0, 2, field, np.uint8)
    theirs = ours ^ delta * choices[:, None]
    factor = int.from_bytes(np.packbits(choices, bitorder="little").tobytes(), "little")
    low = int.from_bytes(delta[: field // 8].tobytes(), "little")
    difference = ggm.pack(ours, field) ^ ggm.pack(theirs, field)
    assert int.from_bytes(difference.tobytes(), "little") == reference.times(factor, low, field)


def test_fold_of_marks() -> None:
    rows = blocks(2, 77)
    marks = np.zeros_like(rows)
    marks[:, 0] = rows[:, 0] & 1
    expected = reference.fold(blocks(1), np.stack([marks, rows], axis=1))
    np.testing.assert_array_equal(ggm.fold_marked(blocks(1), rows), expected)


def test_no_value_comes_twice() -> None:
    """Neither within a tree nor among trees of the same root under another tweak."""
    rows, _, _ = ggm.expand(blocks(1, 3), np.repeat(blocks(2, 1), 2, axis=0), blocks(3), 9, 2, tweaked=True)
    assert len(np.unique(rows.reshape(-1, 16), axis=0)) == rows.size // 16


@pytest.mark.skipif(not backend().startswith("native"), reason="the native kernels are not built")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"positions": np.array([4, 0], np.uint64)}, "outside"),
        ({"sums": blocks(1, 3, 2)}, "for every tree"),
        ({"sums": np.zeros((2, 25, 16), np.uint8)}, "levels"),
        ({"corrections": blocks(1, 2, 3)}, "two values"),
        ({"keys": blocks(1, 2)}, "three keys"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, np.ndarray], text: str) -> None:
    given = {
        "keys": blocks(1, 3),
        "sums": blocks(2, 2, 2),
        "positions": np.array([3, 0], np.uint64),
        "corrections": blocks(3, 2, 1),
        "noise": blocks(4, 2),
    }
    with pytest.raises(ValueError, match=text):
        ggm.puncture(**(given | change))
