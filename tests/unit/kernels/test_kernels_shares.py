"""Shares: every instruction set against the reference; the reference against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import shares
from unseen.kernels.reference import shares as reference
from unseen.kernels.reference.blocks import aes_ctr

SAME_SET = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COUNTS = st.sampled_from([0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 700])
KEYS = (bytes(range(16)), bytes(range(16, 32)))


def words(seed: int, *shape: int) -> np.ndarray:
    edges = np.array([0, 1, 1 << 63, (1 << 64) - 1], np.uint64)
    out = np.random.default_rng(seed).integers(0, (1 << 64) - 1, shape, np.uint64, endpoint=True)
    flat = out.reshape(-1)
    flat[: min(4, flat.size)] = edges[: min(4, flat.size)]
    return out


@SAME_SET
@given(COUNTS, st.integers(1, 64), st.integers(0, 1000))
def test_places(instruction_set: str, count: int, places: int, seed: int) -> None:
    x = words(seed, count)
    planes = shares.split_places(x, places)
    np.testing.assert_array_equal(planes, reference.split_places(x, places))
    back = shares.join_places(planes, count)
    np.testing.assert_array_equal(back, reference.join_places(planes, count))
    np.testing.assert_array_equal(back, x & np.uint64((1 << places) - 1))


def test_places_by_hand() -> None:
    planes = reference.split_places(np.array([1, 2, 3] + [0] * 61 + [2], np.uint64), 2)
    assert planes.tolist() == [[0b101, 0], [0b110, 1]]


@SAME_SET
@given(COUNTS, st.integers(0, (1 << 64) - 1))
def test_pads(instruction_set: str, count: int, use: int) -> None:
    np.testing.assert_array_equal(shares.pad(KEYS[0], use, count), reference.pad(KEYS[0], use, count))


def test_a_pad_is_the_stream_of_aes() -> None:
    blocks = aes_ctr(np.frombuffer(KEYS[0], np.uint8), 5, 0, 4)
    assert reference.pad(KEYS[0], 5, 7).tobytes() == blocks.tobytes()[:56]


@SAME_SET
@given(COUNTS, st.integers(0, 1000))
def test_products(instruction_set: str, count: int, seed: int) -> None:
    x, y = words(seed, 2, count), words(seed + 1, 2, count)
    for name in ("multiply", "conjoin"):
        ours, theirs = getattr(shares, name), getattr(reference, name)
        np.testing.assert_array_equal(ours(x, y, *KEYS, 9), theirs(x, y, *KEYS, 9))


def test_three_parties_together_have_the_product() -> None:
    keys = [bytes([place]) * 16 for place in range(3)]
    x, y = words(1, 3, 200), words(2, 3, 200)
    views = [[np.stack([z[i], z[(i + 1) % 3]]) for z in (x, y)] for i in range(3)]
    parts = [reference.multiply(*view, keys[i], keys[(i + 1) % 3], 4) for i, view in enumerate(views)]
    np.testing.assert_array_equal(sum(parts), x.sum(axis=0) * y.sum(axis=0))
    parts = [reference.conjoin(*view, keys[i], keys[(i + 1) % 3], 4) for i, view in enumerate(views)]
    expected = np.bitwise_xor.reduce(x) & np.bitwise_xor.reduce(y)
    np.testing.assert_array_equal(np.bitwise_xor.reduce(parts), expected)


@SAME_SET
@given(COUNTS, st.sampled_from([1, 8, 20, 31, 32, 33, 50]), st.integers(0, 1000))
def test_truncation(instruction_set: str, count: int, drop: int, seed: int) -> None:
    known, rest = words(seed, count), words(seed + 1, count)
    small = np.uint32 if drop <= 32 else np.uint64
    bit, theirs = words(seed + 2, count).astype(small), words(seed + 3, count).astype(small)
    first = (known, drop, 12345, *KEYS, (3, 4, 5, 6))
    for ours, plain in zip(shares.truncate_first(*first), reference.truncate_first(*first), strict=True):
        np.testing.assert_array_equal(ours, plain)
    mine = shares.truncate_part(known, bit, KEYS[0], 7)
    np.testing.assert_array_equal(mine, reference.truncate_part(known, bit, KEYS[0], 7))
    for alone_first in (True, False):
        last = (known, drop, mine, theirs, rest, KEYS[1], 8)
        np.testing.assert_array_equal(
            shares.truncate_last(*last, alone_first=alone_first),
            reference.truncate_last(*last, alone_first=alone_first),
        )


WEIGHTS = np.array([1 << 30, 0, -(1 << 31) + 5, 12345, 0, 0, 1 << 29], np.int64)


@SAME_SET
@given(COUNTS, st.integers(1, 64), st.integers(1, 30), st.integers(0, 1000))
def test_waves(instruction_set: str, count: int, period_bits: int, bits: int, seed: int) -> None:
    x, factors = words(seed, count), words(seed + 1, 2, 4, count)
    np.testing.assert_array_equal(
        shares.waves(x, period_bits, WEIGHTS, bits), reference.waves(x, period_bits, WEIGHTS, bits)
    )
    np.testing.assert_array_equal(
        shares.wave_products(x, period_bits, WEIGHTS, bits, factors),
        reference.wave_products(x, period_bits, WEIGHTS, bits, factors),
    )


def test_waves_are_those_of_floating_point() -> None:
    x = words(5, 20000)
    ones = np.full(52, 1 << 30, np.int64)
    made = reference.waves(x, 25, ones, 30).view(np.int64) / 2.0**30
    angle = (x & np.uint64((1 << 25) - 1)) * (2 * np.pi / (1 << 25))
    degrees = np.arange(1, 53)[:, None]
    assert np.abs(made[0] - np.sin(degrees * angle)).max() < 2e-7
    assert np.abs(made[1] - np.cos(degrees * angle)).max() < 2e-7


@pytest.mark.parametrize(
    "call",
    [
        lambda x: shares.split_places(x, 0),
        lambda x: shares.split_places(x, 65),
        lambda x: shares.join_places(x[None], 65),
        lambda x: shares.waves(x, 65, WEIGHTS, 20),
        lambda x: shares.waves(x, 20, WEIGHTS, 31),
        lambda x: shares.wave_products(x, 20, WEIGHTS, 20, np.zeros((2, 3, 1), np.uint64)),
        lambda x: shares.pad(b"short", 1, 4),
        lambda x: shares.multiply(x[None], x[None], *KEYS, 1),
        lambda x: shares.multiply(np.stack([x, x]), np.stack([x, x])[:, :0], *KEYS, 1),
        lambda x: shares.conjoin(np.stack([x, x]), np.stack([x, x]), b"", KEYS[0], 1),
    ],
)
def test_what_does_not_fit_is_refused(instruction_set: str, call) -> None:
    with pytest.raises(ValueError, match=r"places|length|key|components|bits"):
        call(words(3, 1))
