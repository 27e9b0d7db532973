"""Lattice encryption: fractions, parameters and their bounds against measured noise, products at their edges."""

from __future__ import annotations

import pickle
from dataclasses import replace
from math import log2, prod, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.crypto.prg import Prg
from unseen.crypto.rlwe import matrices, params, scheme, slots, torus
from unseen.crypto.rlwe.params import MATRICES, SLOTS, Parameters
from unseen.crypto.rlwe.plain import Plain, WholeWords
from unseen.kernels import ntt

N = 8192
KINDS: list[tuple[Parameters, Plain]] = [(MATRICES, WholeWords()), (SLOTS, slots.FIELDS[0])]
EDGES = [0, 1, 2, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1]
kinds = pytest.mark.parametrize(("parameters", "plain"), KINDS, ids=lambda kind: getattr(kind, "name", ""))
fractions = st.integers(0, (1 << 128) - 1)


def as_torus(values: list[int]) -> torus.Torus:
    return np.array([[v >> 64 for v in values], [v & (1 << 64) - 1 for v in values]], np.uint64)


def as_integers(x: torus.Torus) -> list[int]:
    return [int(high) << 64 | int(low) for high, low in zip(x[0].tolist(), x[1].tolist(), strict=True)]


def rng(seed: int = 1) -> Prg:
    return Prg(seed.to_bytes(32, "little"))


# ---------------------------------------------------------------------- fractions


@settings(deadline=None)
@given(st.lists(fractions, min_size=1, max_size=9), st.sampled_from([48, 56, 64, 68, 76, 112]))
def test_rounding_to_halves_and_back(values: list[int], bits: int) -> None:
    values = [*values, 0, (1 << 128) - 1, 1 << 127]
    halves = torus.split(as_torus(values), bits)
    due = [(v + (1 << (127 - bits)) >> (128 - bits)) % (1 << bits) for v in values]
    half = bits // 2
    assert [(int(u) << half) + int(v) for u, v in halves.T] == due
    signed = torus.signed_halves(halves, bits)
    assert np.abs(signed).max() <= 1 << (half - 1)
    assert [((int(u) << half) + int(v)) % (1 << bits) for u, v in signed.T] == due
    back = torus.add(torus.scaled(signed[0], half), torus.scaled(signed[1], bits))
    assert as_integers(back) == [d << (128 - bits) for d in due]


@settings(deadline=None)
@given(st.lists(st.tuples(fractions, fractions), min_size=1, max_size=9))
def test_adding(values: list[tuple[int, int]]) -> None:
    one, two = (as_torus([v[i] for v in values]) for i in (0, 1))
    assert as_integers(torus.add(one, two)) == [sum(v) % (1 << 128) for v in values]


@settings(deadline=None)
@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=9), st.integers(1, 128))
def test_scaling(values: list[int], bits: int) -> None:
    found = as_integers(torus.scaled(np.array(values, np.int64), bits))
    assert found == [(v << (128 - bits)) % (1 << 128) for v in values]


@pytest.mark.parametrize("bits", [1, 46, 64, 65, 66, 127])
def test_floods_fill_their_interval(bits: int) -> None:
    words = np.random.default_rng(1).integers(0, 1 << 64, (2, 4000), np.uint64)
    words[:, 0], words[:, 1] = 0, (1 << 64) - 1
    half = 1 << (128 - bits)
    found = [(v + (1 << 127)) % (1 << 128) - (1 << 127) for v in as_integers(torus.uniform(words, bits))]
    assert found[0] == -half
    assert found[1] == half - 1
    assert all(-half <= v < half for v in found)
    if half > 2:
        assert abs(sum(found) / len(found) / half) < 0.06
        assert abs(sum(v * v for v in found) / len(found) / half**2 - 1 / 3) < 0.03


@settings(deadline=None)
@given(st.lists(fractions, min_size=1, max_size=9), st.sampled_from([params.PLAIN[0], 97, (1 << 61) - 1]))
def test_nearest(values: list[int], modulus: int) -> None:
    values = [*values, 0, (1 << 128) - 1]
    due = [((v >> 64) * modulus + (1 << 63) >> 64) % modulus for v in values]
    assert torus.nearest(as_torus(values), modulus).tolist() == due


# ---------------------------------------------------------------------- parameters


