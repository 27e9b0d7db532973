"""Range proofs: the numbers in Pedersen commitments are in [0, 2^bits), many commitments by one proof (Bulletproofs).

Each number is written in bits: l = the bits, r = the bits less 1. It is to hold that l_i r_i = 0 and l_i - r_i = 1 for every
place (each is 0 or 1), and that the bits of number j add up to what V_j commits to. With challenges y and z:

    sum of y^i l_i r_i + z y^i (l_i - r_i - 1)  +  sum over j of z^(2 + j) (sum of 2^k l_jk - v_j)  =  0

which :mod:`unseen.crypto.quadratic` proves. Places behind the last number are bits of nothing.

Size: A and the argument, 32 (9 + 2 log2(m bits)) bytes for m numbers: 672 for one of 64 bits, 928 for 16 of them.
Security: as :mod:`unseen.crypto.quadratic` says. Numbers are modulo the order of the group; a number in [0, 2^bits) is itself.
For other bounds shift the commitment: v in [a, a + 2^bits) is a proof about C - a G.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.crypto import group, inner, pedersen, quadratic, scalars
from unseen.crypto.group import Elements
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

MOST_BITS = 128
_PROTOCOL = "unseen/range/v1"
_WHAT = "The range proof"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is proved: every number in `commitments`, shape (m, 32), is in [0, 2^bits).

    Raises
    ------
    LocalProtocolError
        No commitment, or bits that are not 1 to 128.
    """

    commitments: Elements
    bits: int

    def __post_init__(self) -> None:
        if not 0 < self.bits <= MOST_BITS or not len(self.commitments):
            raise LocalProtocolError(
                f"No range proof of {len(self.commitments)} commitments of {self.bits} bits.",
                why=f"one takes 1 to {MOST_BITS} bits and at least one commitment",
            )

    @property
    def count(self) -> int:
        """Places: the next power of two."""
        return 1 << inner.rounds(len(self.commitments) * self.bits)


def prove(
    statement: Statement, values: Sequence[int], blinds: Sequence[int], transcript: Transcript
) -> bytes:
    """Prove it.

    Raises
    ------
    UsageError
        A number is out of the range.
    LocalProtocolError
        Another number of numbers than of commitments.
    """
    if len(values) != len(statement.commitments):
        raise LocalProtocolError(f"{len(values)} numbers for {len(statement.commitments)} commitments.")
    values = [scalars.whole(value) for value in values]
    if any(not 0 <= value < 1 << statement.bits for value in values):
        raise UsageError(f"A number is not in [0, 2^{statement.bits}): that cannot be proved.")
    bits = [value >> place & 1 for value in values for place in range(statement.bits)]
    left = bits + [0] * (statement.count - len(bits))
    right = [bit - 1 for bit in left]
    blind = scalars.random_scalar()
    elements = [pedersen.bases(len(left)), pedersen.bases(len(left), pedersen.RIGHT)]
    committed = group.sum_of_products(
        scalars.to_rows([*left, *right, blind]),
        np.concatenate([*elements, group.to_array([pedersen.BLINDING])]),
        sender="this party",
    )
    equation = _equation(statement, committed, transcript)
    witness = quadratic.Witness(left, right, blind, blinds)
    return committed + quadratic.prove(equation, witness, transcript)


def verify(statement: Statement, proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold for this statement in this session.
    """
    claim(statement, proof, transcript).check(_WHAT)


def claim(statement: Statement, proof: bytes, transcript: Transcript) -> Claim:
    """What must vanish; claims of many proofs are checked at once by :func:`unseen.crypto.inner.check_all`.

    Raises
    ------
    VerificationError
        The proof has another length than is due, or a number that is not canonical.
    """
    reader = Reader(proof, _WHAT)
    out = read(statement, reader, transcript)
    reader.end()
    return out


def read(statement: Statement, reader: Reader, transcript: Transcript) -> Claim:
    """The same of a proof that is part of a longer one."""
    committed = reader.element()
    equation = _equation(statement, committed, transcript)
    return quadratic.claim(equation, [(1, committed)], reader, transcript)


def _equation(statement: Statement, committed: bytes, transcript: Transcript) -> quadratic.Equation:
    bits, count = statement.bits, statement.count
    transcript.begin(
        _PROTOCOL,
        bases=pedersen.VALUE + pedersen.BLINDING + pedersen.PRODUCT,
        bits=bits.to_bytes(4, "little"),
        commitments=statement.commitments.tobytes(),
    )
    transcript.absorb("bits", committed)
    y, z = transcript.challenge("y"), transcript.challenge("z")
    products = scalars.powers(y, count)
    weights = scalars.powers(z, len(statement.commitments), start=z * z)
    right = [z * power % ORDER for power in products]
    for index, weight in enumerate(weights):
        for place in range(bits):
            at = index * bits + place
            right[at] = (right[at] + (weight << place)) % ORDER
    return quadratic.Equation(
        products=products,
        inverses=scalars.powers(scalars.inverse(y), count),
        left=[-z % ORDER] * count,
        right=right,
        constant=z * sum(products),
        values=list(zip(weights, map(bytes, statement.commitments), strict=True)),
    )
