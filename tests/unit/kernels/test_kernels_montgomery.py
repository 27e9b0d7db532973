"""Rows of residues: against the reference limb for limb, against Python's pow, and at the edges."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from unseen.kernels import montgomery
from unseen.kernels.reference import montgomery as reference

RNG = np.random.default_rng(5)
DICE = random.Random(5)
# RFC 7919, appendix A.1
FFDHE2048 = int(
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8"
    "F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE872"
    "1DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB19"
    "0B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005"
    "C58EF1837D1683B2C6F34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF",
    16,
)
MODULI = [
    3,
    (1 << 50) - 27,
    (1 << 51) + 21,
    (1 << 102) - 33,
    (1 << 103) + 3,
    (1 << 256) - 189,
    (1 << 1364) - 1,
    FFDHE2048,
    pytest.param((1 << 3072) - 1, marks=[pytest.mark.long]),
    pytest.param((1 << 6144) + 1, marks=[pytest.mark.long]),
]


def edge_numbers(n: int, count: int) -> list[int]:
    edges = [0, 1, n - 1, n // 2, n - 2, (1 << (n.bit_length() - 1)) % n]
    return [*edges, *(DICE.randrange(n) for _ in range(count))][:count]


def held(n: int, numbers: list[int]) -> tuple[montgomery.Modulus, montgomery.Rows]:
    of = montgomery.modulus(n)
    rows, below = montgomery.enter(of, montgomery.to_words(numbers, of.words))
    assert below.all()
    return of, rows


def numbers_of(of: montgomery.Modulus, rows: montgomery.Rows) -> list[int]:
    return montgomery.to_numbers(montgomery.leave(of, rows))


@pytest.mark.parametrize("n", MODULI, ids=lambda n: f"{n.bit_length()} bits")
@pytest.mark.parametrize("count", [1, 9])
def test_products_are_those_of_integers(instruction_set: str, n: int, count: int) -> None:
    left, right = edge_numbers(n, count), edge_numbers(n, count)[::-1]
    of, a = held(n, left)
    b = held(n, right)[1]
    assert numbers_of(of, a) == left
    assert numbers_of(of, montgomery.multiply(of, a, b)) == [
        x * y % n for x, y in zip(left, right, strict=True)
    ]
    assert numbers_of(of, montgomery.multiply(of, a, b[:1])) == [x * right[0] % n for x in left]
    assert numbers_of(of, montgomery.square(of, a, 5)) == [pow(x, 32, n) for x in left]
    for exponent in (0, 1, 15, 16, DICE.getrandbits(128), (1 << 128) - 1):
        assert numbers_of(of, montgomery.power(of, a, exponent, words=2)) == [
            pow(x, exponent, n) for x in left
        ]


@pytest.mark.parametrize("n", MODULI, ids=lambda n: f"{n.bit_length()} bits")
def test_limbs_are_those_of_the_reference(instruction_set: str, n: int) -> None:
    numbers = edge_numbers(n, 11)
    of, rows = held(n, numbers)
    np.testing.assert_array_equal(
        rows, reference.enter(n, of.limbs, montgomery.to_words(numbers, of.words))[0]
    )
    for made, due in (
        (montgomery.multiply(of, rows, rows[::-1]), reference.multiply(n, rows, rows[::-1])),
        (montgomery.power(of, rows, 77, words=1), reference.power(n, rows, 77)),
        (montgomery.square(of, rows, 3), reference.power(n, rows, 8)),
    ):
        np.testing.assert_array_equal(made, due)
    np.testing.assert_array_equal(montgomery.leave(of, rows), reference.leave(n, rows, of.words))


SEGMENTS = [
    [0],
    [0, 0],
    [0, 1],
    [0, 0, 0, 3, 3, 3],
    [2, 2, 40],
    [0, 5, 5, 5, 6, 6, 30, 31, 57, 57],
    list(range(58)),
    [0, 57],
    [3, 4, 56],
]


@pytest.mark.parametrize(("n", "starts"), list(itertools.product([3, (1 << 256) - 189], SEGMENTS)))
def test_segments(instruction_set: str, n: int, starts: list[int]) -> None:
    """Segments that one lane begins and others end, empty ones, one for all lanes."""
    numbers = [x or 1 for x in edge_numbers(n, 20)]
    of, table = held(n, numbers)
    order = RNG.integers(0, 20, 57)
    made = montgomery.products(of, table, order, np.array(starts))
    due = []
    for first, last in itertools.pairwise(starts):
        product = 1
        for place in order[first:last].tolist():
            product = product * numbers[place] % n
        due.append(product)
    assert numbers_of(of, made) == due
    np.testing.assert_array_equal(made, reference.products(n, table, order, np.array(starts)))


def test_what_is_not_below_the_modulus_is_told(instruction_set: str) -> None:
    n = (1 << 2047) + 1
    of = montgomery.modulus(n)
    numbers = [n, n - 1, 0, n + 1, (1 << 2048) - 1]
    for width in (of.words, of.words + 1, of.words + 2):
        given = [*numbers, *([] if width == of.words else [1 << 2080, (1 << (64 * width)) - 1])]
        rows, below = montgomery.enter(of, montgomery.to_words(given, width))
        assert below.tolist() == [False, True, True] + [False] * (len(given) - 3)
        assert not rows[~below].any()
        np.testing.assert_array_equal(
            rows, reference.enter(n, of.limbs, montgomery.to_words(given, width))[0]
        )


def test_a_published_vector(instruction_set: str) -> None:
    """RFC 7919: (p - 1) / 2 of ffdhe2048 is prime, so 2 and 4 are of that order: 2^((p - 1) / 2) = 1."""
    of, rows = held(FFDHE2048, [2, 4, FFDHE2048 - 1, 11])
    order = (FFDHE2048 - 1) // 2
    assert numbers_of(of, montgomery.power(of, rows, order, words=32)) == [
        pow(x, order, FFDHE2048) for x in (2, 4, FFDHE2048 - 1, 11)
    ]
    assert numbers_of(of, montgomery.power(of, rows[:2], order, words=32)) == [1, 1]


@pytest.mark.parametrize("n", [0, 1, 2, 4, -5, 1 << 7000])
def test_impossible_moduli(n: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        montgomery.modulus(n)


def test_impossible_arguments(instruction_set: str) -> None:
    of, table = held(FFDHE2048, [1, 2])
    for order, starts in (
        ([2], [0, 1]),
        ([-1], [0, 1]),
        ([0], [0, 2]),
        ([0], [1, 0]),
        ([0], [-1, 1]),
        ([0], []),
    ):
        with pytest.raises(ValueError):
            montgomery.products(of, table, np.array(order, np.int64), np.array(starts, np.int64))
    with pytest.raises(ValueError):
        montgomery.multiply(of, table, np.zeros((3, of.limbs), np.uint64))
    assert "FFFF" not in repr(of)
