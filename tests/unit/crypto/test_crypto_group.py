"""ristretto255 in batches: the group's laws, what is refused, and that nothing depends on the size of a batch."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.crypto import group, sodium
from unseen.kernels import curve

IDENTITY = np.zeros((1, 32), np.uint8)
ORDER = 2**252 + 27742317777372353535851937790883648493


def points(count: int, seed: int = 0) -> np.ndarray:
    return group.from_uniform(np.random.default_rng(seed).integers(0, 256, (count, 64), np.uint8))


def scalars(count: int) -> np.ndarray:
    return group.to_array([group.scalar_random() for _ in range(count)])


def number(scalar: np.ndarray | bytes) -> int:
    return int.from_bytes(bytes(scalar), "little")


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 17, 64, 65])
def test_any_size_of_batch(count: int) -> None:
    p, k = points(count), scalars(count)
    each = group.scalar_mult_each(k, p, sender="b")
    for index in range(count):
        one = group.scalar_mult(k[index].tobytes(), p[index : index + 1], sender="b")
        np.testing.assert_array_equal(each[index : index + 1], one)
    np.testing.assert_array_equal(group.subtract(group.add(p, each, sender="b"), each, sender="b"), p)


def test_distributive() -> None:
    k, p = group.scalar_random(), points(9)
    q = points(9, seed=1)
    left = group.scalar_mult(k, group.add(p, q, sender="b"), sender="b")
    right = group.add(group.scalar_mult(k, p, sender="b"), group.scalar_mult(k, q, sender="b"), sender="b")
    np.testing.assert_array_equal(left, right)


def test_multiples_of_the_generator_add_up() -> None:
    k = scalars(5)
    bases = group.base_mult_each(k)
    assert bases[2].tobytes() == group.scalar_mult_base(k[2].tobytes())
    total = (number(k[0]) + number(k[1])) % ORDER
    summed = group.add(bases[:1], bases[1:2], sender="b")
    assert summed.tobytes() == group.scalar_mult_base(total.to_bytes(32, "little"))


def test_inverse_scalar_undoes() -> None:
    k, p = group.scalar_random(), points(3)
    masked = group.scalar_mult(k, p, sender="b")
    np.testing.assert_array_equal(group.scalar_mult(group.scalar_invert(k), masked, sender="b"), p)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_inverses_of_many(count: int) -> None:
    k = scalars(count)
    expected = [group.scalar_invert(row.tobytes()) for row in k]
    np.testing.assert_array_equal(group.scalar_invert_each(k), group.to_array(expected))
    if count:
        k = k.copy()
        k[count // 2] = 0
        with pytest.raises(LocalProtocolError):
            group.scalar_invert_each(k)


def test_the_identity_is_added_but_not_multiplied() -> None:
    p = points(1)
    np.testing.assert_array_equal(group.add(p, IDENTITY, sender="b"), p)
    np.testing.assert_array_equal(group.subtract(p, p, sender="b"), IDENTITY)
    with pytest.raises(RemoteProtocolError, match="b sent"):
        group.scalar_mult(group.scalar_random(), IDENTITY, sender="b")


@pytest.mark.parametrize("place", [0, 3, 8])
def test_one_bad_encoding_in_a_batch_is_found_and_named(place: int) -> None:
    p = points(9)
    p[place] = 255
    k = scalars(9)
    for call in (
        lambda: group.scalar_mult(k[0].tobytes(), p, sender="mallory"),
        lambda: group.scalar_mult_each(k, p, sender="mallory"),
        lambda: group.add(p, points(9), sender="mallory"),
        lambda: group.subtract(points(9), p, sender="mallory"),
    ):
        with pytest.raises(RemoteProtocolError, match="mallory") as caught:
            call()
        assert f"number {place + 1} of 9" in caught.value.why


def test_scalar_zero() -> None:
    zero = bytes(32)
    with pytest.raises(LocalProtocolError):
        group.scalar_mult_base(zero)
    with pytest.raises(LocalProtocolError):
        group.base_mult_each(group.to_array([zero]))
    with pytest.raises(LocalProtocolError):
        group.scalar_invert(zero)
    with pytest.raises(RemoteProtocolError):
        group.scalar_mult(zero, points(1), sender="b")


def test_shapes() -> None:
    with pytest.raises(LocalProtocolError):
        group.scalar_mult_each(scalars(2), points(3), sender="b")
    with pytest.raises(LocalProtocolError):
        group.from_uniform(np.zeros((3, 32), np.uint8))
    with pytest.raises(RemoteProtocolError):
        group.add(points(2), points(3), sender="b")
    with pytest.raises(RemoteProtocolError):
        group.scalar_mult(group.scalar_random(), np.zeros((3, 31), np.uint8), sender="b")


def test_messages_are_hashed_under_their_domain() -> None:
    one, other = group.hash_to_group([b"", b"abc"], b"one"), group.hash_to_group([b"", b"abc"], b"other")
    assert len({row.tobytes() for row in (*one, *other)}) == 4
    assert group.hash_to_group([], b"one").shape == (0, 32)
    with pytest.raises(LocalProtocolError):
        group.hash_to_group([b""], b"")


def test_an_encoding_with_its_top_bit_set_is_refused() -> None:
    """Libsodium 1.0.18 overlooks it."""
    p = points(2)
    p[1, 31] |= 128
    assert not group.is_valid(p[1].tobytes())
    for module in (sodium, curve):
        assert list(module.ristretto_valid(p)) == [True, False]
        assert list(module.ristretto_multiply(scalars(1), p)[1]) == [True, False]
        assert list(module.ristretto_add(p, points(2))[1]) == [True, False]
        assert list(module.ristretto_add(points(2), p, minus=True)[1]) == [True, False]


def test_libsodium_leaves_no_file_behind(tmp_path):
    program = "from unseen.crypto import group; group.scalar_random()"
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_libsodium_can_be_loaded_by_two_threads_at_once():
    """A cache does not keep two threads from computing the same."""
    assert sodium.load.__wrapped__() is sodium.load.__wrapped__() is sodium.load()


def test_libsodium_is_loaded_only_where_it_is_needed():
    if not curve.is_native():
        pytest.skip("without native kernels it computes everything")
    program = "import sys, unseen.crypto.group; assert 'rbcl' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
