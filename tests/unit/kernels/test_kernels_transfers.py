"""Bits, carries and products from rows of transfers: against the reference on every instruction set, and both sides together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.kernels import transfers
from unseen.kernels.native import native
from unseen.kernels.reference import transfers as reference

RNG = np.random.default_rng(3)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, np.uint8)


def words(*shape: int) -> np.ndarray:
    return RNG.integers(0, 1 << 64, shape, np.uint64)


def correlated(choices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sender's rows, Delta, and the receiver's rows for these choices."""
    rows, delta = noise(choices.size, 16), noise(16)
    return rows, delta, rows ^ choices.reshape(-1, 1).astype(np.uint8) * delta


def bits_of(numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
    return (numbers[:, None] >> places.astype(np.uint64) & np.uint64(1)).astype(np.uint8)


def equal(one: Any, other: Any) -> None:
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("count", "width"), [(0, 1), (64, 1), (128, 3), (192, 64)])
@pytest.mark.parametrize("both", [False, True])
def test_planes_of_pads(instruction_set: str, count: int, width: int, both: bool) -> None:
    rows, delta = noise(count, 16), noise(16) if both else None
    equal(transfers.hash_planes(rows, width, delta), reference.hash_planes(rows, width, delta))


@pytest.mark.parametrize("leaves", [1, 5, 21])
@pytest.mark.parametrize("count", [0, 1, 63, 64, 130])
def test_carries(instruction_set: str, count: int, leaves: int) -> None:
    mine, theirs = words(count), words(count)
    mine[: count // 2] = ~theirs[: count // 2]  # every place passes a carry on
    places = np.arange(64 - 3 * leaves, 64)
    rows, delta, received = correlated(bits_of(theirs, places))
    offers, *given = transfers.offer_carries(rows, delta, mine, leaves)
    equal((offers, *given), reference.offer_carries(rows, delta, mine, leaves))
    taken = transfers.take_carries(received, theirs, offers)
    equal(taken, reference.take_carries(received, theirs, offers))
    for leaf in range(leaves):
        shift = np.uint64(64 - 3 * leaves + 3 * leaf)
        total = (mine >> shift & np.uint64(7)) + (theirs >> shift & np.uint64(7))
        for share, other, holds in zip(given, taken, (total > 7, total == 7), strict=True):
            plane = (share[leaf] ^ other[leaf]).view(np.uint8)
            np.testing.assert_array_equal(np.unpackbits(plane, bitorder="little")[:count], holds)
            assert not np.unpackbits(plane, bitorder="little")[count:].any()


@pytest.mark.parametrize(
    ("bits", "ring"), [(64, 64), (1, 20), (1, 64), (1, 57), (12, 44), (20, 64), (31, 31)]
)
@pytest.mark.parametrize(("count", "width"), [(0, 1), (1, 1), (16, 1), (37, 1), (3, 2), (2, 16), (2, 37)])
def test_products(instruction_set: str, bits: int, ring: int, count: int, width: int) -> None:
    mine, theirs = words(count, width), words(count)
    if bits < 64:
        theirs &= np.uint64((1 << bits) - 1)
    rows, delta, received = correlated(bits_of(theirs, np.arange(bits)))
    offers, share = transfers.offer_products(rows, delta, mine, bits, ring)
    assert offers.shape == (count, width, transfers.product_bytes(bits, ring))
    equal((offers, share), reference.offer_products(rows, delta, mine, bits, ring))
    taken = transfers.take_products(received, theirs, offers, bits, ring)
    np.testing.assert_array_equal(taken, reference.take_products(received, theirs, offers, bits, ring))
    mask = np.uint64((1 << ring) - 1)
    np.testing.assert_array_equal(share + taken & mask, mine * theirs[:, None] & mask)


@pytest.mark.parametrize(("bits", "ring"), [(64, 64), (1, 20), (12, 44)])
def test_every_bit_of_an_offer_is_noise(bits: int, ring: int) -> None:
    """Those that fill up the last byte too: each is 1 half of the time, for words of zero."""
    rows, delta = noise(bits * 4000, 16), noise(16)
    offers, _ = transfers.offer_products(rows, delta, np.zeros((4000, 1), np.uint64), bits, ring)
    ones = np.unpackbits(offers.reshape(4000, -1), axis=1).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 6 * 0.5 / np.sqrt(4000)


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_other_shapes_are_refused() -> None:
    rows, delta = noise(128, 16), noise(16)
    with pytest.raises(ValueError, match="64 at a time"):
        transfers.hash_planes(rows[:100], 1)
    with pytest.raises(ValueError, match="1 to 64"):
        transfers.hash_planes(rows, 65)
    with pytest.raises(ValueError, match="16 bytes"):
        transfers.hash_planes(rows, 1, delta[:8])
    with pytest.raises(ValueError, match="number of rows"):
        transfers.offer_carries(rows, delta, words(3), 14)
    with pytest.raises(ValueError, match="1 to 21"):
        transfers.offer_carries(rows, delta, words(2), 22)
    with pytest.raises(ValueError, match="number of offers"):
        transfers.take_carries(rows[:126], words(2), np.zeros((1, 21), np.uint16))
    with pytest.raises(ValueError, match="number of rows"):
        transfers.offer_products(rows, delta, words(3, 1), 64, 64)
    for bits, ring in ((0, 64), (65, 65), (9, 8), (2, 63)):
        with pytest.raises(ValueError, match="modulo 2"):
            transfers.offer_products(rows, delta, words(2, 1), bits, ring)
    with pytest.raises(ValueError, match="another shape"):
        transfers.take_products(rows, words(2), noise(2, 1, 259), 64, 64)