def test_parameters_keep_to_the_standard() -> None:
    """Facts restated from the standard's table 1, and that primes are primes of the right form."""
    assert params.STANDARD[8192] == {128: 218, 192: 152}
    for parameters in (MATRICES, SLOTS):
        assert log2(parameters.modulus) <= params.STANDARD[parameters.degree][parameters.security]
        assert parameters.source
        assert parameters.date
    assert sqrt(ntt.NOISE_VARIANCE) >= 8 / sqrt(2 * np.pi)
    for prime in (*MATRICES.primes, *SLOTS.primes, *params.PLAIN):
        assert prime % (2 * N) == 1
        assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7, 11, 13))
        assert pow(ntt.root_of_unity(prime, N), N, prime) == prime - 1
    assert all(prime < 1 << SLOTS.plain_bits for prime in params.PLAIN)


def test_bounds() -> None:
    """What the documentation states."""
    vectors = sqrt(2 * N) * max(params.PLAIN) / 2
    assert log2(SLOTS.leak(vectors)) < -53
    assert SLOTS.failure(vectors) < -70
    blocks = matrices.plan(1000, 1 << 16, 1000)
    assert log2(MATRICES.leak(blocks.norm)) < -55
    assert MATRICES.failure(blocks.norm) < -70
    # The integer in a slot never wraps.
    assert 0.51 * prod(params.PLAIN) > (1 << slots.MASK_BITS) + (1 << 128)


@pytest.mark.parametrize(
    "change", [{"primes": (*MATRICES.primes, 0x3FFFFFFE74001)}, {"flood": 65}, {"first_bits": 70}]
)
def test_parameters_that_do_not_hold_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(MATRICES, **change)


