"""Polynomials: the native kernels against the definition on every instruction set, the definition against the schoolbook."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError
from unseen.kernels import ntt
from unseen.kernels.reference import ntt as reference

PRIMES = (0x3FFFFFFFFC001, 0x3FFFFFFFCC001, 0x3FFFFFFEF4001)
LOW = (0x10000048001,)  # just above 2^40
KEY = bytes(range(16))
degrees = st.sampled_from([64, 128, 256, 512])
primes = st.sampled_from([PRIMES, PRIMES[:1], LOW])
checked = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def polynomials(of: ntt.Ring, seed: int, count: int, length: int) -> np.ndarray:
    """Uniform, with edges in front."""
    rng = np.random.default_rng(seed)
    rows = []
    for q in of.primes:
        row = rng.integers(0, q, (count, length), dtype=np.uint64)
        row[:, :3] = [0, q - 1, 1]
        rows.append(row)
    return np.stack(rows, axis=1)


def schoolbook(a: list[int], b: list[int], q: int) -> list[int]:
    n = len(a)
    out = [0] * n
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[(i + j) % n] += x * y if i + j < n else -x * y
    return [value % q for value in out]


@checked
@given(degrees, primes, st.integers(0, 99), st.integers(0, 3), st.data())
def test_transforms_equal_the_definition(
    instruction_set: str, degree: int, of_primes: tuple[int, ...], seed: int, count: int, data: st.DataObject
) -> None:
    of = ntt.ring(degree, of_primes)
    length = data.draw(st.sampled_from([1 << i for i in range(3, degree.bit_length())]))
    short = polynomials(of, seed, count, length)
    values = ntt.forward(of, short)
    np.testing.assert_array_equal(values, reference.forward(of.primes, degree, short))
    back = ntt.inverse(of, values)
    np.testing.assert_array_equal(back, reference.inverse(of.primes, degree, values))
    np.testing.assert_array_equal(back[..., :length], short)
    assert not back[..., length:].any()


@pytest.mark.parametrize("degree", [4096, 8192])
def test_large_degrees(instruction_set: str, degree: int) -> None:
    of = ntt.ring(degree, (0x3FFFFFFDF0001,))
    x = polynomials(of, 1, 1, degree)
    values = ntt.forward(of, x)
    np.testing.assert_array_equal(values, reference.forward(of.primes, degree, x))
    np.testing.assert_array_equal(ntt.inverse(of, values), x)


def test_products_are_the_schoolbook_s(instruction_set: str) -> None:
    of = ntt.ring(64, PRIMES)
    a, b = polynomials(of, 1, 2, 64), polynomials(of, 2, 2, 64)
    product = ntt.inverse(of, ntt.inner(of, ntt.forward(of, a)[:, None], ntt.forward(of, b)))
    for limb, q in enumerate(of.primes):
        due = [0] * 64
        for t in range(2):
            one = schoolbook(a[t, limb].tolist(), b[t, limb].tolist(), q)
            due = [(x + y) % q for x, y in zip(due, one, strict=True)]
        assert product[0, limb].tolist() == due


def test_known_answers(instruction_set: str) -> None:
    """X transforms to the odd powers of the root in the order that the module states; X^63 X is -1."""
    of = ntt.ring(64, PRIMES[:1])
    q = of.modulus
    x = np.zeros((2, 1, 64), np.uint64)
    x[0, 0, 1] = x[1, 0, 63] = 1
    values = ntt.forward(of, x)
    psi = ntt.root_of_unity(q, 64)
    for k in range(8):
        for g in range(8):
            power = int(f"{8 * g + k:06b}"[::-1], 2)
            assert int(values[0, 0, 8 * k + g]) == pow(psi, 2 * power + 1, q)
    product = ntt.inverse(of, ntt.inner(of, values[:1, None], values[1:]))
    assert product[0, 0].tolist() == [q - 1] + [0] * 63


@checked
@given(primes, st.integers(0, 99), st.integers(0, 4), st.integers(1, 3), st.booleans())
def test_inner_equals_the_definition(
    instruction_set: str, of_primes: tuple[int, ...], seed: int, terms: int, rows: int, added: bool
) -> None:
    of = ntt.ring(64, of_primes)
    left = polynomials(of, seed, terms * rows, 64).reshape(terms, rows, of.limbs, 64)
    right = polynomials(of, seed + 1, terms, 64)
    add = polynomials(of, seed + 2, rows, 64) if added else None
    np.testing.assert_array_equal(
        ntt.inner(of, left, right, add), reference.inner(of.primes, left, right, add)
    )


def test_as_many_terms_as_a_sum_takes(instruction_set: str) -> None:
    of = ntt.ring(64, PRIMES[:1])
    most = np.full((ntt.MOST_TERMS, 1, 64), PRIMES[0] - 1, np.uint64)
    total = ntt.inner(of, most[:, None], most)
    assert (total == ntt.MOST_TERMS).all()


@checked
@given(primes, st.integers(0, 99), st.booleans())
def test_residues_equal_the_definition(
    instruction_set: str, of_primes: tuple[int, ...], seed: int, with_message: bool
) -> None:
    of = ntt.ring(64, of_primes)
    rng = np.random.default_rng(seed)
    small = rng.integers(-(1 << 63), 1 << 63, (2, 24), dtype=np.int64)
    small[0, :4] = [-(1 << 63), (1 << 63) - 1, -1, 0]
    message = rng.integers(0, 1 << 64, (2, 24), dtype=np.uint64)
    message[0, :4] = [0, (1 << 64) - 1, 1 << 63, 1]
    factors = np.array([rng.integers(0, q, dtype=np.uint64) for q in of.primes])
    given_ = (message, factors) if with_message else (None, None)
    found = ntt.residues(of, small, *given_)
    np.testing.assert_array_equal(found, reference.residues(of.primes, small, *given_))
    for limb, q in enumerate(of.primes):
        due = [
            int(x) + int(factors[limb]) * int(m) * with_message
            for x, m in zip(small[0], message[0], strict=True)
        ]
        assert found[0, limb].tolist() == [x % q for x in due]


@checked
@given(primes, st.integers(0, (1 << 45) - 9), st.integers(0, 3))
def test_uniform_equals_the_definition(
    instruction_set: str, of_primes: tuple[int, ...], first: int, count: int
) -> None:
    of = ntt.ring(128, of_primes)
    drawn = ntt.uniform(of, KEY, first, count)
    np.testing.assert_array_equal(drawn, reference.uniform(of.primes, 128, KEY, first, count))
    if count:  # polynomials have numbers: they do not depend on how many are drawn together
        np.testing.assert_array_equal(drawn[-1:], ntt.uniform(of, KEY, first + count - 1, 1))


def test_uniform_is_below_the_prime_and_flat(instruction_set: str) -> None:
    of = ntt.ring(8192, LOW)  # 41 bits: about half of all words are refused
    drawn = ntt.uniform(of, KEY, 0, 8)
    assert int(drawn.max()) < LOW[0]
    counts = np.bincount(
        (drawn.reshape(-1) * np.uint64(256) // np.uint64(LOW[0])).astype(np.int64), minlength=256
    )
    chi_square = ((counts - 256) ** 2 / 256).sum()
    assert abs(chi_square - 255) < 6 * np.sqrt(510)


@checked
@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=40))
def test_samples_equal_the_definition(instruction_set: str, values: list[int]) -> None:
    words = np.array([*values, 0, (1 << 21) - 1, ((1 << 21) - 1) << 21, (1 << 64) - 1], np.uint64)
    np.testing.assert_array_equal(ntt.noise(words), reference.noise(words))
    np.testing.assert_array_equal(ntt.ternary(words), reference.ternary(words))


def test_samples_have_their_distribution(instruction_set: str) -> None:
    words = np.random.default_rng(5).integers(0, 1 << 64, 1 << 18, dtype=np.uint64)
    noise = ntt.noise(words)
    assert abs(noise.mean()) < 0.05
    assert abs(noise.var() - ntt.NOISE_VARIANCE) < 0.15
    assert np.abs(noise).max() <= ntt.NOISE_MOST
    shares = np.bincount(ntt.ternary(words) + 1, minlength=3) / len(words)
    assert np.abs(shares - 1 / 3).max() < 0.005


@checked
@given(primes, st.integers(0, 99), st.booleans())
def test_fractions_equal_the_definition(
    instruction_set: str, of_primes: tuple[int, ...], seed: int, moved: bool
) -> None:
    of = ntt.ring(64, of_primes)
    x = polynomials(of, seed, 2, 16)
    small = np.random.default_rng(seed).integers(-(1 << 39), 1 << 39, (2, 16)) if moved else None
    found = ntt.fraction(of, x, small)
    np.testing.assert_array_equal(found, reference.fraction(of.primes, x, small))
    whole = prod(of.primes)
    for i in range(16):
        value = sum(
            int(x[0, limb, i]) * (whole // q) * pow(whole // q, -1, q) for limb, q in enumerate(of.primes)
        )
        value = (value + (int(small[0, i]) if moved else 0)) % whole
        off = (value << 128) // whole - (int(found[0, 0, i]) << 64 | int(found[1, 0, i]))
        assert off % (1 << 128) in {0, 1}


@checked
@given(st.integers(1, 56), st.lists(st.integers(0, (1 << 64) - 1), max_size=40))
def test_packing(instruction_set: str, bits: int, values: list[int]) -> None:
    words = np.array(values, np.uint64)
    packed = ntt.pack(words, bits)
    np.testing.assert_array_equal(packed, reference.pack(words, bits))
    np.testing.assert_array_equal(ntt.unpack(packed, len(words), bits), words & np.uint64((1 << bits) - 1))
    np.testing.assert_array_equal(
        reference.unpack(packed, len(words), bits), words & np.uint64((1 << bits) - 1)
    )
    for wrong in (packed[:-1], np.append(packed, np.uint8(0))):
        if len(wrong) != len(packed):
            with pytest.raises(ValueError, match="bytes"):
                ntt.unpack(wrong, len(words), bits)


@pytest.mark.parametrize(
    ("degree", "of_primes"),
    [(64, (97,)), (64, ((1 << 50) + 1,)), (1 << 15, PRIMES), (64, (PRIMES[0], PRIMES[0])), (64, ())],
)
def test_primes_that_do_not_fit(degree: int, of_primes: tuple[int, ...]) -> None:
    with pytest.raises(LocalProtocolError, match="No transform"):
        ntt.ring(degree, of_primes)
