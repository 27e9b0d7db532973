"""Arguments that fit nothing: bindings that take sizes or offsets answer with an error or a result, never with a crash.

Bounded and repeatable. Each binding gets arrays of drawn dtypes, ranks and extents, and numbers around every limit; arrays
are exactly as long as they say, so that under the sanitizers a step too far shows. Results, where there are any, have the
shapes that the binding promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels.native import native

pytestmark = pytest.mark.skipif(native() is None, reason="the native kernels are not built")
fuzzed = settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

small = st.integers(0, 40)
limits = st.sampled_from([-1, 0, 1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 32, 64, 65, 255, 256, 4096, 4097])
huge = st.sampled_from([(1 << 24) - 1, 1 << 24, 1 << 31, 1 << 32, (1 << 32) + 1, 1 << 62, (1 << 63) - 1])
dtypes = st.sampled_from([np.uint8] * 6 + [np.int8, np.int32, np.int64, np.uint32, np.float64])
extents = st.one_of(small, st.sampled_from([10, 12, 16, 32]))


@st.composite
def arrays(draw: st.DrawFn, ranks: tuple[int, ...] = (1, 2, 2, 2, 3)) -> np.ndarray:
    shape = tuple(draw(extents) for _ in range(draw(st.sampled_from(ranks))))
    array = np.random.default_rng(draw(small)).integers(0, 127, shape).astype(draw(dtypes))
    if draw(st.booleans()) and array.ndim > 1:
        return array.T if draw(st.booleans()) else array[::-1]
    return array


@st.composite
def blocks(draw: st.DrawFn) -> np.ndarray:
    """Mostly what is expected: (n, 16)."""
    if draw(st.integers(0, 9)) == 0:
        return draw(arrays())
    return np.random.default_rng(draw(small)).integers(0, 127, (draw(extents), 16), np.uint8)


@st.composite
def seeds(draw: st.DrawFn) -> np.ndarray:
    return np.zeros(draw(st.sampled_from([16] * 9 + [0, 8, 17])), np.uint8)


@st.composite
def offsets(draw: st.DrawFn) -> np.ndarray:
    values = draw(st.lists(st.one_of(small, limits, huge), max_size=12))
    if draw(st.booleans()):
        values = sorted(value for value in values if value >= 0)
    wide = draw(st.booleans()) or any(abs(value) >= 1 << 31 for value in values)
    dtype = np.int64 if wide else draw(st.sampled_from([np.int32, np.int64, np.uint32]))
    return np.array(values, np.int64).astype(dtype)


def attempt(call: Callable[[], object]) -> object:
    """The result, or None after an error of the kind that bindings promise."""
    try:
        return call()
    except (ValueError, TypeError):
        return None


@fuzzed
@given(st.binary(max_size=90), st.lists(st.tuples(offsets(), arrays((1, 1, 1, 2))), max_size=3))
def test_rows(instruction_set: str, domain: bytes, columns: list[tuple[np.ndarray, np.ndarray]]) -> None:
    done = attempt(lambda: native().digest_rows(domain, columns))
    assert done is None or done.shape == (len(columns[0][0]) - 1, 32)
    for column in columns:
        trimmed = attempt(lambda column=column: native().trim_rows(*column))
        assert trimmed is None or trimmed[0][-1] <= len(column[1])


@st.composite
def okvs_shapes(draw: st.DrawFn) -> tuple[int, int, int, bool]:
    """Up to some 2^18 slots, or refused: what a large store takes, its caller asked for."""
    clusters, sparse, dense = draw(limits), draw(st.one_of(limits, small)), draw(st.one_of(limits, small))
    if draw(st.integers(0, 9)) == 0:
        clusters, sparse, dense = draw(st.permutations([draw(huge), 0, dense]))
    return clusters, sparse, dense, draw(st.booleans())


@fuzzed
@given(okvs_shapes(), seeds(), blocks(), blocks(), seeds(), st.booleans())
def test_okvs(
    instruction_set: str,
    shape: tuple[int, int, int, bool],
    seed: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    randomness: np.ndarray,
    aligned: bool,
) -> None:
    if aligned and values.ndim == keys.ndim == 2:
        values = np.resize(values, keys.shape)
    slots = shape[0] * (shape[1] + shape[2])
    if slots > 1 << 18:
        shape = (shape[0], 0, shape[2], shape[3]) if shape[0] > 1 else (1, shape[1], 5000, shape[3])
    encoding = attempt(lambda: native().okvs_encode(*shape, seed, keys, values, randomness))
    if encoding is not None:
        assert encoding.shape == (slots, 16)
        decoded = native().okvs_decode(*shape, seed, encoding[:, None], keys)
        np.testing.assert_array_equal(decoded[:, 0], values)
    table = np.zeros((min(max(slots, 0), 1 << 12) + (not aligned), 1 + aligned, 16), np.uint8)
    done = attempt(lambda: native().okvs_decode(*shape, seed, table, keys))
    assert done is None or done.shape == (len(keys), table.shape[1], 16)
    attempt(lambda: native().hash_to_field(seed, True, keys))
    attempt(lambda: native().gf96_multiply(keys, values))


@fuzzed
@given(arrays(), arrays(), arrays((1, 1, 2)), st.one_of(small, limits, huge), st.one_of(small, limits, huge))
def test_tags(
    instruction_set: str, a: np.ndarray, b: np.ndarray, code: np.ndarray, count: int, width: int
) -> None:
    done = attempt(lambda: native().sort_tags(a))
    if done is not None:
        np.testing.assert_array_equal(done[0], a[done[1]])
        assert attempt(lambda: native().encode_tags(done[0])) is not None
    attempt(lambda: native().encode_tags(a))
    attempt(lambda: native().match_tags(a, b))
    attempt(lambda: native().match_tags(a, a[::2]))
    decoded = attempt(lambda: native().decode_tags(code, count, width))
    assert decoded is None or decoded.shape == (count, width)


@fuzzed
@given(
    seeds(),
    arrays(),
    st.one_of(limits, st.integers(0, 12)),
    offsets(),
    offsets(),
    arrays((2,)),
    st.booleans(),
)
def test_partition(
    instruction_set: str,
    key: np.ndarray,
    rows: np.ndarray,
    bits: int,
    cursor: np.ndarray,
    numbers: np.ndarray,
    out: np.ndarray,
    fitting: bool,
) -> None:
    done = attempt(lambda: native().bucket_rows(key, rows, bits))
    buckets = np.resize(cursor % 7, len(rows)).astype(np.uint32) if done is None or fitting else done[0]
    if fitting and rows.ndim == 2:
        out = np.zeros((len(out), rows.shape[1]), np.uint8)
        numbers = np.zeros(len(out), np.int64)
    attempt(lambda: native().scatter_rows(buckets, rows, None, 3, cursor, out, numbers))
    attempt(lambda: native().scatter_rows(buckets, rows, numbers, 3, cursor, out, numbers))


@st.composite
def polynomials(draw: st.DrawFn, ranks: tuple[int, ...] = (3, 3, 3, 4, 2)) -> np.ndarray:
    """Mostly (count, limbs, n) with n a power of two, any words."""
    rank = draw(st.sampled_from(ranks))
    extent = draw(st.sampled_from([64, 64, 64, 128, 8, 16, 0, 63, 65]))
    shape = (*(draw(st.sampled_from([1, 1, 2, 2, 4, 0])) for _ in range(rank - 1)), extent)
    words = np.random.default_rng(draw(small)).integers(0, 1 << 64, shape, np.uint64)
    return words if draw(st.integers(0, 9)) else words.astype(np.int64)


moduli = st.lists(
    st.sampled_from([0x3FFFFFFFFC001] * 6 + [0x10000048001, 0, 1, 97, 1 << 50, (1 << 64) - 1]), max_size=5
).map(lambda values: np.array(values, np.uint64))


@fuzzed
@given(
    polynomials(),
    moduli,
    polynomials(),
    polynomials((4, 4, 3)),
    arrays((1, 1, 2)),
    st.one_of(small, limits, huge),
    st.one_of(small, limits),
)
def test_ntt(
    instruction_set: str,
    table: np.ndarray,
    primes: np.ndarray,
    one: np.ndarray,
    rows: np.ndarray,
    packed: np.ndarray,
    count: int,
    bits: int,
) -> None:
    if table.ndim == 3 and table.shape[2] == 64 and len(primes):
        table = np.resize(table, (len(primes), 4, 64))
        one = np.resize(one, (2, len(primes), one.shape[-1])) if one.size else one
    done = attempt(lambda: native().ntt_forward(list(table), primes, one))
    assert done is None or done.shape == (*one.shape[:2], table.shape[2])
    attempt(lambda: native().ntt_inverse(list(table), primes, one))
    attempt(lambda: native().ntt_inner(primes, rows, one, None))
    attempt(lambda: native().ntt_inner(primes, rows, one, one))
    flat = one.reshape(math.prod(one.shape[:-1]), one.shape[-1]).view(np.int64)
    attempt(lambda: native().ntt_residues(primes, flat, None, None))
    attempt(lambda: native().ntt_residues(primes, flat, flat.view(np.uint64), primes))
    attempt(lambda: native().ntt_uniform(primes, bytes(16), count, 2, 64))
    attempt(lambda: native().ntt_uniform(primes, bytes(16), 0, min(count, 100), 64))
    attempt(lambda: native().ntt_noise(flat[:1].reshape(-1).view(np.uint64)))
    attempt(lambda: native().ntt_fraction(primes, primes, np.resize(table, (len(primes), 3)), one, None))
    attempt(lambda: native().ntt_fraction(primes, primes, np.resize(table, (len(primes), 3)), one, flat))
    unpacked = attempt(lambda: native().ntt_unpack(packed, count, bits))
    assert unpacked is None or unpacked.shape == (count,)
    repacked = attempt(lambda: native().ntt_pack(flat.reshape(-1).view(np.uint64), bits))
    assert repacked is None or repacked.shape == (-(-flat.size * bits // 8),)


@fuzzed
@given(
    blocks(),
    seeds(),
    arrays((1, 2, 2)),
    arrays((1, 2, 3)),
    st.one_of(small, limits, huge),
    st.one_of(small, limits, huge),
    st.booleans(),
)
def test_transfers(
    instruction_set: str,
    rows: np.ndarray,
    delta: np.ndarray,
    words: np.ndarray,
    offers: np.ndarray,
    bits: int,
    ring: int,
    fitting: bool,
) -> None:
    if fitting:
        bits, ring = bits % 65, ring % 65
        words = words.astype(np.uint64)
        rows = np.zeros((bits * len(words), 16), np.uint8)
    planes = attempt(lambda: native().hash_planes(rows, bits, delta))
    assert planes is None or planes.shape == (2, bits, len(rows) // 64)
    numbers = np.ascontiguousarray(words.reshape(-1)[: len(words)])
    made = attempt(lambda: native().offer_products(rows, delta, words, bits, ring))
    if made is not None:
        assert made[1].shape == words.shape
        assert native().take_products(rows, numbers, made[0], bits, ring).shape == words.shape
    attempt(lambda: native().take_products(rows, numbers, offers, bits, ring))
    made = attempt(lambda: native().offer_carries(rows, delta, numbers, bits // 3))
    if made is not None:
        assert native().take_carries(rows, numbers, made[0])[0].shape == made[1].shape
    attempt(lambda: native().take_carries(rows, numbers, offers.astype(np.uint16)))


@fuzzed
@given(
    st.one_of(
        arrays(), offsets(), st.integers(1, 6).map(lambda k: np.random.default_rng(k).permutation(1 << k))
    )
)
def test_network(instruction_set: str, order: np.ndarray) -> None:
    done = attempt(lambda: native().network_route(order))
    assert done is None or done.shape == (2 * (len(order).bit_length() - 1) - 1, len(order) // 2)


@fuzzed
@given(arrays(), st.one_of(small, limits, huge))
def test_shuffle(instruction_set: str, words: np.ndarray, count: int) -> None:
    done = attempt(lambda: native().shuffle_order(words, count))
    assert done is None or sorted(done.tolist()) == list(range(count))


@fuzzed
@given(arrays(), arrays())
def test_sums_of_products(instruction_set: str, scalars: np.ndarray, elements: np.ndarray) -> None:
    done = attempt(lambda: native().ristretto_sum(scalars, elements))
    assert done is None or (done[0].shape == (1, 32) and done[1].shape == (len(elements),))


@fuzzed
@given(small, small, st.sampled_from([31, 32, 32, 32, 33]))
def test_sums_of_products_of_some_number(
    instruction_set: str, scalars: int, elements: int, width: int
) -> None:
    rows = np.full((scalars, width), 127, np.uint8), np.zeros((elements, 32), np.uint8)
    done = attempt(lambda: native().ristretto_sum(*rows))
    assert (done is None) == (scalars != elements or width != 32)


@fuzzed
@given(seeds(), blocks(), arrays(), st.one_of(small, limits, huge), st.one_of(small, limits))
def test_cuckoo(
    instruction_set: str, seed: np.ndarray, keys: np.ndarray, places: np.ndarray, bins: int, few: int
) -> None:
    attempt(lambda: native().cuckoo_places(seed, keys, bins))
    made = attempt(lambda: native().cuckoo_places(seed, keys, few))
    if places.ndim == 2:
        places = np.resize(places, (len(places), 3)).astype(np.uint32)
    for given_places in (places, made):
        table = attempt(lambda given_places=given_places: native().cuckoo_fill(given_places, few))
        assert table is None or table.shape == (few,)


@settings(fuzzed, max_examples=60)
@given(
    st.sampled_from([0, 1, 2, 5, 128, 129]),
    st.booleans(),
    arrays((2, 2, 2, 3)),
    arrays((2,)),
    offsets(),
    offsets(),
    st.one_of(small, limits, huge),
)
def test_montgomery(
    instruction_set: str,
    limbs: int,
    fitting: bool,
    rows: np.ndarray,
    other: np.ndarray,
    order: np.ndarray,
    starts: np.ndarray,
    squarings: int,
) -> None:
    constants = np.full((3, limbs), 7, np.uint64)
    if fitting:
        rows, other = (np.resize(given.astype(np.uint64), (len(given), limbs)) for given in (rows, other))
        order = order.astype(np.int64) % max(len(rows), 1)
    module = native()
    entered = attempt(lambda: module.montgomery_enter(constants, rows))
    assert entered is None or entered[0].shape == (len(rows), limbs)
    attempt(lambda: module.montgomery_leave(constants, rows, squarings))
    attempt(lambda: module.montgomery_multiply(constants, rows, other))
    made = attempt(lambda: module.montgomery_products(constants, rows, order, starts))
    assert made is None or made.shape == (len(starts) - 1, limbs)
    attempt(lambda: module.montgomery_square(constants, rows, squarings % 100 if fitting else squarings))
    attempt(lambda: module.montgomery_power(constants, rows, order.astype(np.uint64)))
    attempt(lambda: module.montgomery_power(rows, rows, order))


@settings(fuzzed, max_examples=40)
@given(arrays((3,)), arrays((1,)), arrays((2,)), st.one_of(st.integers(1, 64), limits), st.booleans())
def test_comparison_keys(
    instruction_set: str,
    roots: np.ndarray,
    thresholds: np.ndarray,
    points: np.ndarray,
    bits: int,
    fitting: bool,
) -> None:
    if fitting:
        count = len(thresholds)
        roots = np.resize(roots.astype(np.uint8), (2, count, 16))
        thresholds = thresholds.astype(np.uint64) % np.uint64(2)
        points = np.resize(points.astype(np.uint64), (2, count))
    module = native()
    words = attempt(lambda: module.dcf_generate(roots, thresholds, bits))
    assert words is None or words.shape == (len(thresholds), max(bits - 7, 0) + 1, 16)
    for given_words in (words, roots):
        for own in (roots, roots[:1].reshape(-1, roots.shape[-1]) if roots.size else roots):
            made = attempt(lambda w=given_words, o=own: module.dcf_evaluate(o, w, points, bits, False))
            assert made is None or made.shape == points.shape
