"""A committed vector is of small integers, and 128 random sums of it are so and so: without proving a single range.

The prover commits to the vector x (C) and to 128 masks m_k, uniform in [0, 2^112) (M). Then bits b_ki are drawn, 128 rows of one for
every number, and it says  z_k = sum of b_ki x_i + m_k,  as integers, with a proof that the commitments say so too.

What follows from it, but for a chance of 2^-127 over them:

1. |x_i| < 2^112 for every number committed to. Were one of them larger, z_k with b_ki = 0 and with b_ki = 1 would be 2^112 or more
   apart modulo the order of the group, so at most one of both is in [0, 2^112): each row fails with a chance of one half.
2. The equation holds between integers, hence modulo every number, 2^64 for one: both sides are far smaller than the order.

What it leaks
    m_k is uniform and 2^64 times larger than any sum of b_ki x_i, so all z_k together are within 128 / 2^64 = 2^-57 of uniform
    numbers in [0, 2^112). That holds where the |x_i| add up to at most 2^48; who has larger ones is told before anything is
    sent. The factor between what an honest prover has and what is proved (2^64 and more) is the price for doing without bits.
Assumptions
    Discrete logarithms in ristretto255; SHA-512 as a random oracle. The bits may come from the transcript or from a coin tossed by the
    verifiers after both commitments.

What is behind the first n places of a commitment is not looked at, but for the places of the masks, where nothing can be.

Why a challenge e: C and M are proved together, as e C + M. For C = (x, c) and M = (f, m), over the bases of the numbers and of the
masks, the proved equation is a polynomial in e; it holds for random e only if <w, c> = 0, <w b, f> = 0 for random weights w, so
c = 0 and f = 0: the masks' commitment cannot change the numbers.

Source of the lemma: Gentry, Halevi, Lyubashevsky, "Practical Non-interactive Publicly Verifiable Secret Sharing with Thousands of
Parties" (EUROCRYPT 2022), on approximate proofs of smallness.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError, VerificationError
from unseen.crypto import linear, pedersen, scalars
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

SUMS = 128
WINDOW_BITS = 112
SAFE_BITS = 48
SUM_BYTES = WINDOW_BITS // 8
_PROTOCOL = "unseen/short/v1"

Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Masks:
    """The prover's masks, and the blind of the commitment to them. Used once."""

    values: tuple[int, ...]
    blind: int


def require_small(values: Sequence[int]) -> None:
    """Refuse numbers that the masks would not hide.

    Raises
    ------
    UsageError
        Their sizes add up to more than 2^48.
    """
    if sum(map(abs, values)) > 1 << SAFE_BITS:
        raise UsageError(
            "The numbers are too large to be proved about.",
            why=f"their sizes add up to more than 2^{SAFE_BITS}: the masks would not hide them",
            mend="take fewer fraction bits, scale the numbers, or prove about fewer at a time",
        )


def commit_masks(count: int) -> tuple[Masks, bytes]:
    """Fresh masks for `count` numbers and the commitment to them: over the bases behind those of the numbers."""
    edge = 1 << SAFE_BITS
    values = tuple(edge + secrets.randbelow((1 << WINDOW_BITS) - 2 * edge) for _ in range(SUMS))
    masks = Masks(values, scalars.random_scalar())
    return masks, pedersen.commit_vector([*[0] * count, *values], masks.blind)


def sums(values: Sequence[int], masks: Masks, rows: Bits) -> list[int]:
    """The z_k, integers in [0, 2^112); `rows` has shape (128, n)."""
    plain = rows.astype(np.int64) @ np.array(values, np.int64)
    return [int(total) + mask for total, mask in zip(plain, masks.values, strict=True)]


def to_bytes(numbers: Sequence[int]) -> bytes:
    """The z_k as they are sent, 14 bytes each."""
    return b"".join(number.to_bytes(SUM_BYTES, "little") for number in numbers)


def from_bytes(data: bytes) -> list[int]:
    """What was sent, numbers in [0, 2^112).

    Raises
    ------
    VerificationError
        It has another length.
    """
    if len(data) != SUMS * SUM_BYTES:
        raise VerificationError(f"{len(data)} bytes of masked sums where {SUMS * SUM_BYTES} are due.")
    return [int.from_bytes(data[at : at + SUM_BYTES], "little") for at in range(0, len(data), SUM_BYTES)]


def prove(
    values: Sequence[int],
    blind: int,
    masks: Masks,
    *,
    commitments: tuple[bytes, bytes],
    rows: Bits,
    transcript: Transcript,
) -> bytes:
    """That C and M, `commitments`, say z_k for the rows. `blind` is that of C."""
    z = sums(values, masks, rows)
    statement, e = _statement(commitments, rows, z, transcript)
    vector = [*(e * value % ORDER for value in values), *masks.values]
    return linear.prove(statement, vector, e * blind + masks.blind, transcript)


def claim(
    commitments: tuple[bytes, bytes], rows: Bits, z: Sequence[int], reader: Reader, transcript: Transcript
) -> Claim:
    """What must vanish if the proof holds.

    Raises
    ------
    VerificationError
        The proof is too short, or a number in it is not canonical.
    """
    statement, _ = _statement(commitments, rows, z, transcript)
    return linear.claim(statement, reader, transcript)


def _statement(
    commitments: tuple[bytes, bytes], rows: Bits, z: Sequence[int], transcript: Transcript
) -> tuple[linear.Statement, int]:
    transcript.begin(
        _PROTOCOL,
        commitments=b"".join(commitments),
        count=rows.shape[1].to_bytes(8, "little"),
        rows=np.packbits(rows).tobytes(),
        sums=to_bytes(z),
    )
    e, w = transcript.challenge("e"), transcript.challenge("w")
    weights = scalars.powers(w, SUMS)
    form = [
        sum(weight for weight, bit in zip(weights, column, strict=True) if bit) for column in rows.T.tolist()
    ]
    form += [e * weight % ORDER for weight in weights]
    value = e * scalars.inner(weights, z)
    return linear.Statement([(e, commitments[0]), (1, commitments[1])], form, value), e
