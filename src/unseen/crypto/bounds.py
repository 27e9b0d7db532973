"""Every number of a committed vector is in [low, low + 2^bits), and nothing else about it.

The commitment to the vector is one element C, under a base for each place; a range proof is about elements V_i, each a commitment to one
number. So the prover commits to every x_i - low by itself, proves these to be in [0, 2^bits) (:mod:`unseen.crypto.range`, in pieces of
65,536 places), and that they are the numbers of C:

1. It commits to a mask m twice, as a number in N and as entry n, behind the last, of a vector in M, and proves that N and M hold the
   same m and nothing else (:mod:`unseen.crypto.sigma`).
2. With a challenge t it says z = m + sum of t^(i+1) x_i, and the blind of N + sum of t^(i+1) (V_i + low G), which opens that to z.
3. It proves that <(t, t^2, ..., t^n, 1), v> = z for v in C + M (:mod:`unseen.crypto.linear`).

Soundness: C, M, N and the V_i were fixed before t. If v_i + low differs from x_i in any place, or C has anything in entry n, a polynomial of
degree n in t that is not 0 has a root at t: one chance in 2^252 / n.
Zero knowledge: m is uniform modulo the order, so z is, and so is the blind; the parts are zero knowledge.
Size: 32 bytes a number, and some kilobytes. Time: 90 us for each bit of each number at the prover, a tenth of that at the verifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.crypto import group, inner, linear, pedersen, scalars, sigma
from unseen.crypto import range as ranges
from unseen.crypto.group import Elements
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

MOST_ENTRIES = 1 << 16
_PLACES = 1 << 16
_SECRETS = 3
_PROTOCOL = "unseen/bounds/v1"
_WHAT = "The proof of bounds"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is proved: `commitment` is to `entries` integers in [low, low + 2^bits).

    Raises
    ------
    LocalProtocolError
        No entries or more than 65,536, bits that are not 1 to 64, or a bound beyond 2^64.
    """

    commitment: bytes
    entries: int
    low: int
    bits: int

    def __post_init__(self) -> None:
        if not 0 < self.entries <= MOST_ENTRIES or not 0 < self.bits <= 64 or abs(self.low) >> 64:  # noqa: PLR2004
            raise LocalProtocolError(f"No proof of bounds of {self.entries} entries of {self.bits} bits.")

    @property
    def pieces(self) -> list[slice]:
        """Which numbers are in one range proof."""
        each = _PLACES // self.bits
        return [slice(begin, begin + each) for begin in range(0, self.entries, each)]


def prove(statement: Statement, values: Sequence[int], blind: int, transcript: Transcript) -> bytes:
    """Prove it.

    Raises
    ------
    UsageError
        A number is out of the bounds: its place is named.
    """
    if len(values) != statement.entries:
        raise LocalProtocolError(f"{len(values)} numbers for a proof of {statement.entries}.")
    high = statement.low + (1 << statement.bits)
    outside = next((place for place, value in enumerate(values) if not statement.low <= value < high), None)
    if outside is not None:
        raise UsageError(
            f"Number {outside + 1} of {len(values)} is not in [{statement.low}, {high}): that cannot be proved.",
            mend="clip the numbers, or agree on wider bounds",
        )
    moved = [value - statement.low for value in values]
    blinds = scalars.random_scalars(len(values))
    mask, number_blind, vector_blind = scalars.random_scalars(_SECRETS)
    each = pedersen.commit_each(moved, blinds)
    number = pedersen.commit(mask, number_blind)
    vector = pedersen.commit_vector([*[0] * len(values), mask], vector_blind)
    head = each.tobytes() + number + vector
    _begin(statement, head, transcript)
    same = sigma.prove(_same(statement, number, vector), [mask, number_blind, vector_blind], transcript)

    powers = _powers(statement, transcript)
    z = (scalars.inner(powers, values) + mask) % ORDER
    opening = (scalars.inner(powers, blinds) + number_blind) % ORDER
    said = scalars.to_bytes(z) + scalars.to_bytes(opening)
    transcript.absorb("sum", said)
    sums = linear.prove(_sum(statement, vector, powers, z), [*values, mask], blind + vector_blind, transcript)
    proofs = [
        ranges.prove(ranges.Statement(each[some], statement.bits), moved[some], blinds[some], transcript)
        for some in statement.pieces
    ]
    return head + same + said + sums + b"".join(proofs)


def verify(statement: Statement, proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold for this statement in this session.
    """
    reader = Reader(proof, _WHAT)
    head = reader.take(group.ELEMENT_BYTES * (statement.entries + 2))
    elements = np.frombuffer(head, np.uint8).reshape(-1, group.ELEMENT_BYTES)
    each, number, vector = elements[:-2], elements[-2].tobytes(), elements[-1].tobytes()
    _begin(statement, head, transcript)
    same = reader.take(group.SCALAR_BYTES * (1 + _SECRETS))
    sigma.verify(_same(statement, number, vector), same, transcript)

    powers = _powers(statement, transcript)
    z, opening = reader.scalar(), reader.scalar()
    transcript.absorb("sum", scalars.to_bytes(z) + scalars.to_bytes(opening))
    claims = [_opened(statement, each, number, powers, z, opening)]
    claims.append(linear.claim(_sum(statement, vector, powers, z), reader, transcript))
    claims += [
        ranges.read(ranges.Statement(each[some], statement.bits), reader, transcript)
        for some in statement.pieces
    ]
    reader.end()
    inner.check_all(claims, _WHAT)


def _begin(statement: Statement, head: bytes, transcript: Transcript) -> None:
    transcript.begin(
        _PROTOCOL,
        commitment=statement.commitment,
        entries=statement.entries.to_bytes(8, "little"),
        low=statement.low.to_bytes(16, "little", signed=True),
        bits=statement.bits.to_bytes(4, "little"),
    )
    transcript.absorb("commitments", head)


def _same(statement: Statement, number: bytes, vector: bytes) -> sigma.Relation:
    """Both are to one mask: a number, and the entry behind the last of a vector that has nothing else."""
    behind = pedersen.bases(statement.entries + 1)[-1].tobytes()
    return sigma.Relation(
        "mask-of-bounds",
        _SECRETS,
        (
            sigma.Equation(number, ((0, pedersen.VALUE), (1, pedersen.BLINDING))),
            sigma.Equation(vector, ((0, behind), (2, pedersen.BLINDING))),
        ),
    )


def _powers(statement: Statement, transcript: Transcript) -> list[int]:
    """t, t^2, ... for each number: none of them is the 1 of the mask."""
    t = transcript.challenge("t")
    return scalars.powers(t, statement.entries, start=t)


def _sum(statement: Statement, vector: bytes, powers: list[int], z: int) -> linear.Statement:
    return linear.Statement([(1, statement.commitment), (1, vector)], [*powers, 1], z)


def _opened(
    statement: Statement, each: Elements, number: bytes, powers: list[int], z: int, opening: int
) -> Claim:
    """The sum of t^(i+1) (V_i + low G), and of the mask, is the commitment to z under this blind."""
    out = Claim()
    for power, element in zip(powers, each, strict=True):
        out.add(power, element.tobytes())
    out.add(1, number)
    out.add(statement.low * sum(powers) - z, pedersen.VALUE)
    out.add(-opening, pedersen.BLINDING)
    return out
