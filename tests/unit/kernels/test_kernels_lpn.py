"""Codes: the native kernels against the definition on every instruction set; that the codes are no worse than they claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError
from unseen.kernels import backend, lpn
from unseen.kernels.native import native
from unseen.kernels.reference import ggm as trees
from unseen.kernels.reference import lpn as reference

SETS = native().instruction_sets() if native() else ["reference"]
KEY = lpn.code_key("test", 1, 0)


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


def rows_of(seed: int, count: int, width: int, field: int = 128) -> np.ndarray:
    rows = lpn.room(count, width)
    rows[:] = np.random.default_rng(seed).integers(0, 256, rows.shape, np.uint8)
    rows[..., field // 8 :] = 0
    return rows


def encode(rows: np.ndarray, count: int, field: int = 128, key: np.ndarray = KEY) -> np.ndarray:
    copy = lpn.room(*rows.shape[:2])
    copy[:] = rows
    return lpn.dual_encode(key, copy, count, field=field, scratch=lpn.room(*rows.shape[:2]))


@settings(deadline=None, max_examples=12)
@given(
    st.sampled_from([256, 512, 1280, 4096, 8192, 12288, 40960]),
    st.integers(1, 3),
    st.sampled_from([96, 128]),
    st.floats(0, 1),
    st.integers(0, 999),
)
def test_dual_equals_the_definition(size: int, width: int, field: int, part: float, seed: int) -> None:
    rows = rows_of(seed, lpn.dual_rows(size), width, field)
    count = int(part * (len(rows) // 2))
    expected = reference.dual(KEY, rows, lpn.chunk_bits(len(rows)), count, field)
    np.testing.assert_array_equal(encode(rows, count, field), expected)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 300), st.integers(1, 12), st.integers(0, 3), st.integers(0, 999))
def test_primal_equals_the_definition(count: int, bits: int, pieces: int, seed: int) -> None:
    table, rows = rows_of(seed, 1 << bits, 1)[:, 0].copy(), rows_of(seed + 1, count, 1)[:, 0].copy()
    expected = rows.copy()
    due = reference.primal(KEY, table, expected, out=expected)
    begin = min(64 * pieces, count)  # in two pieces it is the same
    made = np.empty_like(rows)
    parts = [(slice(begin), 0), (slice(begin, None), 64 * pieces)]
    marks = np.concatenate([lpn.primal_add(KEY, table, rows[of], first, out=made[of]) for of, first in parts])
    np.testing.assert_array_equal(made, expected)
    lpn.primal_add(KEY, table, rows, out=rows)  # in place
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(marks, due)


def test_sizes() -> None:
    for at_least in [1, 255, 256, 257, 4095, 4097, 65_536, 100_000, 2_841_000, 1 << 24]:
        for multiple in [1, 16, 4096, 1 << 15]:
            rows = lpn.dual_rows(at_least, multiple)
            assert rows >= at_least
            assert rows % multiple == 0
            assert rows % (4 << lpn.chunk_bits(rows)) == 0
            assert rows <= at_least + 2 * max(multiple, 4 << lpn.chunk_bits(rows))


@pytest.mark.parametrize("bits", [6, 7, 10, 13])
def test_orders_are_permutations_and_differ(bits: int) -> None:
    orders = [reference.order(KEY, purpose, chunk, bits) for purpose in range(4) for chunk in range(8)]
    for one in orders:
        assert sorted(one.tolist()) == list(range(1 << bits))
    assert len({one.tobytes() for one in orders}) == len(orders)


@pytest.mark.parametrize("field", [96, 128])
def test_weights_multiply_in_the_field(field: int) -> None:
    rows = rows_of(3, 8, 2, field)
    weights = np.random.default_rng(4).integers(0, 1 << 63, 8, np.uint64) * np.uint64(2) + np.uint64(1)
    product = reference.weigh(rows, weights, field)
    for i in range(8):
        for w in range(2):
            left = int.from_bytes(rows[i, w].tobytes(), "little")
            expected = times(left, int(weights[i]), field)
            assert int.from_bytes(product[i, w].tobytes(), "little") == expected
            if field == 128:
                assert expected == trees.times(left, int(weights[i]))


def times(left: int, right: int, field: int) -> int:
    modulus = 1 << field | reference.FOLD[field]
    product = 0
    for bit in range(right.bit_length()):
        product ^= left << bit if right >> bit & 1 else 0
    for bit in range(product.bit_length() - 1, field - 1, -1):
        product ^= modulus << (bit - field) if product >> bit & 1 else 0
    return product


@pytest.mark.parametrize("field", [96, 128])
def test_the_moduli_are_irreducible(field: int) -> None:
    """Rabin: x^(2^n) = x, and x^(2^(n/p)) - x has no factor in common with the modulus for every prime p of n."""
    modulus = 1 << field | reference.FOLD[field]

    def gcd(a: int, b: int) -> int:
        while b:
            while a.bit_length() >= b.bit_length():
                a ^= b << (a.bit_length() - b.bit_length())
            a, b = b, a
        return a

    power, powers = 2, {}
    for step in range(1, field + 1):
        power = times(power, power, field)
        powers[step] = power
    assert powers[field] == 2
    for prime in (2, 3):
        if field % prime == 0:
            assert gcd(modulus, powers[field // prime] ^ 2) == 1


def test_a_code_is_refused_that_does_not_fit() -> None:
    rows = rows_of(1, 256, 1)
    for wrong, count in ((rows[:255], 1), (rows, 129), (np.concatenate([rows] * 4, axis=1), 1)):
        with pytest.raises(LocalProtocolError, match="dual code"):
            lpn.dual_encode(KEY, wrong, count, field=128, scratch=wrong.copy())


@pytest.mark.skipif(not backend().startswith("native"), reason="the native kernels are not built")
def test_scratch_is_another_aligned_array() -> None:
    rows = rows_of(1, 256, 1)
    for scratch in (rows, rows_of(1, 512, 1)):
        with pytest.raises(ValueError, match="scratch"):
            lpn.dual_encode(KEY, rows, 1, field=128, scratch=scratch)
    moved = lpn.room(257, 1)[1:]
    with pytest.raises(ValueError, match="64 bytes"):
        lpn.dual_encode(KEY, moved, 1, field=128, scratch=rows)
