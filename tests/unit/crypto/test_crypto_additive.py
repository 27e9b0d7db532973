"""Additive encryption: what comes out is what went in, against Python's integers; what is no ciphertext or key is refused."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.crypto.additive import PublicKey, SecretKey, fixed_base, generate
from unseen.crypto.additive.fixed_base import FixedBases
from unseen.crypto.additive.public import shape
from unseen.crypto.prg import Prg
from unseen.kernels import montgomery

DICE = random.Random(3)
BITS = 70
SCHEMES = ("ou", "paillier")


@pytest.fixture(scope="module", autouse=True)
def small_tables() -> Iterator[None]:
    """Large ones take long to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_base, "TABLE_BYTES", 1 << 20)
        yield


@cache
def key_of(scheme: str) -> SecretKey:
    with pytest.warns(UserWarning, match="112 bits"):
        return generate(scheme, 2048)


@pytest.fixture(params=SCHEMES)
def key(request: pytest.FixtureRequest) -> SecretKey:
    return key_of(request.param)


def rows_of(key: SecretKey, numbers: list[int], *, minus: int = 0) -> montgomery.Rows:
    words = montgomery.to_words([number + minus for number in numbers], 2)
    exponents = key.public.draw_short(Prg.fresh(), len(numbers))
    return key.public.encrypt(words, exponents, message_bits=BITS, minus=minus)


def read(key: SecretKey, rows: montgomery.Rows, bits: int = 200) -> list[int]:
    return key.decrypt(key.public.to_wire(rows), bits=bits, sender="b")


def test_what_went_in_comes_out(key: SecretKey) -> None:
    numbers = [0, 1, (1 << BITS) - 1, 1 << 64, *(DICE.getrandbits(BITS) for _ in range(6))]
    assert read(key, rows_of(key, numbers)) == numbers
    signed = [0, -1, 1, -(1 << 60), (1 << 60) - 1]
    assert read(key, rows_of(key, signed, minus=1 << 60)) == signed


def test_ciphertexts_are_those_of_the_formula(key: SecretKey) -> None:
    public = key.public
    numbers, modulus = [DICE.getrandbits(BITS) for _ in range(3)], public.modulus.value
    exponents = public.draw_short(Prg.fresh(), 3)
    made = public.to_wire(public.encrypt(montgomery.to_words(numbers, 2), exponents, message_bits=BITS))
    powers = montgomery.to_numbers(exponents)
    assert montgomery.to_numbers(made) == [
        pow(public.g, m, modulus) * pow(public.h, r, modulus) % modulus
        for m, r in zip(numbers, powers, strict=True)
    ]
    assert max(powers).bit_length() <= public.shape.short_bits
    full = public.draw_full(Prg.fresh(), 3)
    fresh = public.rerandomise(public.from_wire(made, sender="b"), full)
    assert montgomery.to_numbers(public.to_wire(fresh)) == [
        c * pow(public.h, r, modulus) % modulus
        for c, r in zip(montgomery.to_numbers(made), montgomery.to_numbers(full), strict=True)
    ]


def test_sums_shifts_and_slots(key: SecretKey) -> None:
    public = key.public
    numbers = [DICE.getrandbits(60) for _ in range(20)]
    rows = rows_of(key, numbers)
    order, starts = np.array([3, 3, 0, 19, 7]), np.array([0, 2, 2, 5])
    sums = public.sums(rows, order, starts)
    due = [2 * numbers[3], 0, numbers[0] + numbers[19] + numbers[7]]
    assert read(key, sums) == due
    assert read(key, public.add(rows[:2], rows[2:4])) == [numbers[0] + numbers[2], numbers[1] + numbers[3]]
    assert read(key, public.shift(rows[:2], 9)) == [number << 9 for number in numbers[:2]]
    packed = public.packed(sums, 2, 64)
    assert read(key, packed) == [due[0] + (due[1] << 64), due[2]]
    assert read(key, public.rerandomise(packed, public.draw_full(Prg.fresh(), 2))) == read(key, packed)
    assert len(public.packed(rows[:0], 2, 64)) == 0


def test_rerandomised_ciphertexts_are_others(key: SecretKey) -> None:
    public = key.public
    rows = rows_of(key, [5, 5, 5])
    fresh = public.to_wire(public.rerandomise(rows, public.draw_full(Prg.fresh(), 3)))
    every = {row.tobytes() for row in (*public.to_wire(rows), *fresh)}
    assert len(every) == 6


def test_exponents_hide_from_whom_they_should() -> None:
    """Fresh ones twice the security level at least; those of re-randomisation longer than any order by 64 bits."""
    for bits, level in ((2048, 112), (3072, 128)):
        assert shape("ou", bits).short_bits == 2 * level
        assert shape("ou", bits).full_bits >= bits // 3 * 2 + 64
        assert shape("paillier", bits).short_bits == bits // 2
        assert shape("paillier", bits).full_bits == bits + 64


