"""The inner-product argument: two long vectors are known, by a proof whose length is the logarithm of theirs.

The prover knows a and b with  P = <a, G> + <b, H> + <a, b> U.  In each round both vectors are folded in half:

    L = <a_low, G_high> + <b_high, H_low> + <a_low, b_high> U        a' = x a_low + a_high       G' = G_low + x G_high
    R = <a_high, G_low> + <b_low, H_high> + <a_high, b_low> U        b' = b_low + x b_high       H' = x H_low + H_high

with x the hash of L and R, so that  P' = x^2 L + x P + R  is the same statement of half the length. No number is inverted. Where b
is public there is no H, and it is folded by both sides. Vectors have a power of two of places, of which the last may be zeros.

This is a proof of knowledge and hides nothing: what goes in must be masked (:mod:`unseen.crypto.quadratic`,
:mod:`unseen.crypto.linear`).

Sources: Bootle, Cerulli, Chaidos, Groth, Petit (EUROCRYPT 2016); Bünz et al., "Bulletproofs" (S&P 2018) section 3; folding as in
Attema and Cramer, "Compressed Sigma-Protocol Theory" (CRYPTO 2020).

The verifier multiplies nothing round by round: all that must hold is one sum of products, a :class:`Claim`, and claims of many
proofs are added up with random weights and computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from unseen.core.errors import RemoteProtocolError, VerificationError
from unseen.crypto import group, pedersen, scalars
from unseen.crypto.group import Elements
from unseen.crypto.scalars import ORDER, inner
from unseen.crypto.transcript import Transcript

_SIZE = group.ELEMENT_BYTES
_US = "this party"


class Reader:
    """The pieces of a proof, one after another; what is too short, too long or not canonical is refused."""

    def __init__(self, proof: bytes, what: str) -> None:
        self._proof = proof
        self._at = 0
        self.what = what

    def take(self, count: int) -> bytes:
        """The next bytes."""
        piece = self._proof[self._at : self._at + count]
        self._at += count
        if len(piece) != count:
            raise VerificationError(f"{self.what} is too short: it has {len(self._proof)} bytes.")
        return piece

    def element(self) -> bytes:
        """The next element; whether it is one is found out when the claim is checked."""
        return self.take(_SIZE)

    def scalar(self) -> int:
        """The next number, below the order."""
        return scalars.from_bytes(self.take(_SIZE), what=self.what)

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._proof):
            raise VerificationError(
                f"{self.what} is too long: {len(self._proof) - self._at} bytes are left over."
            )


class Claim:
    """A sum of numbers times elements that must be the identity."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.right: list[int] = []
        self.others: dict[bytes, int] = {}

    def add(self, factor: int, element: bytes) -> None:
        """One product more."""
        self.others[element] = (self.others.get(element, 0) + factor) % ORDER

    def add_left(self, factors: Sequence[int]) -> None:
        """Products with the left family's bases, from the first on."""
        self.left = _sum(self.left, factors)

    def add_right(self, factors: Sequence[int]) -> None:
        """Products with the right family's."""
        self.right = _sum(self.right, factors)

    def add_claim(self, factor: int, other: Claim) -> None:
        """Another claim times a factor."""
        self.add_left([factor * number for number in other.left])
        self.add_right([factor * number for number in other.right])
        for element, number in other.others.items():
            self.add(factor * number, element)

    def check(self, what: str) -> None:
        """Compute it.

        Raises
        ------
        VerificationError
            It is not the identity, or something in it is no element; the text names `what`.
        """
        elements = [
            pedersen.bases(len(self.left)),
            pedersen.bases(len(self.right), pedersen.RIGHT),
            group.to_array(list(self.others)),
        ]
        factors = scalars.to_rows([*self.left, *self.right, *self.others.values()])
        try:
            total = group.sum_of_products(factors, np.concatenate(elements), sender="the prover")
        except RemoteProtocolError as error:
            raise VerificationError(
                f"{what} has something in it that is no element.", why=error.why
            ) from error
        if any(total):
            raise VerificationError(
                f"{what} does not hold.",
                why="it is not for this statement in this session, or its maker does not know what it claims to",
            )


def check_all(claims: Sequence[Claim], what: str) -> None:
    """Check many at once, under random weights of 128 bits: much less work, and one answer for all.

    Raises
    ------
    VerificationError
        One of them does not hold (but for a chance of 2^-128).
    """
    total = Claim()
    for claim in claims:
        total.add_claim(scalars.random_scalar() >> 124, claim)
    total.check(what)


