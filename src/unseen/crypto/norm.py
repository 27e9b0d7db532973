"""The sum of squares of a committed vector is at most B, without anything else about it: a bound on its Euclidean length.

For contributions that are only seen in sum (federated learning): who sends one proves that it is no longer than agreed.

The proof has three parts, in one transcript:

1. The vector is of integers below 2^112 (:mod:`unseen.crypto.short`), so that their squares add up without going round.
2. R commits to what is left, B - s, s the sum of squares. With A = <x, H> over the right family, e C + A commits to l = e x and
   r = x for a challenge e; l_i = e r_i in every place and <l, r> = e (B - (B - s)) (:mod:`unseen.crypto.quadratic`). As in `short`, for random e nothing else can be
   in C and A. Behind the last entry l_i = 0: squares of numbers that nobody showed to be small could bring the sum down.
3. B - s is in [0, 2^b), b the bits of B (:mod:`unseen.crypto.range`).

Security: as those three; the sizes of an honest prover's entries add up to at most 2^48; n <= 2^16.
Size: 1,792 bytes of masked sums and 32 (25 + 2 log2(n + 128) + 2 log2 n + 2 log2 b) bytes, 4.6 kB for n = 1000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.crypto import group, inner, pedersen, quadratic, range, scalars, short  # noqa: A004 - range proofs
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

MOST_ENTRIES = 1 << 16
_PROTOCOL = "unseen/norm/v1"
_WHAT = "The norm proof"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is proved: `commitment` is to `entries` integers whose squares add up to at most `bound`.

    Raises
    ------
    LocalProtocolError
        No entries or more than 65,536, or a bound that is not 1 to 2^128 - 1.
    """

    commitment: bytes
    entries: int
    bound: int

    def __post_init__(self) -> None:
        if not 0 < self.entries <= MOST_ENTRIES or not 0 < self.bound < 1 << range.MOST_BITS:
            raise LocalProtocolError(f"No norm proof of {self.entries} entries up to {self.bound}.")


def prove(statement: Statement, values: Sequence[int], blind: int, transcript: Transcript) -> bytes:
    """Prove it.

    Raises
    ------
    UsageError
        The vector is longer than the bound, or has entries too large to be proved about.
    """
    total = sum(value * value for value in values)
    if len(values) != statement.entries or total > statement.bound:
        raise UsageError(
            f"The squares add up to more than {statement.bound}: that cannot be proved.",
            mend="scale the vector down (clip it)",
        )
    short.require_small(values)
    count = 1 << inner.rounds(len(values))
    masks, masks_commitment = short.commit_masks(len(values))
    right_blind, rest_blind = scalars.random_scalars(2)
    right_commitment = pedersen.commit_vector(values, right_blind, pedersen.RIGHT)
    rest_commitment = pedersen.commit(statement.bound - total, rest_blind)
    head = masks_commitment + right_commitment + rest_commitment

    rows = _begin(statement, head, transcript)
    z = short.to_bytes(short.sums(values, masks, rows))
    pair = (statement.commitment, masks_commitment)
    first = short.prove(values, blind, masks, commitments=pair, rows=rows, transcript=transcript)

    equation, e = _squares(statement, rest_commitment, transcript)
    padded = [*values, *[0] * (count - len(values))]
    left = [e * value % ORDER for value in padded]
    witness = quadratic.Witness(left, padded, e * blind + right_blind, [rest_blind])
    second = quadratic.prove(equation, witness, transcript)

    rest = range.Statement(group.to_array([rest_commitment]), statement.bound.bit_length())
    third = range.prove(rest, [statement.bound - total], [rest_blind], transcript)
    return head + z + first + second + third


def verify(statement: Statement, proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold for this statement in this session.
    """
    inner.check_all(claims(statement, proof, transcript), _WHAT)


def claims(statement: Statement, proof: bytes, transcript: Transcript) -> list[Claim]:
    """What must vanish; those of many proofs may be checked at once by :func:`unseen.crypto.inner.check_all`.

    Raises
    ------
    VerificationError
        The proof has another length than is due, or something in it is not canonical.
    """
    reader = Reader(proof, _WHAT)
    masks_commitment, right_commitment, rest_commitment = (reader.element() for _ in (1, 2, 3))
    rows = _begin(statement, masks_commitment + right_commitment + rest_commitment, transcript)
    z = short.from_bytes(reader.take(short.SUMS * short.SUM_BYTES))
    first = short.claim((statement.commitment, masks_commitment), rows, z, reader, transcript)
    equation, e = _squares(statement, rest_commitment, transcript)
    both = [(e, statement.commitment), (1, right_commitment)]
    second = quadratic.claim(equation, both, reader, transcript)
    rest = range.Statement(group.to_array([rest_commitment]), statement.bound.bit_length())
    third = range.read(rest, reader, transcript)
    reader.end()
    return [first, second, third]


def _begin(statement: Statement, head: bytes, transcript: Transcript) -> short.Bits:
    transcript.begin(
        _PROTOCOL,
        commitment=statement.commitment,
        entries=statement.entries.to_bytes(8, "little"),
        bound=statement.bound.to_bytes(16, "little"),
    )
    transcript.absorb("commitments", head)
    return transcript.draw_bits("rows", short.SUMS, statement.entries)


def _squares(statement: Statement, rest: bytes, transcript: Transcript) -> tuple[quadratic.Equation, int]:
    """<l, r> = e (bound - rest), and y^i (l_i - e r_i) = 0 in every place, y^i l_i = 0 behind the last entry."""
    count = 1 << inner.rounds(statement.entries)
    e, y = transcript.challenge("e"), transcript.challenge("y")
    weights = scalars.powers(y, count, start=y)
    ones = [1] * count
    left = [-e * weight % ORDER for weight in weights[: statement.entries]]
    left += [0] * (count - statement.entries)
    return quadratic.Equation(ones, ones, left, weights, e * statement.bound, [(-e, rest)]), e
