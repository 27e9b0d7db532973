"""Buckets: the definition, streams, refusals, and how full they get."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import partition
from unseen.kernels.capacity import capacity, tail_bits
from unseen.kernels.native import native
from unseen.kernels.reference import partition as reference

several = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEY = np.arange(16, dtype=np.uint8)


def ids(seed: int, count: int, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, width), np.uint8)


@several
@given(st.integers(0, 300), st.sampled_from([16, 32]), st.integers(0, 12), st.integers(0, 99))
def test_buckets_equal_the_definition(
    instruction_set: str, count: int, width: int, bits: int, seed: int
) -> None:
    rows = ids(seed, count, width)
    for mine, other in zip(
        partition.bucket_rows(KEY, rows, bits), reference.bucket_rows(KEY, rows, bits), strict=True
    ):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype


@several
@given(st.integers(0, 300), st.sampled_from([16, 32]), st.integers(0, 6), st.integers(1, 99))
def test_a_stream_gives_what_all_at_once_gives(
    instruction_set: str, count: int, width: int, bits: int, chunk: int
) -> None:
    rows = ids(count, count, width)
    whole, numbers, begins = partition.partition_rows(KEY, rows, bits)
    np.testing.assert_array_equal(rows[numbers], whole)
    buckets, _ = partition.bucket_rows(KEY, rows, bits)
    for b in range(1 << bits):
        np.testing.assert_array_equal(numbers[begins[b] : begins[b + 1]], np.flatnonzero(buckets == b))
    for of in (partition, reference):
        cursor, out, to = begins[:-1].copy(), np.zeros_like(rows), np.zeros(count, np.int64)
        for first in range(0, count, chunk):
            piece = rows[first : first + chunk]
            given_numbers = np.arange(first, first + len(piece), dtype=np.int64)
            mine, _ = of.bucket_rows(KEY, piece, bits)
            of.scatter_rows(mine, piece, given_numbers, cursor=cursor, rows_out=out, numbers_out=to)
        np.testing.assert_array_equal(out, whole)
        np.testing.assert_array_equal(to, numbers)
        np.testing.assert_array_equal(cursor, begins[1:])


def test_the_key_decides(instruction_set: str) -> None:
    rows = ids(1, 4096)
    one, _ = partition.bucket_rows(KEY, rows, 8)
    two, _ = partition.bucket_rows(KEY + 1, rows, 8)
    assert 0 < (one == two).sum() < 60


@pytest.mark.parametrize("of", [partition, reference])
def test_nothing_is_written_outside(instruction_set: str, of: object) -> None:
    rows, buckets = ids(2, 10), np.array([0, 1] * 5, np.uint32)
    numbers, fine = np.arange(10), np.array([0, 5])

    def scatter(
        buckets: np.ndarray = buckets, cursor: np.ndarray = fine, places: int = 10, width: int = 32
    ) -> None:
        out, to = np.full((places, width), 7, np.uint8), np.full(places, 7, np.int64)
        before = cursor.copy()
        try:
            of.scatter_rows(buckets, rows, numbers, cursor=cursor, rows_out=out, numbers_out=to)
        except ValueError:
            assert (out == 7).all()
            assert (to == 7).all()
            np.testing.assert_array_equal(cursor, before)
            raise

    scatter()
    for wrong in (
        {"cursor": np.array([0, 6])},
        {"cursor": np.array([-1, 5])},
        {"cursor": np.array([0, 1 << 62])},
        {"cursor": np.array([0])},
        {"places": 9},
        {"buckets": np.array([0, 1, 2] * 3 + [0], np.uint32)},
    ):
        with pytest.raises(ValueError, match=r"leave the array|not among"):
            scatter(**wrong)


def test_refusals(instruction_set: str) -> None:
    rows = ids(3, 4)
    for of in (partition, reference):
        for key, given_rows, bits, message in [
            (KEY[:8], rows, 3, "key"),
            (KEY, rows[:, :20], 3, "16 or 32"),
            (KEY, rows, 25, "buckets"),
            (KEY, rows, -1, "buckets"),
        ]:
            with pytest.raises(ValueError, match=message):
                of.bucket_rows(key, given_rows, bits)
    module, out = native(), np.zeros((4, 32), np.uint8)
    buckets, cursor = np.zeros(4, np.uint32), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="as many buckets"):
        module.scatter_rows(buckets[:3], rows, None, 0, cursor, out, np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="as many numbers"):
        module.scatter_rows(buckets, rows, None, 0, cursor, out, np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="as many numbers"):
        module.scatter_rows(buckets, rows, None, 0, cursor, out[:, :16].copy(), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="numbers are int64"):
        module.scatter_rows(buckets, rows, np.zeros(3, np.int64), 0, cursor, out, np.zeros(4, np.int64))
    for frozen in (out, cursor):
        frozen.flags.writeable = False
        with pytest.raises(TypeError):
            module.scatter_rows(buckets, rows, None, 0, cursor, out, np.zeros(4, np.int64))
        frozen.flags.writeable = True


# --- capacity


def exact_tail(count: int, bins: int, size: int) -> float:
    """P[Binomial(count, 1 / bins) >= size], summed in floating point from the logarithms of its terms."""

    def log_term(k: int) -> float:
        choose = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        return choose + k * math.log(1 / bins) + (count - k) * math.log1p(-1 / bins)

    return math.fsum(math.exp(log_term(k)) for k in range(size, min(count, size + 3000) + 1))


@pytest.mark.parametrize(("count", "bins"), [(100, 7), (1000, 2), (5000, 64), (1 << 20, 64), (1 << 20, 1024)])
@pytest.mark.parametrize("statistical", [10, 40])
def test_capacity_is_enough_and_not_wasteful(count: int, bins: int, statistical: int) -> None:
    size = capacity(count, bins, statistical=statistical)
    overflow = bins * exact_tail(count, bins, size + 1)
    assert overflow <= 2.0**-statistical
    assert overflow >= 2.0 ** -(statistical + 12), "Chernoff costs a few bits, not more"
    assert bins * 2 ** -tail_bits(count, bins, size) > 2.0**-statistical, "one less would do"


def test_capacity_at_the_edges() -> None:
    assert capacity(0, 5) == 0
    assert capacity(10, 1) == 10
    assert capacity(10, 1 << 20) <= 10
    assert capacity(1 << 20, 64) == 17_408
    for wrong in ((-1, 1), (1, 0)):
        with pytest.raises(ValueError, match="capacity"):
            capacity(*wrong)


@pytest.mark.parametrize(("count", "bins"), [(2000, 16), (500, 8)])
def test_buckets_outgrow_their_capacity_as_rarely_as_stated(count: int, bins: int) -> None:
    rng, size, trials = np.random.default_rng(1), capacity(count, bins, statistical=6), 4000
    draws = rng.multinomial(count, [1 / bins] * bins, trials).max(1)
    allowed = trials * 2.0**-6
    assert (draws > size).sum() <= allowed + 5 * math.sqrt(allowed)
