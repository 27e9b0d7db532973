"""curve25519 and ristretto255: every instruction set gives what Python's integers, OpenSSL and libsodium give."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.crypto import sodium
from unseen.kernels import backend, curve
from unseen.kernels.native import native
from unseen.kernels.reference import curve as reference

P = reference.P
DOMAIN = b"unseen-test"
# 0, 1, the points of order 8, -1 (on the twist), numbers around p and at the top
EDGES = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
    2 * P - 1,
    2**255 - 1,
    2**255,
    2**256 - 1,
]
SETS = native().instruction_sets() if native() else ["reference"]


@pytest.fixture(params=SETS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run on that instruction set, and go back."""
    module = native()
    if module is None:
        yield "reference"
        return
    module.use(request.param)
    yield request.param
    module.use(backend().removeprefix("native:"))


def rows(count: int, width: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, width), np.uint8)


def from_numbers(numbers: list[int]) -> np.ndarray:
    return np.frombuffer(b"".join(n.to_bytes(32, "little") for n in numbers), np.uint8).reshape(-1, 32)


def elements(count: int, seed: int = 0) -> np.ndarray:
    return reference.ristretto_map(rows(count, 64, seed))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 17])
def test_any_size_of_batch(isa: str, count: int) -> None:
    x, k = rows(count), rows(count, seed=1)
    np.testing.assert_array_equal(curve.x25519(k, x), reference.x25519(k, x))
    np.testing.assert_array_equal(curve.x25519(rows(1), x), reference.x25519(rows(1), x))
    np.testing.assert_array_equal(curve.x_on_curve(x), reference.x_on_curve(x))
    np.testing.assert_array_equal(curve.hash_to_x(x, DOMAIN), reference.hash_to_x(x, DOMAIN))
    uniform = rows(count, 64)
    p = curve.ristretto_map(uniform)
    np.testing.assert_array_equal(p, reference.ristretto_map(uniform))
    for scalars in (k, rows(1)):
        product, valid = curve.ristretto_multiply(scalars, p)
        assert valid.all()
        np.testing.assert_array_equal(product, reference.ristretto_multiply(scalars, p)[0])
    np.testing.assert_array_equal(curve.ristretto_multiply_base(k), reference.ristretto_multiply_base(k))
    for minus in (False, True):
        total, valid = curve.ristretto_add(p, p[::-1], minus=minus)
        assert valid.all()
        np.testing.assert_array_equal(total, reference.ristretto_add(p, p[::-1], minus=minus)[0])
    total, valid = curve.ristretto_sum(k, p)
    assert valid.all()
    np.testing.assert_array_equal(total, reference.ristretto_sum(k, p)[0])


def test_many_share_one_inversion(isa: str) -> None:
    """More than one block of points; a point of small order among them spoils no other."""
    x = rows(1100)
    x[500] = 0
    k = rows(1, seed=1)
    out = curve.x25519(k, x)
    assert not out[500].any()
    chosen = [0, 7, 8, 499, 500, 501, 511, 512, 1023, 1024, 1099]
    np.testing.assert_array_equal(out[chosen], reference.x25519(k, x[chosen]))


def test_edges(isa: str) -> None:
    edge = from_numbers(EDGES)
    for scalar in (bytes(32), b"\xff" * 32, b"\x01" + bytes(31)):
        k = np.frombuffer(scalar, np.uint8).reshape(1, 32)
        np.testing.assert_array_equal(curve.x25519(k, edge), reference.x25519(k, edge))
        product, valid = curve.ristretto_multiply(k, edge)
        expected, expected_valid = reference.ristretto_multiply(k, edge)
        np.testing.assert_array_equal(valid, expected_valid)
        np.testing.assert_array_equal(product[valid], expected[valid])
    np.testing.assert_array_equal(curve.x_on_curve(edge), reference.x_on_curve(edge))
    np.testing.assert_array_equal(curve.ristretto_valid(edge), reference.ristretto_valid(edge))
    uniform = np.concatenate([edge, edge[::-1]], axis=1)
    np.testing.assert_array_equal(curve.ristretto_map(uniform), reference.ristretto_map(uniform))
    k = from_numbers([0, 1, 2, 7, 8, 9, 15, 16, reference.ORDER - 1, reference.ORDER, 2**255 - 1])
    np.testing.assert_array_equal(curve.ristretto_multiply_base(k), reference.ristretto_multiply_base(k))


def test_sums_of_products(isa: str) -> None:
    """More than one block; scalars whose digits carry all the way; flags where a row is no element."""
    k, p = rows(600, seed=3), np.repeat(elements(8), 75, axis=0)
    edges = [0, 1, 7, 8, 9, 2**255 - 1, 2**256 - 1, int("8" * 64, 16), int("7" * 64, 16), reference.ORDER]
    k[: len(edges)] = from_numbers(edges)
    p[3] = 0
    total, valid = curve.ristretto_sum(k, p)
    assert valid.all()
    product, _ = curve.ristretto_multiply(k, p)
    added = np.zeros((1, 32), np.uint8)
    for row in product:
        added, _ = curve.ristretto_add(added, row[None])
    np.testing.assert_array_equal(total, added)
    p[[5, 599]] = 255
    _, valid = curve.ristretto_sum(k, p)
    assert np.flatnonzero(~valid).tolist() == [5, 599]