def rounds(count: int) -> int:
    """How often a vector of that length is halved; also the logarithm of its padded length."""
    return max(count - 1, 0).bit_length()


def draw_unit(said: bytes, transcript: Transcript) -> bytes:
    """U, which nobody could foresee when the numbers were said: so the product in them is the one that is folded."""
    transcript.absorb("opened", said)
    factor = scalars.to_rows([transcript.challenge("unit")])
    return group.sum_of_products(factor, group.to_array([pedersen.PRODUCT]), sender=_US)


def prove(
    left: Sequence[int],
    right: Sequence[int],
    bases: tuple[Elements, Elements | None],
    unit: bytes,
    transcript: Transcript,
) -> bytes:
    """Fold down to one number, or two where both vectors are secret: 64 bytes a round, and 32 or 64.

    Parameters
    ----------
    left, right
        The vectors, of one length that is a power of two.
    bases
        Theirs, shape (n, 32); no second where `right` is public.
    unit
        U, drawn after everything else was fixed.
    """
    a, b, (g, h) = list(left), list(right), bases
    proof = b""
    while len(a) > 1:
        half = len(a) // 2
        sides = []
        for one, other in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
            factors = [*a[one], inner(a[one], b[other])]
            elements = [g[other], group.to_array([unit])]
            if h is not None:
                factors += b[other]
                elements.append(h[one])
            sides.append(
                group.sum_of_products(scalars.to_rows(factors), np.concatenate(elements), sender=_US)
            )
        proof += b"".join(sides)
        x = _fold_challenge(transcript, *sides)
        a = [(x * low + high) % ORDER for low, high in zip(a[:half], a[half:], strict=True)]
        b = [(low + x * high) % ORDER for low, high in zip(b[:half], b[half:], strict=True)]
        g = _folded(g[:half], g[half:], x)
        h = None if h is None else _folded(h[half:], h[:half], x)
    ends = a if h is None else a + b
    return proof + b"".join(map(scalars.to_bytes, ends))


def reduce(
    claim: Claim,
    count: int,
    unit: bytes,
    reader: Reader,
    transcript: Transcript,
    *,
    right: Sequence[int] | None = None,
    weights: Sequence[int] | None = None,
) -> None:
    """Turn a claim that stands for P into one that must vanish, by reading the proof.

    Parameters
    ----------
    claim
        P, as a sum of products; changed.
    count
        Length of the vectors, a power of two.
    right
        The second vector where it is public.
    weights
        Where it is secret: its bases are these times the right family's (default: the family itself).
    """
    challenges, rest = [], 1
    for _ in range(rounds(count)):
        low, high = reader.element(), reader.element()
        x = _fold_challenge(transcript, low, high)
        claim.add(x * rest, low)
        rest = rest * scalars.inverse(x) % ORDER
        claim.add(rest, high)
        challenges.append(x)
    a = reader.scalar()
    claim.add_left(_unfolded(-a * rest, challenges, low_first=False))
    if right is not None:
        b = inner(right, _unfolded(1, challenges, low_first=False))
    else:
        b = reader.scalar()
        factors = _unfolded(-b * rest, challenges, low_first=True)
        claim.add_right([f * w for f, w in zip(factors, weights, strict=True)] if weights else factors)
    claim.add(-a * b * rest, unit)


def _fold_challenge(transcript: Transcript, low: bytes, high: bytes) -> int:
    transcript.absorb("fold", low, high)
    return transcript.challenge("fold")


def _folded(kept: Elements, multiplied: Elements, x: int) -> Elements:
    """Kept + x times the other half."""
    factor = np.repeat(scalars.to_rows([x]), len(multiplied), axis=0)
    return group.add(kept, group.products(factor, multiplied, sender=_US), sender=_US)


def _unfolded(start: int, challenges: Sequence[int], *, low_first: bool) -> list[int]:
    """What each base of the beginning counts in the one at the end, times `start`."""
    factors = [start % ORDER]
    for x in reversed(challenges):
        multiplied = [factor * x % ORDER for factor in factors]
        factors = multiplied + factors if low_first else factors + multiplied
    return factors


def _sum(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [(a + b) % ORDER for a, b in zip_longest(left, right, fillvalue=0)]
