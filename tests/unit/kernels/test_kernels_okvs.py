"""The key-value store: its definition, its algebra, its failures, and that it hides the keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import okvs
from unseen.kernels.native import native
from unseen.kernels.okvs_shape import OkvsShape
from unseen.kernels.reference import okvs as reference

FIELDS: list[okvs.Field] = ["gf128", "gf96"]
several = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Source:
    """Random blocks of a seed of their own."""

    def __init__(self, seed: int, field: okvs.Field = "gf128") -> None:
        self.rng, self.field = np.random.default_rng(seed), field

    def blocks(self, *shape: int) -> np.ndarray:
        return self.rng.integers(0, 256, (*shape, 16), np.uint8)

    def values(self, *shape: int) -> np.ndarray:
        out = self.blocks(*shape)
        if self.field == "gf96":
            out[..., 12:] = 0
        return out

    def seed(self) -> np.ndarray:
        return self.rng.integers(0, 256, 16, np.uint8)


def encoded(
    shape: OkvsShape, source: Source, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    seed, keys, values = source.seed(), source.blocks(n), source.values(n)
    return seed, keys, values, okvs.encode(shape, seed, keys, values, source.seed())


@pytest.mark.parametrize("field", FIELDS)
def test_every_small_size(instruction_set: str, field: okvs.Field) -> None:
    source = Source(1, field)
    for n in [*range(301), 511, 512, 513, 1023, 1025]:
        shape = okvs.shape(n, field=field)
        seed, keys, values, encoding = encoded(shape, source, n)
        assert encoding.shape == (shape.slots, 16)
        np.testing.assert_array_equal(okvs.decode(shape, seed, encoding, keys), values)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("n", "options"),
    [(5, {}), (300, {}), (600, {}), (1301, {"clusters": 2}), (900, {"clusters": 3, "statistical": 1})],
)
def test_encoding_equals_the_definition(
    instruction_set: str, field: okvs.Field, n: int, options: dict[str, int]
) -> None:
    source = Source(n, field)
    shape = okvs.shape(n, field=field, **options)
    seed, keys, values, randomness = source.seed(), source.blocks(n), source.values(n), source.seed()
    expected = reference.encode(shape, seed, keys, values, randomness)
    if expected is None:
        with pytest.raises(okvs.OkvsFailedError):
            okvs.encode(shape, seed, keys, values, randomness)
    else:
        np.testing.assert_array_equal(okvs.encode(shape, seed, keys, values, randomness), expected)


@pytest.mark.parametrize("field", FIELDS)
def test_gaps_equal_the_definition(instruction_set: str, field: okvs.Field) -> None:
    """So narrow that rows are set aside in every attempt, up to all dense columns and beyond."""
    source, shape, solved = Source(3, field), OkvsShape(60, 1, 55, 9, 1, field), 0
    for _ in range(25):
        seed, keys, values, randomness = source.seed(), source.blocks(57), source.values(57), source.seed()
        expected = reference.encode(shape, seed, keys, values, randomness)
        if expected is None:
            with pytest.raises(okvs.OkvsFailedError):
                okvs.encode(shape, seed, keys, values, randomness)
            continue
        solved += 1
        encoding = okvs.encode(shape, seed, keys, values, randomness)
        np.testing.assert_array_equal(encoding, expected)
        np.testing.assert_array_equal(okvs.decode(shape, seed, encoding, keys), values)
    assert solved > 5


@pytest.mark.parametrize("field", FIELDS)
@several
@given(st.integers(0, 200), st.integers(1, 2), st.sampled_from([0, 10, 600, 2000]), st.integers(0, 99))
def test_decoding_equals_the_definition(
    instruction_set: str, field: okvs.Field, n: int, width: int, size: int, seed: int
) -> None:
    """Of any blocks, encoded or not, one or two a slot."""
    source, shape = Source(seed, field), okvs.shape(size, field=field, clusters=2 if size == 2000 else None)
    key, table, keys = source.seed(), source.values(shape.slots, width), source.blocks(n)
    np.testing.assert_array_equal(
        okvs.decode(shape, key, table, keys), reference.decode(shape, key, table, keys)
    )


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("size", [20, 5000])
def test_decoding_is_linear(instruction_set: str, field: okvs.Field, size: int) -> None:
    source, shape = Source(size, field), okvs.shape(size, field=field, clusters=1 if size < 99 else 3)
    seed, keys = source.seed(), source.blocks(77)
    p, q = source.values(shape.slots, 2), source.values(shape.slots, 2)
    each = okvs.decode(shape, seed, p, keys) ^ okvs.decode(shape, seed, q, keys)
    np.testing.assert_array_equal(okvs.decode(shape, seed, p ^ q, keys), each)
    np.testing.assert_array_equal(
        okvs.decode(shape, seed, p[:, 1].copy(), keys), okvs.decode(shape, seed, p, keys)[:, 1]
    )


def test_decoding_is_linear_over_the_field(instruction_set: str) -> None:
    """Multiplied by an element of GF(2^96), an encoding decodes to the multiplied values."""
    source, shape = Source(5, "gf96"), okvs.shape(700, field="gf96")
    seed, keys, values, encoding = encoded(shape, source, 700)
    factor = source.values(1)
    product = lambda blocks: native().gf96_multiply(blocks, np.repeat(factor, len(blocks), 0))  # noqa: E731
    np.testing.assert_array_equal(okvs.decode(shape, seed, product(encoding), keys), product(values))


@pytest.mark.parametrize("options", [{}, {"compact": True}, {"clusters": 7}])
def test_larger(instruction_set: str, options: dict) -> None:
    n = 50_001 if instruction_set == "portable" else 150_001
    source, shape = Source(9), okvs.shape(n, **options)
    seed, keys, values, encoding = encoded(shape, source, n)
    np.testing.assert_array_equal(okvs.decode(shape, seed, encoding, keys), values)
    assert not (okvs.decode(shape, seed, encoding, source.blocks(50)) == 0).all(1).any()


def test_instruction_sets_agree() -> None:
    if native() is None:
        pytest.skip("the native kernels are not built")
    results = []
    for name in native().instruction_sets():
        native().use(name)
        results.append(encoded(okvs.shape(9000, clusters=3), Source(2), 9000)[3])
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("field", FIELDS)
def test_hash_to_field(instruction_set: str, field: okvs.Field) -> None:
    source = Source(4)
    for n in (0, 1, 63, 64, 65, 200):
        seed, keys = source.seed(), source.blocks(n)
        expected = reference.hash_to_field(seed, keys, field=field)
        np.testing.assert_array_equal(okvs.hash_to_field(seed, keys, field=field), expected)


# --- the field of 2^96 elements


def test_the_pentanomial_is_irreducible() -> None:
    """Rabin's test: x^(2^96) = x, and x^(2^(96/p)) - x has no factor in common with it, for the primes p of 96."""
    modulus = reference.MODULUS["gf96"]

    def squared(times: int) -> int:
        value = 2
        for _ in range(times):
            value = reference.times(value, value, "gf96")
        return value

    def gcd(a: int, b: int) -> int:
        while b:
            while a.bit_length() >= b.bit_length():
                a ^= b << (a.bit_length() - b.bit_length())
            a, b = b, a
        return a

    assert modulus == 1 << 96 | 1 << 10 | 1 << 9 | 1 << 6 | 1
    assert squared(96) == 2
    for prime in (2, 3):
        assert gcd(modulus, squared(96 // prime) ^ 2) == 1


@several
@given(st.lists(st.tuples(st.integers(0, 2**96 - 1), st.integers(0, 2**96 - 1)), min_size=1, max_size=9))
def test_products_in_gf96(instruction_set: str, pairs: list[tuple[int, int]]) -> None:
    pairs = [*pairs, (2**96 - 1, 2**96 - 1), (1 << 95, 1 << 95), (1, 2**96 - 1)]
    left, right = (
        np.array([list(pair[side].to_bytes(16, "little")) for pair in pairs], np.uint8) for side in (0, 1)
    )
    out = native().gf96_multiply(left, right)
    assert [int.from_bytes(row.tobytes(), "little") for row in out] == [
        reference.times(a, b, "gf96") for a, b in pairs
    ]


# --- sizes and failures


def test_sizes() -> None:
    """Those that the source's formula gives (protocols' table of e and g), and small stores."""
    for log, expansion, dense in [(10, 1.431, 3), (14, 1.268, 2), (16, 1.244, 2), (20, 1.227, 1)]:
        shape = okvs.shape(1 << log, clusters=1)
        assert shape.sparse / (1 << log) == pytest.approx(expansion, abs=0.001)
        assert shape.dense == dense
    default = okvs.shape(1 << 20)
    assert (default.clusters, default.dense) == (64, 3)
    assert default.slots / (1 << 20) == pytest.approx(1.351, abs=0.001)
    assert okvs.shape(1 << 20, compact=True).slots / (1 << 20) == pytest.approx(1.2274, abs=0.001)
    assert okvs.shape(0).slots == 40
    assert okvs.shape(300, statistical=64) == OkvsShape(300, 1, 0, 364, 64, "gf128")


def attempts(shape: OkvsShape, n: int, trials: int) -> int:
    """How many encodings of the same keys under different seeds fail."""
    source, failed = Source(n), 0
    keys, values, randomness = source.blocks(n), source.values(n), source.seed()
    for _ in range(trials):
        try:
            okvs.encode(shape, source.seed(), keys, values, randomness)
        except okvs.OkvsFailedError:
            failed += 1
    return failed


@pytest.mark.parametrize(
    ("n", "statistical", "clusters", "trials"),
    [
        (100, 5, 1, 6000),
        (1024, 10, 1, 6000),
        pytest.param(4000, 10, 4, 20_000, marks=pytest.mark.long),
        pytest.param(512, 10, 1, 60_000, marks=pytest.mark.long),
        pytest.param(1024, 13, 1, 200_000, marks=pytest.mark.long),
        pytest.param(2048, 16, 1, 400_000, marks=pytest.mark.long),
    ],
)
def test_failures_are_as_rare_as_stated(n: int, statistical: int, clusters: int, trials: int) -> None:
    """At most what the formula allows, with five standard deviations for chance."""
    if native() is None:
        pytest.skip("the definition is too slow for this")
    allowed = trials * 2.0**-statistical
    failed = attempts(okvs.shape(n, clusters=clusters, statistical=statistical), n, trials)
    assert failed <= allowed + 5 * math.sqrt(allowed)


def test_too_narrow_a_store_fails_loudly(instruction_set: str) -> None:
    """The counterpart: below the threshold of peeling nothing passes, and nothing wrong comes out."""
    assert attempts(OkvsShape(2000, 1, 2100, 2, 40, "gf128"), 2000, 10) == 10


@pytest.mark.parametrize("n", [2, 300, 700, 40_000])
def test_a_key_twice_is_refused(instruction_set: str, n: int) -> None:
    source, shape = Source(n), okvs.shape(n)
    keys, values = source.blocks(n), source.values(n)
    keys[n // 2] = keys[0]
    for same in (False, True):
        if same:
            values[n // 2] = values[0]
        with pytest.raises(ValueError, match="twice"):
            okvs.encode(shape, source.seed(), keys, values, source.seed())


def test_fewer_keys_than_the_shape_is_for(instruction_set: str) -> None:
    source, shape = Source(8), okvs.shape(3000, clusters=2)
    for n in (0, 1, 2999):
        seed, keys, values, encoding = encoded(shape, source, n)
        np.testing.assert_array_equal(okvs.decode(shape, seed, encoding, keys), values)
    with pytest.raises(ValueError, match="3001 keys in a store for 3000"):
        encoded(shape, source, 3001)


# --- hiding


def pearson(counts: np.ndarray) -> float:
    """How many standard deviations chi-square is above its mean."""
    expected = counts.sum() / counts.size
    degrees = counts.size - 1
    return float((((counts - expected) ** 2 / expected).sum() - degrees) / math.sqrt(2 * degrees))


@pytest.mark.parametrize(
    ("n", "shape"), [(60, okvs.shape(60)), (600, okvs.shape(600)), (57, OkvsShape(57, 1, 70, 9, 1, "gf128"))]
)
def test_encodings_of_any_two_sets_are_uniform(n: int, shape: OkvsShape) -> None:
    """Random values, fresh randomness: each slot's byte is uniform, for set one and for set two alike."""
    if native() is None:
        pytest.skip("the definition is too slow for this")
    source, runs = Source(6), 300
    seed = source.seed()
    for _ in range(2):
        keys = source.blocks(n)
        counts = np.zeros((shape.slots, 16), np.int64)
        for _ in range(runs):
            encoding = okvs.encode(shape, seed, keys, source.values(n), source.seed())
            np.add.at(counts, (np.arange(shape.slots), encoding[:, 3] >> 4), 1)
        worst = max(pearson(slot) for slot in counts)
        assert pearson(counts.sum(0)) < 6
        assert worst < 9, "some slot is not uniform"


# --- refusals


def test_shapes_are_checked() -> None:
    for wrong in (
        {"count": -1},
        {"count": 1 << 32},
        {"count": 5, "clusters": 0},
        {"count": 5, "statistical": 0},
        {"count": 5, "field": "gf64"},
        {"count": 1 << 26, "clusters": 1},
    ):
        with pytest.raises(ValueError):
            okvs.shape(**wrong)


def test_arrays_are_checked(instruction_set: str) -> None:
    source, shape = Source(1), okvs.shape(600)
    narrow = okvs.shape(600, field="gf96")
    seed, keys, values, encoding = encoded(shape, source, 600)
    module = native()
    bad_calls = [
        (lambda: okvs.encode(shape, seed[:8], keys, values, seed), "seed"),
        (lambda: okvs.encode(shape, seed, keys, values, seed[:8]), "seed"),
        (lambda: okvs.encode(shape, seed, keys, values[:-1], seed), "as many values"),
        (lambda: okvs.encode(shape, seed, keys[:, :8], values, seed), "16 bytes"),
        (lambda: okvs.encode(narrow, seed, keys, values, seed), "12 bytes"),
        (lambda: okvs.decode(narrow, seed, encoding[: narrow.slots], keys), "12 bytes|as many rows"),
        (lambda: okvs.decode(shape, seed, encoding[:-1], keys), "as many rows"),
        (lambda: okvs.decode(shape, seed, source.blocks(shape.slots, 3), keys), "one or two"),
        (lambda: module.okvs_decode(0, 5, 5, False, seed, encoding[:, None], keys), "clusters"),
        (lambda: module.okvs_decode(1, 2, 5, False, seed, encoding[:, None], keys), "columns"),
        (lambda: module.okvs_decode(2, 0, 5, False, seed, encoding[:, None], keys), "columns"),
        (lambda: module.okvs_decode(1, 1 << 24, 5, False, seed, encoding[:, None], keys), "columns"),
        (lambda: module.okvs_encode(1, 10, 65, False, seed, keys, values, seed), "columns"),
        (lambda: module.okvs_encode(1, 0, 5000, False, seed, keys, values, seed), "columns"),
    ]
    for call, message in bad_calls:
        with pytest.raises(ValueError, match=message):
            call()
