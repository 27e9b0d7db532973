"""The argument behind range and norm proofs: committed vectors l and r fulfil an equation with products.

    sum of u_i l_i r_i + <p, l> + <q, r> = sum of w_j v_j + k

with l and r in A = <l, G> + <r, H> + a B, the v_j in Pedersen commitments V_j, and u, p, q, w, k public. u, p and q are random
combinations of all that is to hold, drawn after A and the V_j were absorbed: one equation then stands for all of them.

As in Bulletproofs, l and r become polynomials l + c + s X and u (r + s' X) + p with c = q / u, whose inner product at X = 0 is
what the equation says; its other coefficients are committed to (T_1, T_2), and everything is opened at a random x, where s and s'
mask it. The opened vectors go through the inner-product argument.

Against whom
    A prover who deviates (knowledge sound, by discrete logarithms in ristretto255, SHA-512 as a random oracle), and a verifier
    who is curious (perfect honest-verifier zero knowledge, hence zero knowledge in the random-oracle model).
Size
    32 bytes times (8 + 2 log2 n): S, T_1, T_2, three numbers, two elements a round, two numbers. A is the caller's.

Source: Bünz, Bootle, Boneh, Poelstra, Wuille, Maxwell, "Bulletproofs: Short Proofs for Confidential Transactions and More"
(S&P 2018), sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.crypto import group, inner, pedersen, scalars
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Equation:
    """What is to hold, of vectors of n places, n a power of two.

    Attributes
    ----------
    products
        u: weights of the products, none of them 0. Their inverses are `inverses`.
    left
        c = q / u: what is added to l.
    right
        p: what is added to u r.
    constant
        k.
    values
        (w_j, V_j).
    """

    products: list[int]
    inverses: list[int]
    left: list[int]
    right: list[int]
    constant: int
    values: Sequence[tuple[int, bytes]]

    @property
    def target(self) -> int:
        """What the polynomials' product at 0 is besides the committed values: k + <c, p>."""
        return (self.constant + scalars.inner(self.left, self.right)) % ORDER


@dataclass(frozen=True, slots=True)
class Witness:
    """The prover's side: l, r, a, and the blinds of the V_j."""

    left: list[int]
    right: list[int]
    blind: int
    value_blinds: Sequence[int]


def prove(equation: Equation, witness: Witness, transcript: Transcript) -> bytes:
    """The proof. The transcript has absorbed everything that `equation` was made from."""
    count = len(witness.left)
    u = equation.products
    g, h = pedersen.bases(count), pedersen.bases(count, pedersen.RIGHT)
    masks, other_masks = scalars.random_scalars(count), scalars.random_scalars(count)
    blind, t1_blind, t2_blind = scalars.random_scalars(3)
    s = group.sum_of_products(
        scalars.to_rows([*masks, *other_masks, blind]),
        np.concatenate([g, h, group.to_array([pedersen.BLINDING])]),
        sender="this party",
    )
    left = [(a + c) % ORDER for a, c in zip(witness.left, equation.left, strict=True)]
    right = [(w * b + p) % ORDER for w, b, p in zip(u, witness.right, equation.right, strict=True)]
    slope = [w * m % ORDER for w, m in zip(u, other_masks, strict=True)]
    t1 = pedersen.commit(scalars.inner(left, slope) + scalars.inner(masks, right), t1_blind)
    t2 = pedersen.commit(scalars.inner(masks, slope), t2_blind)
    transcript.absorb("quadratic", s, t1, t2)
    x = transcript.challenge("point")

    left = [(a + x * m) % ORDER for a, m in zip(left, masks, strict=True)]
    right = [(b + x * m) % ORDER for b, m in zip(right, slope, strict=True)]
    weighted = scalars.inner([w for w, _ in equation.values], witness.value_blinds)
    opened = [
        scalars.inner(left, right),
        weighted + x * t1_blind + x * x * t2_blind,
        witness.blind + x * blind,
    ]
    said = b"".join(map(scalars.to_bytes, opened))
    unit = inner.draw_unit(said, transcript)
    scaled = group.products(scalars.to_rows(equation.inverses), h, sender="this party")
    return s + t1 + t2 + said + inner.prove(left, right, (g, scaled), unit, transcript)


def claim(
    equation: Equation, committed: Sequence[tuple[int, bytes]], reader: Reader, transcript: Transcript
) -> Claim:
    """What must vanish if the proof holds, where A is the sum of factors times elements of `committed`.

    Raises
    ------
    VerificationError
        The proof is too short, or a number in it is not canonical.
    """
    s, t1, t2 = (reader.element() for _ in range(3))
    transcript.absorb("quadratic", s, t1, t2)
    x = transcript.challenge("point")
    said = reader.take(3 * group.SCALAR_BYTES)
    product, value_blind, blind = (
        scalars.from_bytes(said[at : at + group.SCALAR_BYTES], what=reader.what)
        for at in range(0, len(said), group.SCALAR_BYTES)
    )
    unit = inner.draw_unit(said, transcript)

    folded = Claim()  # P: <l(x), G> + <r(x), H / u> + product U
    for factor, element in committed:
        folded.add(factor, element)
    folded.add(x, s)
    folded.add_left(equation.left)
    folded.add_right([p * v % ORDER for p, v in zip(equation.right, equation.inverses, strict=True)])
    folded.add(-blind, pedersen.BLINDING)
    folded.add(product, unit)
    inner.reduce(folded, len(equation.left), unit, reader, transcript, weights=equation.inverses)

    opened = Claim()  # the product is that of the polynomials
    opened.add(equation.target - product, pedersen.VALUE)
    opened.add(-value_blind, pedersen.BLINDING)
    for weight, commitment in equation.values:
        opened.add(weight, commitment)
    opened.add(x, t1)
    opened.add(x * x, t2)
    folded.add_claim(scalars.random_scalar(), opened)
    return folded