def test_numbers_out_of_range_are_refused(key: SecretKey) -> None:
    rows = rows_of(key, [1 << 40, -(1 << 40)], minus=1 << 60)
    assert read(key, rows, 42) == [1 << 40, -(1 << 40)]
    with pytest.raises(RemoteProtocolError, match="other numbers") as refused:
        read(key, rows, 41)
    assert str(1 << 40) not in str(refused.value)
    with pytest.raises(LocalProtocolError, match="more than 70"):
        rows_of(key, [1 << BITS])
    with pytest.raises(LocalProtocolError, match="do not fit"):
        key.public.packed(rows, 20, 110)
    with pytest.raises(LocalProtocolError, match="do not fit"):
        key.public.prepare(4096)


def test_what_overflows_is_refused() -> None:
    """A sum that exceeds the secret modulus comes back as another number: it must not be told (gcd would give p)."""
    key = key_of("ou")
    with pytest.raises(RemoteProtocolError):
        read(key, key.public.shift(rows_of(key, [3]), 690), 600)


@pytest.mark.parametrize("wrong", ["modulus", "beyond", "zero", "all ones"])
def test_no_ciphertexts(key: SecretKey, wrong: str) -> None:
    public = key.public
    number = {"modulus": public.modulus.value, "beyond": public.modulus.value + 1, "zero": 0}
    width = public.modulus.words
    words = montgomery.to_words([1, number.get(wrong, (1 << 64 * width) - 1)], width)
    with pytest.raises(RemoteProtocolError, match="no ciphertexts"):
        public.from_wire(words, sender="b")
    with pytest.raises(RemoteProtocolError, match="no ciphertexts"):
        key.decrypt(words, bits=10, sender="b")


def test_public_keys_travel(key: SecretKey) -> None:
    data = key.public.to_bytes()
    again = PublicKey.from_bytes(data, sender="a")
    assert (again.scheme, again.n, again.g, again.h) == (
        key.public.scheme,
        key.public.n,
        key.public.g,
        key.public.h,
    )
    assert again.to_bytes() == data


@pytest.mark.parametrize("which", ["cut", "longer", "scheme", "bits", "even", "trivial", "zeros", "common"])
def test_bad_public_keys(which: str) -> None:
    public = key_of("ou").public
    n, g, h = public.n, public.g, public.h
    bad = {
        "scheme": ("rsa", 2048, n, g, h),
        "bits": ("ou", 3072, n, g, h),
        "even": ("ou", 2048, n - 1, g, h),
        "trivial": ("ou", 2048, n, g, 1),
        "common": ("paillier", 2048, n, g, h),
    }
    if which in bad:
        scheme, bits, *numbers = bad[which]
        data = _encoded(scheme, bits, *numbers)
    else:
        good = public.to_bytes()
        data = {"cut": good[:-1], "longer": good + b"\x00", "zeros": _encoded("ou", 2048, n, g, h, pad=1)}[
            which
        ]
    with pytest.raises(RemoteProtocolError, match="no public key"):
        PublicKey.from_bytes(data, sender="a")


def _encoded(scheme: str, bits: int, n: int, g: int, h: int, *, pad: int = 0) -> bytes:
    width = (bits if scheme == "ou" else 2 * bits) // 8
    parts = [bytes(pad) + x.to_bytes(size, "big") for x, size in ((n, bits // 8), (g, width), (h, width))]
    return msgspec.msgpack.encode([scheme, bits, *parts])


def test_secrets_stay(key: SecretKey) -> None:
    assert "<secret>" in repr(key)
    for thing in (key, key.public):
        with pytest.raises(LocalProtocolError):
            pickle.dumps(thing)


def test_sizes_and_schemes() -> None:
    for scheme, bits in (("ou", 1024), ("paillier", 4096), ("rsa", 3072)):
        with pytest.raises(UsageError):
            generate(scheme, bits)


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES)
def test_large_keys(scheme: str) -> None:
    key = generate(scheme, 3072)
    assert key.public.n.bit_length() in (3071, 3072)
    assert read(key, rows_of(key, [7, 1 << 69])) == [7, 1 << 69]


@pytest.mark.parametrize("n", [101, (1 << 61) - 1])
@pytest.mark.parametrize("lengths", [(1, 3), (64, 65), (13, 130)])
def test_powers_of_fixed_numbers(n: int, lengths: tuple[int, int]) -> None:
    of = montgomery.modulus(n)
    fixed = FixedBases(of, [3, 5], lengths)
    exponents = [[0, 1, (1 << bits) - 1, DICE.getrandbits(bits)] for bits in lengths]
    words = [montgomery.to_words(each, -(-bits // 64)) for each, bits in zip(exponents, lengths, strict=True)]
    made = montgomery.to_numbers(montgomery.leave(of, fixed.power(*words)))
    assert made == [pow(3, a, n) * pow(5, b, n) % n for a, b in zip(*exponents, strict=True)]