def test_small_order_gives_zeros(isa: str) -> None:
    small = from_numbers([*EDGES[:4], P - 1])
    assert not curve.x25519(rows(1), small).any()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 12), st.integers(1, 255), st.integers(1, 400))
def test_hashes_of_any_length(size: int, head: int, count: int, domain: int, length: int) -> None:
    messages, front = rows(count, size), rows(1, head, 1).tobytes()
    tag = rows(1, domain, 2).tobytes()
    module = native()
    for name in SETS:
        if module is not None:
            module.use(name)
        expected = [hashlib.sha512(front + row.tobytes()).digest() for row in messages]
        assert [row.tobytes() for row in curve.sha512(messages, head=front)] == expected
        np.testing.assert_array_equal(
            curve.expand_message(messages, tag, length), reference.expand_message(messages, tag, length)
        )
        np.testing.assert_array_equal(
            curve.hash_to_x(messages[:2], tag), reference.hash_to_x(messages[:2], tag)
        )
    if module is not None:
        module.use(backend().removeprefix("native:"))


def test_longest_expansion(isa: str) -> None:
    messages = rows(2, 5)
    np.testing.assert_array_equal(
        curve.expand_message(messages, DOMAIN, 16320), reference.expand_message(messages, DOMAIN, 16320)
    )


def test_equal_and_opposite_points_add_up() -> None:
    """What the vectors cannot reach: both halves of a hash on one point. On the reference, which the kernel equals."""
    p = reference.map_to_curve(5)
    assert reference.add_affine(p, (p[0], -p[1] % P)) is None
    doubled = reference.add_affine(p, p)
    assert doubled is not None
    assert (doubled[1] ** 2 - doubled[0] ** 3 - reference.A * doubled[0] ** 2 - doubled[0]) % P == 0


def test_against_openssl(isa: str) -> None:
    k, x = rows(40), rows(40, seed=1)
    x[:, 31] |= 128
    out = curve.x25519(k, x)
    for index in range(40):
        secret = X25519PrivateKey.from_private_bytes(k[index].tobytes())
        assert out[index].tobytes() == secret.exchange(X25519PublicKey.from_public_bytes(x[index].tobytes()))


def test_against_libsodium(isa: str) -> None:
    p, k = elements(20), rows(20)
    np.testing.assert_array_equal(curve.ristretto_multiply(k, p)[0], sodium.ristretto_multiply(k, p)[0])
    np.testing.assert_array_equal(curve.ristretto_multiply_base(k), sodium.ristretto_multiply_base(k))
    q = elements(20, seed=1)
    for minus in (False, True):
        np.testing.assert_array_equal(
            curve.ristretto_add(p, q, minus=minus)[0], sodium.ristretto_add(p, q, minus=minus)[0]
        )
    both = np.concatenate([p, rows(60), from_numbers(EDGES)])
    np.testing.assert_array_equal(curve.ristretto_valid(both), sodium.ristretto_valid(both))
    np.testing.assert_array_equal(curve.ristretto_map(rows(20, 64)), sodium.ristretto_map(rows(20, 64)))


def test_the_curve_and_its_twist() -> None:
    x = rows(200)
    assert not curve.x_on_curve(x[x[:, 31] > 127]).any()
    x[:, 31] &= 127
    on = curve.x_on_curve(x)
    assert 50 < on.sum() < 150
    hashed = curve.hash_to_x(x, DOMAIN)
    assert curve.x_on_curve(hashed).all()
    assert curve.x_on_curve(curve.x25519(rows(1), hashed)).all()
    assert not curve.x_on_curve(curve.x25519(rows(1), x[~on])).any()


@pytest.mark.skipif(native() is None, reason="the native kernels are not built")
def test_what_does_not_fit_is_refused() -> None:
    for call in (
        lambda: curve.x25519(rows(2), rows(3)),
        lambda: curve.x25519(rows(1), rows(3, 31)),
        lambda: curve.x_on_curve(rows(3, 33)),
        lambda: curve.hash_to_x(rows(3), b""),
        lambda: curve.hash_to_x(rows(3), bytes(256)),
        lambda: curve.expand_message(rows(3), DOMAIN, 0),
        lambda: curve.expand_message(rows(3), DOMAIN, 16321),
        lambda: curve.ristretto_map(rows(3)),
        lambda: curve.ristretto_multiply(rows(2), rows(3)),
        lambda: curve.ristretto_add(rows(2), rows(3)),
        lambda: curve.ristretto_multiply_base(rows(2, 64)),
    ):
        with pytest.raises(ValueError):
            call()
