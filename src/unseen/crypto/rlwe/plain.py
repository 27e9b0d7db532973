"""Plaintext moduli: words, and primes with slots. Each knows how its messages stand in a ciphertext."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.rlwe import torus
from unseen.kernels import ntt

Words = NDArray[np.uint64]

_ROUND_BITS = (
    20  # how finely a ciphertext is rounded up or down at random: bits 44-63 of a coefficient's word
)


class Plain(Protocol):
    """What encryption wants to know of a plaintext modulus; messages are words (count, n), below it."""

    @property
    def modulus(self) -> int:
        """T."""

    def times(self, message: Words, factor: int) -> Words:
        """Factor * message mod t."""

    def reaches(self, part: Words, words: Words) -> NDArray[np.bool_]:
        """Whether part + tau >= t, tau being uniform below t, to 20 bits, from the top of each word."""

    def fraction(self, message: Words) -> torus.Torus:
        """Message / t, too low by less than 2^-127."""

    def nearest(self, x: torus.Torus) -> Words:
        """T x to the nearest integer, mod t."""


@dataclass(frozen=True, slots=True)
class WholeWords:
    """t = 2^64."""

    @property
    def modulus(self) -> int:
        """2^64."""
        return 1 << 64

    def times(self, message: Words, factor: int) -> Words:
        """See Plain."""
        return message * np.uint64(factor % self.modulus)

    def reaches(self, part: Words, words: Words) -> NDArray[np.bool_]:
        """See Plain."""
        drop = np.uint64(64 - _ROUND_BITS)
        return part + (words >> drop << drop) < part

    def fraction(self, message: Words) -> torus.Torus:
        """See Plain."""
        return np.stack([message, np.zeros_like(message)])

    def nearest(self, x: torus.Torus) -> Words:
        """See Plain."""
        return torus.nearest_word(x)


@dataclass(frozen=True, slots=True)
class Prime:
    """t is the only prime of `ring`, below 2^44 (for `reaches`)."""

    ring: ntt.Ring

    @property
    def modulus(self) -> int:
        """The prime."""
        return self.ring.modulus

    def times(self, message: Words, factor: int) -> Words:
        """See Plain."""
        by = np.array([factor % self.modulus], np.uint64)
        return ntt.residues(self.ring, np.zeros(message.shape, np.int64), message, by)[:, 0]

    def reaches(self, part: Words, words: Words) -> NDArray[np.bool_]:
        """See Plain."""
        t = np.uint64(self.modulus)
        return part + (((words >> np.uint64(64 - _ROUND_BITS)) * t) >> np.uint64(_ROUND_BITS)) >= t

    def fraction(self, message: Words) -> torus.Torus:
        """See Plain."""
        return ntt.fraction(self.ring, message[:, None])

    def nearest(self, x: torus.Torus) -> Words:
        """See Plain."""
        return torus.nearest(x, self.modulus)