def exact_noise(
    parameters: Parameters,
    secret: scheme.SecretKey,
    pair: np.ndarray,
    message: np.ndarray,
    t: int,
    count: int,
) -> list[float]:
    """Of the first coefficients b + a s - Q m / t, in units of 1, from residues in Python's integers."""
    of = scheme.ring_of(parameters)
    minus = secret._minus[0]
    moduli = np.array(of.primes, np.uint64)[:, None]
    turned = ntt.inner(of, pair[1][None, None], (moduli - minus)[None] % moduli)
    both = ntt.inverse(of, (pair[0][None] + turned) % moduli)[0]
    whole, out = of.modulus, []
    for i in range(count):
        value = sum(
            int(both[limb, i]) * (whole // q) * pow(whole // q, -1, q) for limb, q in enumerate(of.primes)
        )
        off = (value * t - int(message[i]) * whole) % (whole * t)
        out.append((off - whole * t if off > whole * t // 2 else off) / t)
    return out


@kinds
def test_noise_is_what_the_estimate_says(parameters: Parameters, plain: Plain) -> None:
    """Measured after a product with plaintexts as large as they get; before anything floods it."""
    secret, t = scheme.SecretKey(parameters, rng()), plain.modulus
    messages = np.random.default_rng(2).integers(0, t, (1, N), np.uint64)
    fresh = scheme.pairs(parameters, secret.encrypt(messages, plain, rng(2)))[0]
    noise = exact_noise(parameters, secret, fresh, messages[0], t, 2000)
    assert max(map(abs, noise)) <= ntt.NOISE_MOST + 1
    assert abs(np.std(noise) / sqrt(params.NOISE_PROXY) - 1) < 0.06
    of = scheme.ring_of(parameters)
    zero = np.zeros((1, N), np.uint64)
    for weights in (np.full((1, 8), 0, np.int64), np.full((1, N), 0, np.int64)):
        weights[:] = np.random.default_rng(3).choice([-1, 1], weights.shape) * np.int64((t - 1) // 2)
        empty = scheme.pairs(parameters, secret.encrypt(zero, plain, rng(4)))
        product = ntt.inner(of, empty, scheme.transformed(parameters, weights))
        noise = exact_noise(parameters, secret, product, zero[0], t, 1000)
        norm = sqrt(weights.size) * (t / 2)
        assert abs(np.std(noise) / parameters.modulus / parameters.noise(norm) - 1) < 0.1
        assert np.abs(noise).max() / parameters.modulus < 6 * parameters.noise(norm)


# ---------------------------------------------------------------------- the scheme


def answered(
    parameters: Parameters, plain: Plain, factor: int, *, messages: np.ndarray | None = None
) -> tuple[scheme.SecretKey, scheme.Answer, np.ndarray]:
    """An answer to one ciphertext times a constant, and what it must decrypt to."""
    t = plain.modulus
    secret = scheme.SecretKey(parameters, rng())
    public = scheme.pairs(parameters, secret.public_key(plain, rng(2)))[0]
    if messages is None:
        messages = np.random.default_rng(1).integers(0, t, (1, N), np.uint64)
    weights = np.zeros((1, 8), np.int64)
    weights[0, 0] = factor
    fresh = scheme.pairs(parameters, secret.encrypt(messages, plain, rng(3)))
    product = ntt.inner(scheme.ring_of(parameters), fresh, scheme.transformed(parameters, weights))
    mask = np.random.default_rng(4).integers(0, t, N, np.uint64)
    due = [(int(m) * factor + int(r)) % t for m, r in zip(messages[0], mask, strict=True)]
    given_ = scheme.answer(parameters, public, product, mask, plain, rng(5))
    return secret, given_, np.array(due, np.uint64)


@kinds
@pytest.mark.parametrize("factor", [0, 1, -1, "most", "least"])
def test_answers_decrypt(parameters: Parameters, plain: Plain, factor: int | str) -> None:
    half = plain.modulus // 2
    number = {"most": half - 1, "least": -half}.get(str(factor), factor)
    secret, given_, due = answered(parameters, plain, int(number))
    np.testing.assert_array_equal(secret.decrypt(given_, plain), due)


@kinds
def test_decryption_keeps_its_distance_from_failure(parameters: Parameters, plain: Plain) -> None:
    """The error of an answer is flood and rounding, and stays below half a step by the margin that is computed."""
    secret, given_, due = answered(parameters, plain, plain.modulus // 2 - 1)
    off = torus.add(secret.phase(given_), ~plain.fraction(due[None])[:, 0])
    errors = np.array([(v + (1 << 127)) % (1 << 128) - (1 << 127) for v in as_integers(off)], np.float64)
    largest = np.abs(errors).max() / 2.0**128
    assert largest < 2.0**-parameters.flood + parameters.rounding
    assert largest > 0.9 * 2.0**-parameters.flood
    assert 2.0 ** -(parameters.plain_bits + 1) - largest > parameters.margin


@kinds
def test_a_flood_beyond_the_margin_fails(parameters: Parameters, plain: Plain) -> None:
    """The bound is not idle: with twice the flood, which the parameters refuse, numbers come out wrong."""
    broken = replace(parameters, plain_bits=parameters.plain_bits - 2, flood=parameters.flood - 2)
    secret, given_, due = answered(broken, plain, 1)
    assert (secret.decrypt(given_, plain) != due).any()


def test_only_the_places_asked_for() -> None:
    plain = WholeWords()
    secret = scheme.SecretKey(MATRICES, rng())
    public = scheme.pairs(MATRICES, secret.public_key(plain, rng(2)))[0]
    message = np.arange(N, dtype=np.uint64)[None]
    product = scheme.pairs(MATRICES, secret.encrypt(message, plain, rng(3)))[0]
    where = np.array([5, 3, 8191])
    given_ = scheme.answer(MATRICES, public, product, np.uint64([1, 2, 3]), plain, rng(4), where)
    assert given_.second.shape == (2, 3)
    assert secret.decrypt(given_, plain, where).tolist() == [6, 5, 8194]


def test_secret_keys_do_not_leave() -> None:
    secret = scheme.SecretKey(SLOTS, rng())
    assert "secret" in repr(secret)
    with pytest.raises(LocalProtocolError):
        pickle.dumps(secret)


def test_nothing_is_drawn_twice() -> None:
    """Two encryptions of one message under one key share neither the public polynomial nor the noise."""
    plain, source = slots.FIELDS[0], rng()
    secret = scheme.SecretKey(SLOTS, source)
    messages = np.zeros((1, N), np.uint64)
    one, two = (secret.encrypt(messages, plain, source) for _ in range(2))
    assert one.key != two.key
    assert len(np.intersect1d(one.bodies, two.bodies)) < 5
    pair_one, pair_two = scheme.pairs(SLOTS, one)[0], scheme.pairs(SLOTS, two)[0]
    noises = [
        exact_noise(SLOTS, secret, pair, messages[0], plain.modulus, 400) for pair in (pair_one, pair_two)
    ]
    assert abs(np.corrcoef(noises)[0, 1]) < 0.25


# ---------------------------------------------------------------------- slots


def test_slots_hold_products_of_signed_words() -> None:
    x, y = (
        np.tile(np.array(EDGES, np.uint64), N // 8)[None],
        np.repeat(np.array(EDGES, np.uint64), N // 8)[None],
    )
    mask, share = slots.mask(rng())
    one, other = slots.encode(x), slots.encode(y)
    moduli = np.array(params.PLAIN, np.uint64)[:, None]
    whole = ntt.ring(N, params.PLAIN)
    values = ntt.inner(whole, ntt.forward(whole, one)[:, None], ntt.forward(whole, other))
    masked = (ntt.inverse(whole, values)[0] + mask) % moduli
    np.testing.assert_array_equal(slots.decode(masked) + share, x[0] * y[0])


def test_signed_coefficients() -> None:
    polynomials = slots.encode(np.random.default_rng(1).integers(0, 1 << 64, (1, N), np.uint64))
    signed = slots.signed(polynomials)
    moduli = np.array(params.PLAIN, np.int64)[:, None]
    assert (np.abs(signed) <= moduli // 2).all()
    assert (signed % moduli == polynomials).all()


def test_masks_are_integers_of_175_bits() -> None:
    """By the remainder theorem in Python's integers; uniform, and what is returned is minus them."""
    mask, share = slots.mask(rng())
    whole = ntt.ring(N, params.PLAIN)
    residues = ntt.forward(whole, mask[None])[0]
    product = prod(params.PLAIN)
    weights = [product // p * pow(product // p, -1, p) for p in params.PLAIN]
    tops = []
    for i in range(0, N, 8):
        value = sum(int(residues[limb, i]) * weights[limb] for limb in range(4)) % product - (1 << 127)
        assert 0 <= value < 1 << 175
        assert (value + int(share[i])) % (1 << 64) == 0
        tops.append(value >> 171)
    counts = np.bincount(tops, minlength=16)
    assert ((counts - 64) ** 2 / 64).sum() < 15 + 6 * sqrt(30)


def test_slots_take_whole_batches_only() -> None:
    with pytest.raises(LocalProtocolError, match="Slots take"):
        slots.encode(np.zeros((1, 5), np.uint64))


# ---------------------------------------------------------------------- matrices


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_packed_products_are_the_product(rows: int, inner: int, columns: int) -> None:
    """Blocks as polynomials, multiplied as integers by convolution modulo X^n + 1, give the product where `places` says."""
    blocks = matrices.plan(rows, inner, columns)
    assert blocks.high * blocks.deep * blocks.wide <= N
    source = np.random.default_rng(rows + 100 * inner)
    x, y = (
        source.integers(0, 1 << 64, (rows, inner), np.uint64),
        source.integers(0, 1 << 64, (inner, columns), np.uint64),
    )
    left = matrices.left(blocks, x[: blocks.high], slice(0, blocks.across[1]))
    right = matrices.right(blocks, y[:, : blocks.wide]).view(np.uint64)
    total = np.zeros(N, np.uint64)
    for polynomial, factor in zip(left, right, strict=True):
        for at, value in enumerate(factor.tolist()):
            if value:
                moved = np.roll(polynomial, at) * np.uint64(value)
                moved[:at] = np.uint64(0) - moved[:at]
                total += moved
    found = total[blocks.places].reshape(blocks.high, blocks.wide)
    due = x[: blocks.high] @ y[:, : blocks.wide]
    np.testing.assert_array_equal(found[: due.shape[0], : due.shape[1]], due)


@pytest.mark.parametrize(
    "shape", [(1000, 1000, 1000), (1, 1000, 1), (100_000, 20, 1), (20, 100_000, 20), (1, 1, 1)]
)
def test_plans_beat_the_obvious(shape: tuple[int, int, int]) -> None:
    blocks = matrices.plan(*shape)
    alone = matrices.Blocks(*shape, high=min(shape[0], N), deep=1, wide=1)
    assert blocks.size_bytes <= alone.size_bytes
    assert all(
        n * size >= total
        for n, size, total in zip(blocks.across, (blocks.high, blocks.deep, blocks.wide), shape, strict=True)
    )
