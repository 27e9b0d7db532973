"""Additive shares between two: every instruction set gives what the definition gives, and the shares add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.kernels import additive
from unseen.kernels.native import native
from unseen.kernels.reference import additive as reference

EDGES = np.array([0, 1, 1 << 62, (1 << 62) - 1, 1 << 63, (1 << 63) - 1, (1 << 64) - 1], np.uint64)


def words(rng: np.random.Generator, count: int) -> np.ndarray:
    made = rng.integers(0, 1 << 64, count, np.uint64)
    made[rng.random(count) < 0.3] = rng.choice(EDGES)
    return made


def packed(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, 256, -(-count // 8), np.uint8)


@pytest.mark.usefixtures("instruction_set")
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 75), st.integers(1, 32), st.booleans(), st.integers(0, 1 << 30))
def test_equals_the_definition(count: int, drop: int, leads: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    five = [words(rng, count) for _ in range(5)]
    np.testing.assert_array_equal(
        additive.beaver_product(*five, leads=leads), reference.beaver_product(*five, leads)
    )
    np.testing.assert_array_equal(additive.beaver_and(*five, leads=leads), reference.beaver_and(*five, leads))
    mask = packed(rng, count)
    np.testing.assert_array_equal(
        additive.lifted_bits(five[0], mask, leads=leads), reference.lifted_bits(five[0], mask, leads)
    )
    np.testing.assert_array_equal(additive.selected(*five[:4], mask), reference.selected(*five[:4], mask))
    for one, other in zip(
        additive.moved_tops(five[0], five[1], mask, leads=leads),
        reference.moved_tops(five[0], five[1], mask, leads),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    parts = [rng.integers(0, 1 << 32, count, np.uint32), *(packed(rng, count) for _ in range(3))]
    np.testing.assert_array_equal(
        additive.without_wrap(five[0], drop, *parts, leads=leads),
        reference.without_wrap(five[0], drop, *parts, leads),
    )


@pytest.mark.parametrize("drop", [1, 20, 32, 40])
def test_two_shares_truncate_to_the_floor_or_one_more(drop: int) -> None:
    rng = np.random.default_rng(drop)
    values = np.concatenate(
        [rng.integers(-(1 << 62) + 1, 1 << 62, 3001), [0, 1, -1, (1 << 62) - 1, 1 - (1 << 62)]]
    )
    count = len(values)
    small = np.uint32 if drop <= 32 else np.uint64
    first, offset = (rng.integers(0, 1 << 64, count, np.uint64) for _ in range(2))
    shares = [first, values.view(np.uint64) - first]
    masks = [packed(rng, count) for _ in shares]
    both = np.unpackbits(masks[0] & masks[1], count=count, bitorder="little").astype(small)
    dealt = rng.integers(0, np.iinfo(small).max, count, small)
    moved = [
        additive.moved_tops(share, offset, mask, leads=not place)
        for place, (share, mask) in enumerate(zip(shares, masks, strict=True))
    ]
    quotients = [
        additive.without_wrap(
            moved[place][0],
            drop,
            [dealt, both - dealt][place],
            masks[place],
            moved[place][1],
            moved[1 - place][1],
            leads=not place,
        )
        for place in range(2)
    ]
    error = (quotients[0] + quotients[1]).view(np.int64) - (values >> drop)
    assert set(np.unique(error)) <= {0, 1}


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_lengths_must_fit() -> None:
    word, bits = np.zeros(9, np.uint64), np.zeros(1, np.uint8)
    with pytest.raises(ValueError, match="length"):
        additive.moved_tops(word, word, bits, leads=True)
    with pytest.raises(ValueError, match="length"):
        additive.beaver_product(word, word, word, word, word[:8], leads=True)
    with pytest.raises(ValueError, match="length"):
        additive.without_wrap(word, 20, np.zeros(9, np.uint32), bits, bits, bits, leads=True)
