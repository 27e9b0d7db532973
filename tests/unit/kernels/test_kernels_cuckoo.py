"""Cuckoo tables: the definition, what a table is, and the proof that there are bins enough."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import cuckoo
from unseen.kernels.native import native
from unseen.kernels.reference import cuckoo as reference

several = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEED = np.arange(16, dtype=np.uint8)


def keys(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16), np.uint8)


def is_table(table: np.ndarray, places: np.ndarray) -> None:
    """Every key lies in one of its places, and nothing else lies anywhere."""
    entries = table[table >= 0]
    assert sorted(entries // 3) == list(range(len(places)))
    np.testing.assert_array_equal(places.reshape(-1)[entries], np.flatnonzero(table >= 0))


@several
@given(st.integers(0, 300), st.integers(0, 99), st.sampled_from([3, 4, 100, 1 << 20, 1 << 24]))
def test_places_equal_the_definition(instruction_set: str, count: int, seed: int, bins: int) -> None:
    found = cuckoo.places(SEED, keys(seed, count), bins)
    np.testing.assert_array_equal(found, reference.places(SEED, keys(seed, count), bins))
    assert found.dtype == np.uint32
    assert found.shape == (count, 3)
    if count:
        assert found.max() < bins
        ordered = np.sort(found, axis=1)
        assert (ordered[:, 1:] != ordered[:, :-1]).all()


@several
@given(st.integers(0, 200), st.integers(0, 99), st.sampled_from([1.0, 1.1, 1.31, 2.0]))
def test_tables_equal_the_definition(instruction_set: str, count: int, seed: int, expansion: float) -> None:
    """Where tables are too full there may be none: then neither finds one."""
    bins = max(3, int(count * expansion))
    places = cuckoo.places(SEED, keys(seed, count), bins)
    wanted = reference.fill(places, bins)
    if wanted is None:
        with pytest.raises(cuckoo.CuckooFailedError):
            cuckoo.fill(places, bins)
        return
    is_table(wanted, places)
    np.testing.assert_array_equal(cuckoo.fill(places, bins), wanted)


def test_a_table_is_found_wherever_there_is_one() -> None:
    """Against a matching found another way, in tables so full that half of them have none."""
    found = {True: 0, False: 0}
    for seed in range(200):
        places = cuckoo.places(SEED, keys(seed, 20), 22)
        match: dict[int, int] = {}

        def place(
            key: int, seen: set[int], places: np.ndarray = places, match: dict[int, int] = match
        ) -> bool:
            for bin_ in places[key].tolist():
                if bin_ not in seen:
                    seen.add(bin_)
                    if bin_ not in match or place(match[bin_], seen):
                        match[bin_] = key
                        return True
            return False

        there_is = all(place(key, set()) for key in range(20))
        found[there_is] += 1
        if there_is:
            is_table(cuckoo.fill(places, 22), places)
        else:
            with pytest.raises(cuckoo.CuckooFailedError, match="seed"):
                cuckoo.fill(places, 22)
    assert min(found.values()) > 5


def test_a_large_table(instruction_set: str) -> None:
    count = 100_000
    bins = cuckoo.bins(count)
    places = cuckoo.places(SEED, keys(1, count), bins)
    is_table(cuckoo.fill(places, bins), places)


def test_places_are_uniform() -> None:
    counts = np.bincount(cuckoo.places(SEED, keys(3, 60_000), 100).reshape(-1), minlength=100)
    chi_square = ((counts - 1800.0) ** 2 / 1800).sum()
    assert abs(chi_square - 99) < 6 * math.sqrt(2 * 99)
    each = cuckoo.places(SEED, keys(3, 60_000), 100)
    for place in range(3):
        assert abs(np.corrcoef(each[:, place], each[:, (place + 1) % 3])[0, 1]) < 0.03


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_ways(s: int, t: int) -> float:
    """The bound on the ways to lay s keys' places into t bins: min((t)_3^s, (3 s)! f(z)^t / z^(3 s)) at the best z."""
    low, high = 1e-6, 60.0
    for _ in range(60):  # z f'(z) / f(z) = 3 s / t
        z = (low + high) / 2
        if z * math.expm1(z) / (math.expm1(z) - z) < 3 * s / t:
            low = z
        else:
            high = z
    twice = math.lgamma(3 * s + 1) + t * math.log(math.expm1(z) - z) - 3 * s * math.log(z)
    return min(s * math.log(t * (t - 1) * (t - 2)), twice)


def log2_no_table(count: int, bins: int) -> float:
    """log2 of the bound in the module's text; from 300 keys on, sums of neighbours by the larger end of many intervals."""
    steps = [*range(4, min(count, 300) + 1), *np.unique(np.geomspace(301, max(count, 301), 400).astype(int))]
    total, before = 0.0, 3
    for s in (int(step) for step in steps if step <= count):
        t = s - 1
        triples = math.log(bins) + math.log(bins - 1) + math.log(bins - 2)
        term = _log_choose(count, s) + _log_choose(bins, t) + _log_ways(s, t) - s * triples
        total += math.exp(max(term, -700.0)) * (s - before)
        before = s
    return math.log2(total) if total else -math.inf


@pytest.mark.parametrize(
    "count",
    [
        4,
        5,
        8,
        16,
        32,
        48,
        56,
        64,
        72,
        80,
        100,
        128,
        200,
        300,
        500,
        1000,
        3000,
        10**4,
        10**5,
        1 << 20,
        12_000_000,
    ],
)
def test_there_are_bins_enough(count: int) -> None:
    """Fewer than four keys have a table always: each has three distinct bins."""
    assert log2_no_table(count, cuckoo.bins(count)) < -cuckoo.STATISTICAL


def test_the_bound_is_none_for_fewer_bins() -> None:
    """The sum does tell: at 1.2 bins a key it is no bound any more, and four keys have the term that is said to rule."""
    assert log2_no_table(3000, 3600) > 0
    assert log2_no_table(1 << 20, cuckoo.bins(1 << 20)) == pytest.approx(-100, abs=1)


def test_the_bound_is_above_what_happens() -> None:
    """Four keys in few bins, where failure is common enough to be counted."""
    tries, bins = 4000, 5
    failed = sum(
        reference.fill(cuckoo.places(SEED, keys(seed, 4), bins), bins) is None for seed in range(tries)
    )
    assert 0 < failed / tries < 2 ** log2_no_table(4, bins)


@pytest.mark.parametrize("of", [cuckoo, reference], ids=["native", "reference"])
def test_what_fits_nothing_is_refused(of: object) -> None:
    if of is cuckoo and native() is None:
        pytest.skip("the native kernels are not built")
    for bins in (0, 2, (1 << 24) + 1):
        with pytest.raises(ValueError, match="bins"):
            of.places(SEED, keys(0, 3), bins)  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="bins"):
            of.fill(np.zeros((0, 3), np.uint32), bins)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="16 bytes"):
        of.places(SEED[:8], keys(0, 3), 9)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="more keys"):
        of.fill(np.zeros((4, 3), np.uint32), 3)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no bin"):
        of.fill(np.full((2, 3), 7, np.uint32), 7)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="three places"):
        of.fill(np.zeros((2, 2), np.uint32), 7)  # type: ignore[attr-defined]
