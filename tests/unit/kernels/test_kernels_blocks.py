"""Blocks against published vectors, against plain definitions, and every instruction set against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import blocks
from unseen.kernels.native import native
from unseen.kernels.reference import blocks as reference

# The fixture chooses an instruction set for all the examples of one test.
SAME_SET = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COUNTS = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 200])
SEEDS = st.integers(0, 1 << 30)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def block(text: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), np.uint8)


def counter(text: str) -> tuple[int, int]:
    number = int.from_bytes(bytes.fromhex(text), "little")
    return number >> 64, number & (1 << 64) - 1


# ---------------------------------------------------------------- published vectors

SP_800_38A = (  # F.1.1 ECB-AES128.Encrypt
    ("6bc1bee22e409f96e93d7e117393172a", "3ad77bb40d7a3660a89ecaf32466ef97"),
    ("ae2d8a571e03ac9c9eb76fac45af8e51", "f5d3d58503b9699de785895a96fdbaaf"),
    ("30c81c46a35ce411e5fbc1191a0a52ef", "43b1cd7f598ece23881b00e3ed030688"),
    ("f69f2445df4f9b17ad2b417be66c3710", "7b0c785e27e8ad3f8223207104725dd4"),
)


@pytest.mark.parametrize(
    ("key", "plain", "secret"),
    [
        # FIPS 197 appendices B and C.1
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3243f6a8885a308d313198a2e0370734",
            "3925841d02dc09fbdc118597196a0b32",
        ),
        (
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        ),
        *(("2b7e151628aed2a6abf7158809cf4f3c", plain, secret) for plain, secret in SP_800_38A),
    ],
)
def test_published_aes(instruction_set: str, key: str, plain: str, secret: str) -> None:
    stream, first = counter(plain)
    assert blocks.aes_ctr(block(key), stream, first, 1)[0].tobytes().hex() == secret
    assert blocks.aes_ctr(block(key), stream, first, 70)[0].tobytes().hex() == secret


def test_every_value_of_the_s_box(instruction_set: str) -> None:
    """A key of zeros and counters that put every byte value in every place."""
    keys = [np.full(16, value, np.uint8) for value in range(256)]
    for key in keys:
        np.testing.assert_array_equal(blocks.aes_ctr(key, 0, 0, 3), reference.aes_ctr(key, 0, 0, 3))


def ghash_order(text: str) -> np.ndarray:
    """GCM writes the coefficient of x^0 as the highest bit of the first byte: bits turned round within bytes."""
    return np.packbits(np.unpackbits(block(text)), bitorder="little")


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [
        # "The Galois/Counter Mode of Operation", test case 2: X1 = C H, and GHASH = (X1 + length) H
        (
            "0388dace60b6a392f328c2b971b2fe78",
            "66e94bd4ef8a2c3b884cfa59ca342b2e",
            "5e2ec746917062882c85b0685353deb7",
        ),
        (
            "5e2ec746917062882c85b0685353de37",
            "66e94bd4ef8a2c3b884cfa59ca342b2e",
            "f38cbb1ad69223dcc3457ae5b6b0f885",
        ),
    ],
)
def test_published_products(instruction_set: str, left: str, right: str, product: str) -> None:
    got = blocks.gf_multiply(ghash_order(left)[None], ghash_order(right))
    np.testing.assert_array_equal(got[0], ghash_order(product))


# ---------------------------------------------------------------- independent definitions


def peasant(left: int, right: int) -> int:
    """Doubling and adding: another way than the reference's long division."""
    total = 0
    while right:
        total ^= left if right & 1 else 0
        left = left << 1 ^ (((1 << 128) | 0x87) if left >> 127 else 0)
        right >>= 1
    return total


@given(st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 128) - 1))
def test_the_reference_multiplies(left: int, right: int) -> None:
    assert reference.times(left, right) == peasant(left, right)


def test_the_field_has_inverses_and_x_is_no_root_of_unity_of_small_order() -> None:
    x, power = 2, 1
    for _ in range(128):
        power = reference.times(power, x)
    assert power == 0x87  # x^128
    inverse = 1
    value = 0x1234567890ABCDEF
    for _ in range(127):  # value^(2^128 - 2)
        value = reference.times(value, value)
        inverse = reference.times(inverse, value)
    assert reference.times(inverse, 0x1234567890ABCDEF) == 1


def test_the_fixed_key_is_what_it_is_said_to_be() -> None:
    assert reference.FIXED_KEY.hex() == "84defd0d39ea2cabb82d1c4300d243d1"


