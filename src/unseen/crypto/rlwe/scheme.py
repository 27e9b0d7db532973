"""Encryption by ring learning with errors: who decrypts encrypts, the other multiplies by plaintexts, adds a mask, hides.

What
    A ciphertext of m is (b, a) with b + a s = m / t + noise / Q mod 1 (in units of 1 / Q), s ternary: the scheme of
    Fan and Vercauteren, "Somewhat Practical Fully Homomorphic Encryption" (ePrint 2012/144), with a secret key on the
    encrypting side, so that `a` travels as the 16-byte key that it is expanded from.
Answers
    :func:`answer` takes a sum of ciphertexts times plaintexts and adds an encryption of zero under the other's public
    key (its noise e1 on `a`, fresh), mask / t, and a uniform flood; then rounds both polynomials to the few bits that
    decryption needs. Only the coefficients asked for are given of the second.
Against whom
    A key holder that follows the protocol up to then (its ciphertexts and public key are what :meth:`SecretKey` makes). It
    sees: `a`, which without the key is a sum of the fixed part and a ring-LWE sample with a fresh secret, hence like
    uniform; and b + a s, which is (result + mask) / t + flood + noise. Flooding hides the noise, the only part that depends
    on the plaintexts otherwise, to the distance `Parameters.leak` a coefficient. Rounding works on what may be seen.
Randomness
    Public keys of `a` and secret noise come from separate draws of the given generator; nothing secret is ever expanded
    from what is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.crypto.prg import Prg
from unseen.crypto.rlwe import torus
from unseen.crypto.rlwe.params import Parameters
from unseen.crypto.rlwe.plain import Plain
from unseen.kernels import ntt

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Ciphertexts:
    """As they travel: bodies (count, limbs, n), transformed, and the public key of their `a`."""

    key: bytes
    bodies: Words


@dataclass(frozen=True, slots=True)
class Answer:
    """Halves of both polynomials of an answer: (2, n) of first_bits / 2 bits, (2, m) of second_bits / 2 bits."""

    first: Words
    second: Words


def ring_of(parameters: Parameters) -> ntt.Ring:
    """The ring of ciphertexts."""
    return ntt.ring(parameters.degree, parameters.primes)


def pairs(parameters: Parameters, ciphertexts: Ciphertexts) -> Words:
    """(count, 2, limbs, n): bodies, and the polynomials `a` expanded."""
    a = ntt.uniform(ring_of(parameters), ciphertexts.key, 0, len(ciphertexts.bodies))
    return np.stack([ciphertexts.bodies, a], axis=1)


def transformed(parameters: Parameters, small: Integers) -> Words:
    """Plaintexts (count, m) of signed coefficients, ready to be multiplied: (count, limbs, n). m as for ntt.forward."""
    of = ring_of(parameters)
    return ntt.forward(of, ntt.residues(of, small))


def _draw_noise(rng: Prg, shape: tuple[int, int]) -> Integers:
    return ntt.noise(rng.u64(shape).reshape(-1)).reshape(shape)


def _draw_ternary(rng: Prg, degree: int) -> Integers:
    return ntt.ternary(rng.u64(degree)).reshape(1, degree)


class SecretKey:
    """A fresh key; `repr` shows nothing of it."""

    __slots__ = ("_first", "_minus", "_parameters")

    def __init__(self, parameters: Parameters, rng: Prg) -> None:
        self._parameters = parameters
        secret = _draw_ternary(rng, parameters.degree)
        self._minus = transformed(parameters, -secret)
        first = ntt.ring(parameters.degree, parameters.primes[:1])
        self._first = ntt.forward(first, ntt.residues(first, secret))

    def __repr__(self) -> str:
        return f"SecretKey({self._parameters.name}, <secret>)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise LocalProtocolError("A secret key is not copied or stored.")

    def encrypt(self, messages: Words, plain: Plain, rng: Prg) -> Ciphertexts:
        """Messages (count, n) below the plaintext modulus; fresh noise and a fresh public key each call."""
        of = ring_of(self._parameters)
        key = rng.bytes(KEY_BYTES)
        words = rng.u64(messages.shape)
        part = plain.times(messages, of.modulus)
        # q m / t rounded up or down at random: up where part / t + a uniform number reaches 1.
        small = ntt.noise(words.reshape(-1)).reshape(messages.shape) + plain.reaches(part, words)
        factors = np.array([-pow(plain.modulus, -1, q) % q for q in of.primes], np.uint64)
        scaled = ntt.forward(of, ntt.residues(of, small, part, factors))
        a = ntt.uniform(of, key, 0, len(messages))
        bodies = [
            ntt.inner(of, a[i, None, None], self._minus, scaled[i, None])[0] for i in range(len(messages))
        ]
        return Ciphertexts(key, np.stack(bodies))

    def public_key(self, plain: Plain, rng: Prg) -> Ciphertexts:
        """An encryption of zero, for :func:`answer`."""
        return self.encrypt(np.zeros((1, self._parameters.degree), np.uint64), plain, rng)

    def phase(self, given: Answer, where: Any = slice(None)) -> torus.Torus:
        """B + a s of an answer, (2, m): its message / t + noise."""
        parameters = self._parameters
        first = ntt.ring(parameters.degree, parameters.primes[:1])
        halves = torus.signed_halves(given.first, parameters.first_bits)
        turned = ntt.forward(first, ntt.residues(first, halves))
        products = np.concatenate(
            [ntt.inner(first, turned[part, None, None], self._first) for part in (0, 1)]
        )
        # Sums of up to N halves: below q / 2 but for a probability of less than 2 exp(-1000).
        sums = ntt.inverse(first, products)[:, 0][:, where].view(np.int64)
        q = np.int64(first.modulus)
        centred = np.where(sums > q // 2, sums - q, sums)
        half = parameters.first_bits // 2
        product = torus.add(torus.scaled(centred[0], half), torus.scaled(centred[1], 2 * half))
        own = np.ascontiguousarray(given.second).view(np.int64)
        half = parameters.second_bits // 2
        second = torus.add(torus.scaled(own[0], half), torus.scaled(own[1], 2 * half))
        return torus.add(product, second)

    def decrypt(self, given: Answer, plain: Plain, where: Any = slice(None)) -> Words:
        """The message of an answer, (m,); `where` names the coefficients of which the second polynomial has m."""
        return plain.nearest(self.phase(given, where))


def rerandomised(parameters: Parameters, public: Words, product: Words, rng: Prg) -> Words:
    """The pair plus an encryption of zero, but for the latter's noise, which :func:`answer` adds."""
    fresh = transformed(parameters, _draw_ternary(rng, parameters.degree))
    return ntt.inner(ring_of(parameters), public[None], fresh, product)


def answer(
    parameters: Parameters,
    public: Words,
    product: Words,
    mask: Words,
    plain: Plain,
    rng: Prg,
    where: Any = slice(None),
) -> Answer:
    """Make of a product (2, limbs, n), a sum of pairs times plaintexts, what may go back to the key holder.

    `public` is the pair of its public key, `mask` (m,) uniform below the plaintext modulus, `where` names the m
    coefficients that it is to get (an index or a slice).
    """
    of = ring_of(parameters)
    both = ntt.inverse(of, rerandomised(parameters, public, product, rng))
    first = ntt.fraction(of, both[1:], _draw_noise(rng, (1, parameters.degree)))
    second = ntt.fraction(of, np.ascontiguousarray(both[:1][..., where]))
    second = torus.add(second, plain.fraction(mask[None]))
    second = torus.add(second, torus.uniform(rng.u64(second.shape), parameters.flood))
    return Answer(
        torus.split(first[:, 0], parameters.first_bits), torus.split(second[:, 0], parameters.second_bits)
    )