def test_the_map_before_the_hash_is_an_orthomorphism() -> None:
    """sigma and sigma(x) ^ x are linear and one to one: 128 independent images each."""
    unit = reference._to_blocks([1 << bit for bit in range(128)])
    for images in (reference._sigma(unit), reference._sigma(unit) ^ unit):
        rows = [int.from_bytes(row.tobytes(), "little") for row in images]
        rank = 0
        while rows:
            pivot = rows.pop()
            if pivot:
                rank += 1
                low = pivot & -pivot
                rows = [row ^ pivot if row & low else row for row in rows]
        assert rank == 128


# ---------------------------------------------------------------- every instruction set equals the reference


@SAME_SET
@given(count=COUNTS, seed=SEEDS, stream=st.integers(0, (1 << 64) - 1), back=st.integers(0, 100))
def test_aes_ctr(instruction_set: str, count: int, seed: int, stream: int, back: int) -> None:
    first = (1 << 64) - 1 - back if back else seed
    got = blocks.aes_ctr(noise(seed, 16), stream, first, count)
    assert got.shape == (count, 16)
    np.testing.assert_array_equal(got, reference.aes_ctr(noise(seed, 16), stream, first, count))


@SAME_SET
@given(count=COUNTS, seed=SEEDS, first=st.sampled_from([0, 1, 77, (1 << 64) - 5]), per_key=st.integers(1, 70))
def test_hashes(instruction_set: str, count: int, seed: int, first: int, per_key: int) -> None:
    x, key = noise(seed, count, 16), noise(seed + 1, 16)
    np.testing.assert_array_equal(blocks.hash_blocks(x), reference.hash_blocks(x))
    np.testing.assert_array_equal(blocks.hash_tweaked(x, first), reference.hash_tweaked(x, first))
    for tweak in (None, first):
        both = blocks.hash_both(x, key, tweak)
        np.testing.assert_array_equal(both, reference.hash_both(x, key, tweak))
        assert both.shape == (count, 2, 16)
    np.testing.assert_array_equal(
        blocks.hash_rekeyed(x, key, first, per_key=per_key),
        reference.hash_rekeyed(x, key, first, per_key=per_key),
    )


@SAME_SET
@given(count=COUNTS, seed=SEEDS)
def test_field(instruction_set: str, count: int, seed: int) -> None:
    a, b = noise(seed, count, 16), noise(seed + 1, count, 16)
    a[::3], b[::5] = 255, 0
    np.testing.assert_array_equal(blocks.gf_multiply(a, b), reference.gf_multiply(a, b))
    one = noise(seed + 2, 16)
    np.testing.assert_array_equal(blocks.gf_multiply(a, one), reference.gf_multiply(a, one[None]))
    np.testing.assert_array_equal(blocks.gf_inner(a, b), reference.gf_inner(a, b))
    np.testing.assert_array_equal(blocks.gf_combine(one, seed, a), reference.gf_combine(one, seed, a))


@SAME_SET
@given(rows=st.integers(0, 40), width=st.integers(0, 40), seed=SEEDS)
def test_transposing_any_shape(instruction_set: str, rows: int, width: int, seed: int) -> None:
    bits = noise(seed, 8 * rows, width)
    np.testing.assert_array_equal(blocks.transpose_bits(bits), reference.transpose_bits(bits))


@pytest.mark.parametrize("blocks_wide", [1, 2, 3, 4, 5, 8, 13])
def test_transposing_128_rows_and_back(instruction_set: str, blocks_wide: int) -> None:
    bits = noise(blocks_wide, 128, 16 * blocks_wide)
    turned = blocks.transpose_bits(bits)
    np.testing.assert_array_equal(turned, reference.transpose_bits(bits))
    np.testing.assert_array_equal(blocks.transpose_bits(turned), bits)


def test_views_are_taken_as_they_are(instruction_set: str) -> None:
    wide = noise(3, 50, 40)
    part = wide[::2, 8:24]
    np.testing.assert_array_equal(blocks.hash_blocks(part), reference.hash_blocks(part))
    np.testing.assert_array_equal(blocks.transpose_bits(wide.T), reference.transpose_bits(wide.T))


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        blocks.aes_ctr(noise(1, 15), 0, 0, 1)
    with pytest.raises(ValueError, match="16 bytes"):
        blocks.hash_blocks(noise(1, 4, 15))
    with pytest.raises(ValueError, match="as many"):
        blocks.gf_multiply(noise(1, 4, 16), noise(1, 3, 16))
    with pytest.raises(ValueError, match="as many"):
        blocks.gf_inner(noise(1, 4, 16), noise(1, 1, 16))
    with pytest.raises(ValueError, match="multiple of 8"):
        blocks.transpose_bits(noise(1, 12, 2))
    with pytest.raises(ValueError, match="at least one"):
        blocks.hash_rekeyed(noise(1, 4, 16), noise(1, 16), 0, per_key=0)
